// Package text compares text as Azure does: without regard to case, and with
// the stars of an action pattern. Package rbac and its condition language share
// it.
package text
