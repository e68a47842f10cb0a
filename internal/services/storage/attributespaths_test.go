package storage_test

import (
	"net/http"
	"strings"
	"testing"
)

// Access control lists are asked where a condition does not hold, as where no role
// is; what they are asked of is the path that each question is about.
func TestConditionsOnPaths(t *testing.T) {
	l := newLake(t, true)
	l.mkdir("open/in")
	l.mkdir("shut")
	l.write("open/a", "1")
	l.write("open/b", "1")
	l.write("shut/a", "1")
	const inOpen = "@Resource[<B>:path] StringLike 'open/*'"
	for _, e := range []struct {
		name, condition string
		tries           []try
	}{
		{"reading by path", "((" + ifReads + ifSuper + ") OR " + inOpen + ")", []try{
			{"GET", "/lfs/open/a", "", "", true}, {"HEAD", "/lfs/open/a", "", "", true}, {"HEAD", "/lfs/open/a?action=getAccessControl", "", "", true},
			{"GET", "/lfs/shut/a", "", "", false}, {"GET", "/lfs//shut//a", "", "", false}, {"GET", "/lfs/shut%2Fa", "", "", false},
			{"GET", "/lfs?resource=filesystem&recursive=true", "", "", true},
			{"PATCH", "/lfs/shut/a?action=append&position=1", "x", "", true},
		}},
		{"writing by path", "((" + ifWrites + ") OR " + inOpen + ")", []try{
			{"PATCH", "/lfs/open/a?action=append&position=1", "x", "", true}, {"PATCH", "/lfs/open/a?action=flush&position=2", "", "", true},
			{"PATCH", "/lfs/shut/a?action=append&position=1", "x", "", false}, {"PUT", "/lfs/shut/n?resource=file", "", "", false},
			{"PUT", "/lfs/open/n?resource=directory", "", "", true},
			{"PUT", "/lfs/shut/b", "", "x-ms-rename-source: /lfs/open/b", false}, {"PUT", "/lfs/open/c", "", "x-ms-rename-source: /lfs/open/b", true},
		}},
		{"renaming by path", "((!(ActionMatches{'<B>/move/action'})) OR " + inOpen + ")", []try{
			{"PUT", "/lfs/open/d", "", "x-ms-rename-source: /lfs/shut/a", false}, {"PUT", "/lfs/shut/c", "", "x-ms-rename-source: /lfs/open/c", true},
		}},
		{"deleting by path", "((!(ActionMatches{'<B>/delete'})) OR " + inOpen + ")", []try{
			{"DELETE", "/lfs/shut?recursive=true", "", "", false}, {"DELETE", "/lfs/open/n?recursive=true", "", "", true},
		}},
		{"permissions by path", "((!(ActionMatches{'<B>/modifyPermissions/action'}) AND !(ActionMatches{'<B>/manageOwnership/action'})) OR " + inOpen + ")", []try{
			{"PATCH", "/lfs/open/a?action=setAccessControl", "", "x-ms-permissions: rwxr-x---", true}, {"PATCH", "/lfs/shut/a?action=setAccessControl", "", "x-ms-permissions: rwxr-x---", false},
			{"PATCH", "/lfs/open/a?action=setAccessControl", "", "x-ms-group: " + l.super.ID, true}, {"PATCH", "/lfs/shut/a?action=setAccessControl", "", "x-ms-group: " + l.super.ID, false},
			{"PATCH", "/lfs/?action=setAccessControlRecursive&mode=modify", "", "x-ms-acl: user::rwx", false},
			{"PATCH", "/lfs/open/in?action=setAccessControlRecursive&mode=modify", "", "x-ms-acl: user::rwx", true},
		}},
		{"the account", "((" + ifReads + ") OR (@Resource[<S>:isHnsEnabled] BoolEquals true AND @Resource[<S>:name] StringEquals 'lake' AND @Resource[<C>:name] StringEquals 'lfs'))", []try{
			{"GET", "/lfs/open/a", "", "", true},
		}},
		{"a list of paths has no prefix", "((" + ifLists + ") OR @Request[<B>:prefix] StringStartsWith 'open')", []try{
			{"GET", "/lfs?resource=filesystem&recursive=true&directory=open", "", "", false}, {"GET", "/lfs?resource=filesystem&recursive=true&prefix=open", "", "", false},
		}},
	} {
		t.Run(e.name, func(t *testing.T) {
			p := l.Principal("under " + e.name)
			l.GrantIf(p.ID, dataOwner, l.account, short.Replace(e.condition))
			for _, one := range e.tries {
				name, value, _ := strings.Cut(one.headers, ": ")
				r := l.do(p, one.method, one.path, one.body, name+": "+value)
				if refused := r.Status == http.StatusForbidden; refused == one.allowed || !refused && r.Status >= 300 {
					t.Errorf("%s %s (%s): %d %s, want it allowed: %v", one.method, one.path, one.headers, r.Status, r.Body, one.allowed)
				}
			}
		})
	}

	// Below a directory, each path is asked for.
	p := l.Principal("changes below")
	l.GrantIf(p.ID, dataOwner, l.account, short.Replace("@Resource[<B>:path] StringNotEquals 'open/a' OR !(ActionMatches{'<B>/modifyPermissions/action'})"))
	r := l.do(p, "PATCH", "/lfs/open?action=setAccessControlRecursive&mode=modify&forceFlag=true", "", "x-ms-acl: user::rwx")
	if r.Status != http.StatusOK || r.JSON["failureCount"] != 1.0 || !strings.Contains(r.Body, `"open/a"`) {
		t.Errorf("%d %s", r.Status, r.Body)
	}

	// What the role does not give, the list of the path may.
	reader := l.Principal("listed")
	l.GrantIf(reader.ID, dataReader, l.account, short.Replace("(("+ifReads+") OR "+inOpen+")"))
	if r := l.do(reader, "GET", "/lfs/shut/a", ""); r.Status != http.StatusForbidden {
		t.Errorf("%d", r.Status)
	}
	for _, path := range []string{"", "shut"} {
		l.acl(path, "user::rwx,group::r-x,other::--x")
	}
	l.acl("shut/a", "user::rwx,group::r--,other::---,user:"+reader.ID+":r--")
	if r := l.do(reader, "GET", "/lfs/shut/a", ""); r.Status != http.StatusOK {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}

// The Data Lake's endpoint is no way around the tags of a flat account.
func TestConditionsOnTagsHoldAtBothEndpoints(t *testing.T) {
	l := newLake(t, false)
	const blobHost = "lake.blob.core.windows.net"
	l.need(http.StatusCreated, l.at(blobHost, l.super, "PUT", "/lfs/high", "x", block, "x-ms-tags: sensitivity=high"))
	l.need(http.StatusCreated, l.at(blobHost, l.super, "PUT", "/lfs/none", "x", block))
	p := l.Principal("reads what is not secret")
	l.GrantIf(p.ID, dataReader, l.account, short.Replace("(("+ifReads+") OR NOT Exists @Resource[<tag sensitivity<key>])"))
	for _, at := range []string{blobHost, l.host} {
		l.need(http.StatusOK, l.at(at, p, "GET", "/lfs/none", ""))
		l.need(http.StatusForbidden, l.at(at, p, "GET", "/lfs/high", ""))
		l.need(http.StatusForbidden, l.at(at, p, "HEAD", "/lfs/high", ""))
	}
}
