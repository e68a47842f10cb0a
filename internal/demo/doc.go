// Package demo tells the story of seed 000 on a running Sekisho: from an
// account's keys to no keys at all. Each step is a real request through the
// proxy, shown with its real answer; a step that does not go as told ends it.
package demo
