package spillway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// whileCollecting runs work(0) to work(workers-1) at once while the collector runs without pause:
// what the library still uses must not be collected, and what it wrote must not be moved.
func whileCollecting(t *testing.T, workers int, work func(w int) error) {
	t.Helper()
	var stop atomic.Bool
	var collector, group sync.WaitGroup
	collector.Add(1)
	go func() {
		defer collector.Done()
		for !stop.Load() {
			runtime.GC()
		}
	}()
	for w := range workers {
		group.Add(1)
		go func() {
			defer group.Done()
			if err := work(w); err != nil {
				t.Error(err)
			}
		}()
	}
	group.Wait()
	stop.Store(true)
	collector.Wait()
}

func TestStressWithForcedCollections(t *testing.T) {
	const workers, rounds = 4, 400
	store := openAt(t, storePath(t), BudgetBytes(512<<10))
	whileCollecting(t, workers, func(w int) error {
		return work(store, fmt.Sprint("stream ", w), rounds)
	})
}

func work(store *Store, name string, rounds int) error {
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	stream, err := store.Stream(name, StreamCreate, Times(true))
	if err != nil {
		return err
	}
	seq := uint64(0)
	for round := range rounds {
		batch := new(Batch) // a new one: garbage
		for i := range 50 {
			batch.AppendTime(bytes.Repeat([]byte{byte(seq) + byte(i)}, i+1), int64(seq)+int64(i))
		}
		first, err := store.Add(ctx, stream, batch)
		if err != nil || first != seq {
			return errors.Join(err, fmt.Errorf("first sequence number %d, want %d", first, seq))
		}
		seq += 50
		gathered, err := store.Gather(stream, []uint64{seq - 1, seq - 50, uint64(round)})
		if err != nil {
			return err
		}
		if err := checkStress(gathered.Record(0)); err != nil {
			return err
		}
		if round%2 == 0 {
			gathered.Close() // the others are left to the collector
		}
	}
	count := uint64(0)
	for record, err := range store.All(ctx, stream) {
		if err == nil {
			err = checkStress(record)
		}
		if err != nil {
			return err
		}
		count++
	}
	if count != seq {
		return fmt.Errorf("%d records, want %d", count, seq)
	}
	return store.Flush(ctx, FlushKernel)
}

func checkStress(record Record) error {
	length := int(record.Seq%50) + 1
	want := bytes.Repeat([]byte{byte(record.Seq)}, length)
	if record.Time != int64(record.Seq) || !bytes.Equal(record.Bytes, want) {
		return fmt.Errorf("record %d has time %d and %v", record.Seq, record.Time, record.Bytes)
	}
	return nil
}

// Two goroutines on one cursor: it notices, and nothing crashes.
func TestACursorInUseSaysSo(t *testing.T) {
	store := openMemory(t)
	stream := newStream(t, store, "log")
	add(t, store, stream, "a")
	cursor := got(store.Cursor(stream))(t)
	defer cursor.Close()
	cursor.busy.Store(true) // as a Next of another goroutine does
	want(t, cursor.Seek(0), ErrInvalidState)
	if cursor.Next(background) {
		t.Fatal("two at once")
	}
	want(t, cursor.Err(), ErrInvalidState)
	// Close while the other is inside: it frees nothing yet.
	cursor.life.enter()
	must(t, cursor.Close())
	begin, end, err := rawCursorRange(cursor.handle)
	if begin != 0 || end != 1 || err != nil {
		t.Fatal(begin, end, err)
	}
	cursor.leave()
}

// The batch is only read by Add: several goroutines may add the same one.
func TestOneBatchAddedByMany(t *testing.T) {
	store := openMemory(t)
	stream := newStream(t, store, "log")
	batch := batchOf("a", "b", "c")
	var group sync.WaitGroup
	for range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			for range 100 {
				if _, err := store.Add(background, stream, batch); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	group.Wait()
	i := 0
	for record, err := range store.All(background, stream) {
		must(t, err)
		if string(record.Bytes) != string(rune('a'+i%3)) {
			t.Fatalf("record %d is %q", i, record.Bytes)
		}
		i++
	}
	if i != 8*100*3 {
		t.Fatalf("%d records", i)
	}
}
