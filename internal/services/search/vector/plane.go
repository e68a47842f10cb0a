package vector

import "math"

// plane holds vectors in one form, by row. Nearness is a number that is smaller
// for nearer vectors, good for comparing within the plane; similarity is what the
// metric says.
type plane interface {
	put(row uint32, v []float32)
	// near measures from a query; nearRow from a row of the plane.
	near(query []float32) func(row uint32) float32
	nearRow(row uint32) func(row uint32) float32
	similarity(query []float32) func(row uint32) float64
}

// Rows lie one after another in chunks, so that growing copies nothing.
const (
	chunkBits = 10
	chunkRows = 1 << chunkBits
)

type chunks[T any] struct {
	width int
	parts [][]T
}

func (c *chunks[T]) row(row uint32) []T {
	at := int(row&(chunkRows-1)) * c.width
	return c.parts[row>>chunkBits][at : at+c.width : at+c.width]
}

// grown is row, after making room for it.
func (c *chunks[T]) grown(row uint32) []T {
	for int(row>>chunkBits) >= len(c.parts) {
		c.parts = append(c.parts, make([]T, c.width*chunkRows))
	}
	return c.row(row)
}

// floats are the originals; by cosine, of length 1.
type floats struct {
	metric Metric
	chunks[float32]
}

func (p *floats) put(row uint32, v []float32) {
	to := p.grown(row)
	copy(to, v)
	if p.metric == Cosine {
		normalize(to)
	}
}

func (p *floats) near(query []float32) func(uint32) float32 {
	if p.metric == Cosine {
		query = append([]float32(nil), query...)
		normalize(query)
	}
	return p.from(query)
}

func (p *floats) nearRow(row uint32) func(uint32) float32 { return p.from(p.row(row)) }

func (p *floats) from(v []float32) func(uint32) float32 {
	if p.metric == Euclidean {
		return func(row uint32) float32 { return distance(v, p.row(row)) }
	}
	return func(row uint32) float32 { return -dot(v, p.row(row)) }
}

// similarity is computed in 64 bits: it is of the best few only, and then does not
// depend on the order in which a processor adds.
func (p *floats) similarity(query []float32) func(uint32) float64 {
	return func(row uint32) float64 {
		var product, lengthA, lengthB, apart float64
		for i, b := range p.row(row) {
			x, y := float64(query[i]), float64(b)
			product += x * y
			lengthA += x * x
			lengthB += y * y
			apart += (x - y) * (x - y)
		}
		switch p.metric {
		case Cosine:
			return cosine(product, lengthA, lengthB)
		case Euclidean:
			return math.Sqrt(apart)
		}
		return product
	}
}

// cosine of a product and two squared lengths. A vector of zeros has no direction:
// it is as far as a right angle from all.
func cosine(product, squareA, squareB float64) float64 {
	if squareA == 0 || squareB == 0 {
		return 0
	}
	return max(-1, min(1, product/math.Sqrt(squareA)/math.Sqrt(squareB)))
}

// normalize makes the length 1; of zeros nothing can be made.
func normalize(v []float32) {
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	if square == 0 {
		return
	}
	by := 1 / math.Sqrt(square)
	for i, x := range v {
		v[i] = float32(float64(x) * by)
	}
}
