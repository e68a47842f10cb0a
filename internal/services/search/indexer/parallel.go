package indexer

import "sync"

// InParallel does a job for each, so many at a time. A panic of one is the caller's,
// who can tell of it.
func InParallel[T any](n int, all []T, do func(T)) {
	slots := make(chan struct{}, n)
	var running sync.WaitGroup
	var mu sync.Mutex
	var failed any
	for _, one := range all {
		slots <- struct{}{}
		running.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					mu.Lock()
					failed = p
					mu.Unlock()
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
