package spillway

import (
	"context"
	"runtime"
)

// File is an open block file: many named blocks in one crash-safe file. A change is visible at once
// and durable after the next [File.Flush] to the device, durable commit or Close that returns nil.
// Any goroutine may use it, many at once; readers wait for nobody. Close it.
//
// Names are 1 to [BlockNameMax] bytes, none of them 0, UTF-8 by contract, compared byte by byte;
// every call that takes another is ErrInvalidArgument. Besides what it lists, every call that
// changes something may be ErrReadOnly, ErrFull (nothing is lost, and it works again when there is
// room), ErrIO or ErrCorrupt (an earlier write failed: writing has ended until the file is opened
// again, reading goes on); and every call that reads ErrCorrupt or ErrIO for the block that cannot
// be read.
type File struct {
	blockChanges
}

// openFile is what a File shares with its transactions, lists and streams, which keep it from being
// collected.
type openFile struct {
	*handle[fileHandle]
	changes, flushes gate
	store            *Store // whose file it is, if it is one's: also kept from being collected
}

// OpenFile opens or creates the block file at path (bytes without NUL; need not be UTF-8) with the
// options given. ctx ends the replay of its journal.
// ErrNotFound, ErrAlreadyExists: see [OpenMode]. ErrBusy: open elsewhere, in this process or
// another. ErrCorrupt: damaged, or no block file. ErrUnsupported: made by a later version, or no
// locks here. ErrReadOnly, ErrFull, ErrIO: the disk.
func OpenFile(ctx context.Context, path string, options ...Option) (*File, error) {
	if err := checkLayout(); err != nil {
		return nil, err
	}
	file := new(openFile)
	options, err := file.takeOwn(options)
	if err != nil {
		return nil, err
	}
	err = withOp(ctx, func(op opHandle) error {
		return withOptions(options, func(bag optionsHandle) error {
			raw, err := rawFileOpen(path, bag, op)
			if err == nil {
				file.handle = newHandle(raw, rawFileFree, &leaks.files)
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return &File{blockChanges{blockReads{file: file}}}, nil
}

// takeOwn takes this package's options out of the list.
func (f *openFile) takeOwn(options []Option) ([]Option, error) {
	changes, flushes := defaultChangesInFlight(), 64
	var others []Option
	for _, each := range options {
		switch each.Key {
		case keyChangesInFlight:
			changes = int(each.Value)
		case keyFlushesInFlight:
			flushes = int(each.Value)
		default:
			others = append(others, each)
		}
	}
	if changes < 1 || flushes < 1 {
		return nil, invalid("ChangesInFlight and FlushesInFlight must be at least 1")
	}
	f.changes, f.flushes = make(gate, changes), make(gate, flushes)
	return others, nil
}

func defaultChangesInFlight() int { return 4 * runtime.GOMAXPROCS(0) }

// withOp runs a call of the library that the context can cancel and whose progress it may want.
func withOp(ctx context.Context, body func(opHandle) error) error {
	if err := doneError(ctx); err != nil {
		return err
	}
	op, err := newBoundOp(ctx)
	if err != nil {
		return err
	}
	defer op.free()
	defer watch(ctx, op)()
	var p patience
	return p.explain(ctx, body(op.handle))
}

// Close makes everything durable and closes the file: every other running or later call returns
// ErrClosed, transactions that were not committed are rolled back, blobs stay readable. Closing a
// closed file is fine.
// ErrFull: the file stays open, and Close can be called again. Any other result closes; ErrIO and
// ErrCorrupt then mean that changes after the last successful flush may be lost.
//
// Of a store's file ([Store.File]) it closes nothing but this handle and what came from it.
func (f *File) Close() error { return f.file.end(0) }

// Discard closes the file at once, as a crash would. ErrInvalidState: it is a store's.
func (f *File) Discard() error { return f.file.end(closeDiscard) }

// end: the handle is freed when the last call has left it.
func (f *openFile) end(flags uint32) error {
	if !f.enter() {
		return nil
	}
	defer f.exit()
	var err error
	if f.store == nil || flags != 0 {
		err = rawFileClose(f.raw, flags)
	}
	switch codeOf(err) {
	case ErrFull, ErrInvalidArgument, ErrInvalidState, ErrUnsupported, ErrForked:
		return err // still open
	}
	f.life.end()
	return err
}

// Flush returns when everything that was changed before the call, by any goroutine, is as safe as
// level says: [FlushKernel], [FlushDevice] or [FlushCheckpoint]. It is fine on a file opened for
// reading. ErrFull: nothing is lost, it can be called again.
func (f *File) Flush(level FlushLevel) error {
	if err := f.enter(); err != nil {
		return err
	}
	defer f.exit()
	f.file.flushes.wait()
	defer f.file.flushes.leave()
	return rawFileFlush(f.file.raw, level)
}
