package blob_test

import (
	"fmt"
	"strings"
	"testing"

	"sekisho/internal/services/storage/blob"
)

func BenchmarkPut4K(b *testing.B) {
	for _, at1 := range []int{1, 16} {
		b.Run(fmt.Sprint(at1), func(b *testing.B) {
			w := newWorld(b)
			content := strings.Repeat("x", 4096)
			b.SetParallelism(at1)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, _, err := w.Put(ctx, at("b"), blob.Blob{}, strings.NewReader(content), blob.Checks{}, blob.Conditions{}); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkListPage(b *testing.B) {
	w := newWorld(b)
	for i := range 6000 {
		w.put(fmt.Sprintf("folder/%d/blob-%d", i%10, i), "")
	}
	for b.Loop() {
		if all, _, err := w.List(ctx, "acc", "box", blob.ListQuery{Limit: 5000}); err != nil || len(all) != 5000 {
			b.Fatal(len(all), err)
		}
	}
}

func BenchmarkPutLarge(b *testing.B) {
	for _, size := range []int{64 << 10, 1 << 20, 100 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			w := newWorld(b)
			content := strings.Repeat("x", size)
			b.SetBytes(int64(size))
			for b.Loop() {
				w.put("b", content)
			}
		})
	}
}

// What an append costs must not depend on how many there were.
func BenchmarkAppend(b *testing.B) {
	for _, before := range []int{10, 6000} {
		b.Run(fmt.Sprint(before), func(b *testing.B) {
			w := newWorld(b)
			add := func() {
				_, _, _, err := w.Append(ctx, at("log"), strings.NewReader("line\n"), blob.Checks{}, blob.AppendConditions{}, blob.Conditions{})
				w.must(err)
			}
			_, err := w.CreateAppend(ctx, at("log"), blob.Blob{}, blob.Conditions{})
			w.must(err)
			for range before {
				add()
			}
			for b.Loop() {
				add()
			}
		})
	}
}
