package spillway

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// allocates asserts how often body allocates once everything is warm.
func allocates(t *testing.T, what string, most float64, body func()) {
	t.Helper()
	if count := testing.AllocsPerRun(200, body); count > most {
		t.Errorf("%s allocates %v times, want at most %v", what, count, most)
	}
}

func TestAddAndNextAllocateNothing(t *testing.T) {
	if underRace {
		t.Skip("sync.Pool drops things under the race detector")
	}
	store := openMemory(t, BudgetBytes(64<<20))
	stream := newStream(t, store, "log")
	var batch Batch
	record := make([]byte, 128)
	addWith := func(ctx context.Context) func() {
		return func() {
			batch.Reset()
			for range 100 {
				batch.Append(record)
			}
			if _, err := store.Add(ctx, stream, &batch); err != nil {
				t.Fatal(err)
			}
		}
	}
	cancellable, cancel := context.WithCancel(background)
	defer cancel()
	later, cancelLater := context.WithTimeout(background, time.Hour)
	defer cancelLater()
	allocates(t, "Add", 0, addWith(background))
	allocates(t, "Add with a context that can be cancelled", 0, addWith(cancellable))
	allocates(t, "Add with a deadline", 0, addWith(later))

	cursor := got(store.Cursor(stream))(t)
	defer cursor.Close()
	must(t, cursor.Limit(50, NoLimit))
	_, end, err := cursor.Range()
	must(t, err)
	sum := 0
	allocates(t, "Next", 0, func() {
		if !cursor.Next(cancellable) {
			t.Fatal(cursor.Err())
		}
		for i := range cursor.Batch().Len() {
			sum += len(cursor.Batch().Bytes(i))
		}
	})
	allocates(t, "Seek", 0, func() { must(t, cursor.Seek(0)) })
	allocates(t, "a range over the cursor", 6, func() {
		must(t, cursor.Seek(end-500))
		for record, err := range cursor.All(cancellable) {
			must(t, err)
			sum += len(record.Bytes)
		}
	})
	buffer := make([]byte, 0, 256)
	allocates(t, "Read", 0, func() {
		if _, _, err := store.Read(buffer, stream, 5); err != nil {
			t.Fatal(err)
		}
	})
	allocates(t, "Stats", 1, func() { got(store.Stats())(t) })
}

func TestPutBatchReadAndGetAllocateNothingPerBlock(t *testing.T) {
	if underRace {
		t.Skip("sync.Pool drops things under the race detector")
	}
	file := openBlocks(t, blocksPath(t))
	names := make([]string, 500)
	for i := range names {
		names[i] = fmt.Sprint("block/", i)
	}
	data := make([]byte, 4096)
	var batch BlockBatch
	fill := func() {
		batch.Reset()
		for _, each := range names {
			batch.AppendIf(each, data, VersionAny)
		}
	}
	allocates(t, "PutBatch", 0, func() { fill(); must(t, file.PutBatch(&batch)) })
	allocates(t, "Put", 0, func() { got(file.Put("block/1", data))(t) })
	allocates(t, "Append", 0, func() { got(file.Append("log", data[:10]))(t) })
	allocates(t, "Patch", 0, func() { must(t, file.Patch("block/1", 7, data[:10])) })
	must(t, file.Flush(FlushDevice))
	var buffer ReadBuffer
	allocates(t, "ReadBatch", 0, func() { must(t, file.ReadBatch(&buffer, names...)) })
	exact := make([]byte, 0, len(data))
	allocates(t, "Read", 0, func() { got(file.Read(exact, "block/1"))(t) })
	allocates(t, "ReadRange", 0, func() { got(file.ReadRange(data, "block/1", 0))(t) })
	allocates(t, "Exists", 0, func() { got(file.Exists("block/1"))(t) })
	// The view itself, however large the block.
	allocates(t, "Get", 1, func() { must(t, got(file.Get("block/1"))(t).Close()) })
	allocates(t, "a transaction with a batch", 4, func() {
		must(t, file.Update(CommitRelaxed, func(tx *Tx) error { return tx.PutBatch(&batch) }))
	})
	list := got(file.List("block/", 0))(t)
	defer list.Close()
	allocates(t, "500 names of a list", 501, func() {
		must(t, list.Seek(""))
		for list.Next() {
		}
		must(t, list.Err())
	})
}

func TestARefusalAllocatesNothing(t *testing.T) {
	if underRace {
		t.Skip("sync.Pool drops things under the race detector")
	}
	store, stream := fullStore(t)
	batch := batchOf("no room")
	allocates(t, "TryAdd at the hard limit", 0, func() {
		if _, err := store.TryAdd(stream, batch); err == nil {
			t.Fatal("there was room")
		}
	})
}
