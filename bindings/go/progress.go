package spillway

import (
	"context"
	"sync"
)

// Progress shows how far the Flush or Close is that runs, or ran last, with a context from
// [WithProgress]. The zero value is ready. Any goroutine may ask, at any time.
type Progress struct {
	mu          sync.Mutex
	op          *boundOp // of the call that runs
	done, total uint64   // of the one that ran last
}

// Records gives the records written and to be written in all; 0, 0 before there is something to
// tell.
func (p *Progress) Records() (done, total uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.op != nil {
		p.done, p.total = rawOpProgress(p.op.handle)
	}
	return p.done, p.total
}

type progressKey struct{}

// WithProgress returns a context whose Flush or Close, one at a time, reports to progress.
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
		progress.Records()
		progress.mu.Lock()
		defer progress.mu.Unlock()
		if progress.op == op {
			progress.op = nil
		}
	}
}
