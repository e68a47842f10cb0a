package conformance

import (
	"slices"
	"testing"
)

func TestALockedResourceIsNeitherDeletedNorChangedByTheAzureCLIAndStaysWhole(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	const account = " -g rg-sample -n aoai-sample"
	id, group := s.scope(sampleAccount), s.scope()
	key, _ := s.keys(s.arm())
	whole := func() {
		t.Helper()
		var deployments []string
		s.typed("cognitiveservices account deployment list --query [].name" + account).json(&deployments)
		if slices.Sort(deployments); !slices.Equal(deployments, []string{"ada", "gpt-35-turbo"}) {
			t.Errorf("the deployments left are %v", deployments)
		}
		if status := s.chatWithKey()(key); status != 200 {
			t.Errorf("the locked account answers with %d", status)
		}
	}
	locked := func(scope, verb, at string) []string {
		return []string{"(ScopeLocked) The scope '" + scope + "' cannot perform " + verb + " operation because following scope(s) are locked: '" + at + "'. Please remove the lock and try again."}
	}

	type lock struct{ ID, Name, Level, Notes, Type string }
	var made lock
	s.typed("lock create -n keep --lock-type CanNotDelete --resource "+id, "--notes", "in production").json(&made)
	keep := lock{id + "/providers/Microsoft.Authorization/locks/keep", "keep", "CanNotDelete", "in production", "Microsoft.Authorization/locks"}
	if made != keep {
		t.Errorf("lock create printed %+v", made)
	}
	s.typed("cognitiveservices account delete" + account).fails(locked(id, "delete", id)...)
	s.typed("cognitiveservices account deployment delete --deployment-name ada" + account).fails(locked(id+"/deployments/ada", "delete", id)...)
	s.typed("group delete -n rg-sample --yes").fails(locked(group, "delete", id)...)
	whole()
	s.typed("cognitiveservices account update --tags still=written" + account).ok()

	s.typed("lock create -n frozen --lock-type ReadOnly -g rg-sample").ok()
	var names []string
	s.typed("lock list --query [].name --resource " + id).json(&names)
	if slices.Sort(names); !slices.Equal(names, []string{"frozen", "keep"}) {
		t.Errorf("the locks that hold at the account are %v", names)
	}
	s.typed("cognitiveservices account update --tags never=written" + account).fails(locked(id, "write", group)...)
	s.typed("cognitiveservices account keys list" + account).fails("(ScopeLocked)") // a POST, which a ReadOnly lock refuses
	s.typed("group update -n rg-sample --tags never=written").fails(locked(group, "write", group)...)
	var tags map[string]string
	s.typed("cognitiveservices account show --query tags" + account).json(&tags)
	if len(tags) != 1 || tags["still"] != "written" {
		t.Errorf("the tags under a ReadOnly lock are %v", tags)
	}
	whole()

	s.typed("lock delete -n frozen -g rg-sample").ok()
	s.typed("lock delete --ids " + keep.ID).ok()
	s.typed("cognitiveservices account delete" + account).ok()
	s.typed("cognitiveservices account show" + account).fails("ResourceNotFound")
}
