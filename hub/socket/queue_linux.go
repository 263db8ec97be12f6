package socket

// queue is a first-in-first-out list.
type queue[T any] struct {
	items []T
	head  int
}

func (q *queue[T]) empty() bool { return q.head == len(q.items) }

func (q *queue[T]) push(v T) { q.items = append(q.items, v) }

// pop is not ok when there is none.
func (q *queue[T]) pop() (v T, ok bool) {
	if q.empty() {
		q.items, q.head = q.items[:0], 0
		return v, false
	}
	var none T
	v, q.items[q.head] = q.items[q.head], none
	q.head++
	if q.head >= 1024 && 2*q.head >= len(q.items) {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	return v, true
}
