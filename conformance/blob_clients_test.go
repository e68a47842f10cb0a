package conformance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
)

// The story of Blob storage: every SDK does every operation that it has a call
// for, on an account of its own. What it sees of each step is told once, below.

// seenStep is a step and what is seen of it, in JSON.
type seenStep struct{ name, seen string }

// blobSteps are those of the SDKs.
var blobSteps = []seenStep{
	{"container", `["ContainerAlreadyExists", {"color": "blue"}]`},
	{"containers", `[[["one", "three"], ["two"]], [{"color": "red"}]]`},
	{"acl", `[null, [["readers", "rl"]]]`},
	{"container lease", `["LeaseIdMissing", "allowed", "allowed"]`},
	{"put", `["0123456789", 10, "text/plain", {"shape": "round"}, true]`},
	{"put again", `["BlobAlreadyExists"]`},
	{"content", `["Md5Mismatch", "Crc64Mismatch"]`},
	{"blocks", `[[0, 2], [2, 0], "twoone ", "InvalidBlockList"]`},
	{"append", `["first second", "AppendPositionConditionNotMet"]`},
	{"sealed", `["BlobIsSealed"]`},
	{"range", `["3456", "InvalidRange"]`},
	{"conditions", `["ConditionNotMet", "ConditionNotMet", "ConditionNotMet"]`},
	{"lease", `["LeaseIdMissing", "allowed", "leased"]`},
	{"snapshot", `["0123456789", "new", "SnapshotsPresent"]`},
	{"properties", `[{"shape": "flat"}, "text/html", "no-store", "Cool"]`},
	{"tags", `[{"kind": "word", "size": "3"}, ["put"], ["put"], "ConditionNotMet"]`},
	{"copy", `["twoone ", "twoone ", "twoone ", "two", "twoone ", "success", "NoPendingCopyOperation", "CannotVerifyCopySource"]`},
	{"flat", `[[["a/1", "a/2", "append"], ["b/c/1", "blocks", "put"]], ["a/1", "a/2"]]`},
	{"hierarchy", `[["a/", "b/", "append", "blocks", "put"], ["b/c/"]]`},
	{"included", `[[["put", {"shape": "square"}, 1, true], ["put", {"shape": "flat"}, 2, false]]]`},
	{"service", `[7, ["https://contoso.com"], ["StorageV2", "StorageV2", "StorageV2"]]`},
	{"batch", `[["allowed", "allowed", "BlobNotFound"], ["allowed"]]`},
	{"deleted", `["BlobNotFound", [["blocks", true]]]`},
	{"undeleted", `["twoone ", "allowed"]`},
	{"large", `[true, 13]`},
	{"account SAS", `[["one", "three", "two"], "twoone ", "AuthorizationPermissionMismatch"]`},
	{"service SAS", `["twoone ", "AuthorizationPermissionMismatch"]`},
	{"stored policy", `[["blocks"], "AuthorizationPermissionMismatch", "AuthenticationFailed"]`},
	{"user delegation SAS", `["twoone ", "AuthorizationPermissionMismatch"]`},
	{"altered SAS", `["AuthenticationFailed"]`},
	{"anonymous", `["NoAuthenticationInformation", "twoone ", "NoAuthenticationInformation", ["blocks"], "NoAuthenticationInformation"]`},
	{"no data role", `["AuthorizationPermissionMismatch", "allowed"]`},
	{"reader", `["twoone ", "AuthorizationPermissionMismatch"]`},
	{"contributor", `["allowed", "allowed", "AuthorizationPermissionMismatch"]`},
	{"key disabled", `["KeyBasedAuthenticationNotPermitted"]`},
	{"container deleted", `["ContainerNotFound", "allowed", "twoone "]`},
}

// azBlobSteps are those of az storage, which asks and tells otherwise.
var azBlobSteps = []seenStep{
	{"container", `[true,false,{"color":"red"},false,["one","two"]]`},
	{"acl", `["off",["readers"]]`},
	{"container lease", `["LeaseIdMissing",0]`},
	{"put", `["0123456789",10,"text/plain",{"shape":"round"}]`},
	{"put again", `["BlobAlreadyExists"]`},
	{"append", `["first second"]`},
	{"range", `["3456"]`},
	{"lease", `["LeaseIdMissing",true]`},
	{"snapshot", `["0123456789","new","SnapshotsPresent"]`},
	{"properties", `[{"shape":"flat"},"text/html","no-store","Cool"]`},
	{"copy", `["new","success"]`},
	{"flat", `[["a/1","a/2","append","put"],["a/1","a/2"],["a/1","a/2"]]`},
	{"hierarchy", `[["a/","append","put"]]`},
	{"service", `[7,["https://contoso.com"]]`},
	{"deleted", `["3",{"undeleted":null},"x"]`},
	{"batch", `[null,[]]`},
	{"account SAS", `[["one","two"],"AuthorizationPermissionMismatch"]`},
	{"service SAS", `["new","AuthorizationPermissionMismatch"]`},
	{"stored policy", `["AuthenticationFailed"]`},
	{"no data role", `["AuthorizationPermissionMismatch","allowed"]`},
	{"reader", `["new","AuthorizationPermissionMismatch"]`},
	{"contributor", `["allowed","allowed"]`},
	{"user delegation SAS", `["new"]`},
	{"anonymous", `["NoAuthenticationInformation","new"]`},
	{"key disabled", `["KeyBasedAuthenticationNotPermitted"]`},
	{"container deleted", `["3","new"]`},
}

// blobClient is a client that tells the story.
type blobClient struct {
	name  string
	pins  []pin
	doors []door
	other map[string]string // what it sees of a step that it has not all calls for
	steps []seenStep
	tell  func(s *sekisho, d door, env []string) result
}

func blobClients() []blobClient {
	return []blobClient{
		// On localhost it takes the account that a user delegation key signs for from
		// the host, and a restored container's name from the path's second segment:
		// azblob service/client.go, sas/url_parts.go.
		{"Go", pinsOf("../go.mod", "azblob"), []door{intercept, ownNames}, map[string]string{
			"user delegation SAS by own names": `["AuthenticationFailed", "AuthenticationFailed"]`,
			"container deleted by own names":   `["ContainerNotFound", "ContainerNotFound", "ContainerNotFound"]`}, blobSteps, blobsByGo},
		// Where the account is a path, Java takes the first segment for all of it: azure-storage-blob BlobUrlParts.java.
		{"Java", pinsOf("clients/java/pom.xml", "azure-storage-blob", "azure-storage-blob-batch"), []door{intercept}, map[string]string{
			"content":   `["Md5Mismatch"]`,
			"hierarchy": `[["append", "blocks", "put", "a/", "b/"], ["b/c/"]]`}, blobSteps, blobsByJava},
		{"JavaScript", pinsOf("clients/js-storage/package.json", "@azure/storage-blob"), []door{intercept, ownNames}, nil, blobSteps, blobsByNode},
		{"Python", pinsOf("clients/azure-storage-blob.txt", "azure-storage-blob"), []door{intercept, ownNames}, nil, blobSteps, blobsByPython},
		// On localhost it signs a user delegation SAS for the whole path of the endpoint
		// as the account: azure-storage-blob _shared/base_client.py, azure-cli
		// command_modules/storage/operations/blob.py generate_sas_blob_uri.
		{"az", pinsOf("clients/azure-cli.txt", "azure-cli"), []door{intercept, ownNames}, map[string]string{
			"user delegation SAS by own names": `["AuthenticationFailed"]`}, azBlobSteps, blobsByAz},
	}
}

func blobsByPython(s *sekisho, _ door, env []string) result {
	return s.client(env, python(s.t, "azure-storage-blob"), program(s.t, "blob/blob.py"))
}

func blobsByAz(s *sekisho, d door, env []string) result {
	s = s.in(s.t) // a home of its own: the CLI keeps there which cloud it is for
	env = append(env, d.azEnvironment(s)...)
	return s.client(append(env, "AZ_INSTALLER=PIP"), python(s.t, "azure-cli"), program(s.t, "blob/az.py"))
}

func blobsByNode(s *sekisho, _ door, env []string) result {
	node, modules := s.nodeIn("js-storage")
	return s.client(append(env, "NODE_PATH="+modules), node, program(s.t, "blob/blob.cjs"))
}

func blobsByJava(s *sekisho, _ door, env []string) result {
	cmd := s.command(os.Environ(), s.java("blob/Blobs.java")...)
	cmd.Env = append(cmd.Env, env...)
	return execute(s.t, cmd)
}

func blobsByGo(s *sekisho, _ door, env []string) result {
	variable, path := self(s.t, "go-blobs")
	return s.client(append(env, variable), path)
}

// Roles of the story's principals.
const (
	roleBlobReader      = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
	roleBlobContributor = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
)

const storageVersion = "?api-version=2024-01-01"

// blobWorld is what the story needs beside its client.
type blobWorld struct {
	*sekisho
	admin       *caller
	environment []string
}

func newBlobWorld(t *testing.T) *blobWorld {
	s := start(t)
	w := &blobWorld{sekisho: s, admin: s.arm()}
	w.environment = []string{"OWNER_ID=" + s.Automation.ClientID, "OWNER_SECRET=" + s.Automation.ClientSecret}
	for i, p := range []struct{ name, role string }{{"READER", roleBlobReader}, {"WRITER", roleBlobContributor}} {
		app, secret, object := w.principal(strings.ToLower(p.name))
		w.assign(w.admin, fmt.Sprintf("00000000-0000-0000-0000-00000000b10%d", i), s.scope(), p.role, object)
		w.environment = append(w.environment, p.name+"_ID="+app, p.name+"_SECRET="+secret)
	}
	w.environment = append(w.environment, w.storageAccount("stclosed", false)...)
	return w
}

// principal is an application with a secret.
func (s *sekisho) principal(name string) (app, secret, object string) {
	s.t.Helper()
	app, id := s.registration(map[string]any{"displayName": name})
	graph := s.graph()
	var password struct{ SecretText string }
	graph.do(s.t, http.MethodPost, "https://graph.microsoft.com/v1.0/applications/"+id+"/addPassword", map[string]any{"passwordCredential": map[string]any{"displayName": "story"}}, &password)
	var service struct{ ID string }
	graph.do(s.t, http.MethodGet, "https://graph.microsoft.com/v1.0/servicePrincipals(appId='"+app+"')", nil, &service)
	return app, password.SecretText, service.ID
}

// storageAccount makes an account whose containers are kept when they are deleted,
// and tells where it is.
func (w *blobWorld) storageAccount(name string, keys bool) []string {
	w.t.Helper()
	id := w.scope("/providers/Microsoft.Storage/storageAccounts/" + name)
	w.admin.do(w.t, http.MethodPut, id+storageVersion, object{"location": "japaneast", "kind": "StorageV2", "sku": object{"name": "Standard_RAGRS"},
		"properties": object{"allowBlobPublicAccess": true, "allowSharedKeyAccess": keys}}, nil)
	w.admin.do(w.t, http.MethodPut, id+"/blobServices/default"+storageVersion,
		object{"properties": object{"containerDeleteRetentionPolicy": object{"enabled": true, "days": 7}}}, nil)
	var listed struct{ Keys []struct{ Value string } }
	w.admin.do(w.t, http.MethodPost, id+"/listKeys"+storageVersion, nil, &listed)
	prefix := ""
	if !keys {
		prefix = "CLOSED_"
	}
	return []string{prefix + "ACCOUNT=" + name, prefix + "ACCOUNT_KEY=" + listed.Keys[0].Value}
}

// accountURL is where a door leads to an account.
func accountURL(d door, environment []string, name string) string {
	if d == intercept {
		return "https://" + name + ".blob.core.windows.net"
	}
	for _, line := range environment {
		if own, ok := strings.CutPrefix(line, "DOOR_URL="); ok {
			return own + "/-/blob/" + name
		}
	}
	return ""
}

func TestEverySDKDoesEveryOperationOfBlobStorageAndAzuriteAnswersAlikeOrTheDifferenceIsExplained(t *testing.T) {
	t.Parallel()
	w := newBlobWorld(t)
	seen := driven{part: "blob", service: "blob"}
	t.Run("by", func(t *testing.T) {
		for _, c := range blobClients() {
			seen.uses(t, c.name, c.pins)
			for _, d := range c.doors {
				seen.expect(c.name+", "+d.String(), below("/storageAccounts/"+c.account(d)))
				t.Run(c.name+" by "+d.String(), func(t *testing.T) {
					t.Parallel()
					w.in(t).blobStory(t, c, d)
				})
			}
		}
		seen.expect("HTTP, beside Azurite", below("/storageAccounts/"+plainHTTP))
		t.Run("HTTP beside Azurite", func(t *testing.T) {
			t.Parallel()
			w.in(t).besideAzurite(t)
		})
	})
	seen.compare(t, w.audit())
}

// in is the same world in a test below its own.
func (w *blobWorld) in(t *testing.T) *blobWorld {
	inner := *w
	inner.sekisho = w.sekisho.in(t)
	return &inner
}

// account is a client's own.
func (c blobClient) account(d door) string {
	return "st" + strings.ToLower(strings.ReplaceAll(c.name+d.String(), " ", ""))
}

func (w *blobWorld) blobStory(t *testing.T, c blobClient, d door) {
	name := c.account(d)
	env := slices.Concat(d.environment(w.sekisho), w.environment, w.storageAccount(name, true))
	env = append(env, "ACCOUNT_URL="+accountURL(d, env, name), "CLOSED_URL="+accountURL(d, env, "stclosed"))
	steps := slices.Clone(c.steps)
	for i, step := range steps {
		for _, at := range []string{step.name, step.name + " by " + d.String()} {
			if other, ok := c.other[at]; ok {
				steps[i].seen = other
			}
		}
	}
	hear(t, c.tell(w.sekisho, d, env).ok(), steps)
}

// hear holds what a client prints of each step against what is to be seen.
func hear(t *testing.T, printed string, steps []seenStep) {
	t.Helper()
	said := map[string]string{}
	for line := range strings.Lines(printed) {
		step, seen, _ := strings.Cut(strings.TrimSpace(line), ": ")
		said[step] = plainJSON(t, seen)
	}
	for _, step := range steps {
		if got, want := said[step.name], plainJSON(t, step.seen); got != want {
			t.Errorf("%s: saw\n%s, want\n%s", step.name, got, want)
		}
		delete(said, step.name)
	}
	for step, seen := range said {
		t.Errorf("%s: saw %s, of which nothing is told", step, seen)
	}
}

// plainJSON writes JSON as Go does.
func plainJSON(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Errorf("%v in %q", err, text)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		t.Error(err)
	}
	return string(raw)
}
