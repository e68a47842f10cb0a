package indexer

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// compile finds a mapping function and reads its parameters. Names are found in any
// case. Source: azure-docs search/search-indexer-field-mappings.md.
func (f *Function) compile() (func(any) (any, error), error) {
	switch strings.ToLower(f.Name) {
	case "base64encode":
		token, err := f.flag("useHttpServerUtilityUrlTokenEncode", true)
		return onText(func(s string) (any, error) { return encode64(s, token), nil }), err
	case "base64decode":
		token, err := f.flag("useHttpServerUtilityUrlTokenDecode", true)
		return onText(func(s string) (any, error) { return decode64(s, token) }), err
	case "extracttokenatposition":
		return f.token()
	case "jsonarraytostringcollection":
		return onText(stringCollection), f.none()
	case "urlencode":
		return onText(func(s string) (any, error) { return url.QueryEscape(s), nil }), f.none()
	case "urldecode":
		return onText(func(s string) (any, error) { return url.QueryUnescape(s) }), f.none()
	case "fixedlengthencode":
		return onText(func(s string) (any, error) {
			sum := sha256.Sum256([]byte(s))
			return hex.EncodeToString(sum[:]), nil
		}), f.none()
	case "tojson":
		return func(v any) (any, error) {
			raw, err := json.Marshal(v)
			return string(raw), err
		}, f.none()
	}
	return nil, fmt.Errorf("the mapping function '%s' is not supported", f.Name)
}

func onText(f func(string) (any, error)) func(any) (any, error) {
	return func(v any) (any, error) {
		switch v := v.(type) {
		case nil:
			return nil, nil
		case string:
			return f(v)
		case json.Number:
			return f(v.String())
		}
		return nil, fmt.Errorf("the value is %s, not a string", kindOf(v))
	}
}

// parameters holds a function to those that it has.
func (f *Function) parameters(known ...string) error {
	for name := range f.Parameters {
		ok := false
		for _, k := range known {
			ok = ok || strings.EqualFold(k, name)
		}
		if !ok {
			return fmt.Errorf("the mapping function '%s' has no parameter '%s'", f.Name, name)
		}
	}
	return nil
}

func (f *Function) none() error { return f.parameters() }

func (f *Function) flag(name string, def bool) (bool, error) {
	if err := f.parameters(name); err != nil {
		return false, err
	}
	v, ok := lookup(f.Parameters, name)
	if !ok || v == nil {
		return def, nil
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("the parameter '%s' of the mapping function '%s' is not a boolean", name, f.Name)
	}
	return b, nil
}

func (f *Function) token() (func(any) (any, error), error) {
	if err := f.parameters("delimiter", "position"); err != nil {
		return nil, err
	}
	d, _ := lookup(f.Parameters, "delimiter")
	delimiter, _ := d.(string)
	p, _ := lookup(f.Parameters, "position")
	position, err := strconv.Atoi(fmt.Sprint(p))
	if delimiter == "" || err != nil || position < 0 {
		return nil, errors.New("the mapping function 'extractTokenAtPosition' needs the parameters delimiter, a string, and position, an integer that is not negative")
	}
	return onText(func(s string) (any, error) {
		tokens := strings.Split(s, delimiter)
		if position >= len(tokens) {
			return nil, fmt.Errorf("there is no token at position %d", position)
		}
		return tokens[position], nil
	}), nil
}

// encode64 is URL-safe base64. HttpServerUtility.UrlTokenEncode writes after it how
// many characters of padding there were.
func encode64(s string, token bool) string {
	out := base64.RawURLEncoding.EncodeToString([]byte(s))
	if token && s != "" {
		out += strconv.Itoa((3 - len(s)%3) % 3)
	}
	return out
}

func decode64(s string, token bool) (any, error) {
	body := s
	if token && s != "" {
		padding := s[len(s)-1]
		body = s[:len(s)-1]
		if padding < '0' || padding > '2' || (len(body)+int(padding-'0'))%4 != 0 {
			return nil, errors.New("the value is not a URL token in base64")
		}
	}
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return nil, errors.New("the value is not URL-safe base64")
	}
	if !utf8.Valid(raw) {
		return nil, errors.New("the value is not UTF-8 in base64")
	}
	return string(raw), nil
}

func stringCollection(s string) (any, error) {
	var texts []string
	if err := json.Unmarshal([]byte(s), &texts); err != nil {
		return nil, errors.New("the value is not a JSON array of strings")
	}
	all := make([]any, len(texts))
	for i, t := range texts {
		all[i] = t
	}
	return all, nil
}
