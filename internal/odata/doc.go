// Package odata reads the part of OData's $filter that ARM and Microsoft Graph
// take from clients: comparisons, and/or/not, functions, `in` and any().
//
// Source: OASIS OData 4.01 URL Conventions §5.1.1; which operators a service
// takes is its own affair.
package odata
