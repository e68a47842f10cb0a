package schema

import "unicode/utf8"

// classic is the similarity of services that are older than BM25.
const classic = "#Microsoft.Azure.Search.ClassicSimilarity"

// checkRest checks what is of the whole index.
func (x *Index) checkRest(version) error {
	switch {
	case utf8.RuneCountInString(x.Description) > maxDescription:
		return Place("description").invalid(codeIndex, "The description has more than %d characters.", maxDescription)
	case x.EncryptionKey != nil:
		return Place("encryptionKey").invalid(codeIndex, "Customer-managed encryption keys of indexes are not available in Sekisho.")
	case Is(x.Purview):
		return Place("purviewEnabled").invalid(codeIndex, "Sensitivity labels of Microsoft Purview are not available in Sekisho.")
	case x.PermissionFilter != "":
		if err := Place("permissionFilterOption").oneOf(x.PermissionFilter, "enabled", "disabled"); err != nil {
			return err
		}
	}
	if err := x.Similarity.check(Place("similarity")); err != nil {
		return err
	}
	return x.CORS.check(Place("corsOptions"))
}

// check. Source: azure-docs search/index-ranking-similarity.md: b is between 0 and 1, k1
// "usually 0.0 to 3.0"; azure-rest-api-specs search/data-plane/Search/2026-04-01 examples
// SearchServiceCreateIndex.json has a k1 of 10.
func (s *Similarity) check(at Place) error {
	switch {
	case s.ODataType == classic:
		return at.In("@odata.type").invalid(codeIndex, "The similarity algorithm ClassicSimilarity is of services created before July 15, 2020. This service has BM25Similarity only.")
	case s.ODataType != BM25:
		return at.In("@odata.type").invalid(codeIndex, "'%s' is not a similarity algorithm. This service has %s only.", s.ODataType, BM25)
	case s.K1 != nil && *s.K1 < 0:
		return at.In("k1").invalid(codeIndex, "The property 'k1' is %v, but must not be negative.", *s.K1)
	case s.B != nil && (*s.B < 0 || *s.B > 1):
		return at.In("b").invalid(codeIndex, "The property 'b' is %v, but must be between 0 and 1.", *s.B)
	}
	return nil
}

// check. Origins can be of the form {protocol}://{host}[:{port}]; Azure takes others, which
// no browser sends. Source: azure-docs search/search-how-to-create-search-index.md, "Set
// corsOptions"; azure-rest-api-specs search/data-plane, examples SearchServiceCreateIndex.json,
// with "tempuri.org" and "https://www.example.com/foo".
func (c *CORS) check(at Place) error {
	if c == nil {
		return nil
	}
	if len(c.Origins) == 0 {
		return at.In("allowedOrigins").invalid(codeIndex, "The property 'allowedOrigins' must have at least one origin.")
	}
	for i, origin := range c.Origins {
		switch at := at.In("allowedOrigins").At(i); {
		case origin == "*" && len(c.Origins) > 1:
			return at.invalid(codeIndex, "The origin '*' must be the only one.")
		case origin == "":
			return at.invalid(codeIndex, "An origin is {protocol}://{fully-qualified-domain-name}[:{port#}], or '*', and not empty.")
		}
	}
	if c.MaxAge != nil && *c.MaxAge < 0 {
		return at.In("maxAgeInSeconds").invalid(codeIndex, "The property 'maxAgeInSeconds' is %d, but must not be negative.", *c.MaxAge)
	}
	return nil
}
