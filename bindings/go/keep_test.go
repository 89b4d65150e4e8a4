package spillway

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// recordsFrom checks that the stream holds exactly the records begin to end, each as numbered.
func recordsFrom(t *testing.T, store *Store, stream Stream, begin, end uint64) {
	t.Helper()
	seq := begin
	for record, err := range store.All(background, stream) {
		must(t, err)
		if record.Seq != seq || string(record.Bytes) != numbered(int(seq)) {
			t.Fatalf("record %d is %q, want %d", record.Seq, record.Bytes, seq)
		}
		seq++
	}
	if seq != end {
		t.Fatalf("it ends at %d, want %d", seq, end)
	}
}

func TestTrimByNumberTimeAndSize(t *testing.T) {
	path := storePath(t)
	store := openAt(t, path, BudgetBytes(256<<10))
	timed := newStream(t, store, "timed", Times(true))
	var batch Batch
	for i := range 1000 {
		batch.AppendTime([]byte(numbered(i)), int64(10*i))
	}
	got(store.Add(background, timed, &batch))(t)
	must(t, store.Flush(background, FlushDevice))
	batch.Reset()
	batch.AppendTime([]byte(numbered(1000)), 10000) // in memory only
	got(store.Add(background, timed, &batch))(t)

	cursor := got(store.Cursor(timed))(t)
	defer cursor.Close()
	must(t, store.Trim(timed, 123))
	must(t, store.Trim(timed, 5)) // below its begin
	recordsFrom(t, store, timed, 123, 1001)
	if cursor.Next(background) {
		t.Fatal("trimmed records were read")
	}
	want(t, cursor.Err(), ErrTrimmed)
	_, _, err := store.Read(nil, timed, 122)
	want(t, err, ErrTrimmed)
	want(t, store.Trim(timed, 1002), ErrInvalidArgument)
	want(t, store.Trim(4711, 0), ErrNotFound)

	if begin := got(store.TrimBefore(timed, 5001))(t); begin != 501 {
		t.Fatalf("begins at %d", begin)
	}
	recordsFrom(t, store, timed, 501, 1001)
	size := len(numbered(999))*9 + len(numbered(1000))
	if begin := got(store.TrimToSize(timed, uint64(size)))(t); begin != 991 {
		t.Fatalf("begins at %d", begin)
	}
	recordsFrom(t, store, timed, 991, 1001)
	_, err = store.TrimBefore(newStream(t, store, "plain"), 7)
	want(t, err, ErrInvalidArgument)
	if stats := got(store.Stats())(t); stats.RecordsTrimmed != 991 || stats.RecordsLive != 10 {
		t.Fatalf("%+v", stats)
	}
	must(t, store.Close(background))
	store = openAt(t, path)
	recordsFrom(t, store, timed, 991, 1001)
	if begin := got(store.TrimToSize(timed, 0))(t); begin != 1001 {
		t.Fatalf("begins at %d", begin)
	}
	recordsFrom(t, store, timed, 1001, 1001)
}

func TestTemporaryStoreLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	empty := func() {
		t.Helper()
		if names := got(os.ReadDir(folder))(t); len(names) != 0 {
			t.Fatalf("%v", names)
		}
	}
	store := openAt(t, folder, OpenMode(OpenTemporary))
	stream := newStream(t, store, "log")
	for i := range 500 {
		add(t, store, stream, numbered(i))
	}
	must(t, store.Settle(background))
	if stats := got(store.Stats())(t); stats.RecordsCold != 500 {
		t.Fatalf("%+v", stats)
	}
	recordsFrom(t, store, stream, 0, 500)
	empty()
	must(t, store.Close(background))
	empty()
	_, err := Open(background, folder, OpenMode(OpenTemporary), ColdTier(TierSQLite))
	want(t, err, ErrUnsupported)
}

func TestSettleAndReleaseMemory(t *testing.T) {
	path := storePath(t)
	store := openAt(t, path, BudgetBytes(8<<20))
	stream := newStream(t, store, "log")
	for i := range 500 {
		add(t, store, stream, numbered(i))
	}
	cancelled, cancel := context.WithCancel(background)
	cancel()
	want(t, store.Settle(cancelled), ErrCancelled)
	if stats := got(store.Stats())(t); stats.RecordsUnspilled != 500 {
		t.Fatalf("%+v", stats)
	}
	must(t, store.Settle(background))
	stats := got(store.Stats())(t)
	if stats.BytesResident != 0 || stats.RecordsResident != 0 || stats.RecordsCold != 500 {
		t.Fatalf("%+v", stats)
	}
	recordsFrom(t, store, stream, 0, 500)
	add(t, store, stream, numbered(500))
	recordsFrom(t, store, stream, 0, 501)
	must(t, store.Settle(background))
	must(t, store.Discard())
	store = openAt(t, path)
	recordsFrom(t, store, stream, 0, 501)

	memory := openMemory(t, BudgetBytes(4<<20))
	want(t, memory.Settle(background), ErrUnsupported)
	stream = newStream(t, memory, "log")
	add(t, memory, stream, string(make([]byte, 1<<20)))
	must(t, memory.Clear(stream))
	if stats := got(memory.Stats())(t); stats.BytesFree == 0 {
		t.Fatalf("%+v", stats)
	}
	must(t, memory.ReleaseMemory())
	if stats := got(memory.Stats())(t); stats.BytesResident != 0 {
		t.Fatalf("%+v", stats)
	}
	add(t, memory, stream, "more")
}

func TestWhatIsReadOftenComesBackIntoMemory(t *testing.T) {
	store := openAt(t, storePath(t), BudgetBytes(8<<20), PromoteReads(0))
	stream := newStream(t, store, "log")
	for i := range 500 {
		add(t, store, stream, numbered(i))
	}
	must(t, store.Settle(background))
	readTen := func() Stats {
		t.Helper()
		for range 10 {
			record, _, err := store.Read(nil, stream, 100)
			must(t, err)
			if string(record) != numbered(100) {
				t.Fatalf("%q", record)
			}
		}
		return got(store.Stats())(t)
	}
	cold := readTen()
	if cold.Promotions != 0 || cold.ReadsMemory != 0 || cold.ReadsCold < 10 {
		t.Fatalf("%+v", cold)
	}
	must(t, store.SetOption(AllStreams, PromoteReads(2)))
	warm := readTen()
	if warm.Promotions != 1 || warm.ReadsMemory < 8 || warm.ReadsCold > cold.ReadsCold+2 ||
		warm.BytesClean == 0 || warm.RecordsUnspilled != 0 {
		t.Fatalf("%+v", warm)
	}
	recordsFrom(t, store, stream, 0, 500)
}

// dropped drains the events and counts the records that they say were dropped.
func dropped(t *testing.T, store *Store, withSeq bool) (count uint64) {
	t.Helper()
	for _, each := range got(store.Events())(t) {
		if each.Kind == EventDropped {
			if (each.Seq != SeqNone) != withSeq {
				t.Fatalf("%+v", each)
			}
			count += each.Count
		}
	}
	return count
}

func TestDropNewestAndRing(t *testing.T) {
	text := strings.Repeat("x", 20_000)
	store := openMemory(t, BudgetBytes(256<<10), WhenFull(FullDropNewest))
	stream := newStream(t, store, "newest")
	taken, refused := uint64(0), uint64(0)
	for range 50 {
		switch seq := add(t, store, stream, text); seq {
		case SeqNone:
			refused++
		case taken:
			taken++
		default:
			t.Fatalf("first %d, want %d", seq, taken)
		}
	}
	stats := got(store.Stats())(t)
	if taken == 0 || refused == 0 || stats.RecordsDropped != refused || stats.BatchesDropped != refused ||
		stats.RecordsLive != taken || stats.AddsRefused != 0 {
		t.Fatalf("%d taken, %d refused: %+v", taken, refused, stats)
	}
	if count := dropped(t, store, false); count != refused {
		t.Fatalf("events of %d, want %d", count, refused)
	}

	store = openMemory(t, BudgetBytes(256<<10))
	stream = newStream(t, store, "ring", WhenFull(FullDropOldest))
	for i := range uint64(50) {
		if seq := add(t, store, stream, numbered(int(i)), text); seq != 2*i {
			t.Fatalf("first %d, want %d", seq, 2*i)
		}
	}
	begin := got(store.StreamStats(stream))(t).BeginSeq
	stats = got(store.Stats())(t)
	if begin == 0 || stats.RecordsOverwritten != begin || stats.RecordsLive != 100-begin {
		t.Fatalf("begins at %d: %+v", begin, stats)
	}
	if count := dropped(t, store, true); count != begin {
		t.Fatalf("events of %d, want %d", count, begin)
	}
	for seq := begin; seq < 100; seq++ {
		record, _, err := store.Read(nil, stream, seq)
		must(t, err)
		if seq%2 == 0 && string(record) != numbered(int(seq/2)) || seq%2 == 1 && string(record) != text {
			t.Fatalf("record %d has %d other bytes", seq, len(record))
		}
	}
	_, err := Open(background, storePath(t), WhenFull(FullDropOldest))
	want(t, err, ErrInvalidArgument)
}

func TestSyncZeroIsDurableWhenAddReturns(t *testing.T) {
	path := storePath(t)
	store := openAt(t, path, SyncInterval(0))
	stream := newStream(t, store, "log")
	for i := range 20 {
		seq := add(t, store, stream, numbered(i))
		if stats := got(store.StreamStats(stream))(t); stats.SpilledSeq != seq+1 {
			t.Fatalf("%+v after %d", stats, seq)
		}
	}
	if seq := got(store.TryAdd(stream, batchOf(numbered(20))))(t); seq != 20 { // waits not for room
		t.Fatalf("first %d", seq)
	}
	must(t, store.Discard())
	store = openAt(t, path)
	recordsFrom(t, store, stream, 0, 21)
	want(t, second(OpenMemory(background, SyncInterval(0))), ErrUnsupported)
}

// A limit on the size of files plays the full disk.
func TestFailedSyncTellsWhatWasAdmitted(t *testing.T) {
	store := openAt(t, storePath(t), BudgetBytes(64<<20), SyncInterval(0))
	stream := newStream(t, store, "log")
	add(t, store, stream, "kept")
	big := bytes.Repeat([]byte("0123456789abcdef"), 256<<10)

	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var before syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before))
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: before.Max}))
	seq, err := store.Add(background, stream, batchOf(string(big)))
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before))
	if !errors.Is(err, ErrFull) || seq != 1 {
		t.Fatalf("first %d, %v", seq, err)
	}
	must(t, store.Flush(background, FlushDevice)) // it was tried again
	record, _, err := store.Read(nil, stream, 1)
	must(t, err)
	if stats := got(store.StreamStats(stream))(t); stats.SpilledSeq != 2 || !bytes.Equal(record, big) {
		t.Fatalf("%d bytes, %+v", len(record), stats)
	}
	seq, err = store.Add(background, 4711, batchOf("x"))
	if want(t, err, ErrNotFound); seq != SeqNone {
		t.Fatalf("first %d", seq)
	}
}
