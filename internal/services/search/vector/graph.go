package vector

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
)

// graph is a Hierarchical Navigable Small World (Malkov and Yashunin, 2016): each
// row has neighbors at level 0, one in m of them at level 1 too, and so on.
//
// Azure says of m that each node "is connected to up to m neighbors". Here it is
// the number of links that a new row makes at upper levels; at level 0, where
// recall is decided, a row makes 4*m and keeps 8*m: with 2*m, as is usual, the
// default of 4 finds too few among vectors of many dimensions.
type graph struct {
	m, m0, ef int
	ground    chunks[uint32] // by row: a count, and as many rows
	upper     [][]uint32     // by row: the same for each level above 0
	level     []int8         // by row; -1: not in the graph
	entry     uint32
	top       int // the entry's level; -1: empty
	random    *rand.Rand

	entryLock sync.Mutex // of entry and top, while rows are inserted
	locks     [256]sync.Mutex
	walks     sync.Pool // of *walk
}

const maxLevel = 16

func newGraph(m, ef int) *graph {
	return &graph{m: m, m0: 8 * m, ef: ef, ground: chunks[uint32]{width: 8*m + 1}, top: -1, random: rand.New(rand.NewPCG(1, 2))}
}

// links are a row's neighbors at a level: the count, and room for them.
func (g *graph) links(row uint32, level int) []uint32 {
	if level == 0 {
		return g.ground.row(row)
	}
	width := g.m*2 + 1
	return g.upper[row][(level-1)*width : level*width]
}

// walk is what one search needs; reused, as it has a number for each row.
type walk struct {
	seen  []uint32 // by row: the last search that saw it
	epoch uint32
	queue nearFirst
	found top
	near  []uint32
}

func (g *graph) begin() *walk {
	w, _ := g.walks.Get().(*walk)
	if w == nil {
		w = &walk{}
	}
	if n := len(g.level); len(w.seen) < n {
		w.seen, w.epoch = make([]uint32, n+n/4), 0
	}
	return w
}

func (w *walk) fresh() {
	w.epoch++
	if w.epoch == 0 {
		clear(w.seen)
		w.epoch = 1
	}
	w.queue, w.found.heap = w.queue[:0], w.found.heap[:0]
}

// neighbors are a row's; where rows are being inserted, a copy under the lock.
func (g *graph) neighbors(w *walk, row uint32, level int, locked bool) []uint32 {
	if !locked {
		l := g.links(row, level)
		return l[1 : 1+l[0]]
	}
	lock := &g.locks[row%256]
	lock.Lock()
	l := g.links(row, level)
	w.near = append(w.near[:0], l[1:1+l[0]]...)
	lock.Unlock()
	return w.near
}

// descend goes to the nearest row at a level, from the one above.
func (g *graph) descend(w *walk, near func(uint32) float32, from item, level int, locked bool) item {
	for moved := true; moved; {
		moved = false
		for _, row := range g.neighbors(w, from.row, level, locked) {
			if d := near(row); d < from.near {
				from, moved = item{d, row}, true
			}
		}
	}
	return from
}

// atLevel finds the ef nearest at one level that are accepted, and leaves them in
// w.found. Rows that are not accepted still lead on.
func (g *graph) atLevel(w *walk, near func(uint32) float32, from item, ef, level int, accept func(uint32) bool, locked bool) {
	w.fresh()
	w.found.limit = ef
	w.seen[from.row] = w.epoch
	w.queue.push(from)
	if accept == nil || accept(from.row) {
		w.found.offer(from)
	}
	for len(w.queue) > 0 {
		next := w.queue.pop()
		if len(w.found.heap) == ef && w.found.heap[0].less(next) {
			return
		}
		for _, row := range g.neighbors(w, next.row, level, locked) {
			if w.seen[row] == w.epoch {
				continue
			}
			w.seen[row] = w.epoch
			i := item{near(row), row}
			if w.found.accepts(i) {
				w.queue.push(i)
				if accept == nil || accept(row) {
					w.found.offer(i)
				}
			}
		}
	}
}

// search finds about the ef nearest rows that are accepted.
func (g *graph) search(near func(uint32) float32, ef int, accept func(uint32) bool) []item {
	if g.top < 0 {
		return nil
	}
	w := g.begin()
	defer g.walks.Put(w)
	at := item{near(g.entry), g.entry}
	for level := g.top; level > 0; level-- {
		at = g.descend(w, near, at, level, false)
	}
	g.atLevel(w, near, at, ef, 0, accept, false)
	return append([]item(nil), w.found.heap...)
}

// insert puts rows in, on all processors. rows is the number of rows of the index.
// Of 100,000 vectors each insert measures some thousands of others.
func (g *graph) insert(p plane, rows []uint32, total int) {
	for len(g.level) < total {
		g.level, g.upper = append(g.level, -1), append(g.upper, nil)
	}
	for _, row := range rows {
		g.grow(row)
	}
	if g.top < 0 && len(rows) > 0 {
		g.entry, g.top = rows[0], int(g.level[rows[0]])
		rows = rows[1:]
	}
	parallel(len(rows), func(i int) { g.insertOne(p, rows[i]) })
}

// grow makes room for a new row, with a random level.
func (g *graph) grow(row uint32) {
	level := min(maxLevel, int(-math.Log(1-g.random.Float64())/math.Log(float64(max(2, g.m)))))
	g.level[row] = int8(level)
	g.upper[row] = nil
	if level > 0 {
		g.upper[row] = make([]uint32, level*(2*g.m+1))
	}
	g.ground.grown(row)[0] = 0
}

// parallel does n things, one at a time on each processor.
func parallel(n int, do func(i int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	group.Wait()
}

func (g *graph) insertOne(p plane, row uint32) {
	level := int(g.level[row])
	g.entryLock.Lock()
	entry, highest := g.entry, g.top
	if level > highest {
		defer g.entryLock.Unlock() // held, so that nobody starts below a level half made
	} else {
		g.entryLock.Unlock()
	}
	w := g.begin()
	defer g.walks.Put(w)
	near := p.nearRow(row)
	at := item{near(entry), entry}
	for l := highest; l > level; l-- {
		at = g.descend(w, near, at, l, true)
	}
	chosen := make([][]item, min(level, highest)+1)
	for l := len(chosen) - 1; l >= 0; l-- {
		g.atLevel(w, near, at, g.ef, l, nil, true)
		candidates := append([]item(nil), w.found.sorted()...)
		at = candidates[0]
		count := g.m
		if l == 0 {
			count = g.m0 / 2
		}
		chosen[l] = spread(p, candidates, count)
	}
	// From the ground up: who comes down to the row from above finds a way on.
	for l, others := range chosen {
		g.setLinks(row, l, others)
		for _, other := range others {
			g.connect(p, other.row, item{other.near, row}, l)
		}
	}
	if level > highest {
		g.entry, g.top = row, level
	}
}

// setLinks makes a row's neighbors those chosen, and any that came meanwhile.
func (g *graph) setLinks(row uint32, level int, chosen []item) {
	lock := &g.locks[row%256]
	lock.Lock()
	defer lock.Unlock()
	l := g.links(row, level)
	came := append([]uint32(nil), l[1:1+l[0]]...)
	l[0] = 0
	add := func(other uint32) {
		for _, has := range l[1 : 1+l[0]] {
			if has == other {
				return
			}
		}
		if int(l[0]) < len(l)-1 {
			l[0]++
			l[l[0]] = other
		}
	}
	for _, c := range chosen {
		add(c.row)
	}
	for _, c := range came {
		add(c)
	}
}

// connect leads a row to a new neighbor; if it has no room, to the best spread of
// all of them.
func (g *graph) connect(p plane, row uint32, to item, level int) {
	lock := &g.locks[row%256]
	lock.Lock()
	defer lock.Unlock()
	l := g.links(row, level)
	for _, has := range l[1 : 1+l[0]] {
		if has == to.row {
			return
		}
	}
	if int(l[0]) < len(l)-1 {
		l[0]++
		l[l[0]] = to.row
		return
	}
	near := p.nearRow(row)
	all := top{limit: len(l), heap: []item{to}}
	for _, other := range l[1:] {
		all.offer(item{near(other), other})
	}
	l[0] = 0
	for _, c := range spread(p, all.sorted(), len(l)-1) {
		l[0]++
		l[l[0]] = c.row
	}
}

// spread chooses n of the candidates, nearest first, that lie in different
// directions: nearer to the center than to any chosen before. If they are too few,
// the nearest of the others fill up.
func spread(p plane, candidates []item, n int) []item {
	if len(candidates) <= n {
		return candidates
	}
	chosen := make([]item, 0, n)
	var others []item
	for _, c := range candidates {
		if len(chosen) == n {
			return chosen
		}
		near, apart := p.nearRow(c.row), true
		for _, has := range chosen {
			if near(has.row) < c.near {
				apart = false
				break
			}
		}
		if apart {
			chosen = append(chosen, c)
		} else if len(others) < n {
			others = append(others, c)
		}
	}
	return append(chosen, others[:min(len(others), n-len(chosen))]...)
}
