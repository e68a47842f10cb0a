package model

import (
	"cmp"
	"hash/fnv"
	"maps"
	"math"
	"slices"
)

// vector embeds text by signed feature hashing: each feature of the text adds
// its weight to one of the dimensions or takes it off, so that texts that share
// features point the same way and collisions cancel out on average
// (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning",
// 2009). The vector has length 1.
func vector(text string, dimensions int) []float32 {
	sums := make([]float64, dimensions)
	all := features(text)
	// In one order, so that rounding is the same each time.
	for _, f := range slices.SortedFunc(maps.Keys(all), cmp.Compare[string]) {
		at, sign := slot(f, dimensions)
		sums[at] += sign * math.Sqrt(all[f])
	}
	norm := 0.0
	for _, x := range sums {
		norm += x * x
	}
	if norm == 0 {
		// Punctuation only, or features that cancelled out: the text as it is.
		at, _ := slot(text, dimensions)
		sums[at], norm = 1, 1
	}
	v := make([]float32, dimensions)
	for i, x := range sums {
		v[i] = float32(x / math.Sqrt(norm))
	}
	return v
}

// features weighs the words of a text and their parts, which lets inflections
// and misspellings meet; in Japanese, pairs and triples of characters.
func features(text string) map[string]float64 {
	all := map[string]float64{}
	for _, r := range runs(fold(text)) {
		if r.japanese {
			if len(r.text) == 1 {
				all["j"+string(r.text)] += weigh(r.text)
			}
			ngrams(r.text, 2, func(g []rune) { all["j"+string(g)] += weigh(g) })
			ngrams(r.text, 3, func(g []rune) { all["j"+string(g)] += weigh(g) / 2 })
			continue
		}
		word := string(r.text)
		if isFunctionWord(word) {
			all["w"+word] += 0.05
			continue
		}
		all["w"+stem(word)] += 1
		edged := []rune("<" + word + ">")
		ngrams(edged, 4, func(g []rune) { all["c"+string(g)] += 1 / float64(len(edged)) })
	}
	return all
}

func slot(feature string, dimensions int) (at int, sign float64) {
	h := fnv.New64a()
	h.Write([]byte(feature))
	sum := h.Sum64()
	// FNV's last bytes reach its low bits only: spread them (the end of MurmurHash3).
	sum ^= sum >> 33
	sum *= 0xff51afd7ed558ccd
	sum ^= sum >> 33
	if sum>>63 == 1 {
		sign = -1
	} else {
		sign = 1
	}
	return int(sum % uint64(dimensions)), sign
}
