package spillway

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	random := newRandom(t)
	path := storePath(t)
	store := openAt(t, path, BudgetBytes(1<<20))
	plain, timed := newStream(t, store, "plain"), newStream(t, store, "timed", Times(true))
	models := map[Stream]*model{plain: {}, timed: {times: []int64{}}}
	for range 60 {
		for stream, each := range models {
			each.addRandom(t, random, store, stream, 500)
		}
	}
	must(t, store.Flush(background, FlushDevice))
	stats := got(store.Stats())(t)
	if stats.Spills == 0 || stats.RecordsCold != stats.RecordsLive {
		t.Fatalf("%d spills, %d records, not %d", stats.Spills, stats.RecordsCold, stats.RecordsLive)
	}
	check := func(store *Store) {
		t.Helper()
		for stream, each := range models {
			each.compare(t, store, stream, NoLimit)
			each.compare(t, store, stream, 7)
			compareSingly(t, random, store, stream, each)
		}
		if ids := got(store.Streams())(t); !slices.Equal(ids, []Stream{plain, timed}) {
			t.Fatalf("streams %v", ids)
		}
		if name := got(store.StreamName(timed))(t); name != "timed" {
			t.Fatalf("stream %q", name)
		}
	}
	check(store)
	must(t, store.Close(background))
	store = openAt(t, path, BudgetBytes(1<<20), OpenMode(OpenExisting))
	check(store)
	if stream := got(store.Stream("timed", StreamExisting))(t); stream != timed {
		t.Fatalf("stream %d, was %d", stream, timed)
	}
}

// compareSingly reads some records one by one, and gathers some in any order.
func compareSingly(t *testing.T, random *rand.Rand, store *Store, stream Stream, m *model) {
	t.Helper()
	var seqs []uint64
	var bytes []byte
	for range 50 {
		seq := random.Uint64N(uint64(len(m.records)))
		seqs = append(seqs, seq)
		read, time, err := store.Read(bytes[:0], stream, seq)
		must(t, err)
		m.compareRecord(t, seq, Record{seq, time, read})
		bytes = read
	}
	batch := got(store.Gather(stream, seqs))(t)
	defer batch.Close()
	if batch.Len() != len(seqs) || batch.HasTimes() != (m.times != nil) {
		t.Fatalf("%d records gathered, times: %v", batch.Len(), batch.HasTimes())
	}
	for i, seq := range seqs {
		m.compareRecord(t, seq, batch.Record(i))
	}
	if data, begin, end := batch.Columns(); string(data[begin[0]:end[0]]) != string(batch.Bytes(0)) {
		t.Fatal("the columns are others")
	}
}
