package spillway

import (
	"runtime"
	"sync/atomic"
)

// Blob is a view of a block with a life of its own, in the library's memory: it is not copied, and
// stays as it was whatever becomes of block and file, also after the file's Close. Any goroutine
// may read it, many at once, until Close: THEN THE BYTES IT GAVE ARE NO LONGER VALID, so nobody may
// be reading. Keep the blob reachable as long as they are used (a deferred Close does that).
type Blob struct {
	bytes  []byte
	closed atomic.Bool
	raw    blobHandle
}

func newBlob(raw blobHandle) (*Blob, error) {
	bytes, err := rawBlobView(raw)
	if err != nil {
		rawBlobFree(raw)
		return nil, err
	}
	b := &Blob{bytes: bytes, raw: raw}
	runtime.SetFinalizer(b, (*Blob).abandon)
	return b, nil
}

// abandon is the finalizer.
func (b *Blob) abandon() {
	leaks.blobs.Add(1)
	rawBlobFree(b.raw)
}

// Bytes gives the bytes, IN THE LIBRARY'S MEMORY: VALID ONLY UNTIL CLOSE, and not to be changed.
func (b *Blob) Bytes() []byte { return b.bytes }

// Len is the number of bytes.
func (b *Blob) Len() int { return len(b.bytes) }

// Close gives the view up; the blob is then empty. Closing again is fine. It never fails; the
// result is there for io.Closer.
func (b *Blob) Close() error {
	if !b.closed.Swap(true) {
		runtime.SetFinalizer(b, nil)
		b.bytes = nil
		rawBlobFree(b.raw)
	}
	return nil
}
