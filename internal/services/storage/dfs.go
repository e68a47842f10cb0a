package storage

import (
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/services/storage/blob"
	"sekisho/rbac"
)

// lakeSource documents the operations of the Data Lake.
const lakeSource = "azure-rest-api-specs data-plane/Azure.Storage.Files.DataLake/stable/2023-05-03/DataLakeStorage.json; rest-storageservices datalakestoragegen2/"

// Data actions of hierarchies. Source: azure-docs role-based-access-control/permissions/storage.md.
const (
	moveBlob   = blobActions + "/move/action"
	modifyBlob = blobActions + "/modifyPermissions/action"
	ownBlob    = blobActions + "/manageOwnership/action"
	asAnybody  = blobActions + "/runAsSuperUser/action"
)

// Lake is the table of {account}.dfs.core.windows.net: the same containers and
// blobs, as filesystems and paths.
func (s *Storage) Lake() api.Service {
	all := slices.Concat(s.filesystemOperations(), s.pathOperations(), s.pathUpdates())
	for i, op := range all {
		all[i] = s.underKey(s.seenBy(forOthers(op)))
	}
	return api.Service{
		Name: LakeService, Audiences: s.DataPlane().Audiences, Selectors: []string{"resource", "action", "comp", "restype"}, Nested: true,
		Credential: s.lakeCredential, WriteError: writeLakeError,
		Operations: all,
	}
}

// lakeCredential is credential, without what everybody may: the Data Lake is open
// to nobody. Source: azure-docs storage/blobs/anonymous-read-access-overview.md.
func (s *Storage) lakeCredential(call *api.Call) (*api.Signed, error) {
	if call.Request.Header.Get("Authorization") == "" && !call.Request.URL.Query().Has("sig") {
		return nil, nil
	}
	return s.credential(call)
}

// principalOf is the principal who makes what a call makes: the caller, or whom a
// signed URL names. Source: create-user-delegation-sas.md, "Specify a signed object
// ID for a security principal".
func principalOf(call *api.Call) string {
	if call.Caller.Credential == api.DelegationSAS {
		for _, name := range []string{"saoid", "suoid"} {
			if id := call.Request.URL.Query().Get(name); id != "" {
				return id
			}
		}
	}
	return call.Caller.Object
}

// forOthers asks more of one who signed a URL in the name of somebody else: that
// they may do all. Source: create-user-delegation-sas.md, "Specify a signed object
// ID for a security principal".
func forOthers(op api.Operation) api.Operation {
	of := op.Checks
	op.Checks = func(call *api.Call) ([]api.Check, error) {
		all, err := of(call)
		q := call.Request.URL.Query()
		if err == nil && call.Caller.Credential == api.DelegationSAS && (q.Get("saoid") != "" || q.Get("suoid") != "") {
			// It is a question about who signed: every letter will do, and no list is asked.
			all = append(all, api.Check{Scope: containerScope(call), Action: asAnybody, Or: ownBlob, Data: true, SAS: q.Get("sp"),
				Otherwise: func(api.Principal) (api.Verdict, error) { return api.Verdict{Allowed: true}, nil }})
		}
		return all, err
	}
	return op
}

// hierarchical tells whether names of a call's account are paths.
func (s *Storage) hierarchical(call *api.Call) (bool, error) {
	p, err := s.account(call)
	return hierarchical(p), err
}

func isHierarchical(r *arm.Resource) (bool, error) {
	p, err := arm.DecodeProperties[account](r)
	return hierarchical(p), err
}

// pathAt is the path that a call addresses; the root has no name. Slashes that lead,
// follow or stand twice mean nothing.
func pathAt(call *api.Call) blob.Address {
	a := at(call)
	a.Name, a.Snapshot = cleanPath(a.Name), ""
	return a
}

func cleanPath(name string) string {
	parts := strings.Split(name, "/")
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "/")
}

// signedName is the name that a signed URL of a directory or a blob is held against:
// a list of paths names its directory in the query.
func signedName(call *api.Call) string {
	if call.Target.Service == LakeService && call.Var("blob") == "" {
		return cleanPath(call.Request.URL.Query().Get("directory"))
	}
	return call.Var("blob")
}

// lists tells whether a signed URL may also list what is in what it is for.
func (p *sas) lists() bool { return p.raw["sr"] == "c" || p.raw["sr"] == "d" }

// forTrees keeps signed URLs of one blob from what is in a directory.
func forTrees(of checks) checks {
	return func(call *api.Call) ([]api.Check, error) {
		if q := call.Request.URL.Query(); q.Has("sig") && q.Get("sr") == "b" {
			return nil, &api.Refusal{Reason: api.SASUnsupported, Cause: "a signed URL of one blob is not for what is in a directory", Caller: call.Caller}
		}
		return of(call)
	}
}

// byLists asks the access control lists of a hierarchy where RBAC does not allow.
func (s *Storage) byLists(call *api.Call, at blob.Address, need blob.Need) func(api.Principal) (api.Verdict, error) {
	return func(p api.Principal) (v api.Verdict, err error) {
		scope := call.Target.Scope + "/blobServices/default/containers/" + rbac.Scope(at.Container)
		reads := call.Caller.Credential == api.Token && call.Can(api.Check{Scope: scope, Action: readBlob, Data: true, Attributes: s.attributes(call, at, readBlob)})
		v.Allowed, v.Why, err = s.blobs.Permits(call.Request.Context(), at, need, blob.Who{Object: p.Object, Groups: p.Groups}, reads)
		return v, err
	}
}

// listed lets access control lists decide an operation of the blob endpoint, too.
// Source: azure-docs storage/blobs/data-lake-storage-multi-protocol-access.md.
func (s *Storage) listed(op api.Operation) api.Operation {
	needs := map[string]blob.Need{readBlob: blob.ToRead, writeBlob: blob.ToWrite, removeBlob: blob.ToDelete}
	need, ok := needs[op.Action]
	of := op.Checks
	if !ok || !op.Data || of == nil {
		return op
	}
	op.Checks = func(call *api.Call) ([]api.Check, error) {
		all, err := of(call)
		if err != nil || len(all) == 0 || all[0].Otherwise != nil {
			return all, err
		}
		where, need := at(call), need
		if where.Name == "" { // a listing
			q := call.Request.URL.Query()
			where.Name, need = directoryOf(q.Get("prefix")), blob.ToListAll
			if q.Get("delimiter") == "/" {
				need = blob.ToList
			}
		}
		all[0].Otherwise = s.byLists(call, where, need)
		return all, nil
	}
	return op
}

// directoryOf is the directory that a prefix leads into.
func directoryOf(prefix string) string {
	i := strings.LastIndexByte(prefix, '/')
	return cleanPath(prefix[:max(i, 0)])
}

// lakeCheck is the question about a path.
func (s *Storage) lakeCheck(call *api.Call, at blob.Address, action, sas string, need blob.Need) api.Check {
	scope := call.Target.Scope + "/blobServices/default/containers/" + rbac.Scope(at.Container)
	return api.Check{Scope: scope, Action: action, Data: true, SAS: sas, SASType: "o", Attributes: s.attributes(call, at, action), Otherwise: s.byLists(call, at, need)}
}

// asksLake makes the question of a row about its path.
func (s *Storage) asksLake(action, sas string, need blob.Need) checks {
	return func(call *api.Call) ([]api.Check, error) {
		return []api.Check{s.lakeCheck(call, pathAt(call), action, sas, need)}, nil
	}
}

func pathRow(method, name, page, action string, query []string, header string, of checks, handle handler) api.Operation {
	return api.Operation{Method: method, Pattern: "/{container}/{blob}", Query: query, Header: header, Name: name, Action: action, Data: true,
		Source: lakeSource + "path/" + page, Checks: of, Handle: handle}
}

// withRoot is a row for paths, and for the root of a filesystem.
func withRoot(op api.Operation) []api.Operation {
	root := op
	root.Pattern = "/{container}"
	return []api.Operation{op, root}
}

func (s *Storage) pathOperations() []api.Operation {
	status := []string{"action=getStatus"}
	lists := []string{"action=getAccessControl"}
	lease := pathRow(http.MethodPost, "Path_Lease", "lease", writeBlob, nil, "", breaking(s.asksLake(writeBlob, "w", blob.ToWrite)), s.leasePath)
	return slices.Concat([]api.Operation{
		asking(pathRow(http.MethodPut, "Path_Create", "create", writeBlob, []string{"resource=file"}, "", nil, s.createPath), s.createsPath, addBlob),
		asking(pathRow(http.MethodPut, "Path_Create", "create", writeBlob, []string{"resource=directory"}, "", nil, s.createPath), s.createsPath, addBlob),
		asking(pathRow(http.MethodPut, "Path_Create", "create", moveBlob, nil, "x-ms-rename-source", nil, s.renamePath), s.renames, writeBlob, addBlob),
		pathRow(http.MethodGet, "Path_Read", "read", readBlob, nil, "", s.asksLake(readBlob, "r", blob.ToRead), s.readPath),
		pathRow(http.MethodHead, "Path_GetProperties", "getproperties", readBlob, nil, "", s.asksLake(readBlob, "r", blob.ToRead), s.headPath),
		pathRow(http.MethodDelete, "Path_Delete", "delete", removeBlob, nil, "", s.deletesPath, s.deletePath),
		lease,
	},
		withRoot(pathRow(http.MethodHead, "Path_GetProperties", "getproperties", readBlob, status, "", s.asksLake(readBlob, "er", blob.ToRead), s.headPath)),
		withRoot(pathRow(http.MethodHead, "Path_GetProperties", "getproperties", readBlob, lists, "", s.asksLake(readBlob, "er", blob.ToRead), s.getAccess)),
	)
}

func (s *Storage) pathUpdates() []api.Operation {
	row := func(action, name, needs, sas string, need blob.Need, handle handler) api.Operation {
		return pathRow(http.MethodPatch, name, "update", needs, []string{"action=" + action}, "", s.asksLake(needs, sas, need), handle)
	}
	access := row("setAccessControl", "Path_SetAccessControl", modifyBlob, "p", blob.ToOwn, s.setAccess)
	below := row("setAccessControlRecursive", "Path_SetAccessControlRecursive", modifyBlob, "p", blob.ToOwn, s.setAccessBelow)
	below.Checks = forTrees(below.Checks)
	return slices.Concat([]api.Operation{
		row("append", "Path_AppendData", writeBlob, "aw", blob.ToWrite, s.appendData),
		row("flush", "Path_FlushData", writeBlob, "aw", blob.ToWrite, s.flushData),
		row("setProperties", "Path_Update", writeBlob, "w", blob.ToWrite, s.setPathProperties),
	}, withRoot(asking(access, s.setsAccess, ownBlob)), withRoot(below))
}
