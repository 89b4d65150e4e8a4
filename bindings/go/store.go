package spillway

import (
	"context"
	"fmt"
	"runtime"
	"sync"
)

// Store is an open store. Any goroutine may use it, many at once. Close it.
type Store struct {
	life    life
	handle  storeHandle
	ops     opCache
	flushes gate // also of its block file
	changes gate // of its block file

	addsInFlight int
	mu           sync.Mutex
	adds         map[Stream]gate
}

// Open opens or creates the store at path (bytes without NUL; need not be UTF-8) with the options
// given. Files are made with mode 0600; beside a store with [TierSQLite] stands path + "-lock". A
// block file that is there already becomes a store's.
// ErrNotFound, ErrAlreadyExists: see [OpenMode]; ErrNotFound also for a block file without a store
// in it where there must be one. ErrBusy: open elsewhere, in this process or another. ErrCorrupt:
// damaged, or not a store. ErrUnsupported: made by a later version. ErrReadOnly, ErrFull, ErrIO: the
// disk.
func Open(ctx context.Context, path string, options ...Option) (*Store, error) {
	return open(ctx, path, false, options)
}

// OpenMemory makes a store in memory only, bounded by its budget. Flush is ErrUnsupported, and at
// the hard limit an add is refused unless [WhenFull] says [FullBlock].
func OpenMemory(ctx context.Context, options ...Option) (*Store, error) {
	return open(ctx, "", true, options)
}

func open(ctx context.Context, path string, inMemory bool, options []Option) (*Store, error) {
	if err := checkLayout(); err != nil {
		return nil, err
	}
	if err := doneError(ctx); err != nil {
		return nil, err
	}
	s := &Store{addsInFlight: runtime.GOMAXPROCS(0), adds: map[Stream]gate{},
		changes: make(gate, defaultChangesInFlight())}
	options, err := s.takeOwn(options)
	if err != nil {
		return nil, err
	}
	op, err := newBoundOp(ctx)
	if err != nil {
		return nil, err
	}
	defer op.free()
	err = withOptions(options, func(bag optionsHandle) error {
		handle, err := rawOpen(path, inMemory, bag, op.handle)
		s.handle = handle
		return err
	})
	if err != nil {
		p := patience{}
		return nil, p.explain(ctx, err)
	}
	runtime.SetFinalizer(s, (*Store).abandon)
	return s, nil
}

// takeOwn takes this package's options out of the list.
func (s *Store) takeOwn(options []Option) ([]Option, error) {
	flushes := 64
	var others []Option
	for _, each := range options {
		switch each.Key {
		case keyAddsInFlight:
			s.addsInFlight = int(each.Value)
		case keyFlushesInFlight:
			flushes = int(each.Value)
		default:
			others = append(others, each)
		}
	}
	if s.addsInFlight < 1 || flushes < 1 {
		return nil, invalid("AddsInFlight and FlushesInFlight must be at least 1")
	}
	s.flushes = make(gate, flushes)
	return others, nil
}

// call stands at the beginning of every method, and exit at the end if there was no error.
func (s *Store) call() error {
	if !s.life.enter() {
		return errClosed
	}
	return nil
}

func (s *Store) exit() {
	if s.life.leave() {
		runtime.SetFinalizer(s, nil)
		rawStoreFree(s.handle)
	}
}

// abandon is the finalizer.
func (s *Store) abandon() {
	if s.life.state.Load() < ended {
		leaks.stores.Add(1)
		s.ops.close()
		rawStoreFree(s.handle)
	}
}

// Close makes everything admitted durable, as [Store.Flush] to the device does, and closes the
// store: every other running or later call returns ErrClosed, waiters wake, owned batches stay
// readable. Closing a closed store is fine.
// ErrTimeout, ErrCancelled, ErrFull, ErrBusy, ErrNoMemory, and ctx done before: the store stays
// open, and Close can be called again. Any other result closes; ErrIO and ErrCorrupt then mean that
// records admitted after the last successful flush may be lost.
func (s *Store) Close(ctx context.Context) error {
	if err := doneError(ctx); err != nil {
		return err
	}
	if s.call() != nil {
		return nil
	}
	defer s.exit()
	p := s.timeoutFor(ctx)
	var err error
	if p.op, err = newBoundOp(ctx); err != nil {
		return err
	}
	defer p.op.free()
	defer watch(ctx, p.op)()
	return p.explain(ctx, s.close(0, p.timeoutMs, p.handle()))
}

// TryClose is Close if nothing has to be written; else it is ErrWouldBlock, and the store stays
// open.
func (s *Store) TryClose() error {
	if s.call() != nil {
		return nil
	}
	defer s.exit()
	return s.close(0, spwNoWait, nil)
}

// Discard closes the store at once and gives up what is not on disk yet.
func (s *Store) Discard() error {
	if s.call() != nil {
		return nil
	}
	defer s.exit()
	return s.close(closeDiscard, spwWaitForever, nil)
}

// close: the handle is freed when the last call has left it.
func (s *Store) close(flags uint32, timeoutMs int64, op opHandle) error {
	err := rawClose(s.handle, flags, timeoutMs, op)
	switch codeOf(err) {
	case ErrTimeout, ErrCancelled, ErrFull, ErrBusy, ErrNoMemory, ErrWouldBlock,
		ErrInvalidArgument, ErrInvalidState, ErrUnsupported, ErrForked:
		return err // still open
	}
	if s.life.end() {
		s.ops.close()
	}
	return err
}

// FlushLevel says how safe a flush makes records, or a flush or commit makes blocks.
type FlushLevel int32

// The levels. The last two are for block files only, FlushCheckpoint also for [Store.Commit].
const (
	FlushKernel     FlushLevel = flushKernel     // survives the end of this process, not a power cut
	FlushDevice     FlushLevel = flushDevice     // survives a power cut
	FlushCheckpoint FlushLevel = flushCheckpoint // and the next open has nothing to replay
	CommitRelaxed   FlushLevel = commitRelaxed   // for a commit: durable with the next flush
)

// Flush returns when everything admitted before the call, by any goroutine, is as safe as level
// says. ErrUnsupported: a store in memory only. ErrTimeout, ErrCancelled: it goes on in the
// background. ErrFull: tried again in the background. ErrIO, ErrCorrupt: writing has ended; nothing
// acknowledged is lost, what is in memory is readable.
func (s *Store) Flush(ctx context.Context, level FlushLevel) error {
	return s.flush(ctx, func(timeoutMs int64, op opHandle) error {
		return rawFlush(s.handle, level, timeoutMs, op)
	})
}

// flush makes a call that flushes, once there is a place for it.
func (s *Store) flush(ctx context.Context, body func(timeoutMs int64, op opHandle) error) error {
	if err := doneError(ctx); err != nil {
		return err
	}
	if err := s.call(); err != nil {
		return err
	}
	defer s.exit()
	p := s.timeoutFor(ctx)
	entered, err := s.flushes.enter(ctx, s, &p)
	if err != nil {
		return p.explain(ctx, err)
	}
	if entered {
		defer s.flushes.leave()
	}
	if p.op, err = newBoundOp(ctx); err != nil {
		return err
	}
	defer p.op.free()
	defer watch(ctx, p.op)()
	return p.explain(ctx, body(p.timeoutMs, p.handle()))
}

// TryFlush starts a flush and does not wait for it: ErrWouldBlock if there is something to write.
func (s *Store) TryFlush(level FlushLevel) error {
	if err := s.call(); err != nil {
		return err
	}
	defer s.exit()
	return rawFlush(s.handle, level, spwNoWait, nil)
}

// Settle is Flush to the device, after which the memory of all records that are in the cold tier is
// given back to the system, and the free memory too: for a store that is to be quiet for a while.
// Records can be read and added throughout; what others add meanwhile stays in memory. Errors as of
// Flush; after one of them no memory was given back.
func (s *Store) Settle(ctx context.Context) error {
	return s.flush(ctx, func(timeoutMs int64, op opHandle) error {
		return rawSettle(s.handle, timeoutMs, op)
	})
}

// ReleaseMemory gives the memory that is kept for reuse (Stats.BytesFree) back to the system. It
// does not wait. Any store; the next adds map fresh memory, which costs more than the copy into it.
func (s *Store) ReleaseMemory() error {
	if err := s.call(); err != nil {
		return err
	}
	defer s.exit()
	return rawReleaseMemory(s.handle)
}

// Version gives the version of the library that is loaded, such as "0.1.0".
func Version() string { return rawVersion() }

// HeaderVersion is the version of the library that this package was compiled for.
const HeaderVersion string = headerVersion

// ABIVersion gives major << 16 | minor of the library that is loaded. Open refuses one of another
// major, or of an older minor, than this package was compiled for.
func ABIVersion() uint32 { return rawABIVersion() }

// checkLayout compares the library that is loaded with the header this package was compiled with.
// Structs may have grown since: they say their size.
var checkLayout = sync.OnceValue(func() error {
	major, minor := rawABIVersion()>>16, rawABIVersion()&0xffff
	if major != headerMajor || minor < headerMinor {
		return &Error{Code: ErrUnsupported, Index: -1, Msg: fmt.Sprintf(
			"the library is version %s, this program was compiled for %s", rawVersion(), headerVersion)}
	}
	for _, each := range rawLayouts() {
		if each.library < each.here {
			return &Error{Code: ErrUnsupported, Index: -1, Msg: fmt.Sprintf(
				"%s has %d bytes in the library, %d here", each.name, each.library, each.here)}
		}
	}
	return nil
})
