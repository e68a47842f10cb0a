package vector

import (
	"math"
	"math/bits"

	"github.com/viterin/vek/vek32"
)

// accelerated tells whether vek has AVX2 code for this processor: six times as
// fast as the loops below (384 dimensions: 16 against 98 ns). vek's own loops for
// other processors are slower than these.
var accelerated = vek32.Info().Acceleration

// dot is the product of two vectors of one length.
func dot(a, b []float32) float32 {
	if accelerated {
		return vek32.Dot(a, b)
	}
	return plainDot(a, b)
}

func plainDot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	for len(a) >= 4 && len(b) >= 4 { // lets the compiler drop the bounds checks
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i := range a {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}

// distance is the euclidean distance of two vectors of one length. It is not made
// of products: near vectors would lose their digits.
func distance(a, b []float32) float32 {
	if accelerated {
		return vek32.Distance(a, b)
	}
	return plainDistance(a, b)
}

func plainDistance(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	for len(a) >= 4 && len(b) >= 4 {
		d0, d1, d2, d3 := a[0]-b[0], a[1]-b[1], a[2]-b[2], a[3]-b[3]
		s0 += d0 * d0
		s1 += d1 * d1
		s2 += d2 * d2
		s3 += d3 * d3
		a, b = a[4:], b[4:]
	}
	for i := range a {
		d := a[i] - b[i]
		s0 += d * d
	}
	return float32(math.Sqrt(float64(s0 + s1 + s2 + s3)))
}

// dotInt8 is the product of two vectors of one length. Dimensions are at most a
// few thousand: 32 bits do not overflow below 131072.
func dotInt8(a, b []int8) int32 {
	var s0, s1, s2, s3 int32
	b = b[:len(a)]
	for len(a) >= 4 && len(b) >= 4 {
		s0 += int32(a[0]) * int32(b[0])
		s1 += int32(a[1]) * int32(b[1])
		s2 += int32(a[2]) * int32(b[2])
		s3 += int32(a[3]) * int32(b[3])
		a, b = a[4:], b[4:]
	}
	for i := range a {
		s0 += int32(a[i]) * int32(b[i])
	}
	return s0 + s1 + s2 + s3
}

// differing counts the bits that differ.
func differing(a, b []uint64) int {
	n := 0
	b = b[:len(a)]
	for i := range a {
		n += bits.OnesCount64(a[i] ^ b[i])
	}
	return n
}
