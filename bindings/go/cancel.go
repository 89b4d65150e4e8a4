package spillway

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// boundOp is an operation of the library that is cancelled when a context is. Both stay cancelled
// once they are, so that one op serves all calls with the same context, one at a time.
type boundOp struct {
	done  <-chan struct{} // of the context; nil: only for progress
	stop  func() bool
	spent atomic.Bool // cancelled

	mu     sync.Mutex // a cancel may come while the op is freed
	handle opHandle   // nil: freed
}

func newBoundOp(ctx context.Context) (*boundOp, error) {
	handle, err := rawOpNew()
	if err != nil {
		return nil, err
	}
	op := &boundOp{done: ctx.Done(), handle: handle}
	if op.done != nil {
		op.stop = context.AfterFunc(ctx, op.cancel)
	}
	return op, nil
}

func (o *boundOp) cancel() {
	o.spent.Store(true)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.handle != nil {
		rawOpCancel(o.handle)
	}
}

// free ends the binding; a cancel that is on its way finds nothing.
func (o *boundOp) free() {
	if o.stop != nil {
		o.stop()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	rawOpFree(o.handle)
	o.handle = nil
}

// opCache keeps ops with their contexts between the calls of a store, because binding them anew
// would allocate in each call of a loop that adds. It holds few contexts, and none that is done for
// longer than until the next call.
type opCache struct {
	mu     sync.Mutex
	closed bool
	idle   [8]*boundOp // in the order of their last use
	count  int
}

// take gives an op that the context cancels, for one call.
func (c *opCache) take(ctx context.Context) (*boundOp, error) {
	done := ctx.Done()
	c.mu.Lock()
	for i, op := range c.idle[:c.count] {
		if op.done == done {
			c.remove(i)
			c.mu.Unlock()
			return op, nil
		}
	}
	c.mu.Unlock()
	return newBoundOp(ctx)
}

// give takes an op back after its call.
func (c *opCache) give(op *boundOp) {
	var dropped [len(c.idle) + 1]*boundOp // freed outside of the mutex
	n := 0
	c.mu.Lock()
	for i := c.count - 1; i >= 0; i-- {
		if c.idle[i].spent.Load() {
			dropped[n] = c.idle[i]
			n++
			c.remove(i)
		}
	}
	if c.closed || op.spent.Load() {
		dropped[n] = op
		n++
	} else {
		if c.count == len(c.idle) {
			dropped[n] = c.idle[0]
			n++
			c.remove(0)
		}
		c.idle[c.count] = op
		c.count++
	}
	c.mu.Unlock()
	for _, each := range dropped[:n] {
		each.free()
	}
}

// remove: the caller holds mu.
func (c *opCache) remove(i int) {
	copy(c.idle[i:], c.idle[i+1:c.count])
	c.count--
	c.idle[c.count] = nil
}

// close frees what is idle, and what is given later.
func (c *opCache) close() {
	c.mu.Lock()
	idle, count := c.idle, c.count
	c.idle, c.count, c.closed = [len(c.idle)]*boundOp{}, 0, true
	c.mu.Unlock()
	for _, op := range idle[:count] {
		op.free()
	}
}

// patience is how long a call may wait and who may end the wait.
type patience struct {
	timeoutMs  int64
	byDeadline bool // timeoutMs is what is left until the context's deadline
	op         *boundOp
}

func (p *patience) handle() opHandle {
	if p.op == nil {
		return nil
	}
	return p.op.handle
}

// timeoutFor says how long a call with the context may wait. The deadline is also told to the
// library, which then needs no timer of ours to keep it.
func (s *Store) timeoutFor(ctx context.Context) patience {
	deadline, ok := ctx.Deadline()
	if !ok {
		return patience{timeoutMs: spwWaitDefault}
	}
	left := max(1, milliseconds(time.Until(deadline)))
	// An error: the store is closed, which the call itself will say.
	if own, err := rawGet(s.handle, AllStreams, KeyTimeout); err == nil && own < left {
		return patience{timeoutMs: own}
	}
	return patience{timeoutMs: left, byDeadline: true}
}

// explain turns the library's error into one that tells of the context, if that ended the call.
func (p *patience) explain(ctx context.Context, err error) error {
	switch codeOf(err) {
	case ErrCancelled:
		if done := doneError(ctx); done != nil {
			return done
		}
	case ErrTimeout:
		if p.byDeadline {
			return deadlineError(ctx)
		}
	}
	return err
}

// deadlineError is the error of a call that the library ended at the context's deadline: a moment
// before the context's own timer fires, which alone knows the cause.
func deadlineError(ctx context.Context) error {
	if ctx.Done() != nil { // else it is somebody's own, which tells a deadline only
		select {
		case <-ctx.Done():
			return doneError(ctx)
		case <-time.After(time.Second):
		}
	}
	return contextError(context.DeadlineExceeded, context.DeadlineExceeded)
}
