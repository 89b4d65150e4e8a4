package spillway

import (
	"context"
	"time"
)

// gate bounds how many goroutines are inside the library at once with calls of one kind that may
// wait there: each holds a thread of the operating system, and Go ends a process that has 10,000.
//
// Who waits inside must never keep out who could end the wait. So there is one gate per stream for
// Add, since adds to one stream are served in order anyway, and one per store for Flush and
// its kin, which wait for the disk alone. Everything else passes no gate: Close, Clear, Trim,
// SetOption, reads, TryAdd.
// A block file has one for changes and one for flushes; all that they ever wait for is the disk.
type gate chan struct{}

// wait is enter for calls that wait for the disk alone, and so end.
func (g gate) wait() { g <- struct{}{} }

func (g gate) leave() { <-g }

// enter waits for a place, no longer than the call itself may wait, and takes the time off that.
// entered is false for a call that may not wait at all: it goes in without a place.
func (g gate) enter(ctx context.Context, s *Store, p *patience) (entered bool, err error) {
	select {
	case g <- struct{}{}:
		return true, nil
	default:
	}
	limitMs := p.timeoutMs
	if limitMs == spwWaitDefault {
		if limitMs, err = rawGet(s.handle, AllStreams, KeyTimeout); err != nil {
			return false, err
		}
	}
	if limitMs == spwNoWait {
		return false, nil
	}
	var over <-chan time.Time
	limit := WaitForever
	if limitMs < int64(WaitForever/time.Millisecond) {
		limit = time.Duration(limitMs) * time.Millisecond
		timer := time.NewTimer(limit)
		defer timer.Stop()
		over = timer.C
	}
	started := time.Now()
	select {
	case g <- struct{}{}:
	case <-ctx.Done():
		return false, doneError(ctx)
	case <-over:
		return false, errTimeout
	}
	if over != nil {
		p.timeoutMs = max(1, milliseconds(limit-time.Since(started)))
	}
	return true, nil
}
