package spillway

import (
	"encoding/binary"
	"fmt"
	"sync"
	"testing"
)

func TestConcurrentWriters(t *testing.T) {
	const writers, batches, most = 8, 150, 60
	store := openAt(t, storePath(t), BudgetBytes(256<<10), BudgetRecords(2000))
	stream := newStream(t, store, "shared")
	type span struct{ first, count uint64 }
	spans := make([][]span, writers)
	var group sync.WaitGroup
	for w := range writers {
		group.Add(1)
		go func() {
			defer group.Done()
			var batch Batch
			for b := range batches {
				batch.Reset()
				for i := range (w*7+b*13)%most + 1 {
					batch.AppendString(fmt.Sprintf("%d %d %d%0200d", w, b, i, i))
				}
				first, err := store.Add(background, stream, &batch)
				if err != nil {
					t.Error(err)
					return
				}
				spans[w] = append(spans[w], span{first, uint64(batch.Len())})
			}
		}()
	}
	group.Wait()
	at := map[uint64]string{} // what each sequence number should hold
	for w := range writers {
		for b, each := range spans[w] {
			for i := range each.count {
				seq := each.first + i
				if _, taken := at[seq]; taken {
					t.Fatalf("sequence number %d was given twice", seq)
				}
				at[seq] = fmt.Sprintf("%d %d %d%0200d", w, b, i, i)
			}
		}
	}
	if count := recordCount(t, store, stream); count != uint64(len(at)) {
		t.Fatalf("%d records, want %d", count, len(at)) // and so no gap
	}
	for record, err := range store.All(background, stream) {
		must(t, err)
		if at[record.Seq] != string(record.Bytes) {
			t.Fatalf("record %d is %.20q, want %.20q", record.Seq, record.Bytes, at[record.Seq])
		}
		delete(at, record.Seq)
	}
	if len(at) > 0 {
		t.Fatalf("%d records are missing", len(at))
	}
	stats := got(store.Stats())(t)
	if stats.RecordsResidentPeak > 2600 || stats.BytesResidentPeak > stats.BytesHard {
		t.Fatalf("in memory: %d records, %d bytes", stats.RecordsResidentPeak, stats.BytesResidentPeak)
	}
}

func TestCursorReadsWhileAnotherThreadAdds(t *testing.T) {
	const before, after = 5_000, 20_000
	store := openAt(t, storePath(t), BudgetBytes(512<<10))
	stream := newStream(t, store, "log")
	write := func(from, to int) error {
		var batch Batch
		for i := from; i < to; i++ {
			batch.Append(binary.LittleEndian.AppendUint64(make([]byte, 100), uint64(i)))
			if batch.Len() == 100 {
				if _, err := store.Add(background, stream, &batch); err != nil {
					return err
				}
				batch.Reset()
			}
		}
		return nil
	}
	must(t, write(0, before))
	cursor := got(store.Cursor(stream))(t)
	defer cursor.Close()
	must(t, cursor.Limit(10, NoLimit))
	written := make(chan error, 1)
	go func() { written <- write(before, after) }()
	// Each view is looked at again when more was added and spilled behind it.
	seq := uint64(0)
	for cursor.Next(background) {
		view := cursor.Batch()
		for range 2 {
			for i := range view.Len() {
				n := binary.LittleEndian.Uint64(view.Bytes(i)[100:])
				if n != seq+uint64(i) || view.Seq(i) != n {
					t.Fatalf("record %d at %d", n, seq)
				}
			}
			if seq%1000 == 0 {
				spills := got(store.Stats())(t).Spills
				eventually(t, "a spill", func() bool {
					stats := got(store.Stats())(t)
					return stats.Spills > spills || stats.RecordsAdded == after
				})
			}
		}
		seq += uint64(view.Len())
	}
	must(t, cursor.Err())
	must(t, <-written)
	if begin, end, err := cursor.Range(); seq != before || begin != 0 || end != before || err != nil {
		t.Fatalf("%d records, range %d to %d, %v", seq, begin, end, err)
	}
	if count := recordCount(t, store, stream); count != after {
		t.Fatalf("%d records", count)
	}
}
