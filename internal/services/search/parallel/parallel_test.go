package parallel

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var done []int
		var now, most atomic.Int32
		start := time.Now()
		Each(3, []int{0, 1, 2, 3, 4, 5, 6}, func(i int) {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Second)
			now.Add(-1)
			mu.Lock()
			defer mu.Unlock()
			done = append(done, i)
		})
		slices.Sort(done)
		if !slices.Equal(done, []int{0, 1, 2, 3, 4, 5, 6}) || most.Load() != 3 {
			t.Errorf("%v are done, at most %d at a time", done, most.Load())
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})
	Each(1, nil, func(int) { t.Error("there is nothing to do") })
}

func breaks(i int) {
	if i == 1 {
		panic("broken")
	}
}

func TestAPanicIsTheCallers(t *testing.T) {
	var done atomic.Int32
	defer func() {
		err, ok := recover().(error)
		if !ok || !strings.HasPrefix(err.Error(), "broken\n") || !strings.Contains(err.Error(), "parallel.breaks(") {
			t.Errorf("it is %v", err)
		}
		if done.Load() != 3 {
			t.Errorf("%d others are done, want 3", done.Load())
		}
	}()
	Each(2, []int{0, 1, 2, 3}, func(i int) {
		breaks(i)
		done.Add(1)
	})
	t.Error("it did not panic")
}
