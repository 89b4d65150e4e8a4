package spillway

import (
	"context"
	"sync"
)

// Progress shows how far the call is that runs, or ran last, with a context from [WithProgress]: a
// Flush, Settle, Verify or Close of a store; of a block file, a Verify, Vacuum, Copy, Import or Export. The zero
// value is ready. Any goroutine may ask, at any time.
type Progress struct {
	mu          sync.Mutex
	op          *boundOp // of the call that runs
	done, total uint64   // of the one that ran last
}

// Records gives the records that a store has written, or verified, and has to in all; 0, 0 before there is
// something to tell.
func (p *Progress) Records() (done, total uint64) { return p.now() }

// Bytes gives the bytes of a block file that are done and to be done in all, counted as the call
// says; total is 0 where that is not known: of an Import or Export.
func (p *Progress) Bytes() (done, total uint64) { return p.now() }

func (p *Progress) now() (done, total uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.op != nil {
		p.done, p.total = rawOpProgress(p.op.handle)
	}
	return p.done, p.total
}

type progressKey struct{}

// WithProgress returns a context whose calls, one at a time, report to progress.
func WithProgress(ctx context.Context, progress *Progress) context.Context {
	return context.WithValue(ctx, progressKey{}, progress)
}

// watch tells the context's Progress of a call; what it returns ends that, before the op is freed.
func watch(ctx context.Context, op *boundOp) func() {
	progress, ok := ctx.Value(progressKey{}).(*Progress)
	if !ok {
		return func() {}
	}
	progress.mu.Lock()
	defer progress.mu.Unlock()
	progress.op = op
	return func() {
		progress.now()
		progress.mu.Lock()
		defer progress.mu.Unlock()
		if progress.op == op {
			progress.op = nil
		}
	}
}
