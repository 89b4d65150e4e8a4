package spillway

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
)

// collected collects until the condition holds: cleanups run when they like.
func collected(t testing.TB, what string, condition func(now LeakCounts) bool) {
	t.Helper()
	eventually(t, what, func() bool { runtime.GC(); return condition(Leaks()) })
}

// noLeaksSince collects, and expects the same counts as before.
func noLeaksSince(t testing.TB, before LeakCounts) {
	t.Helper()
	for range 3 {
		runtime.GC()
		runtime.Gosched()
	}
	if now := Leaks(); now != before {
		t.Fatalf("%+v, before %+v", now, before)
	}
}

// Forgets handles on a stack that is gone when it returns.
//
//go:noinline
func forget(t *testing.T, store *Store, stream Stream, handles int) {
	for range handles / 2 {
		cursor := got(store.Cursor(stream))(t)
		if !cursor.Next(background) {
			t.Fatal(cursor.Err())
		}
		got(cursor.Detach())(t)
	}
}

//go:noinline
func forgetStores(t *testing.T, ctx context.Context, count int) {
	for range count {
		store := got(Open(background, storePath(t)))(t)
		stream := newStream(t, store, "log")
		got(store.Add(ctx, stream, batchOf("lost")))(t) // and with it an op that ctx knows
		cursor := got(store.Cursor(stream))(t)
		if !cursor.Next(background) {
			t.Fatal(cursor.Err())
		}
	}
}

func TestUndisposedHandlesAreCollected(t *testing.T) {
	const handles, stores = 10_000, 20
	ctx, cancel := context.WithCancel(background)
	before, leakedStores := Leaks(), LeakedStores()

	store := openMemory(t)
	stream := newStream(t, store, "log")
	add(t, store, stream, string(make([]byte, 1<<20)))
	forget(t, store, stream, handles)
	must(t, store.Clear(stream)) // from now on the handles alone hold the record
	collected(t, "cursors and batches are collected", func(now LeakCounts) bool {
		return now.Cursors-before.Cursors >= handles/2 && now.Batches-before.Batches >= handles/2
	})
	eventually(t, "nothing is pinned", func() bool { return got(store.Stats())(t).BytesPinned == 0 })

	forgetStores(t, ctx, stores)
	collected(t, "stores are collected", func(now LeakCounts) bool {
		return now.Stores-before.Stores >= stores
	})
	eventually(t, "the library knows", func() bool { return LeakedStores()-leakedStores >= stores })
	cancel() // the ops of the stores are gone: this must not touch them

	now := Leaks()
	must(t, store.Close(background))
	if now.Stores-before.Stores != stores || now.Cursors-before.Cursors != handles/2+stores {
		t.Fatalf("%+v, before %+v", now, before)
	}
}

func TestClosedHandlesAreNoLeaks(t *testing.T) {
	before := Leaks()
	for range 100 {
		store := got(OpenMemory(background))(t)
		stream := newStream(t, store, "log")
		add(t, store, stream, "a")
		cursor := got(store.Cursor(stream))(t)
		cursor.Next(background)
		batch := got(cursor.Detach())(t)
		must(t, batch.Close())
		must(t, cursor.Close())
		must(t, store.Close(background))
	}
	noLeaksSince(t, before)
}

// Close frees at once and leaves nothing to the collector, which does not run here.
func TestCloseFreesAtOnce(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	const size = 1 << 20
	before := residentBytes(t)
	batch := batchOf(string(make([]byte, size)))
	for range 300 {
		store := got(OpenMemory(background))(t)
		stream := newStream(t, store, "log")
		got(store.Add(background, stream, batch))(t)
		cursor := got(store.Cursor(stream))(t)
		cursor.Next(background)
		owned := got(cursor.Detach())(t)
		must(t, store.Clear(stream))
		must(t, cursor.Close())
		if pinned := got(store.Stats())(t).BytesPinned; pinned < size {
			t.Fatalf("%d bytes are pinned by the owned batch", pinned)
		}
		must(t, owned.Close())
		if pinned := got(store.Stats())(t).BytesPinned; pinned != 0 {
			t.Fatalf("%d bytes are pinned", pinned)
		}
		got(store.Add(background, stream, batch))(t)
		must(t, store.Close(background))
	}
	if grown := residentBytes(t) - before; grown > 100*size {
		t.Fatalf("the process has grown by %d bytes", grown)
	}
}

func residentBytes(t *testing.T) int {
	t.Helper()
	var total, resident int
	_, err := fmt.Sscan(string(got(os.ReadFile("/proc/self/statm"))(t)), &total, &resident)
	must(t, err)
	return resident * os.Getpagesize()
}

func TestALoopMayCloseItsCursor(t *testing.T) {
	store := openMemory(t)
	stream := newStream(t, store, "log")
	add(t, store, stream, "a", "b", "c")
	cursor := got(store.Cursor(stream))(t)
	steps := 0
	for _, err := range cursor.All(background) {
		if steps++; steps == 1 {
			must(t, err)
			must(t, cursor.Close())
		} else {
			want(t, err, ErrClosed)
		}
	}
	if steps != 2 {
		t.Fatalf("%d steps", steps)
	}
}

// A cursor keeps its store from being collected: what is read through it stays there.
func TestACursorKeepsItsStore(t *testing.T) {
	cursor, stream := func() (*Cursor, Stream) {
		store := got(OpenMemory(background))(t)
		stream := newStream(t, store, "log")
		add(t, store, stream, "a", "b")
		return got(store.Cursor(stream))(t), stream
	}()
	defer cursor.Close()
	must(t, cursor.Limit(1, NoLimit))
	for want := range 2 {
		runtime.GC()
		runtime.GC()
		if !cursor.Next(background) || cursor.Batch().Seq(0) != uint64(want) {
			t.Fatal(cursor.Err())
		}
	}
	_ = stream
	must(t, cursor.store.Close(background))
}
