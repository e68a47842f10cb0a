package storage_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sekisho/internal/entra"
	"sekisho/internal/servicetest"
	"sekisho/internal/store"
)

// documented is Azure's table of what an operation needs of access control lists
// beside a role: of /, Oregon, Portland and Data.txt. Nothing is needed where the
// role has it. Source: azure-docs storage/blobs/data-lake-storage-access-control-model.md,
// "Permissions table: Combining Azure RBAC, ABAC, and ACLs".
var documented = []struct {
	operation, role string
	needs           [4]string
}{
	{"read", "", [4]string{"--x", "--x", "--x", "r--"}},
	{"read", dataReader, [4]string{}},
	{"append", "", [4]string{"--x", "--x", "--x", "rw-"}},
	{"append", dataReader, [4]string{"--x", "--x", "--x", "-w-"}},
	{"append", dataContributor, [4]string{}},
	{"delete", "", [4]string{"--x", "--x", "-wx", "---"}},
	{"delete", dataReader, [4]string{"--x", "--x", "-wx", "---"}},
	{"delete", dataContributor, [4]string{}},
	{"create", "", [4]string{"--x", "--x", "-wx", ""}},
	{"create", dataReader, [4]string{"--x", "--x", "-wx", ""}},
	{"create", dataContributor, [4]string{}},
	{"list /", "", [4]string{"r-x", "---", "---", "---"}},
	{"list /", dataReader, [4]string{}},
	{"list /Oregon", "", [4]string{"--x", "r-x", "---", "---"}},
	{"list /Oregon/Portland", "", [4]string{"--x", "--x", "r-x", "---"}},
	{"list /Oregon/Portland", dataReader, [4]string{}},
	{"delete", dataOwner, [4]string{}},
}

var places = [4]string{"", "Oregon", "Oregon/Portland", "Oregon/Portland/Data.txt"}

// attempt makes an operation of the table.
func (l *lake) attempt(as servicetest.Principal, operation string) servicetest.Reply {
	const file = "/lfs/Oregon/Portland/Data.txt"
	verb, directory, _ := strings.Cut(operation, " /")
	switch verb {
	case "read":
		return l.do(as, "GET", file, "")
	case "append":
		return l.do(as, "PATCH", file+"?action=append&position=4", "more")
	case "delete":
		return l.do(as, "DELETE", file, "")
	case "create":
		return l.do(as, "PUT", file+"?resource=file", "")
	}
	return l.do(as, "GET", "/lfs?resource=filesystem&recursive=false&directory="+directory, "")
}

// lists sets what a principal may do at each place; owner and others may nothing.
func (l *lake) lists(p servicetest.Principal, grants [4]string) {
	l.t.Helper()
	for i, place := range places {
		if grants[i] != "" {
			l.acl(place, "user::---,user:"+p.ID+":"+grants[i]+",group::---,mask::rwx,other::---")
		}
	}
}

func TestWhatIsNeededOfListsBesideRolesIsWhatAzureDocuments(t *testing.T) {
	l := newLake(t, true)
	readers := map[string]servicetest.Principal{}
	for _, row := range documented {
		if _, ok := readers[row.role]; !ok {
			p := l.Principal("with " + row.role)
			if row.role != "" {
				l.Grant(p.ID, row.role, l.account)
			}
			readers[row.role] = p
		}
	}
	fresh := func(operation string) {
		l.write("Oregon/Portland/Data.txt", "text")
		if operation == "create" {
			l.need(http.StatusOK, l.do(l.super, "DELETE", "/lfs/Oregon/Portland/Data.txt", ""))
		}
	}
	for _, row := range documented {
		t.Run(fmt.Sprintf("%s with %s", row.operation, row.role), func(t *testing.T) {
			p := readers[row.role]
			enough := row.needs
			for i := range enough {
				if enough[i] == "" && (i < 3 || row.operation != "create") {
					enough[i] = "---"
				}
			}
			for i := range enough {
				for _, bit := range strings.Trim(enough[i], "-") {
					if bit == '-' {
						continue
					}
					less := enough
					less[i] = strings.Replace(less[i], string(bit), "-", 1)
					fresh(row.operation)
					l.lists(p, less)
					if r := l.attempt(p, row.operation); r.Status != http.StatusForbidden || r.Code() != "AuthorizationPermissionMismatch" {
						t.Errorf("with %q: %d %s", less, r.Status, r.Body)
					}
				}
			}
			fresh(row.operation)
			l.lists(p, enough)
			if r := l.attempt(p, row.operation); r.Status >= 300 {
				t.Errorf("with %q: %d %s", enough, r.Status, r.Body)
			}
		})
	}
}

func TestADenialTellsWhatRolesAndListsSaid(t *testing.T) {
	l := newLake(t, true)
	l.write("d/f", "x")
	p := l.Principal("p")
	l.acl("", "user::rwx,group::r-x,other::--x")
	r := l.do(p, "GET", "/lfs/d/f", "")
	inner, _ := r.Get("error", "innererror").(map[string]any)
	why := fmt.Sprint(inner["decidedBy"])
	if r.Status != http.StatusForbidden || !strings.Contains(why, "; and the access control list of /d gives the principal ---, and --x is needed") ||
		inner["smallestRole"] != "Storage Blob Data Reader" || !strings.HasPrefix(fmt.Sprint(inner["resource"]), "the access control list of /d") {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}

func TestOwnersGroupsMaskAndOthers(t *testing.T) {
	l := newLake(t, true)
	p := l.Principal("p")
	inner := l.Group("inner", p.ID)
	outer := l.Group("outer", inner)
	stranger := l.Group("stranger")
	l.acl("", "user::rwx,group::r-x,other::--x")
	l.write("f", "x")
	for _, tt := range []struct {
		name, acl, owner, group string
		may                     bool
	}{
		{"the owner", "user::r--,group::---,other::---", p.ID, "$superuser", true},
		{"the owner, whatever others may", "user::---,group::rwx,other::rwx", p.ID, inner, false},
		{"a named user", "user::---,user:" + p.ID + ":r--,group::---,other::---", "$superuser", "$superuser", true},
		{"a named user under a mask", "user::---,user:" + p.ID + ":r--,group::---,mask::-wx,other::---", "$superuser", "$superuser", false},
		{"the owning group", "user::---,group::r--,other::---", "$superuser", inner, true},
		{"a group in a group", "user::---,group::---,group:" + outer + ":r--,other::---", "$superuser", "$superuser", true},
		{"another group", "user::---,group::---,group:" + stranger + ":r--,other::---", "$superuser", "$superuser", false},
		{"a group that may less than the others", "user::---,group::---,group:" + inner + ":---,other::r--", "$superuser", "$superuser", false},
		{"one of two groups", "user::---,group::---,group:" + inner + ":-w-,group:" + outer + ":r--,other::---", "$superuser", "$superuser", true},
		{"the others", "user::---,group::---,other::r--", "$superuser", "$superuser", true},
		{"the others, where there is nothing", "user::rwx,group::rwx,other::---", "$superuser", "$superuser", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l.need(http.StatusOK, l.do(l.super, "PATCH", "/lfs/f?action=setAccessControl", "", "x-ms-acl: "+tt.acl, "x-ms-owner: "+tt.owner, "x-ms-group: "+tt.group))
			for _, host := range []string{l.host, "lake.blob.core.windows.net"} {
				if r := l.at(host, p, "GET", "/lfs/f", ""); (r.Status == http.StatusOK) != tt.may {
					t.Errorf("%s: %d %s", host, r.Status, r.Body)
				}
			}
		})
	}
}

func TestWhoMayChangeAccess(t *testing.T) {
	l := newLake(t, true)
	owner, contributor, reader := l.Principal("owner"), l.Principal("contributor"), l.Principal("reader")
	l.Grant(contributor.ID, dataContributor, l.account)
	l.Grant(reader.ID, dataReader, l.account)
	group := l.Group("group", owner.ID, contributor.ID)
	l.acl("", "user::rwx,group::r-x,other::rwx")
	l.need(http.StatusCreated, l.do(owner, "PUT", "/lfs/o?resource=file", ""))
	l.need(http.StatusCreated, l.do(contributor, "PUT", "/lfs/c?resource=file", ""))
	mode, toGroup, toOther := "x-ms-permissions: 0777", "x-ms-group: "+group, "x-ms-group: "+l.Group("none")
	for _, tt := range []struct {
		name   string
		as     servicetest.Principal
		path   string
		header string
		may    bool
	}{
		{"an owner gives permissions", owner, "o", mode, true},
		{"a contributor who is the owner", contributor, "c", mode, true},
		{"a contributor who is not", contributor, "o", mode, false},
		{"a reader", reader, "o", mode, false},
		{"an owner gives it to their group", owner, "o", toGroup, true},
		{"an owner gives it to another group", owner, "o", toOther, false},
		{"an owner gives it away", owner, "o", "x-ms-owner: " + reader.ID, false},
		{"a contributor gives it away", contributor, "c", "x-ms-owner: " + reader.ID, false},
		{"the superuser gives it away", l.super, "o", "x-ms-owner: " + reader.ID, true},
		{"who was the owner", owner, "o", mode, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := l.do(tt.as, "PATCH", "/lfs/"+tt.path+"?action=setAccessControl", "", tt.header)
			if (r.Status == http.StatusOK) != tt.may || !tt.may && r.Code() != "AuthorizationPermissionMismatch" {
				t.Errorf("%d %s", r.Status, r.Body)
			}
		})
	}
}

func TestAccessIsChangedBelowADirectoryWhereItMayBe(t *testing.T) {
	l := newLake(t, true)
	p := l.Principal("p")
	l.acl("", "user::rwx,group::r-x,other::rwx")
	l.need(http.StatusCreated, l.do(p, "PUT", "/lfs/d/mine?resource=file", ""))
	l.write("d/other", "x")
	entry := "x-ms-acl: user:" + l.Principal("q").ID + ":r-x"
	r := l.need(http.StatusOK, l.do(p, "PATCH", "/lfs/d?action=setAccessControlRecursive&mode=modify&forceFlag=true", "", entry))
	if got := fmt.Sprint(r.Get("directoriesSuccessful"), r.Get("filesSuccessful"), r.Get("failureCount")); got != "1 1 1" || !strings.Contains(r.Body, `"name":"d/other"`) {
		t.Errorf("%s", r.Body)
	}
	pages, total, next := 0, 0.0, ""
	for more := true; more; more = next != "" {
		r := l.need(http.StatusOK, l.do(l.super, "PATCH", "/lfs/d?action=setAccessControlRecursive&mode=modify&maxRecords=1&continuation="+next, "", entry))
		next = r.Header.Get("x-ms-continuation")
		pages, total = pages+1, total+r.Get("directoriesSuccessful").(float64)+r.Get("filesSuccessful").(float64)
	}
	if pages != 3 || total != 3 {
		t.Errorf("%d pages, %v paths", pages, total)
	}
}

func TestRecursionNeedsEveryDirectory(t *testing.T) {
	l := newLake(t, true)
	l.write("d/open/f", "x")
	l.write("d/shut/f", "x")
	p := l.Principal("p")
	l.acl("", "user::rwx,group::r-x,other::--x")
	for _, dir := range []string{"d", "d/open"} {
		l.acl(dir, "user::rwx,group::r-x,other::rwx")
	}
	for path, status := range map[string]int{
		"GET /lfs?resource=filesystem&recursive=true&directory=d":      403,
		"GET /lfs?resource=filesystem&recursive=false&directory=d":     200,
		"GET /lfs?resource=filesystem&recursive=true&directory=d/open": 200,
	} {
		method, path, _ := strings.Cut(path, " ")
		if r := l.do(p, method, path, ""); r.Status != status {
			t.Errorf("%s: %d %s", path, r.Status, r.Body)
		}
	}
	if r := l.do(p, "DELETE", "/lfs/d?recursive=true", ""); r.Status != http.StatusForbidden {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	l.need(http.StatusOK, l.do(p, "DELETE", "/lfs/d/open?recursive=true", ""))
}

func TestTheStickyBitKeepsWhatIsOthers(t *testing.T) {
	l := newLake(t, true)
	p := l.Principal("p")
	l.write("d/other", "x")
	l.need(http.StatusOK, l.do(l.super, "PATCH", "/lfs/d?action=setAccessControl", "", "x-ms-permissions: 1777"))
	l.acl("", "user::rwx,group::r-x,other::--x")
	l.need(http.StatusCreated, l.do(p, "PUT", "/lfs/d/mine?resource=file", ""))
	if r := l.do(p, "DELETE", "/lfs/d/other", ""); r.Status != http.StatusForbidden || !strings.Contains(r.Body, "sticky") {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if r := l.do(p, "PUT", "/lfs/d/taken", "", "x-ms-rename-source: /lfs/d/other"); r.Status != http.StatusForbidden {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	l.need(http.StatusCreated, l.do(p, "PUT", "/lfs/d/kept", "", "x-ms-rename-source: /lfs/d/mine"))
	l.need(http.StatusOK, l.do(p, "DELETE", "/lfs/d/kept", ""))
}

// Roles of the control plane open nothing, and those of data no more than they say.
func TestWhatRolesMayNotDoWithPaths(t *testing.T) {
	l := newLake(t, true)
	l.write("d/f", "x")
	calls := map[string][]string{
		"list filesystems": {"GET", "/?resource=account"}, "make a filesystem": {"PUT", "/made?resource=filesystem"}, "read": {"GET", "/lfs/d/f"}, "list": {"GET", "/lfs?resource=filesystem&recursive=true"},
		"write": {"PATCH", "/lfs/d/f?action=append&position=1"}, "move": {"PUT", "/lfs/d/g", "x-ms-rename-source: /lfs/d/f"}, "delete": {"DELETE", "/lfs/d/none"},
		"permit": {"PATCH", "/lfs/d/f?action=setAccessControl", "x-ms-permissions: 0640"}, "own": {"PATCH", "/lfs/d/f?action=setAccessControl", "x-ms-owner: $superuser"},
		"drop a filesystem": {"DELETE", "/none?resource=filesystem"},
	}
	for name, tt := range map[string]struct{ role, may string }{
		"Owner":                    {servicetest.Owner, "list filesystems, make a filesystem, drop a filesystem"},
		"Contributor":              {servicetest.Contributor, "list filesystems, make a filesystem, drop a filesystem"},
		"Reader":                   {servicetest.Reader, "list filesystems"},
		"Storage Blob Data Reader": {dataReader, "list filesystems, read, list"},
		"Storage Blob Data Contributor": {dataContributor,
			"list filesystems, make a filesystem, drop a filesystem, read, list, write, move, delete"},
	} {
		p := l.Principal(name)
		l.Grant(p.ID, tt.role, l.account)
		for what, call := range calls {
			r := l.do(p, call[0], call[1], "", call[2:]...)
			may := false
			for one := range strings.SplitSeq(tt.may, ", ") {
				may = may || one == what
			}
			if refused := r.Status == http.StatusForbidden; refused == may {
				t.Errorf("%s: %s: %d %s", name, what, r.Status, r.Body)
			}
			if what == "move" && r.Status == http.StatusCreated {
				l.write("d/f", "x")
			}
		}
	}
}

func TestACopyNeedsTheListsOfItsSource(t *testing.T) {
	l := newLake(t, true)
	const blobs = "lake.blob.core.windows.net"
	p := l.Principal("p")
	l.write("from/f", "x")
	l.mkdir("to")
	l.acl("", "user::rwx,group::r-x,other::--x")
	l.acl("to", "user::rwx,group::r-x,other::-wx")
	copied := func() servicetest.Reply {
		return l.at(blobs, p, "PUT", "/lfs/to/f", "", "x-ms-copy-source: https://"+blobs+"/lfs/from/f", "x-ms-requires-sync: true")
	}
	if r := copied(); r.Status != http.StatusForbidden || !strings.Contains(r.Body, "/from") {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	l.acl("from", "user::rwx,group::r-x,other::--x")
	l.acl("from/f", "user::rw-,group::r--,other::r--")
	if r := copied(); r.Status >= 300 {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if r := copied(); r.Status != http.StatusCreated && r.Status != http.StatusAccepted { // it is the copier's own now
		t.Errorf("over it: %d %s", r.Status, r.Body)
	}
}

func TestListsNameUsersWhereThatIsAskedFor(t *testing.T) {
	l := newLake(t, true)
	l.write("f", "x")
	application, user := l.Principal("application").ID, "aaaaaaaa-0000-4000-8000-000000000001"
	l.Update(func(tx *store.Tx) error {
		return entra.PutUser(tx, l.Tenant, entra.User{ID: user, UserPrincipalName: "ann@contoso.com", AccountEnabled: true})
	})
	l.need(http.StatusOK, l.do(l.super, "PATCH", "/lfs/f?action=setAccessControl", "", "x-ms-owner: "+user, "x-ms-acl: user::rw-,user:"+user+":r--,user:"+application+":r--,group::r--,other::---"))
	for query, name := range map[string]string{"": user, "&upn=false": user, "&upn=true": "ann@contoso.com"} { // an application has no such name
		h := l.need(http.StatusOK, l.do(l.super, "HEAD", "/lfs/f?action=getAccessControl"+query, "")).Header
		if got := h.Get("x-ms-acl"); got != "user::rw-,user:"+name+":r--,user:"+application+":r--,group::r--,mask::r--,other::---" || h.Get("x-ms-owner") != name {
			t.Errorf("%q: %s %s", query, h.Get("x-ms-owner"), got)
		}
		if r := l.do(l.super, "GET", "/lfs?resource=filesystem&recursive=true"+query, ""); !strings.Contains(r.Body, `"owner":"`+name+`"`) {
			t.Errorf("%q: %s", query, r.Body)
		}
	}
}
