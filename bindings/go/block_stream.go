package spillway

import (
	"io"
	"sync/atomic"
)

// BlockReader reads a block that may be too large for memory: as it was when the reader was opened,
// whatever becomes of it later. It is an io.Reader, io.ReaderAt, io.Seeker and io.Closer. ReadAt
// may be called by any number of goroutines at once; of Read and Seek only one at a time: used by
// two at once they answer ErrInvalidState. Close it.
type BlockReader struct {
	reads  blockReads // which must not be collected before
	handle *handle[readerHandle]
	info   BlockInfo
	at     int64 // the position
}

// Reader opens a block for reading. ErrNotFound.
func (r *blockReads) Reader(name string) (*BlockReader, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.exit()
	raw, err := rawReaderOpen(r.file.raw, r.transaction(), name)
	if err != nil {
		return nil, err
	}
	reader := &BlockReader{reads: *r, handle: newHandle(raw, rawReaderFree, &leaks.readers)}
	if reader.info, err = rawReaderStat(raw, name); err != nil {
		reader.Close()
		return nil, err
	}
	return reader, nil
}

// Info tells about the block that is read.
func (r *BlockReader) Info() BlockInfo { return r.info }

// Read reads the next bytes; io.EOF at the end. What comes next is read ahead. After an error the
// position is where it was.
func (r *BlockReader) Read(buffer []byte) (int, error) {
	if err := r.handle.alone(); err != nil {
		return 0, err
	}
	defer r.handle.exitAlone()
	count, err := rawReaderRead(r.handle.raw, buffer)
	if err != nil {
		return 0, err
	}
	if count == 0 && len(buffer) > 0 {
		return 0, io.EOF
	}
	r.at += int64(count)
	return count, nil
}

// ReadAt reads from offset on, whatever the position; io.EOF if there are fewer bytes than asked
// for.
func (r *BlockReader) ReadAt(buffer []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, invalid("an offset below 0")
	}
	if !r.handle.enter() {
		return 0, errClosed
	}
	defer r.handle.exit()
	count, err := rawReaderReadAt(r.handle.raw, uint64(offset), buffer)
	if err == nil && count < len(buffer) {
		err = io.EOF
	}
	return count, err
}

// Seek sets the position of the next Read, which may be behind the end. ErrInvalidArgument: below
// 0, or no such whence.
func (r *BlockReader) Seek(offset int64, whence int) (int64, error) {
	if err := r.handle.alone(); err != nil {
		return 0, err
	}
	defer r.handle.exitAlone()
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += int64(r.info.Length)
	default:
		return 0, invalid("whence is none of io.Seek*")
	}
	if offset < 0 {
		return 0, invalid("a position below 0")
	}
	if err := rawReaderSeek(r.handle.raw, uint64(offset)); err != nil {
		return 0, err
	}
	r.at = offset
	return offset, nil
}

// Close gives the reader up. Closing again is fine. It never fails; the result is there for
// io.Closer.
func (r *BlockReader) Close() error {
	r.handle.close()
	return nil
}

// BlockWriter writes a block whose length is not known yet: it becomes visible, whole, with Commit,
// or never. It is an io.Writer and io.Closer. A few MiB are kept in memory, the rest is in the
// file; a crash gives it back. One goroutine at a time; used by two at once it answers
// ErrInvalidState. Close it.
type BlockWriter struct {
	changes   blockChanges // which must not be collected before
	handle    *handle[writerHandle]
	committed atomic.Bool
}

// Writer begins a block that is created, or whose payload is replaced, by the writer's Commit;
// within a transaction, by the commit of both. The block's tag stays.
func (c *blockChanges) Writer(name string) (*BlockWriter, error) {
	return c.WriterIf(name, VersionAny)
}

// WriterIf is Writer with the condition of PutIf, which the commit judges.
func (c *blockChanges) WriterIf(name string, expected uint64) (*BlockWriter, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.exit()
	raw, err := rawWriterOpen(c.file.raw, c.transaction(), name, expected)
	if err != nil {
		return nil, err
	}
	return &BlockWriter{changes: *c, handle: newHandle(raw, rawWriterFree, &leaks.writers)}, nil
}

// enter also waits at the gate of the file's changes.
func (w *BlockWriter) enter() error {
	if err := w.handle.alone(); err == errClosed && w.committed.Load() {
		return errCommitted
	} else if err != nil {
		return err
	}
	w.changes.file.changes.wait()
	return nil
}

func (w *BlockWriter) exit() {
	w.changes.file.changes.leave()
	w.handle.exitAlone()
}

// Write adds bytes at the end, all of them or none. ErrFull: none, and it can be called again.
// ErrInvalidState: it was committed.
func (w *BlockWriter) Write(data []byte) (int, error) {
	if err := w.enter(); err != nil {
		return 0, err
	}
	defer w.exit()
	if err := rawWriterWrite(w.handle.raw, data); err != nil {
		return 0, err
	}
	return len(data), nil
}

// Commit creates the block or replaces what it holds, and gives its version as Put does.
// ErrConflict, ErrAlreadyExists, ErrNotFound: the condition of WriterIf. ErrFull, ErrNoMemory: it
// can be called again; after any other error the block can only be given up.
func (w *BlockWriter) Commit() (version uint64, err error) {
	if err := w.enter(); err != nil {
		return 0, err
	}
	defer w.exit()
	if version, err = rawWriterCommit(w.handle.raw); err == nil {
		w.committed.Store(true)
		w.handle.end()
	}
	return version, err
}

// Close gives up what was not committed; after Commit, or when called again, it does nothing: defer
// it. It never fails; the result is there for io.Closer.
func (w *BlockWriter) Close() error {
	w.handle.close()
	return nil
}
