package spillway

import (
	"runtime"
	"sync/atomic"
)

// OwnedBatch is records with a life of their own, in the library's memory: from [Cursor.Detach] or
// [Store.Gather]. It stays readable after its cursor and store are closed. Any goroutine may read
// it, many at once, until Close: THEN THE BYTES IT GAVE ARE NO LONGER VALID, so nobody may be
// reading.
type OwnedBatch struct {
	Records
	closed atomic.Bool
	handle batchHandle
}

func newOwnedBatch(handle batchHandle) (*OwnedBatch, error) {
	b := &OwnedBatch{handle: handle}
	if err := rawBatchView(handle, &b.Records); err != nil {
		rawBatchFree(handle)
		return nil, err
	}
	runtime.SetFinalizer(b, (*OwnedBatch).abandon)
	return b, nil
}

// abandon is the finalizer.
func (b *OwnedBatch) abandon() {
	leaks.batches.Add(1)
	rawBatchFree(b.handle)
}

// Close frees the records; the batch is then empty. Closing again is fine. It never fails; the
// result is there for io.Closer.
func (b *OwnedBatch) Close() error {
	if !b.closed.Swap(true) {
		runtime.SetFinalizer(b, nil)
		b.Records = Records{}
		rawBatchFree(b.handle)
	}
	return nil
}
