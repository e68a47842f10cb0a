package indexer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Invalid says what is wrong with a definition.
type Invalid struct {
	Target string // a property
	Text   string
}

func (e *Invalid) Error() string { return e.Text }

func invalid(target, format string, args ...any) error {
	return &Invalid{target, fmt.Sprintf(format, args...)}
}

// isNull tells of a property that is absent or null.
func isNull(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) == 0 || string(raw) == "null"
}

// oneOf reads an enumeration; the first value is the default.
func oneOf(target, value string, known ...string) (string, error) {
	if value == "" {
		return known[0], nil
	}
	for _, k := range known {
		if strings.EqualFold(k, value) {
			return k, nil
		}
	}
	return "", invalid(target, "%s : The value '%s' is invalid. It is one of: %s.", target, value, strings.Join(known, ", "))
}

// noEncryptionKey refuses what would need Key Vault.
func noEncryptionKey(raw json.RawMessage) error {
	if isNull(raw) {
		return nil
	}
	return invalid("encryptionKey", "encryptionKey : Encryption with a key of Azure Key Vault is not supported here.")
}
