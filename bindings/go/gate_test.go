package spillway

import (
	"context"
	"errors"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"
)

// blockWriters starts adds that find no room, more than may be inside at once, and waits until as
// many as can are inside.
func blockWriters(t *testing.T, ctx context.Context, store *Store,
	stream Stream) (ended chan error) {
	t.Helper()
	inside := cap(store.addGate(stream))
	ended = make(chan error, inside+6)
	for range cap(ended) {
		go func() {
			_, err := store.Add(ctx, stream, batchOf("no room"))
			ended <- err
		}()
	}
	eventually(t, "the gate is full", func() bool { return len(store.addGate(stream)) == inside })
	return ended
}

func TestBlockedWritersKeepNobodyOut(t *testing.T) {
	store := openMemory(t, BudgetBytes(4<<20), WhenFull(FullBlock), AddsInFlight(2))
	stream := newStream(t, store, "full", BudgetBytes(256<<10))
	fill(t, store, stream)
	count := recordCount(t, store, stream)
	ended := blockWriters(t, background, store, stream)

	// The other stream has room: moving records there is how somebody would make some here.
	other := newStream(t, store, "other")
	got(store.Add(background, other, batchOf("room")))(t)
	_, err := store.TryAdd(stream, batchOf("no room"))
	want(t, err, ErrWouldBlock)
	n := uint64(0)
	for _, err := range store.All(background, stream) {
		must(t, err)
		n++
	}
	if n != count {
		t.Fatalf("%d of %d records read", n, count)
	}
	want(t, store.Flush(background, FlushDevice), ErrUnsupported) // at once
	must(t, store.Clear(stream))
	for range cap(ended) {
		must(t, <-ended)
	}
	fill(t, store, stream)
	ended = blockWriters(t, background, store, stream)
	must(t, store.Close(background))
	for range cap(ended) {
		want(t, <-ended, ErrClosed)
	}
}

// Go ends a process that has 10,000 threads; each call that waits in C holds one.
func TestManyBlockedWritersTakeFewThreads(t *testing.T) {
	store, stream := fullStore(t, AddsInFlight(2))
	created := pprof.Lookup("threadcreate")
	before := created.Count()
	ended := make(chan error)
	const writers = 2000
	for range writers {
		go func() {
			_, err := store.Add(background, stream, batchOf("no room"))
			ended <- err
		}()
	}
	eventually(t, "the gate is full", func() bool { return len(store.addGate(stream)) == 2 })
	for range 100 {
		runtime.Gosched()
	}
	threads := created.Count() - before
	must(t, store.Close(background))
	for range writers {
		want(t, <-ended, ErrClosed)
	}
	if threads > 30 {
		t.Fatalf("%d more threads", threads)
	}
}

func TestRaisingTheBudgetLetsBlockedWritersGo(t *testing.T) {
	store, stream := fullStore(t, AddsInFlight(1))
	ended := blockWriters(t, background, store, stream)
	must(t, store.SetOption(AllStreams, BudgetBytes(8<<20)))
	for range cap(ended) {
		must(t, <-ended)
	}
}

func TestQueueAtTheGateHonoursTheContext(t *testing.T) {
	store, stream := fullStore(t, AddsInFlight(1))
	inside, cancelInside := context.WithCancel(background)
	ended := blockWriters(t, inside, store, stream)

	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(background)
	refused := make(chan error)
	go func() {
		_, err := store.Add(ctx, stream, batchOf("no room"))
		refused <- err
	}()
	runtime.Gosched()
	cancel(reason)
	if err := <-refused; !errors.Is(err, context.Canceled) || !errors.Is(err, reason) {
		t.Fatalf("got %v", err)
	}
	short, cancelShort := context.WithTimeout(background, 2*time.Millisecond)
	defer cancelShort()
	_, err := store.Add(short, stream, batchOf("no room"))
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrTimeout) {
		t.Fatalf("got %v", err)
	}
	must(t, store.SetOption(AllStreams, Timeout(2*time.Millisecond)))
	_, err = store.Add(background, stream, batchOf("no room"))
	want(t, err, ErrTimeout)
	must(t, store.SetOption(AllStreams, Timeout(0)))
	_, err = store.Add(background, stream, batchOf("no room"))
	want(t, err, ErrWouldBlock) // by the library, without a place
	cancelInside()
	// Those that came to the gate only after the timeouts above ended by them.
	for range cap(ended) {
		if code := codeOf(<-ended); code != ErrCancelled && code != ErrTimeout && code != ErrWouldBlock {
			t.Fatalf("got %v", code)
		}
	}
}

func TestManyFlushesAtOnce(t *testing.T) {
	store := openAt(t, storePath(t), FlushesInFlight(2))
	stream := newStream(t, store, "log")
	ended := make(chan error)
	const flushes = 20
	for i := range flushes {
		go func() {
			_, err := store.Add(background, stream, batchOf(numbered(i)))
			ended <- errors.Join(err, store.Flush(background, FlushDevice))
		}()
	}
	for range flushes {
		must(t, <-ended)
	}
	if stats := got(store.StreamStats(stream))(t); stats.SpilledSeq != flushes {
		t.Fatalf("%d of %d records are spilled", stats.SpilledSeq, flushes)
	}
}
