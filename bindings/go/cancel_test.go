package spillway

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestCancelBeforeTheCall(t *testing.T) {
	path := storePath(t)
	store := openAt(t, path)
	stream := newStream(t, store, "log")
	add(t, store, stream, "first")
	reason := errors.New("the user went away")
	ctx, cancel := context.WithCancelCause(background)
	cancel(reason)
	check := func(err error) {
		t.Helper()
		if !errors.Is(err, context.Canceled) || !errors.Is(err, reason) || !errors.Is(err, ErrCancelled) {
			t.Fatalf("got %v", err)
		}
	}
	_, err := store.Add(ctx, stream, batchOf("second"))
	check(err)
	check(store.Flush(ctx, FlushDevice))
	check(store.Close(ctx))
	_, err = Open(ctx, path+"2")
	check(err)
	cursor := got(store.Cursor(stream))(t)
	defer cursor.Close()
	if cursor.Next(ctx) {
		t.Fatal("a cancelled Next gave a view")
	}
	check(cursor.Err())
	if !cursor.Next(background) || cursor.Err() != nil || cursor.Batch().Len() != 1 {
		t.Fatalf("after a cancelled Next: %v", cursor.Err())
	}
	for _, err := range store.All(ctx, stream) {
		check(err)
	}
	past, cancelPast := context.WithDeadline(background, time.Unix(0, 0))
	defer cancelPast()
	_, err = store.Add(past, stream, batchOf("second"))
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrTimeout) {
		t.Fatalf("got %v", err)
	}
	if count := recordCount(t, store, stream); count != 1 {
		t.Fatalf("%d records", count)
	}
}

// waiting is whether so many adds wait at the hard limit now.
func waiting(t *testing.T, store *Store, adds uint64) func() bool {
	return func() bool { return got(store.Stats())(t).AddersWaiting == adds }
}

func TestCancelDuringAWaitAtTheHardLimit(t *testing.T) {
	store, stream := fullStore(t)
	count := recordCount(t, store, stream)
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(background)
	ended := make(chan error, 1)
	go func() {
		_, err := store.Add(ctx, stream, batchOf("no room"))
		ended <- err
	}()
	eventually(t, "the add waits", waiting(t, store, 1))
	cancel(reason)
	err := <-ended
	if !errors.Is(err, context.Canceled) || !errors.Is(err, reason) || !errors.Is(err, ErrCancelled) {
		t.Fatalf("got %v", err)
	}
	if after := recordCount(t, store, stream); after != count {
		t.Fatalf("%d records were added", after-count)
	}
	// The place is free again, and so is the op.
	must(t, store.Clear(stream))
	add(t, store, stream, "there is room")
}

func TestTimeoutAtTheHardLimit(t *testing.T) {
	store, stream := fullStore(t)
	count := recordCount(t, store, stream)
	batch := batchOf("no room")
	_, err := store.TryAdd(stream, batch)
	want(t, err, ErrWouldBlock)

	ctx, cancel := context.WithTimeout(background, 5*time.Millisecond)
	defer cancel()
	_, err = store.Add(ctx, stream, batch)
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrTimeout) {
		t.Fatalf("got %v", err)
	}
	reason := errors.New("the user has no patience")
	for range 20 { // whoever notices first: the library, the context's timer, or we
		ctx, cancel := context.WithTimeoutCause(background, time.Millisecond, reason)
		defer cancel()
		_, err = store.Add(ctx, stream, batch)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, reason) {
			t.Fatalf("got %v", err)
		}
		want(t, err, ErrTimeout)
	}
	must(t, store.SetOption(AllStreams, Timeout(5*time.Millisecond)))
	_, err = store.Add(background, stream, batch)
	want(t, err, ErrTimeout)
	if errors.Is(err, context.DeadlineExceeded) {
		t.Fatal("the store's own timeout is no context's")
	}
	// The earlier of the two ends the wait.
	long, cancelLong := context.WithTimeout(background, time.Hour)
	defer cancelLong()
	_, err = store.Add(long, stream, batch)
	want(t, err, ErrTimeout)
	must(t, store.SetOption(AllStreams, Timeout(0)))
	_, err = store.Add(background, stream, batch)
	want(t, err, ErrWouldBlock)
	must(t, store.SetOption(stream, WhenFull(FullFail)))
	must(t, store.SetOption(AllStreams, Timeout(WaitForever)))
	_, err = store.Add(background, stream, batch)
	want(t, err, ErrWouldBlock)

	if after := recordCount(t, store, stream); after != count {
		t.Fatalf("%d records were added", after-count)
	}
	if refused := got(store.Stats())(t).AddsRefused; refused < 6 {
		t.Fatalf("%d adds refused", refused)
	}
}

// A deadline without a Done channel is kept by the library alone.
type onlyDeadline struct{ context.Context }

func (onlyDeadline) Deadline() (time.Time, bool) { return time.Now().Add(time.Millisecond), true }

func TestDeadlineIsToldToTheLibrary(t *testing.T) {
	store, stream := fullStore(t)
	_, err := store.Add(onlyDeadline{background}, stream, batchOf("no room"))
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrTimeout) {
		t.Fatalf("got %v", err)
	}
	if got(store.Stats())(t).Waits != 1 {
		t.Fatal("the library did not wait")
	}
}

func TestOpsAreKeptForTheirContext(t *testing.T) {
	store := openMemory(t)
	stream := newStream(t, store, "log")
	ctx, cancel := context.WithCancel(background)
	for range 3 {
		got(store.Add(ctx, stream, batchOf("x")))(t)
	}
	if store.ops.count != 1 {
		t.Fatalf("%d ops for one context", store.ops.count)
	}
	sameDone := context.WithValue(ctx, progressKey{}, nil)
	got(store.Add(sameDone, stream, batchOf("x")))(t)
	if store.ops.count != 1 {
		t.Fatalf("%d ops for one Done channel", store.ops.count)
	}
	for range 2 * len(store.ops.idle) {
		other, cancelOther := context.WithCancel(background)
		defer cancelOther()
		got(store.Add(other, stream, batchOf("x")))(t)
	}
	if store.ops.count != len(store.ops.idle) {
		t.Fatalf("%d ops are kept", store.ops.count)
	}
	got(store.Add(ctx, stream, batchOf("x")))(t)
	kept := store.ops.idle[store.ops.count-1]
	cancel()
	eventually(t, "the op is cancelled", kept.spent.Load)
	other, cancelOther := context.WithCancel(background)
	defer cancelOther()
	got(store.Add(other, stream, batchOf("x")))(t)
	if kept.handle != nil {
		t.Fatal("a cancelled op was kept")
	}
	must(t, store.Close(background))
	if store.ops.count != 0 {
		t.Fatalf("%d ops are kept by a closed store", store.ops.count)
	}
}

func TestProgressOfAFlush(t *testing.T) {
	store := openAt(t, storePath(t))
	stream := newStream(t, store, "log")
	var progress Progress
	if done, total := progress.Records(); done != 0 || total != 0 {
		t.Fatalf("%d of %d records before there is anything", done, total)
	}
	var batch Batch
	for i := range 1000 {
		batch.AppendString(numbered(i))
	}
	got(store.Add(background, stream, &batch))(t)
	ctx := WithProgress(background, &progress)
	ended := make(chan error, 1)
	go func() { ended <- store.Flush(ctx, FlushDevice) }()
	eventually(t, "all are written", func() bool {
		done, total := progress.Records()
		if done > total || total > 1000 {
			t.Fatalf("%d of %d records", done, total)
		}
		return done == 1000
	})
	must(t, <-ended)
	if done, total := progress.Records(); done != 1000 || total != 1000 {
		t.Fatalf("%d of %d records after the flush", done, total)
	}
	must(t, store.Close(ctx))
}
