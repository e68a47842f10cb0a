package pages

import (
	"strings"

	"golang.org/x/text/language"
)

// Lang is a language of the pages. The zero value is English.
type Lang int

// The languages.
const (
	English Lang = iota
	Japanese
)

// tags are in the order of Lang.
var tags = []language.Tag{language.English, language.Japanese}

// String is the language as HTML and HTTP name it.
func (l Lang) String() string {
	if l == Japanese {
		return "ja"
	}
	return "en"
}

// Language picks the language of a request: that of the application, which
// ui_locales names in order of preference (OpenID Connect Core, 3.1.2.1), else
// that of the browser, else English.
func Language(acceptLanguage, uiLocales string) Lang {
	matcher := language.NewMatcher(tags)
	for _, name := range strings.Fields(uiLocales) {
		tag, err := language.Parse(name)
		if err != nil {
			continue
		}
		if _, i, confidence := matcher.Match(tag); confidence != language.No {
			return Lang(i)
		}
	}
	_, i := language.MatchStrings(matcher, acceptLanguage)
	return Lang(i)
}
