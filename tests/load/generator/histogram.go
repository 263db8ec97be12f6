//go:build linux

package generator

import "math/bits"

// histogram counts nanoseconds in buckets 3 % wide.
type histogram struct {
	buckets [64 * 32]uint64
	n       uint64
	most    int64
}

func (h *histogram) add(v int64) {
	v = max(v, 0)
	h.most = max(h.most, v)
	h.n++
	if v < 32 {
		h.buckets[v]++
		return
	}
	l := bits.Len64(uint64(v)) - 6
	h.buckets[(l+1)*32+int((v>>l)&31)]++
}

func (h *histogram) quantiles() Quantiles {
	return Quantiles{h.at(.5), h.at(.99), h.at(.999), float64(h.most) / 1e3}
}

// at is the middle of the bucket with the p-quantile, in microseconds.
func (h *histogram) at(p float64) float64 {
	rank, sum := uint64(p*float64(h.n)), uint64(0)
	for i, c := range h.buckets {
		if sum += c; sum <= rank {
			continue
		}
		if i < 32 {
			return float64(i) / 1e3
		}
		l := i/32 - 1
		return float64((int64(32+i%32)<<l)+(int64(1)<<l)/2) / 1e3
	}
	return float64(h.most) / 1e3
}
