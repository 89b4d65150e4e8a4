package spillway

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"
)

func TestEveryOptionArrives(t *testing.T) {
	store := openAt(t, storePath(t), BudgetBytes(1<<20), BudgetRecords(1000),
		HardPercent(150), LowPercent(50), SpillsInFlight(1),
		Timeout(1500*time.Microsecond), OpenMode(OpenNew), WhenFull(FullFail),
		SyncInterval(1500*time.Millisecond), Eager(true), IdleTime(WaitForever),
		PromoteReads(7))
	for key, want := range map[Key]int64{
		KeyBudgetBytes: 1 << 20, KeyBudgetRecords: 1000, KeyHardPercent: 150, KeyLowPercent: 50,
		KeySpillsInFlight: 1, KeyTimeout: 2, KeyOpenMode: int64(OpenNew), KeyWhenFull: int64(FullFail),
		KeyColdTier: int64(TierBlockFile), KeySyncInterval: 1500, KeyEager: 1,
		KeyIdleTime: Unlimited, KeyPromoteReads: 7} {
		if value := got(store.Option(AllStreams, key))(t); value != want {
			t.Errorf("option %d is %d, want %d", key, value, want)
		}
	}
	stream := newStream(t, store, "log", BudgetRecords(10), WhenFull(FullBlock), Times(true))
	for key, want := range map[Key]int64{KeyBudgetBytes: Unlimited, KeyBudgetRecords: 10,
		KeyWhenFull: int64(FullBlock), KeyTimes: 1} {
		if value := got(store.Option(stream, key))(t); value != want {
			t.Errorf("option %d of the stream is %d, want %d", key, value, want)
		}
	}
	_, err := store.Stream("log", StreamExisting, Times(false))
	want(t, err, ErrInvalidArgument)
	_, err = store.Stream("log", StreamMustCreate)
	want(t, err, ErrAlreadyExists)
	_, err = store.Stream("none", StreamExisting)
	want(t, err, ErrNotFound)

	must(t, store.SetOption(AllStreams, BudgetBytes(Auto)))
	must(t, store.SetOption(AllStreams, Timeout(WaitForever)))
	must(t, store.SetOption(stream, BudgetRecords(20)))
	if bytes := got(store.Option(AllStreams, KeyBudgetBytes))(t); bytes <= 1<<20 {
		t.Errorf("the library chose %d bytes", bytes)
	}
	if records := got(store.Option(stream, KeyBudgetRecords))(t); records != 20 {
		t.Errorf("%d records", records)
	}
	want(t, store.SetOption(AllStreams, HardPercent(200)), ErrUnsupported)
	want(t, store.SetOption(4711, BudgetRecords(20)), ErrNotFound)
	if openMemory(t).addsInFlight != runtime.GOMAXPROCS(0) {
		t.Error("AddsInFlight is not GOMAXPROCS")
	}
}

func TestManyStreams(t *testing.T) {
	store := openMemory(t)
	var created []Stream
	for i := range 100 {
		created = append(created, newStream(t, store, fmt.Sprint("stream ", i)))
	}
	if ids := got(store.Streams())(t); !slices.Equal(ids, created) {
		t.Fatalf("streams %v", ids)
	}
	for i, each := range created {
		if name := got(store.StreamName(each))(t); name != fmt.Sprint("stream ", i) {
			t.Fatalf("stream %d is called %q", i, name)
		}
	}
	long := strings.Repeat("n", StreamNameMax)
	if name := got(store.StreamName(newStream(t, store, long)))(t); name != long {
		t.Fatal("a long name comes back as another")
	}
	_, err := store.StreamName(4711)
	want(t, err, ErrNotFound)
}

func TestStatsAndEvents(t *testing.T) {
	store := openAt(t, storePath(t), BudgetBytes(1<<20))
	timed := newStream(t, store, "timed", Times(true))
	var batch Batch
	for i := range 100 {
		batch.AppendTime([]byte("0123456789"), int64(i))
	}
	got(store.Add(background, timed, &batch))(t)
	stats := got(store.Stats())(t)
	if stats.Streams != 1 || stats.BatchesAdded != 1 || stats.RecordsAdded != 100 ||
		stats.RecordsLive != 100 || stats.PayloadBytesAdded != 1000 || stats.BytesSoft != 1<<20 ||
		stats.BytesHard <= stats.BytesSoft || stats.RecordsSoft != NoLimit ||
		stats.BytesResident == 0 || stats.Health != 0 {
		t.Fatalf("%+v", stats)
	}
	started := time.Now().Add(-time.Minute)
	must(t, store.Flush(background, FlushKernel))
	must(t, store.Flush(background, FlushDevice))
	stats = got(store.Stats())(t)
	if stats.Spills == 0 || stats.RecordsSpilled != 100 || stats.SpillTotal < stats.SpillLast ||
		stats.SpillLast <= 0 || stats.ColdFileBytes == 0 {
		t.Fatalf("%+v", stats)
	}
	want := StreamStats{HasTimes: true, SpilledSeq: 100, TailSeq: 100}
	of := got(store.StreamStats(timed))(t)
	of.RecordsResident, of.BytesUnspilled = 0, 0
	if of != want {
		t.Fatalf("%+v", of)
	}
	var kinds []EventKind
	var bytes, records uint64
	for _, each := range got(store.Events())(t) {
		kinds = append(kinds, each.Kind)
		if each.Time.Before(started) || each.Time.After(time.Now().Add(time.Minute)) || each.Code != 0 {
			t.Fatalf("%+v", each)
		}
		if each.Kind == EventSpillBegin {
			bytes += each.Value
			records += each.Count
		}
	}
	if bytes != 1000 || records != 100 {
		t.Fatalf("spills of %d bytes, %d records", bytes, records)
	}
	if !slices.Contains(kinds, EventSpillBegin) || !slices.Contains(kinds, EventSpillEnd) {
		t.Fatalf("events %v", kinds)
	}
	if left := got(store.Events())(t); len(left) != 0 {
		t.Fatalf("%d events are left", len(left))
	}
}

// compareCounters expects the fields of a Go struct in the order of those of the C struct that `of`
// makes it from, each with the value of its namesake.
func compareCounters[C, Go any](t *testing.T, of func(*C) Go) {
	t.Helper()
	var from C
	words := unsafe.Slice((*uint64)(unsafe.Pointer(&from)), unsafe.Sizeof(from)/8)
	for i := range words {
		words[i] = uint64(i) // the first: struct_size and flags
	}
	stats := reflect.ValueOf(of(&from))
	if stats.NumField() != len(words) {
		t.Fatalf("%d fields for %d counters", stats.NumField(), len(words)-1)
	}
	for i := 1; i < len(words); i++ {
		field := stats.Field(i)
		if field.CanUint() && field.Uint() != words[i] || field.CanInt() && uint64(field.Int()) != words[i] {
			t.Errorf("%s is %v, want %d", stats.Type().Field(i).Name, field, words[i])
		}
	}
}

func TestEveryCounterArrives(t *testing.T) {
	compareCounters(t, statsOf) // of spw_stats
}

func TestScanOfARange(t *testing.T) {
	store := openMemory(t)
	stream := newStream(t, store, "log")
	for i := range 10 {
		add(t, store, stream, numbered(i))
	}
	cursor := got(store.Scan(Scan{Stream: stream, Begin: 3, End: 8}))(t)
	defer cursor.Close()
	_, err := cursor.Detach()
	want(t, err, ErrInvalidState) // no view yet
	for _, seq := range []uint64{3, 5, 3} {
		must(t, cursor.Seek(seq))
		for record, err := range cursor.All(background) {
			must(t, err)
			if record.Seq != seq || string(record.Bytes) != numbered(int(seq)) {
				t.Fatalf("record %d is %q", record.Seq, record.Bytes)
			}
			seq++
		}
		if seq != 8 {
			t.Fatalf("ended at %d", seq)
		}
	}
	must(t, cursor.Seek(6))
	for record, err := range cursor.All(background) {
		must(t, err)
		if record.Seq != 6 {
			t.Fatalf("record %d", record.Seq)
		}
		break // leaves the cursor behind the view
	}
	for record := range cursor.Batch().All() {
		if record.Seq == 7 {
			break
		}
	}
	if cursor.Next(background) || cursor.Err() != nil {
		t.Fatalf("not at the end: %v", cursor.Err())
	}
	must(t, cursor.Seek(3))
	must(t, cursor.Limit(NoLimit, 1)) // one record at a time, larger than that though it is
	for cursor.Next(background) {
		if view := cursor.Batch(); view.Len() != 1 || !view.Dense() || view.HasTimes() {
			t.Fatalf("%d records", view.Len())
		}
	}
	want(t, cursor.Limit(0, 1), ErrInvalidArgument)
	for _, flags := range []ScanFlags{ScanReverse, ScanFollow, ScanTimeRange, 64} {
		_, err = store.Scan(Scan{Stream: stream, Flags: flags, End: SeqNone})
		want(t, err, ErrUnsupported)
	}
	_, err = store.Scan(Scan{Stream: stream, Begin: 2, End: 1})
	want(t, err, ErrInvalidArgument)
	_, err = store.Cursor(4711)
	want(t, err, ErrNotFound)
}

func TestVersions(t *testing.T) {
	must(t, checkLayout())
	if Version() != HeaderVersion || ABIVersion() != headerMajor<<16|headerMinor {
		t.Fatalf("version %s, header %s, ABI %x", Version(), HeaderVersion, ABIVersion())
	}
	for _, each := range rawLayouts() {
		if each.here != each.library || each.here == 0 {
			t.Errorf("%s has %d bytes here, %d in the library", each.name, each.here, each.library)
		}
	}
}
