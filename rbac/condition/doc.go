// Package condition is Azure's ABAC condition language, version 2.0: the text
// that a role assignment, or a block of a role, may carry to narrow what it
// grants. It is pure: a text in, a tree out; a request in, true or false out.
//
//	c, err := condition.Parse(assignment.Condition)
//	allowed := c.Holds(condition.Input{Action: action, Attribute: attribute})
//
// The language, as "Azure role assignment condition format and syntax"
// (conditions-format.md in Azure's documentation) has it:
//
//	condition  = and { ("OR" | "||") and }
//	and        = not { ("AND" | "&&") not }
//	not        = { "NOT" | "!" } ( "(" condition ")" | atom )
//	atom       = "ActionMatches" "{" text "}" | "SubOperationMatches" "{" text "}"
//	           | "Exists" attribute
//	           | attribute operator ( attribute | value | "{" value "}" )
//	           | ( attribute | set ) quantifier ":" operator ( attribute | set )
//	set        = "{" value { "," value } "}"
//	attribute  = "@" ( "Resource" | "Request" | "Principal" | "Environment" ) "[" name "]"
//	value      = text | whole number | "true" | "false" | GUID
//	quantifier = "ForAnyOfAnyValues" | "ForAllOfAnyValues" | "ForAnyOfAllValues" | "ForAllOfAllValues"
//
// Words are taken in any case: built-in roles write boolequals. There are no
// comments and no bare times; a time is a text, 'yyyy-mm-ddThh:mm:ss.fffffffZ'.
//
// # What cannot be compared
//
// A comparison is [Undecided] where an attribute is absent, has no values, has
// several for an operator without a quantifier, or has one of another type.
// Undecided stays so under NOT, gives way to false under AND and to true under
// OR, and a condition holds only if it is [True].
//
// Azure does not spell this out; it follows from its pages on Azure Storage.
// What cannot evaluate a condition "will fail the authorization access check"
// (storage-auth-abac-attributes.md, "Suboperations"). StringNotEquals is the
// negation of StringEquals, and yet "Require private link access to read blobs
// with high sensitivity" (storage-auth-abac-examples.md) has to add NOT Exists
// beside it to let blobs without the tag through: so a negation of what cannot be
// compared is no way in. And "Existing blobs must have blob index tag keys" asks
// for at least one of some keys by ForAllOfAnyValues: so of no values nothing is
// true, not even all.
package condition
