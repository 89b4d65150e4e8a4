package spillway

import (
	"runtime"
	"sync/atomic"
)

// handle owns a handle of the library: it is freed once, by the call that is the last inside when
// it is closed, or by the garbage collector, which counts it as leaked.
type handle[H any] struct {
	life
	raw    H
	free   func(H)
	leaked *atomic.Uint64
	busy   atomic.Bool // see alone
}

func newHandle[H any](raw H, free func(H), leaked *atomic.Uint64) *handle[H] {
	h := &handle[H]{raw: raw, free: free, leaked: leaked}
	runtime.SetFinalizer(h, (*handle[H]).abandon)
	return h
}

// exit stands at the end of what began with enter.
func (h *handle[H]) exit() {
	if h.leave() {
		runtime.SetFinalizer(h, nil)
		h.free(h.raw)
	}
}

// alone is enter for what one goroutine may do at a time; exitAlone ends it.
func (h *handle[H]) alone() *Error {
	if !h.enter() {
		return errClosed
	}
	if h.busy.Swap(true) {
		h.exit()
		return errInUse
	}
	return nil
}

func (h *handle[H]) exitAlone() {
	h.busy.Store(false)
	h.exit()
}

// close keeps later calls out; those inside go on.
func (h *handle[H]) close() {
	if h.enter() {
		h.end()
		h.exit()
	}
}

// abandon is the finalizer.
func (h *handle[H]) abandon() {
	if h.state.Load() < ended {
		h.leaked.Add(1)
		h.free(h.raw)
	}
}
