package conformance

import (
	"slices"
	"testing"
)

func TestARoleAtAManagementGroupReachesTheDataPlaneUntilTheSubscriptionIsMovedAway(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	group := func(line string) result {
		t.Helper()
		return s.typed("account management-group " + line)
	}
	move := func(line string) result {
		t.Helper()
		return group("subscription " + line + " -s " + s.SubscriptionID)
	}
	chat := func() result {
		return s.typed("rest -m post --resource https://cognitiveservices.azure.com --query choices[0].message.role -o tsv"+
			" --uri https://aoai-sample.openai.azure.com/openai/deployments/gpt-35-turbo/chat/completions?api-version=2024-10-21",
			"--body", `{"messages": [{"role": "user", "content": "Who are you?"}]}`)
	}
	const atOnce = " --no-register" // the client waits ten seconds for Microsoft.Management
	const root = "/providers/Microsoft.Management/managementGroups/"
	type node struct {
		ID, Name, DisplayName string
		Details               struct{ Parent struct{ ID string } }
		Children              []node
	}
	var made, tree node
	group("create -n company --display-name Company" + atOnce).json(&made)
	if made.ID != root+"company" || made.DisplayName != "Company" || made.Details.Parent.ID != root+s.TenantID {
		t.Errorf("create printed %+v", made)
	}
	group("create -n ai --parent company" + atOnce).ok()
	group("create -n lab --parent company" + atOnce).ok()
	group("update -n company --parent ai").fails("company", "make no circle")

	s.typed("role assignment create --assignee "+s.Automation.ClientID+" --scope "+root+"ai --role", "Cognitive Services OpenAI User").ok()
	chat().fails("PermissionDenied")
	move("add -n ai").ok()
	if said := chat().line(); said != "assistant" {
		t.Errorf("below the group the account says %q", said)
	}
	var inherited []string
	s.typed("role assignment list --include-inherited --query [].scope --scope " + s.scope(sampleAccount)).json(&inherited)
	if !slices.Contains(inherited, root+"ai") {
		t.Errorf("the assignments that hold at the account are at %v", inherited)
	}
	group("show -n company -e -r" + atOnce).json(&tree)
	if len(tree.Children) != 2 || tree.Children[0].Name != "ai" || tree.Children[1].Name != "lab" ||
		len(tree.Children[0].Children) != 1 || tree.Children[0].Children[0].ID != "/subscriptions/"+s.SubscriptionID {
		t.Errorf("the tree is %+v", tree)
	}
	var entities []string
	group("entities list --query [].name").json(&entities)
	if slices.Sort(entities); !slices.Equal(entities, slices.Sorted(slices.Values([]string{"ai", "company", "lab", s.SubscriptionID}))) {
		t.Errorf("the entities are %v", entities)
	}
	group("delete -n ai"+atOnce).fails("ai", "/subscriptions/"+s.SubscriptionID)

	move("add -n lab").ok() // it is moved: a subscription is in one group
	chat().fails("PermissionDenied")
	group("update -n lab --parent ai").ok() // and comes back with the group that it is in
	chat().ok()
	move("remove -n lab").ok()
	chat().fails("PermissionDenied")

	for _, name := range []string{"lab", "ai", "company"} {
		group("delete -n " + name + atOnce).ok()
	}
	var left []node
	group("list" + atOnce).json(&left)
	if len(left) != 0 {
		t.Errorf("the groups left are %+v", left)
	}
}
