package vector

import (
	"math"
	"slices"
)

// int8s hold numbers as mid + step*code: vectors of SByte as they are, and scalar
// quantization.
type int8s struct {
	metric    Metric
	mid, step float64
	// unit: vectors are made of length 1 first (quantization under cosine).
	unit bool
	chunks[int8]
	sums, squares []int32 // of each row's codes
}

// trainInt8s finds the range that codes cover: from the 1st to the 99th percentile
// of the values; what is beyond has the first or the last code.
//
// Source: azure-ai-docs search/vector-search-how-to-quantization, "How scalar
// quantization works".
func trainInt8s(metric Metric, width int, sample [][]float32) *int8s {
	values := []float32{0}
	for _, v := range sample {
		values = append(values, v[:width]...)
	}
	slices.Sort(values)
	at := func(share float64) float64 { return float64(values[int(share*float64(len(values)-1))]) }
	low, high := at(0.01), at(0.99)
	step := (high - low) / 255
	if step == 0 {
		step = 1
	}
	// Code -128 is low and 127 is high.
	return &int8s{metric: metric, mid: low + 128*step, step: step, unit: metric == Cosine, chunks: chunks[int8]{width: width}}
}

func (p *int8s) code(to []int8, v []float32) (sum, square int32) {
	v = v[:p.width]
	by := 1.0
	if p.unit {
		var length float64
		for _, x := range v {
			length += float64(x) * float64(x)
		}
		if length > 0 {
			by = 1 / math.Sqrt(length)
		}
	}
	for i, x := range v {
		c := int8(max(-128, min(127, math.Round((float64(x)*by-p.mid)/p.step))))
		to[i] = c
		sum += int32(c)
		square += int32(c) * int32(c)
	}
	return sum, square
}

func (p *int8s) put(row uint32, v []float32) {
	to := p.grown(row)
	for int(row) >= len(p.sums) {
		p.sums, p.squares = append(p.sums, 0), append(p.squares, 0)
	}
	p.sums[row], p.squares[row] = p.code(to, v)
}

func (p *int8s) near(query []float32) func(uint32) float32 {
	measure := p.similarity(query)
	if p.metric == Euclidean {
		return func(row uint32) float32 { return float32(measure(row)) }
	}
	return func(row uint32) float32 { return float32(-measure(row)) }
}

func (p *int8s) nearRow(row uint32) func(uint32) float32 {
	measure := p.from(p.row(row), p.sums[row], p.squares[row])
	if p.metric == Euclidean {
		return func(row uint32) float32 { return float32(measure(row)) }
	}
	return func(row uint32) float32 { return float32(-measure(row)) }
}

func (p *int8s) similarity(query []float32) func(uint32) float64 {
	codes := make([]int8, p.width)
	sum, square := p.code(codes, query)
	return p.from(codes, sum, square)
}

// from measures what the codes stand for, by the product of the codes alone.
func (p *int8s) from(codes []int8, sum, square int32) func(uint32) float64 {
	n, mid, step := float64(p.width), p.mid, p.step
	product := func(sumA, sumB, codes int32) float64 {
		return n*mid*mid + mid*step*(float64(sumA)+float64(sumB)) + step*step*float64(codes)
	}
	length := product(sum, sum, square)
	return func(row uint32) float64 {
		codes := dotInt8(codes, p.row(row))
		switch p.metric {
		case Cosine:
			return cosine(product(sum, p.sums[row], codes), length, product(p.sums[row], p.sums[row], p.squares[row]))
		case Euclidean:
			return step * math.Sqrt(max(0, float64(square)+float64(p.squares[row])-2*float64(codes)))
		}
		return product(sum, p.sums[row], codes)
	}
}

// bitRows hold a bit for each dimension: packed vectors as they are, and the signs
// of numbers (binary quantization).
type bitRows struct {
	metric     Metric
	packed     bool
	dimensions int
	chunks[uint64]
}

func newBitRows(metric Metric, packed bool, dimensions int) *bitRows {
	return &bitRows{metric: metric, packed: packed, dimensions: dimensions, chunks: chunks[uint64]{width: (dimensions + 63) / 64}}
}

func (p *bitRows) code(to []uint64, v []float32) {
	clear(to)
	if p.packed {
		for i, x := range v {
			to[i/8] |= uint64(x) << (i % 8 * 8)
		}
		return
	}
	for i, x := range v[:p.dimensions] {
		if x > 0 {
			to[i/64] |= 1 << (i % 64)
		}
	}
}

func (p *bitRows) put(row uint32, v []float32) { p.code(p.grown(row), v) }

func (p *bitRows) near(query []float32) func(uint32) float32 {
	q := make([]uint64, p.width)
	p.code(q, query)
	return func(row uint32) float32 { return float32(differing(q, p.row(row))) }
}

func (p *bitRows) nearRow(row uint32) func(uint32) float32 {
	q := p.row(row)
	return func(row uint32) float32 { return float32(differing(q, p.row(row))) }
}

// similarity of signs is the cosine of vectors of 1 and -1: lengths are lost.
func (p *bitRows) similarity(query []float32) func(uint32) float64 {
	q := make([]uint64, p.width)
	p.code(q, query)
	return func(row uint32) float64 {
		apart := float64(differing(q, p.row(row)))
		if p.metric == Hamming {
			return apart
		}
		return p.ofCosine(1 - 2*apart/float64(p.dimensions))
	}
}

// rescored is the product of the full-precision query with the signs.
//
// Source: azure-ai-docs search/vector-search-how-to-quantization, on
// discardOriginals with binary quantization.
func (p *bitRows) rescored(query []float32) func(uint32) float64 {
	query = query[:p.dimensions]
	var square float64
	for _, x := range query {
		square += float64(x) * float64(x)
	}
	return func(row uint32) float64 {
		signs, product := p.row(row), 0.0
		for i, x := range query {
			if signs[i/64]>>(i%64)&1 == 1 {
				product += float64(x)
			} else {
				product -= float64(x)
			}
		}
		return p.ofCosine(cosine(product, square, float64(p.dimensions)))
	}
}

// ofCosine is the metric between vectors of length 1.
func (p *bitRows) ofCosine(cos float64) float64 {
	if p.metric == Euclidean {
		return math.Sqrt(2 - 2*cos)
	}
	return cos
}
