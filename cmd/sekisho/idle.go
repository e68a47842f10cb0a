package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// giveBack returns memory to the system when Sekisho has fallen idle after a
// burst. The runtime collects by the heap's growth, and else every two minutes:
// many streams that open at once and then wait would keep their garbage, and the
// room for as much again, all that time.
func giveBack(ctx context.Context) {
	const (
		look   = 2 * time.Second
		calm   = 1 << 20  // bytes allocated in that time
		enough = 32 << 20 // bytes that are worth a collection
	)
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	tick := time.NewTicker(look)
	defer tick.Stop()
	var before uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		metrics.Read(sample)
		allocated, live, held, free := sample[0].Value.Uint64(), sample[1].Value.Uint64(), sample[2].Value.Uint64(), sample[3].Value.Uint64()
		if garbage := max(held, live) - live; allocated-before < calm && free+garbage > enough {
			debug.FreeOSMemory()
		}
		before = allocated
	}
}
