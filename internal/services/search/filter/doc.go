// Package filter is the part of OData that AI Search speaks: $filter and
// $orderby, checked against the definition of an index.
//
// Parse reads a text in two steps, as Azure's OData library does: first its
// syntax, then what its names and values mean. So an error of syntax is told
// before one of meaning, with Azure's texts. What comes out is a tree of Nodes
// that is right: fields are there and filterable, values have their types, and
// lambdas keep to the rules of their collections.
//
// Holds evaluates a tree over one document, or one element of a collection, as
// JSON decodes it. An engine does better for whole indexes, with its columns; it
// asks Holds of what columns can't tell: elements of complex collections.
//
// Source: azure-docs search/search-query-odata-*.md,
// search-query-troubleshoot-collection-filters.md; texts of errors that OData has
// are those of OData/odata.net SRResources.resx.
package filter
