package export

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sekisho/rbac"
)

const subID = "5b000000-0000-0000-0000-000000000001"

func keyless(t testing.TB) []byte {
	t.Helper()
	raw, err := os.ReadFile("testdata/templates/keyless.json")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestTheRoleAssignmentsOfATemplate(t *testing.T) {
	for _, tt := range []struct {
		withSearch bool
		want       []string
	}{
		{false, []string{
			account + " c1 5e0bd9bd-7b93-4f28-af87-19fc36ad61bd ServicePrincipal",
			sub + " 9a000000-0000-0000-0000-000000000002 acdd72a7-3385-48ef-bd42-f606fba81ae7 Group",
			sub + " 9a000000-0000-0000-0000-000000000003 acdd72a7-3385-48ef-bd42-f606fba81ae7 Group",
			sub + " c1 " + guid([]string{sub, "auditor"}) + " ServicePrincipal"}},
		{true, []string{
			account + " c1 5e0bd9bd-7b93-4f28-af87-19fc36ad61bd ServicePrincipal",
			group1 + "/providers/Microsoft.Search/searchServices/search c1 1407120a-92aa-4202-b7e9-c0e197c71c8f ServicePrincipal",
			sub + " 9a000000-0000-0000-0000-000000000002 acdd72a7-3385-48ef-bd42-f606fba81ae7 Group",
			sub + " 9a000000-0000-0000-0000-000000000003 acdd72a7-3385-48ef-bd42-f606fba81ae7 Group",
			sub + " c1 " + guid([]string{sub, "auditor"}) + " ServicePrincipal"}},
	} {
		e := New(rbac.World{})
		n, err := e.AddTemplate(keyless(t), Deployment{Subscription: subID, Parameters: map[string]any{"APPID": "c1", "withSearch": tt.withSearch}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range e.World.Assignments {
			got = append(got, fmt.Sprint(a.Scope, " ", a.Principal, " ", a.RoleDefinition, " ", a.PrincipalType))
			if want := string(a.Scope) + "/providers/Microsoft.Authorization/roleAssignments/"; !strings.HasPrefix(a.ID, want) || !isGUID(a.ID[len(want):]) {
				t.Errorf("id %s", a.ID)
			}
		}
		slices.Sort(got)
		slices.Sort(tt.want)
		if n != len(tt.want) || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("search %v: %d\n%s\nwant\n%s", tt.withSearch, n, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
		s := rbac.NewSnapshot(e.World)
		if !s.Allows(rbac.Question{Principal: "c1", Action: chat, Data: true, Scope: account}) ||
			!s.Allows(rbac.Question{Principal: "c1", Action: "Microsoft.CognitiveServices/accounts/read", Scope: account}) ||
			s.Allows(rbac.Question{Principal: "c1", Action: "Microsoft.CognitiveServices/accounts/write", Scope: account}) {
			t.Error("the assignments do not decide")
		}
	}
}

// in is a template for a resource group with one role assignment.
func in(changes string) string {
	fields := map[string]any{"type": assignmentType, "name": "n", "properties": map[string]any{"principalId": "p", "roleDefinitionId": "/x/r"}}
	if err := json.Unmarshal([]byte(changes), &fields); err != nil {
		panic(err)
	}
	variables := map[string]any{"names": []any{"a", "[concat('b', 'c')]"}, "deep": map[string]any{"er": "[variables('names')]"}, "l20": "x"}
	for i := range 20 { // each is twice the next
		variables[fmt.Sprint("l", i)] = fmt.Sprintf("[concat(variables('l%d'), variables('l%d'))]", i+1, i+1)
	}
	raw, _ := json.Marshal(map[string]any{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "resources": []any{fields},
		"parameters": map[string]any{"given": map[string]any{"type": "string"}, "ring": map[string]any{"defaultValue": "[parameters('ring')]"}, "two": map[string]any{"defaultValue": 2}},
		"variables":  variables})
	return string(raw)
}

func TestWhereATemplateAssigns(t *testing.T) {
	for changes, want := range map[string]string{
		`{}`: group1,
		`{"scope":"Microsoft.Storage/storageAccounts/s"}`:                   group1 + "/providers/Microsoft.Storage/storageAccounts/s",
		`{"scope":"[resourceId('Microsoft.Storage/storageAccounts','s')]"}`: group1 + "/providers/Microsoft.Storage/storageAccounts/s",
		`{"scope":"[resourceId('other', 'Microsoft.X/a/b','s','t')]"}`:      sub + "/resourceGroups/other/providers/Microsoft.X/a/s/b/t",
		`{"scope":"[resourceId('s2', 'other', 'Microsoft.X/a','s')]"}`:      "/subscriptions/s2/resourceGroups/other/providers/Microsoft.X/a/s",
		`{"scope":"[tenantResourceId('Microsoft.X/a','s')]"}`:               "/providers/Microsoft.X/a/s",
		`{"scope":"[subscription().id]"}`:                                   sub,
		`{"type":"Microsoft.Storage/storageAccounts/providers/roleAssignments","name":"[concat('acc','/Microsoft.Authorization/', guid('x'))]"}`: group1 + "/providers/Microsoft.Storage/storageAccounts/acc",
	} {
		e := New(rbac.World{})
		if n, err := e.AddTemplate([]byte(in(changes)), Deployment{Subscription: subID, ResourceGroup: "rg-ai"}); err != nil || n != 1 || string(e.World.Assignments[0].Scope) != want {
			t.Errorf("%s: %d %v %+v", changes, n, err, e.World.Assignments)
		}
	}
}

func TestExpressions(t *testing.T) {
	for expression, want := range map[string]string{
		"'it''s'": "it's", "concat('a', 1, true())": "a1True", "format('{1}-{0}{{}}', 'a', 'b')": "b-a{}", "toLower(resourceGroup().name)": "rg-ai",
		"variables('names')[1]": "bc", "variables('DEEP').er[0]": "a", "if(equals(parameters('two'), 2), 'yes', parameters('given'))": "yes",
		"if(false(), reference('x', 'a)').y, 'no')": "no", "string(add(parameters('two'), 3))": "5", "last(split('a/b', '/'))": "b", "coalesce(null(), 'x')": "x",
		"join(createArray('a','b'), '+')": "a+b", "createObject('k', 'v').k": "v", "if(and(not(empty('a')), or(false(), contains('abc','b'))), 'y', 'n')": "y",
		"replace('aXb','X','-')": "a-b", "json('{\"a\":[\"z\"]}')['a'][0]": "z", "first(concat(createArray('p'), createArray('q')))": "p",
	} {
		raw, _ := json.Marshal(map[string]any{"properties": map[string]any{"principalId": "[" + expression + "]", "roleDefinitionId": "r"}})
		e := New(rbac.World{})
		if _, err := e.AddTemplate([]byte(in(string(raw))), Deployment{Subscription: subID, ResourceGroup: "rg-ai"}); err != nil || e.World.Assignments[0].Principal != want {
			t.Errorf("%s: %v, want %s", expression, err, want)
		}
	}
	if got, again := guid([]string{"a", "b"}), guid([]string{"a-b"}); got != again || got[14] != '5' || !isGUID(got) {
		t.Error(got, again)
	}
}

func TestWhatCannotBeResolvedNamesThePlace(t *testing.T) {
	for changes, want := range map[string]string{
		`{"properties":{"principalId":"[reference('app').identity.principalId]"}}`:                     "resources[0].properties: principalId: reference: its value is not known before the deployment",
		`{"properties":{"principalId":"[parameters('given')]"}}`:                                       "resources[0].properties: principalId: parameters: the parameter given has no default",
		`{"properties":{"principalId":"[parameters('none')]"}}`:                                        "there is no parameter none",
		`{"properties":{"principalId":"[variables('none')]"}}`:                                         "there is no variable none",
		`{"properties":{"principalId":"[parameters('ring')]"}}`:                                        "in a circle",
		`{"properties":{"principalId":"[concat('a']"}}`:                                                "ends too early",
		`{"properties":{"principalId":"[concat('a') x]"}}`:                                             `"x" is not expected`,
		`{"properties":{"principalId":"[variables('names')[7]]"}}`:                                     "there is no element 7",
		`{"properties":{"principalId":""}}`:                                                            "resources[0].properties: principalId is missing",
		`{"properties":{"principalId":"[variables('l1')]"}}`:                                           "too large",
		`{"name":"[newGuid()]"}`:                                                                       "resources[0]: name: newGuid",
		`{"scope":"[resourceId('Microsoft.X/a')]"}`:                                                    "resources[0]: scope: resourceId: Microsoft.X/a needs 1 names, and has 0",
		`{"condition":"[reference('x')]"}`:                                                             "resources[0].condition: reference",
		`{"copy":{"name":"c","count":"many"}}`:                                                         "resources[0].copy.count: many is no number",
		`{"type":"Microsoft.Resources/deployments","properties":{"templateLink":{"uri":"https://x"}}}`: "resources[0].properties: the template of the deployment is not in it",
		`{"type":"Microsoft.Resources/deployments","properties":{"template":{"$schema":"x/managementGroupDeploymentTemplate.json#","resources":[]}}}`: "for a management group: say which",
	} {
		e := New(rbac.World{})
		_, err := e.AddTemplate([]byte(in(changes)), Deployment{Subscription: subID, ResourceGroup: "rg-ai"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", changes, err, want)
		}
	}
	for text, want := range map[string]string{`[]`: "cannot unmarshal", `{}`: "no template", in(`{}`): "for a resource group"} {
		if _, err := New(rbac.World{}).AddTemplate([]byte(text), Deployment{Subscription: subID}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: %v, want %s", text, err, want)
		}
	}
}

// Without an evaluation scope a nested template sees the parameters outside, and
// the functions tell of the deployment outside (azure-docs linked-templates.md,
// "Expression evaluation scope in nested templates").
func TestANestedTemplateMaySeeTheOuterOne(t *testing.T) {
	text := in(`{"type":"Microsoft.Resources/deployments","resourceGroup":"other","properties":{"template":{"parameters":{"two":{"defaultValue":3}},"resources":[
		{"type":"Microsoft.Authorization/roleAssignments","name":"n","properties":{"principalId":"[format('{0}-{1}', parameters('two'), resourceGroup().name)]","roleDefinitionId":"r"}}]}}}`)
	e := New(rbac.World{})
	if n, err := e.AddTemplate([]byte(text), Deployment{Subscription: subID, ResourceGroup: "rg-ai"}); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if a := e.World.Assignments[0]; a.Principal != "2-rg-ai" || a.Scope != sub+"/resourceGroups/other" {
		t.Errorf("%+v", a)
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add(keyless(f), "concat('a', parameters('appId'))")
	f.Add([]byte(in(`{}`)), "if(true(), variables('deep').er[0], reference('x')[")
	f.Fuzz(func(t *testing.T, raw []byte, expression string) {
		e := &Export{Principals: map[string]Principal{}}
		e.AddTemplate(raw, Deployment{Subscription: subID, ResourceGroup: "rg", ManagementGroup: "m", Parameters: map[string]any{"appId": "p"}})
		fr := &frame{template: &template{Variables: map[string]any{"deep": map[string]any{"er": "[variables('deep')]"}}}, steps: new(int)}
		fr.evaluate(expression, 0)
	})
}
