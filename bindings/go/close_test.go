package spillway

import (
	"errors"
	"runtime"
	"testing"
	"time"
)

func TestUseAfterClose(t *testing.T) {
	store := openAt(t, storePath(t))
	stream := newStream(t, store, "log")
	add(t, store, stream, "kept")
	cursor := got(store.Cursor(stream))(t)
	defer cursor.Close()
	if !cursor.Next(background) {
		t.Fatal(cursor.Err())
	}
	batch := got(cursor.Detach())(t)
	defer batch.Close()
	for range 2 {
		must(t, store.Close(background))
		must(t, store.TryClose())
		must(t, store.Discard())
	}
	for name, call := range map[string]func() error{
		"Add":    func() error { return second(store.Add(background, stream, batchOf("x"))) },
		"TryAdd": func() error { return second(store.TryAdd(stream, batchOf("x"))) },
		"AddColumns": func() error {
			return second(store.AddColumns(background, stream, nil, nil, nil))
		},
		"Read":        func() error { _, _, err := store.Read(nil, stream, 0); return err },
		"Gather":      func() error { return second(store.Gather(stream, nil)) },
		"Flush":       func() error { return store.Flush(background, FlushDevice) },
		"TryFlush":    func() error { return store.TryFlush(FlushDevice) },
		"Stream":      func() error { return second(store.Stream("x", StreamCreate)) },
		"Streams":     func() error { return second(store.Streams()) },
		"StreamName":  func() error { return second(store.StreamName(stream)) },
		"Clear":       func() error { return store.Clear(stream) },
		"Trim":        func() error { return store.Trim(stream, 0) },
		"TrimBefore":  func() error { return second(store.TrimBefore(stream, 0)) },
		"TrimToSize":  func() error { return second(store.TrimToSize(stream, 0)) },
		"Settle":      func() error { return store.Settle(background) },
		"Release":     func() error { return store.ReleaseMemory() },
		"SetOption":   func() error { return store.SetOption(AllStreams, Timeout(time.Second)) },
		"Option":      func() error { return second(store.Option(AllStreams, KeyTimeout)) },
		"Stats":       func() error { return second(store.Stats()) },
		"StreamStats": func() error { return second(store.StreamStats(stream)) },
		"Events":      func() error { return second(store.Events()) },
		"Cursor":      func() error { return second(store.Cursor(stream)) },
		"Scan":        func() error { return second(store.Scan(Scan{})) },
		"All":         func() error { return lastOf(store, stream) },
		"Next":        func() error { cursor.Next(background); return cursor.Err() },
		"Seek":        func() error { return cursor.Seek(0) },
		"Range":       func() error { _, _, err := cursor.Range(); return err },
	} {
		if err := call(); !errors.Is(err, ErrClosed) {
			t.Errorf("%s on a closed store: %v", name, err)
		}
	}
	must(t, cursor.Close())
	want(t, second(cursor.Detach()), ErrClosed)
	want(t, cursor.Limit(1, 1), ErrClosed)
	if cursor.Next(background) || cursor.Batch().Len() != 0 {
		t.Fatal("a closed cursor gave a view")
	}
	want(t, cursor.Err(), ErrClosed)
	must(t, cursor.Close())
	if string(batch.Bytes(0)) != "kept" {
		t.Fatalf("the detached batch has %q", batch.Bytes(0))
	}
	must(t, batch.Close())
	must(t, batch.Close())
	if batch.Len() != 0 {
		t.Fatal("a closed batch has records")
	}
}

func second[T any](_ T, err error) error { return err }

func lastOf(store *Store, stream Stream) (last error) {
	for _, err := range store.All(background, stream) {
		last = err
	}
	return last
}

// closeTwice calls each of n functions twice, in one of the n! orders, here or each time on another
// thread.
func closeTwice(t *testing.T, order int, elsewhere bool, closes ...func() error) {
	t.Helper()
	for n := len(closes); n > 0; n-- {
		i := order % n
		order /= n
		for range 2 {
			if elsewhere {
				ended := make(chan error)
				go func() {
					runtime.LockOSThread() // and so a thread of its own
					ended <- closes[i]()
				}()
				must(t, <-ended)
			} else {
				must(t, closes[i]())
			}
		}
		closes = append(closes[:i], closes[i+1:]...)
	}
}

func TestDisposeInAnyOrder(t *testing.T) {
	leaked := LeakedStores()
	for order := range 6 {
		for _, elsewhere := range []bool{false, true} {
			store := got(Open(background, storePath(t)))(t)
			stream := newStream(t, store, "log")
			add(t, store, stream, "a", "b")
			cursor := got(store.Cursor(stream))(t)
			if !cursor.Next(background) {
				t.Fatal(cursor.Err())
			}
			batch := got(cursor.Detach())(t)
			closeStore := func() error { return store.Close(background) }
			closeTwice(t, order, elsewhere, closeStore, cursor.Close, batch.Close)
		}
	}
	if LeakedStores() != leaked {
		t.Fatal("closed stores are counted as leaked")
	}
}

func TestCloseWhileOthersUseIt(t *testing.T) {
	for range 8 {
		store := openAt(t, storePath(t), BudgetBytes(256<<10))
		stream := newStream(t, store, "log")
		add(t, store, stream, "first")
		use, wait := untilClosed(t)
		batch := batchOf(string(make([]byte, 4000)), "short")
		use(func() error { return second(store.Add(background, stream, batch)) })
		use(func() error { return second(store.Stats()) })
		use(func() error { return lastOf(store, stream) })
		use(func() error { _, _, err := store.Read(nil, stream, 0); return err })
		eventually(t, "some adds", func() bool { return recordCount(t, store, stream) > 10 })
		use(func() error { must(t, store.Close(background)); return errClosed })
		must(t, store.Close(background))
		wait()
	}
}

func TestDiscardAndTryClose(t *testing.T) {
	path := storePath(t)
	store := openAt(t, path)
	stream := newStream(t, store, "log")
	add(t, store, stream, "flushed")
	must(t, store.Flush(background, FlushDevice))
	add(t, store, stream, "given up")
	leaked := LeakedStores()
	must(t, store.Discard())
	if LeakedStores() != leaked {
		t.Fatal("a discarded store is counted as leaked")
	}
	store = openAt(t, path)
	if count := recordCount(t, store, stream); count != 1 {
		t.Fatalf("%d records", count)
	}
	add(t, store, stream, "to write")
	want(t, store.TryFlush(FlushDevice), ErrWouldBlock)
	add(t, store, stream, "more to write")
	want(t, store.TryClose(), ErrWouldBlock)
	add(t, store, stream, "still open")
	must(t, store.Flush(background, FlushDevice))
	must(t, store.TryClose()) // there is nothing to write
	_, err := store.Stats()
	want(t, err, ErrClosed)
}
