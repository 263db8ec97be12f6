package views

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// cacheEntryBytes is what the cache itself needs for an entry, roughly.
const cacheEntryBytes = 160

// cache keeps what was rendered, up to a number of bytes; what was not asked for the longest goes first. Its methods may be
// called from any goroutine.
type cache[K comparable, V any] struct {
	// Fixed at construction.
	limit  int            // bytes
	sizeOf func(K, V) int // bytes, without those of the cache itself

	mu   sync.Mutex           // guards the fields below
	lru  *simplelru.LRU[K, V] // its size is bounded by size
	size int                  // bytes
}

func newCache[K comparable, V any](limit int, sizeOf func(K, V) int) *cache[K, V] {
	c := &cache[K, V]{limit: limit}
	c.sizeOf = func(k K, v V) int { return sizeOf(k, v) + cacheEntryBytes }
	lru, err := simplelru.NewLRU(limit/cacheEntryBytes+1, func(k K, v V) { c.size -= c.sizeOf(k, v) })
	if err != nil {
		panic("make a cache: " + err.Error()) // its size is positive
	}
	c.lru = lru
	return c
}

func (c *cache[K, V]) get(k K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lru.Get(k)
}

// put keeps v instead of what was kept for k, if it is not larger than the whole cache.
func (c *cache[K, V]) put(k K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Remove(k)
	size := c.sizeOf(k, v)
	if size > c.limit {
		return
	}
	c.lru.Add(k, v)
	c.size += size
	for c.size > c.limit {
		c.lru.RemoveOldest()
	}
}

// drop forgets what belongs says.
func (c *cache[K, V]) drop(belongs func(K, V) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.lru.Keys() {
		if v, ok := c.lru.Peek(k); ok && belongs(k, v) {
			c.lru.Remove(k)
		}
	}
}

// dropOne forgets what is kept for k.
func (c *cache[K, V]) dropOne(k K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Remove(k)
}

// dropAll forgets everything.
func (c *cache[K, V]) dropAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Purge()
}
