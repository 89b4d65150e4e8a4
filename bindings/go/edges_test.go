package spillway

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBatchEdges(t *testing.T) {
	store := openAt(t, storePath(t), BudgetBytes(256<<10))
	stream := newStream(t, store, "edges")
	var m model
	addAll := func(records ...string) {
		t.Helper()
		batch := batchOf(records...)
		if batch.Len() != len(records) || batch.Size() != len(strings.Join(records, "")) {
			t.Fatalf("a batch of %d records, %d bytes", batch.Len(), batch.Size())
		}
		if first := got(store.Add(background, stream, batch))(t); first != uint64(len(m.records)) {
			t.Fatalf("first sequence number %d, want %d", first, len(m.records))
		}
		for _, each := range records {
			m.records = append(m.records, []byte(each))
		}
		m.compare(t, store, stream, NoLimit)
	}
	if first := got(store.Add(background, stream, new(Batch)))(t); first != SeqNone {
		t.Fatalf("an empty batch got sequence number %d", first)
	}
	addAll("one")
	many := make([]string, 10_000)
	for i := range many {
		many[i] = numbered(i)
	}
	addAll(many...)
	// A 64th of the budget is an arena: records that end at its boundary, one byte before, one
	// after.
	for _, size := range []int{4<<10 - 8, 4<<10 - 1, 4 << 10, 4<<10 + 1} {
		addAll(strings.Repeat("a", size))
		addAll("", strings.Repeat("b", size), "")
	}
	// Larger than the hard limit of all memory: straight to the cold tier, in order.
	addAll(strings.Repeat("c", 1<<20), "after", strings.Repeat("d", 200<<10))
	addAll("the last")
}

func TestOffsetsBeginAnywhere(t *testing.T) {
	store := openMemory(t)
	stream := newStream(t, store, "log")
	timed := newStream(t, store, "timed", Times(true))
	data := []byte("....Helloworld")
	first := got(store.AddColumns(background, stream, data, []uint64{4, 9, 9, 14}, nil))(t)
	if first != 0 {
		t.Fatalf("first sequence number %d", first)
	}
	got(store.AddColumns(background, timed, data, []uint64{4, 9, 14}, []int64{-5, 7}))(t)
	hello, world := []byte("Hello"), []byte("world")
	(&model{records: [][]byte{hello, {}, world}}).compare(t, store, stream, NoLimit)
	(&model{[][]byte{hello, world}, []int64{-5, 7}}).compare(t, store, timed, 1)

	for _, offsets := range [][]uint64{{9, 4}, {0, 15}, {0, 1 << 63}} {
		_, err := store.AddColumns(background, stream, data, offsets, nil)
		want(t, err, ErrInvalidArgument)
	}
	_, err := store.AddColumns(background, timed, data, []uint64{4, 9, 14}, []int64{1})
	want(t, err, ErrInvalidArgument) // the library would read past the end of times
	_, err = store.AddColumns(background, timed, data, []uint64{4, 9}, nil)
	want(t, err, ErrInvalidArgument)
	_, err = store.AddColumns(background, stream, nil, nil, nil)
	must(t, err)
	mixed := batchOf("no time")
	mixed.AppendTime([]byte("a time"), 1)
	_, err = store.TryAdd(timed, mixed)
	want(t, err, ErrInvalidArgument)
	if n := recordCount(t, store, stream); n != 3 {
		t.Fatalf("%d records, want 3", n)
	}
}

func TestEmptyPayloads(t *testing.T) {
	path := storePath(t)
	store := openAt(t, path)
	stream := newStream(t, store, "empty")
	empty := model{}
	for range 3 {
		got(store.Add(background, stream, batchOf("", "", "")))(t)
		empty.records = append(empty.records, []byte{}, []byte{}, []byte{})
	}
	check := func() {
		t.Helper()
		empty.compare(t, store, stream, 2)
		batch := got(store.Gather(stream, []uint64{8, 0}))(t)
		defer batch.Close()
		if batch.Len() != 2 || len(batch.Bytes(0)) != 0 {
			t.Fatal("gathered something else")
		}
		bytes, _, err := store.Read(nil, stream, 4)
		must(t, err)
		if len(bytes) != 0 {
			t.Fatal("read something else")
		}
		none := got(store.Gather(stream, nil))(t)
		defer none.Close()
		if none.Len() != 0 {
			t.Fatal("gathered something from nothing")
		}
	}
	check()
	must(t, store.Close(background))
	store = openAt(t, path)
	check()
}

func TestPayloadOf64Mib(t *testing.T) {
	if testing.Short() {
		t.Skip("once is enough")
	}
	random := newRandom(t)
	payload := make([]byte, 64<<20)
	for i := range payload {
		payload[i] = byte(i>>16) ^ byte(i)
	}
	payload[random.IntN(len(payload))] ^= 0xff
	m := model{records: [][]byte{payload}}

	store := openMemory(t, BudgetBytes(Unlimited))
	stream := newStream(t, store, "large")
	got(store.Add(background, stream, batchOf(string(payload))))(t)
	m.compare(t, store, stream, NoLimit)

	path := storePath(t)
	store = openAt(t, path, BudgetBytes(1<<20))
	stream = newStream(t, store, "large")
	got(store.AddColumns(background, stream, payload, []uint64{0, uint64(len(payload))}, nil))(t)
	must(t, store.Close(background))
	store = openAt(t, path, BudgetBytes(1<<20))
	m.compare(t, store, stream, NoLimit)
	read, _, err := store.Read([]byte("before"), stream, 0)
	must(t, err)
	if !bytes.Equal(read[len("before"):], payload) || string(read[:6]) != "before" {
		t.Fatal("read other bytes")
	}
}

func TestTextThatIsNotUnicode(t *testing.T) {
	wild := "a\xff\xfe\xc3(\xed\xa0\x80z" // among it an unpaired surrogate
	path := filepath.Join(t.TempDir(), wild)
	store := openAt(t, path)
	stream := newStream(t, store, wild)
	add(t, store, stream, wild, "\x00")
	must(t, store.Close(background))
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	store = openAt(t, path, OpenMode(OpenExisting))
	if again := got(store.Stream(wild, StreamExisting))(t); again != stream {
		t.Fatalf("stream %d, was %d", again, stream)
	}
	if name := got(store.StreamName(stream))(t); name != wild {
		t.Fatalf("name %q", name)
	}
	(&model{records: [][]byte{[]byte(wild), {0}}}).compare(t, store, stream, NoLimit)

	_, err := Open(background, path+"\x00.spw")
	want(t, err, ErrInvalidArgument)
	_, err = Open(background, "") // not a store in memory by mistake
	want(t, err, ErrInvalidArgument)
	_, err = store.Stream("", StreamCreate)
	want(t, err, ErrInvalidArgument)
	_, err = store.Stream(strings.Repeat("n", StreamNameMax+1), StreamCreate)
	want(t, err, ErrTooBig)
	nul := got(store.Stream("n\x00l", StreamCreate))(t)
	if name := got(store.StreamName(nul))(t); name != "n\x00l" {
		t.Fatalf("name %q", name)
	}
}
