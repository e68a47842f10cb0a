package schema

import (
	"regexp"
	"strings"
)

// Limits of every index. Source: azure-docs search/search-limits-quotas-capacity.md,
// "Index limits".
const (
	maxDepth       = 10
	maxCollections = 40 // complex ones
	maxDescription = 4000
	minDimensions  = 2
	maxDimensions  = 4096
)

// indexNames and fieldNames. Source: VirtoCommerce/vc-platform#836;
// azure-docs "Naming rules (Azure AI Search)".
var (
	indexNames = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,126}[a-z0-9])?$`)
	fieldNames = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,127}$`)
)

// fieldCheck counts while it checks.
type fieldCheck struct {
	version                   version
	simple, collections, keys int
	permissions               map[string]string // kind → field
}

// checkFields holds fields against the rules of their types. Attributes that are
// nil are what their type says, which is right.
func (x *Index) checkFields(v version, most int) error {
	at := Place("fields")
	if !indexNames.MatchString(x.Name) {
		return Place("name").invalid(codeName, "Invalid index name: Index name must only contain lowercase letters, digits or dashes, cannot start or end with dashes and is limited to 128 characters.")
	}
	if len(x.Fields) == 0 {
		return at.invalid(codeIndex, "The index '%s' must have at least one field.", x.Name)
	}
	c := &fieldCheck{version: v, permissions: map[string]string{}}
	if err := c.all(x.Fields, at, 0, false); err != nil {
		return err
	}
	switch {
	case c.keys != 1: // Source: Azure/azure-sdk-for-net#48216
		return at.invalid(codeIndex, "Found %d key fields in index '%s'. Each index must have exactly one key field.", c.keys, x.Name)
	case most > 0 && c.simple > most:
		return at.invalid(codeIndex, "The index '%s' has %d simple fields, but an index of this service has at most %d.", x.Name, c.simple, most)
	case c.collections > maxCollections:
		return at.invalid(codeIndex, "The index '%s' has %d complex collection fields, but an index has at most %d.", x.Name, c.collections, maxCollections)
	}
	return nil
}

// all checks the fields of one level. depth counts the complex fields above, and
// many tells whether one of them is a collection.
func (c *fieldCheck) all(fields []*Field, at Place, depth int, many bool) error {
	seen := map[string]bool{}
	for i, f := range fields {
		at := at.At(i)
		switch {
		case !fieldNames.MatchString(f.Name):
			return at.In("name").invalid(codeField, "Invalid field name: '%s'. Field names must begin with a letter and can contain only letters, digits, or underscore ('_'), and are limited to 128 characters.", f.Name)
		case strings.HasPrefix(f.Name, "azureSearch"):
			return at.In("name").invalid(codeField, "Invalid field name: '%s'. Field names that begin with 'azureSearch' are reserved.", f.Name)
		case seen[f.Name]:
			return at.In("name").invalid(codeField, "There is more than one field with the name '%s'.", f.Name)
		}
		seen[f.Name] = true
		if err := c.one(f, at, depth, many); err != nil {
			return err
		}
	}
	return nil
}

func (c *fieldCheck) one(f *Field, at Place, depth int, many bool) error {
	if !c.known(f.Type) {
		return at.In("type").invalid(codeField, "The field '%s' has the type '%s', which is not one of the types of fields.", f.Name, f.Type)
	}
	if f.Type.Element() == Complex {
		return c.complex(f, at, depth, many)
	}
	if len(f.Fields) > 0 {
		return at.In("fields").invalid(codeField, "The field '%s' of type '%s' cannot have sub-fields: only fields of type Edm.ComplexType or Collection(Edm.ComplexType) can.", f.Name, f.Type)
	}
	c.simple++
	for _, check := range []func(*Field, Place, int, bool) error{c.attributes, c.key, c.analyzers, c.vector, c.permission} {
		if err := check(f, at, depth, many); err != nil {
			return err
		}
	}
	return nil
}

// known tells whether a version has a type.
func (c *fieldCheck) known(t Type) bool {
	switch t.Element() {
	case String, Int32, Int64, Double, Boolean, DateTime, Point, Complex:
		return t == t.Element() || t == "Collection("+t.Element()+")"
	case Single:
		return t == "Collection(Edm.Single)" && c.version.from("2023-11-01", "2023-07-01")
	case Half, Int16, SByte:
		return t == "Collection("+t.Element()+")" && c.version.from("2024-07-01", "2024-03-01")
	case Byte:
		return t == "Collection(Edm.Byte)" && c.version.from("2024-07-01", "2024-05-01")
	}
	return false
}

// complex fields have sub-fields and nothing else.
func (c *fieldCheck) complex(f *Field, at Place, depth int, many bool) error {
	for _, a := range f.attributes() {
		if a.value != nil {
			return at.In(a.name).invalid(codeField, "The property '%s' of the complex field '%s' must be null.", a.name, f.Name)
		}
	}
	for _, p := range [][2]string{{"analyzer", f.Analyzer}, {"indexAnalyzer", f.IndexAnalyzer}, {"searchAnalyzer", f.SearchAnalyzer}, {"normalizer", f.Normalizer},
		{"vectorSearchProfile", f.VectorProfile}, {"vectorEncoding", f.VectorEncoding}, {"permissionFilter", f.PermissionFilter}, {"synonymMaps", strings.Join(f.SynonymMaps, ",")}} {
		if p[1] != "" {
			return at.In(p[0]).invalid(codeField, "The property '%s' of the complex field '%s' must be null.", p[0], f.Name)
		}
	}
	switch {
	case f.Dimensions != 0:
		return at.In("dimensions").invalid(codeField, "The property 'dimensions' of the complex field '%s' must be null.", f.Name)
	case len(f.Fields) == 0:
		return at.In("fields").invalid(codeField, "The complex field '%s' must have at least one sub-field.", f.Name)
	case depth+1 > maxDepth:
		return at.invalid(codeField, "The complex field '%s' is at depth %d, but complex fields are nested at most %d deep.", f.Name, depth+1, maxDepth)
	}
	if f.Type.Collection() {
		c.collections++
	}
	return c.all(f.Fields, at.In("fields"), depth+1, many || f.Type.Collection())
}

type attribute struct {
	name  string
	value *bool
}

// attributes are those of simple fields alone.
func (f *Field) attributes() []attribute {
	return []attribute{{"key", f.Key}, {"retrievable", f.Retrievable}, {"stored", f.Stored}, {"searchable", f.Searchable}, {"filterable", f.Filterable},
		{"sortable", f.Sortable}, {"facetable", f.Facetable}, {"sensitivityLabel", f.SensitivityLabel}}
}

// attributes checks what a type can be. Source: azure-docs search/search-what-is-an-index.md,
// "Field attributes"; azure-rest-api-specs searchservice.json SearchField.
func (c *fieldCheck) attributes(f *Field, at Place, _ int, many bool) error {
	vector, text := f.Type.Vector(), f.Type.Element() == String
	cannot := func(attribute, why string) error {
		return at.In(attribute).invalid(codeField, "The field '%s' of type '%s' cannot be %s%s.", f.Name, f.Type, attribute, why)
	}
	switch {
	case Is(f.Searchable) && !text && !vector:
		return cannot("searchable", ": only fields of type Edm.String or Collection(Edm.String), and vector fields, can")
	case Is(f.Sortable) && f.Type.Collection():
		return cannot("sortable", ": collections have many values")
	case Is(f.Sortable) && many:
		return cannot("sortable", ": sub-fields of complex collections have many values")
	case Is(f.Facetable) && f.Type.Element() == Point:
		return cannot("facetable", "")
	case Is(f.Filterable) && vector:
		return cannot("filterable", "")
	case Is(f.Facetable) && vector:
		return cannot("facetable", "")
	case vector && f.Searchable != nil && !*f.Searchable:
		return at.In("searchable").invalid(codeField, "The vector field '%s' must be searchable.", f.Name)
	case f.Stored != nil && !*f.Stored && !vector:
		return at.In("stored").invalid(codeField, "The property 'stored' of the field '%s' must be true: only vector fields need not be stored.", f.Name)
	case f.Stored != nil && !*f.Stored && Is(f.Retrievable):
		return at.In("retrievable").invalid(codeField, "The field '%s' cannot be retrievable, because it is not stored.", f.Name)
	case Is(f.SensitivityLabel):
		return at.In("sensitivityLabel").invalid(codeField, "Sensitivity labels are not available in Sekisho: the field '%s' cannot hold one.", f.Name)
	}
	return nil
}

func (c *fieldCheck) key(f *Field, at Place, depth int, _ bool) error {
	if !Is(f.Key) {
		return nil
	}
	c.keys++
	switch {
	case depth > 0:
		return at.In("key").invalid(codeField, "The sub-field '%s' cannot be the key: the key is a top-level field.", f.Name)
	case f.Type != String:
		return at.In("type").invalid(codeField, "The key field '%s' must be of type Edm.String, but is of type '%s'.", f.Name, f.Type)
	case f.Retrievable != nil && !*f.Retrievable:
		return at.In("retrievable").invalid(codeField, "The key field '%s' must be retrievable.", f.Name)
	}
	return nil
}

// analyzers checks where analyzers, normalizers and synonym maps may stand.
func (c *fieldCheck) analyzers(f *Field, at Place, _ int, _ bool) error {
	text := f.Type.Element() == String
	searchable := text && (f.Searchable == nil || *f.Searchable)
	compared := f.Filterable == nil || *f.Filterable || f.Facetable == nil || *f.Facetable || Is(f.Sortable) || f.Sortable == nil && !f.Type.Collection()
	for _, p := range [][2]string{{"analyzer", f.Analyzer}, {"indexAnalyzer", f.IndexAnalyzer}, {"searchAnalyzer", f.SearchAnalyzer}} {
		if p[1] != "" && !searchable {
			return at.In(p[0]).invalid(codeField, "The property '%s' of the field '%s' can be set only for searchable fields of type Edm.String or Collection(Edm.String).", p[0], f.Name)
		}
	}
	switch {
	case f.Analyzer != "" && (f.IndexAnalyzer != "" || f.SearchAnalyzer != ""):
		return at.In("analyzer").invalid(codeField, "The field '%s' cannot have the property 'analyzer' together with 'indexAnalyzer' or 'searchAnalyzer'.", f.Name)
	case f.IndexAnalyzer != "" && f.SearchAnalyzer == "":
		return at.In("searchAnalyzer").invalid(codeField, "The field '%s' has the property 'indexAnalyzer', so it must have 'searchAnalyzer', too.", f.Name)
	case f.SearchAnalyzer != "" && f.IndexAnalyzer == "":
		return at.In("indexAnalyzer").invalid(codeField, "The field '%s' has the property 'searchAnalyzer', so it must have 'indexAnalyzer', too.", f.Name)
	case f.Normalizer != "" && !(text && compared):
		return at.In("normalizer").invalid(codeField, "The property 'normalizer' of the field '%s' can be set only for fields of type Edm.String or Collection(Edm.String) that are filterable, sortable or facetable.", f.Name)
	case len(f.SynonymMaps) > 0 && !searchable:
		return at.In("synonymMaps").invalid(codeField, "The property 'synonymMaps' of the field '%s' can be set only for searchable fields of type Edm.String or Collection(Edm.String).", f.Name)
	case len(f.SynonymMaps) > 1:
		return at.In("synonymMaps").invalid(codeField, "The field '%s' has %d synonym maps, but only one synonym map per field is supported.", f.Name, len(f.SynonymMaps))
	}
	return nil
}

// vector checks what vector fields alone have.
// Source of texts: langchain-ai/langchain#23070, Azure/azure-search-vector-samples#265.
func (c *fieldCheck) vector(f *Field, at Place, depth int, _ bool) error {
	if !f.Type.Vector() {
		for _, p := range []struct {
			name  string
			given bool
		}{{"dimensions", f.Dimensions != 0}, {"vectorSearchProfile", f.VectorProfile != ""}, {"vectorEncoding", f.VectorEncoding != ""}} {
			if p.given {
				return at.In(p.name).invalid(codeField, "The field '%s' of type '%s' cannot have the property '%s': it is not a vector field.", f.Name, f.Type, p.name)
			}
		}
		return nil
	}
	switch {
	case f.Dimensions == 0 && f.VectorProfile == "":
		return at.invalid(codeField, "The vector field '%s' must have the properties 'dimensions' and 'vectorSearchProfile' set.", f.Name)
	case f.Dimensions == 0:
		return at.In("dimensions").invalid(codeField, "The vector field '%s' must have the property 'dimensions' set.", f.Name)
	case f.VectorProfile == "":
		return at.In("vectorSearchProfile").invalid(codeField, "The vector field '%s' must have the property 'vectorSearchProfile' set.", f.Name)
	case f.Dimensions < minDimensions || f.Dimensions > maxDimensions:
		return at.In("dimensions").invalid(codeField, "The vector field '%s' has %d dimensions, but must have between %d and %d.", f.Name, f.Dimensions, minDimensions, maxDimensions)
	case depth > 0:
		return at.invalid(codeField, "The sub-field '%s' cannot be a vector field: vector fields are top-level fields.", f.Name)
	case f.VectorEncoding != "" && f.VectorEncoding != PackedBit:
		return at.In("vectorEncoding").invalid(codeField, "'%s' is not a value of 'vectorEncoding'. The only value is %s.", f.VectorEncoding, PackedBit)
	case (f.VectorEncoding == PackedBit) != (f.Type.Element() == Byte):
		return at.In("vectorEncoding").invalid(codeField, "The vector field '%s' is of type '%s': fields of type Collection(Edm.Byte), and no others, must have the vector encoding %s.", f.Name, f.Type, PackedBit)
	case f.VectorEncoding == PackedBit && f.Dimensions%8 != 0:
		return at.In("dimensions").invalid(codeField, "The vector field '%s' has %d dimensions, but packed bits come in multiples of 8.", f.Name, f.Dimensions)
	}
	return nil
}

// permission checks fields that say who sees a document.
// Source: azure-docs search/search-index-access-control-lists-and-rbac-push-api.md.
func (c *fieldCheck) permission(f *Field, at Place, depth int, _ bool) error {
	if f.PermissionFilter == "" {
		return nil
	}
	at = at.In("permissionFilter")
	if err := at.oneOf(f.PermissionFilter, "userIds", "groupIds", "rbacScope"); err != nil {
		return err
	}
	want := Type("Collection(Edm.String)")
	if f.PermissionFilter == "rbacScope" {
		want = String
	}
	switch other := c.permissions[f.PermissionFilter]; {
	case depth > 0:
		return at.invalid(codeField, "The sub-field '%s' cannot have a permission filter: only top-level fields can.", f.Name)
	case f.Type != want:
		return at.invalid(codeField, "The field '%s' with the permission filter '%s' must be of type %s, but is of type '%s'.", f.Name, f.PermissionFilter, want, f.Type)
	case f.Filterable != nil && !*f.Filterable:
		return at.invalid(codeField, "The field '%s' with the permission filter '%s' must be filterable.", f.Name, f.PermissionFilter)
	case other != "":
		return at.invalid(codeField, "The fields '%s' and '%s' both have the permission filter '%s', but only one field per kind is allowed.", other, f.Name, f.PermissionFilter)
	}
	c.permissions[f.PermissionFilter] = f.Name
	return nil
}
