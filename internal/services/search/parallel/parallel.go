// Package parallel does some things at a time. It is here beside errgroup because of
// panics: with that, one in a document's text would end the process, and not its
// request or its run of an indexer.
package parallel

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Each does a job for each, n at a time, and returns when all are done. A panic of one
// is the caller's, with the stack that it came from.
func Each[T any](n int, all []T, do func(T)) {
	slots := make(chan struct{}, n)
	var running sync.WaitGroup
	var once sync.Once
	var failed error
	for _, one := range all {
		slots <- struct{}{}
		running.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					once.Do(func() { failed = fmt.Errorf("%v\n%s", p, debug.Stack()) })
				}
				<-slots
			}()
			do(one)
		})
	}
	running.Wait()
	if failed != nil {
		panic(failed)
	}
}
