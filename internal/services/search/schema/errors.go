package schema

import (
	"fmt"
	"net/http"
	"strings"

	"sekisho/internal/api"
)

// Place is where something stands in a definition, as a JSON path.
type Place string

// In is the place of a property of what stands there.
func (p Place) In(property string) Place {
	if p == "" {
		return Place(property)
	}
	return p + "." + Place(property)
}

// At is the place of an element of what stands there.
func (p Place) At(i int) Place { return Place(fmt.Sprintf("%s[%d]", p, i)) }

// What Azure calls the ways in which a definition is wrong.
// Source: Azure/azure-sdk-for-js#29296, OrchardCMS/OrchardCore#19298.
const (
	codeField     = "InvalidField"
	codeIndex     = "InvalidIndex"
	codeAlgorithm = "UnknownVectorAlgorithmConfiguration"
	codeName      = "InvalidName"
)

// invalid refuses a definition for what stands at a place.
func (p Place) invalid(code, format string, args ...any) *api.Error {
	text := fmt.Sprintf(format, args...)
	e := api.BadRequest("InvalidRequestParameter", string(p), "The request is invalid. Details: definition : %s", text)
	e.Details = []api.Error{{Code: code, Target: string(p), Message: text + " Parameters: definition"}}
	return e
}

// frozen refuses a change of what may not change.
// Source: MicrosoftLearning/mslearn-knowledge-mining#23.
func (p Place) frozen(code, format string, args ...any) *api.Error {
	e := api.BadRequest("OperationNotAllowed", string(p), format, args...)
	e.Details = []api.Error{{Code: code, Target: string(p), Message: e.Message}}
	return e
}

// malformed refuses JSON that is none of a definition. It has no code in Azure.
func (p Place) malformed(format string, args ...any) *api.Error {
	return &api.Error{Status: http.StatusBadRequest, Target: string(p), Message: "The request is invalid. Details: " + fmt.Sprintf(format, args...)}
}

// oneOf holds a value to those that there are.
func (p Place) oneOf(value string, values ...string) error {
	for _, v := range values {
		if v == value {
			return nil
		}
	}
	return p.invalid(codeIndex, "'%s' is not a value of '%s'. The values are: %s.", value, p.property(), strings.Join(values, ", "))
}

// property is the last name of a path.
func (p Place) property() string {
	name := string(p[strings.LastIndexByte(string(p), '.')+1:])
	name, _, _ = strings.Cut(name, "[")
	return name
}
