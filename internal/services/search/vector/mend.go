package vector

// mend leads the neighbors of dead rows to those rows' own neighbors, and forgets
// the dead. It gives the rows that then cannot be reached: they have left the graph
// too, and wait to be inserted again.
func (g *graph) mend(p plane, state []byte) []uint32 {
	alive := func(row uint32) bool { return state[row] == linked }
	// A row's own lists are written by its own turn only; those of dead rows are not.
	parallel(len(g.level), func(i int) {
		if row := uint32(i); alive(row) {
			for level := 0; level <= int(g.level[row]); level++ {
				g.bypass(p, row, level, alive)
			}
		}
	})
	g.top = -1
	for row, level := range g.level {
		switch {
		case level < 0:
		case !alive(uint32(row)):
			g.forget(uint32(row))
		case int(level) > g.top:
			g.entry, g.top = uint32(row), int(level)
		}
	}
	return g.strand()
}

func (g *graph) bypass(p plane, row uint32, level int, alive func(uint32) bool) {
	l := g.links(row, level)
	near := p.nearRow(row)
	seen := map[uint32]bool{row: true}
	all := top{limit: len(l) * len(l)}
	take := func(other uint32) {
		if !seen[other] && alive(other) {
			seen[other] = true
			all.offer(item{near(other), other})
		}
	}
	broken := false
	for _, other := range l[1 : 1+l[0]] {
		if alive(other) {
			continue
		}
		broken = true
		past := g.links(other, level)
		for _, beyond := range past[1 : 1+past[0]] {
			take(beyond)
		}
	}
	if !broken {
		return
	}
	for _, other := range l[1 : 1+l[0]] {
		take(other)
	}
	l[0] = 0
	for _, c := range spread(p, all.sorted(), len(l)-1) {
		l[0]++
		l[l[0]] = c.row
	}
}

func (g *graph) forget(row uint32) {
	g.level[row] = -1
	g.upper[row] = nil
	g.ground.row(row)[0] = 0
}

// strand takes out the rows that level 0 does not lead to from the entry.
func (g *graph) strand() []uint32 {
	if g.top < 0 {
		return nil
	}
	reached := make([]bool, len(g.level))
	reached[g.entry] = true
	for queue := []uint32{g.entry}; len(queue) > 0; {
		row := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		l := g.links(row, 0)
		for _, other := range l[1 : 1+l[0]] {
			if !reached[other] {
				reached[other] = true
				queue = append(queue, other)
			}
		}
	}
	var lost []uint32
	for row, level := range g.level {
		if level >= 0 && !reached[row] {
			lost = append(lost, uint32(row))
		}
	}
	// Upper levels may still lead to lost rows.
	for row, level := range g.level {
		for at := 1; at <= int(level); at++ {
			l := g.links(uint32(row), at)
			kept := uint32(0)
			for _, other := range l[1 : 1+l[0]] {
				if reached[other] {
					kept++
					l[kept] = other
				}
			}
			l[0] = kept
		}
	}
	for _, row := range lost {
		g.forget(row)
	}
	return lost
}
