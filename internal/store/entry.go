package store

import (
	"encoding/json"
	"strconv"
	"time"
)

// What Entry.Decision says.
const (
	Allowed = "Allowed"
	Refused = "Refused"
)

// Entry is one request and its decision.
type Entry struct {
	Time          time.Time `json:"time"`
	RequestID     string    `json:"requestId,omitempty"`
	Service       string    `json:"service,omitempty"`
	Operation     string    `json:"operation,omitempty"`
	Method        string    `json:"method,omitempty"`
	Path          string    `json:"path,omitempty"`
	Tenant        string    `json:"tenant,omitempty"`
	Principal     string    `json:"principal,omitempty"`
	PrincipalName string    `json:"principalName,omitempty"`
	App           string    `json:"app,omitempty"`
	Credential    string    `json:"credential,omitempty"`
	// OnBehalfOf and OnBehalfOfName are the user in whose name the principal asked.
	OnBehalfOf     string `json:"onBehalfOf,omitempty"`
	OnBehalfOfName string `json:"onBehalfOfName,omitempty"`
	Remote         string `json:"remote,omitempty"`
	Action         string `json:"action,omitempty"`
	Data           bool   `json:"data,omitempty"`
	Scope          string `json:"scope,omitempty"`
	Decision       string `json:"decision,omitempty"` // Allowed or Refused
	Reason         string `json:"reason,omitempty"`
	Cause          string `json:"cause,omitempty"`
	Assignment     string `json:"assignment,omitempty"`
	Role           string `json:"role,omitempty"`
	Status         int    `json:"status,omitempty"`
	// Also is what else was asked, and answered yes, of a call that takes more
	// than one right.
	Also []Asked `json:"also,omitempty"`
}

// Asked is a right that a call was asked for, and the role assignment that gave
// it.
type Asked struct {
	Action     string `json:"action"`
	Data       bool   `json:"data,omitempty"`
	Scope      string `json:"scope"`
	Assignment string `json:"assignment,omitempty"`
}

// appendJSON is json.Marshal of an entry, which is made of every request.
func (e *Entry) appendJSON(b []byte) []byte {
	b = append(b, `{"time":"`...)
	b = e.Time.AppendFormat(b, time.RFC3339Nano)
	b = append(b, '"')
	for _, m := range [...]struct{ name, value string }{
		{"requestId", e.RequestID},
		{"service", e.Service},
		{"operation", e.Operation},
		{"method", e.Method},
		{"path", e.Path},
		{"tenant", e.Tenant},
		{"principal", e.Principal},
		{"principalName", e.PrincipalName},
		{"app", e.App},
		{"credential", e.Credential},
		{"onBehalfOf", e.OnBehalfOf},
		{"onBehalfOfName", e.OnBehalfOfName},
		{"remote", e.Remote},
		{"action", e.Action},
		{"scope", e.Scope},
		{"decision", e.Decision},
		{"reason", e.Reason},
		{"cause", e.Cause},
		{"assignment", e.Assignment},
		{"role", e.Role},
	} {
		if m.value == "" {
			continue
		}
		b = append(append(append(b, `,"`...), m.name...), `":`...)
		b = appendText(b, m.value)
	}
	if e.Data {
		b = append(b, `,"data":true`...)
	}
	if e.Status != 0 {
		b = strconv.AppendInt(append(b, `,"status":`...), int64(e.Status), 10)
	}
	for i, a := range e.Also {
		if i == 0 {
			b = append(b, `,"also":[{"action":`...)
		} else {
			b = append(b, `,{"action":`...)
		}
		b = appendText(b, a.Action)
		if a.Data {
			b = append(b, `,"data":true`...)
		}
		b = appendText(append(b, `,"scope":`...), a.Scope)
		if a.Assignment != "" {
			b = appendText(append(b, `,"assignment":`...), a.Assignment)
		}
		b = append(b, '}')
	}
	if len(e.Also) > 0 {
		b = append(b, ']')
	}
	return append(b, '}')
}

// appendText appends a JSON string. Nearly every one needs no escapes.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic(err) // a string always encodes
			}
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
