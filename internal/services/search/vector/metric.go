package vector

import (
	"fmt"
	"math"
)

// Metric is how nearness is measured, by its name in an index definition.
type Metric string

// The metrics. Hamming is of packed bits only, and they have no other.
const (
	Cosine     Metric = "cosine"
	DotProduct Metric = "dotProduct"
	Euclidean  Metric = "euclidean"
	Hamming    Metric = "hamming"
)

// Element is the type of a vector's numbers.
type Element string

// The types of numbers. Values of Byte hold eight dimensions each (packedBit).
const (
	Single Element = "Edm.Single"
	Half   Element = "Edm.Half"
	Int16  Element = "Edm.Int16"
	SByte  Element = "Edm.SByte"
	Byte   Element = "Edm.Byte"
)

// Better tells whether similarity a is nearer than b: distances (euclidean,
// hamming) are nearer when smaller.
func (m Metric) Better(a, b float64) bool {
	if m == Euclidean || m == Hamming {
		return a < b
	}
	return a > b
}

// Score is the @search.score of a similarity: 1/(1+distance), where the distance
// of cosine is 1-cosine. Azure documents this for cosine, and the range 0 to 1 for
// euclidean and dotProduct. For dotProduct, vectors of length 1 must score as by
// cosine; a product above 1, of which Azure says nothing, is its own score, which
// goes on from there smoothly and keeps the order.
//
// Source: azure-ai-docs search/vector-search-ranking, hybrid-search-ranking.
func (m Metric) Score(similarity float64) float64 {
	switch {
	case m == Euclidean || m == Hamming:
		return 1 / (1 + similarity)
	case similarity > 1:
		return similarity
	}
	return 1 / (2 - similarity)
}

// Values is how many numbers a vector of these dimensions has.
func (e Element) Values(dimensions int) int {
	if e == Byte {
		return (dimensions + 7) / 8
	}
	return dimensions
}

// Check tells what is wrong with a vector of these dimensions.
func (e Element) Check(v []float32, dimensions int) error {
	_, err := e.check(v, dimensions)
	return err
}

// check gives the vector as its type holds it (halves are rounded), or says which
// value it cannot hold.
func (e Element) check(v []float32, dimensions int) ([]float32, error) {
	if want := e.Values(dimensions); len(v) != want {
		return nil, fmt.Errorf("the vector has %d values, and the field has %d", len(v), want)
	}
	low, high := math.Inf(-1), math.Inf(1)
	switch e {
	case Half:
		low, high = -65504, 65504
	case Int16:
		low, high = math.MinInt16, math.MaxInt16
	case SByte:
		low, high = math.MinInt8, math.MaxInt8
	case Byte:
		low, high = 0, math.MaxUint8
	}
	whole := e == Int16 || e == SByte || e == Byte
	out := v
	if e == Half {
		out = make([]float32, len(v))
	}
	for i, x := range v {
		y := float64(x)
		if e == Half {
			out[i] = roundHalf(x)
			y = float64(out[i])
		}
		switch {
		case math.IsNaN(y):
			return nil, fmt.Errorf("value %d of the vector is not a number", i)
		case math.IsInf(float64(x), 0):
			return nil, fmt.Errorf("value %d of the vector is infinite", i)
		case y < low || y > high:
			return nil, fmt.Errorf("value %d of the vector, %g, is not between %g and %g (%s)", i, x, low, high, e)
		case whole && y != math.Trunc(y):
			return nil, fmt.Errorf("value %d of the vector, %g, is not a whole number (%s)", i, x, e)
		}
	}
	return out, nil
}

// roundHalf rounds to the nearest IEEE 754 binary16, ties to even.
func roundHalf(x float32) float32 {
	bits := math.Float32bits(x)
	if bits&0x7f800000 == 0x7f800000 {
		return x
	}
	if bits&0x7fffffff < 0x38800000 { // below 2^-14 halves are multiples of 2^-24
		return float32(math.RoundToEven(float64(x)*(1<<24)) / (1 << 24))
	}
	bits += 0xfff + bits>>13&1
	return math.Float32frombits(bits &^ 0x1fff)
}
