//go:build linux

package generator

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// idSource makes UUIDv7s that ascend. Its random part is a counter from a random start: cheap, and new in each run.
type idSource struct{ tail [8]byte }

func newIDSource() idSource {
	var s idSource
	_, _ = rand.Read(s.tail[:])
	return s
}

func (s *idSource) appendID(dst []byte) []byte {
	var b [16]byte
	n := binary.BigEndian.Uint64(s.tail[:]) + 1
	binary.BigEndian.PutUint64(s.tail[:], n)
	binary.BigEndian.PutUint64(b[:], uint64(time.Now().UnixMilli())<<16|0x7000)
	binary.BigEndian.PutUint64(b[8:], n)
	b[8] = b[8]&0x3f | 0x80
	for i, part := range [][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, part)
	}
	return dst
}
