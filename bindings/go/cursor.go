package spillway

import (
	"context"
	"iter"
	"runtime"
	"sync/atomic"
)

// ScanFlags ask for other ways to read.
type ScanFlags uint32

// The flags; all are ErrUnsupported in this version.
const (
	ScanReverse   ScanFlags = scanReverse // from the end
	ScanFollow    ScanFlags = scanFollow  // wait for new records
	ScanTimeRange ScanFlags = scanByTime  // TimeBegin and TimeEnd apply
)

// Scan says what a cursor reads.
type Scan struct {
	Stream Stream
	Flags  ScanFlags
	Begin  uint64 // first record wanted; records that are gone already are left out
	End    uint64 // end of the range, exclusive; SeqNone: all there are now

	TimeBegin, TimeEnd int64 // 0 without ScanTimeRange
}

// Cursor reads a snapshot: exactly the records of its range that were admitted before it was
// opened, in order, each once, whatever is added, spilled or flushed meanwhile. It holds no memory
// but its current view. One goroutine at a time; used by two at once it answers ErrInvalidState.
// Close it.
//
//	for cursor.Next(ctx) {
//		records := cursor.Batch()
//		for i := range records.Len() {
//			use(records.Bytes(i))
//		}
//	}
//	if err := cursor.Err(); err != nil { ... }
type Cursor struct {
	records    Records
	store      *Store // which must not be collected before
	life       life
	handle     cursorHandle
	call       *cursorCall
	busy       atomic.Bool
	refused    atomic.Pointer[Error] // a Next that came while another call ran, or after Close
	maxRecords uint64
	maxBytes   uint64
	err        error
}

// Cursor reads all records of a stream that there are now. ErrNotFound: no such stream.
func (s *Store) Cursor(stream Stream) (*Cursor, error) {
	return s.Scan(Scan{Stream: stream, End: SeqNone})
}

// Scan reads a range of a stream. ErrNotFound: no such stream. ErrInvalidArgument: Begin is above
// End.
func (s *Store) Scan(scan Scan) (*Cursor, error) {
	if err := s.call(); err != nil {
		return nil, err
	}
	defer s.exit()
	handle, err := rawCursorOpen(s.handle, scan)
	if err != nil {
		return nil, err
	}
	c := &Cursor{store: s, handle: handle, call: new(cursorCall),
		maxRecords: NoLimit, maxBytes: NoLimit}
	runtime.SetFinalizer(c, (*Cursor).abandon)
	return c, nil
}

// All ranges over all records of a stream that there are now, with a cursor of its own. An error
// comes as the last step, with an empty Record. THE RECORD'S BYTES ARE VALID ONLY UNTIL THE NEXT
// STEP.
func (s *Store) All(ctx context.Context, stream Stream) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		cursor, err := s.Cursor(stream)
		if err != nil {
			yield(Record{}, err)
			return
		}
		defer cursor.Close()
		cursor.All(ctx)(yield)
	}
}

// enter lets one goroutine in.
func (c *Cursor) enter() *Error {
	if !c.life.enter() {
		return errClosed
	}
	if c.busy.Swap(true) {
		c.exit()
		return errInUse
	}
	return nil
}

func (c *Cursor) leave() {
	c.busy.Store(false)
	c.exit()
}

func (c *Cursor) exit() {
	if c.life.leave() {
		runtime.SetFinalizer(c, nil)
		c.records = Records{}
		rawCursorFree(c.handle)
	}
}

// abandon is the finalizer.
func (c *Cursor) abandon() {
	if c.life.state.Load() < ended {
		leaks.cursors.Add(1)
		rawCursorFree(c.handle)
	}
}

// Limit bounds the views to come: at most maxRecords records and maxBytes bytes of payload, each at
// least 1 or [NoLimit] (the default), though always at least one record, even one above maxBytes.
func (c *Cursor) Limit(maxRecords, maxBytes uint64) error {
	if maxRecords == 0 || maxBytes == 0 {
		return invalid("a view has at least one record and one byte")
	}
	if err := c.enter(); err != nil {
		return err
	}
	defer c.leave()
	c.maxRecords, c.maxBytes = maxRecords, maxBytes
	return nil
}

// Next moves to the next view and reports whether there is one; Err says why not, nil at the end.
// THE VIEW BEFORE IS NO LONGER VALID. The cursor stays where it is if ctx is done or somebody else
// uses it; after any other error every Next fails the same way until Seek: nothing is skipped in
// silence. ErrTrimmed: the records at the position were cleared (Msg names the range). ErrCorrupt,
// ErrIO: they cannot be read.
func (c *Cursor) Next(ctx context.Context) bool {
	if err := c.enter(); err != nil {
		c.refused.Store(err) // not c.err, which belongs to the goroutine that is inside
		return false
	}
	defer c.leave()
	// No op for the library: a snapshot cursor never waits there, so that a look before the call
	// does all that an op could.
	if c.err = doneError(ctx); c.err == nil {
		c.err = c.call.next(c.handle, c.maxRecords, c.maxBytes, spwWaitDefault, nil, &c.records)
	} else {
		c.records = Records{}
	}
	return c.records.Len() > 0
}

// Batch gives the current view; empty before the first Next, at the end and after an error. It
// belongs to the cursor: THE NEXT CALL OF NEXT, SEEK OR CLOSE ENDS IT.
func (c *Cursor) Batch() *Records { return &c.records }

// Err gives the error that made Next fail; nil at the end. A Next that was refused, because the
// cursor was in use or closed, stays visible for good.
func (c *Cursor) Err() error {
	if refused := c.refused.Load(); refused != nil {
		return refused
	}
	return c.err
}

// All ranges over the records from the cursor's position on. An error comes as the last step, with
// an empty Record. THE RECORD'S BYTES ARE VALID ONLY UNTIL THE NEXT STEP. A loop that breaks leaves
// the cursor behind the view it was in; Seek goes back. The cursor stays open.
func (c *Cursor) All(ctx context.Context) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for c.Next(ctx) {
			for i := 0; i < c.records.Len(); i++ { // asked each time: the loop may close the cursor
				if !yield(c.records.Record(i), nil) {
					return
				}
			}
		}
		if err := c.Err(); err != nil {
			yield(Record{}, err)
		}
	}
}

// Range gives the snapshot's range; it has end - begin records.
func (c *Cursor) Range() (begin, end uint64, err error) {
	if err := c.enter(); err != nil {
		return 0, 0, err
	}
	defer c.leave()
	return rawCursorRange(c.handle)
}

// Seek moves to a sequence number within the snapshot's range or to its end, and clears an error.
// THE CURRENT VIEW IS NO LONGER VALID.
func (c *Cursor) Seek(seq uint64) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.leave()
	c.records = Records{}
	c.err = c.call.seek(c.handle, seq)
	return c.err
}

// Detach gives the current view a life of its own, without copying: it outlives cursor and store.
// The view stays valid as it was. ErrInvalidState: there is no current view.
func (c *Cursor) Detach() (*OwnedBatch, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.leave()
	handle, err := rawCursorDetach(c.handle)
	if err != nil {
		return nil, err
	}
	return newOwnedBatch(handle)
}

// Close gives the cursor up; the current view is no longer valid. Closing again is fine. It never
// fails; the result is there for io.Closer.
func (c *Cursor) Close() error {
	if c.life.enter() {
		c.life.end()
		c.exit()
	}
	return nil
}
