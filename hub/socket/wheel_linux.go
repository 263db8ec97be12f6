package socket

import "time"

// wheelSlots is how many ticks a wheel can look ahead; what is due later comes round and is asked again.
const wheelSlots = 256

// wheel holds every link of a loop at one time of the future each: one clock for all, instead of a timer per
// connection. A link's time is never too early and at most one tick late.
type wheel struct {
	tick  time.Duration
	done  int64 // ticks that are over
	slots [wheelSlots]*link
}

// init chooses a tick that is short against all limits.
func (w *wheel) init(l Limits) {
	shortest := min(l.PingInterval, l.IdleTimeout, stallStep(l), closeTimeout)
	w.tick = min(max(shortest/16, time.Millisecond), 125*time.Millisecond)
}

// set puts the link at a time, or takes it from its former one.
func (w *wheel) set(k *link, at time.Duration) {
	due := min(max(int64(at/w.tick)+1, w.done+1), w.done+wheelSlots-1)
	if due == k.due {
		return
	}
	w.remove(k)
	slot := &w.slots[due%wheelSlots]
	k.due, k.after = due, *slot
	if k.after != nil {
		k.after.before = k
	}
	*slot = k
}

// hasten makes sure that the link is asked at a time or before.
func (w *wheel) hasten(k *link, at time.Duration) {
	if k.due == 0 || int64(at/w.tick)+1 < k.due {
		w.set(k, at)
	}
}

// remove takes the link out, if it is in.
func (w *wheel) remove(k *link) {
	if k.due == 0 {
		return
	}
	if k.before != nil {
		k.before.after = k.after
	} else {
		w.slots[k.due%wheelSlots] = k.after
	}
	if k.after != nil {
		k.after.before = k.before
	}
	k.due, k.before, k.after = 0, nil, nil
}

// expire takes out the links whose time has come and calls f with each, which may put it back.
func (w *wheel) expire(now time.Duration, f func(*link)) {
	until := int64(now / w.tick)
	if until-w.done > wheelSlots {
		w.done = until - wheelSlots
	}
	for w.done < until {
		w.done++
		for slot := &w.slots[w.done%wheelSlots]; *slot != nil; {
			k := *slot
			w.remove(k)
			f(k)
		}
	}
}

// next is the time of the first link, if there is any.
func (w *wheel) next() (time.Duration, bool) {
	for i := int64(1); i < wheelSlots; i++ {
		if w.slots[(w.done+i)%wheelSlots] != nil {
			return time.Duration(w.done+i) * w.tick, true
		}
	}
	return 0, false
}
