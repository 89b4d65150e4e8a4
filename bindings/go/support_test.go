package spillway

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

var background = context.Background()

// newRandom prints its seed; SEED=n gives it again.
func newRandom(t testing.TB) *rand.Rand {
	seed, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	if err != nil {
		seed = rand.Uint64()
	}
	t.Logf("seed=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func got[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		must(t, err)
		return value
	}
}

// want checks an error's code.
func want(t testing.TB, err error, code Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Fatalf("got %v, want %v", err, code)
	}
}

func storePath(t testing.TB) string { return filepath.Join(t.TempDir(), "store.spw") }

// openAt opens a store on disk that the test closes, if it did not do so itself.
func openAt(t testing.TB, path string, options ...Option) *Store {
	t.Helper()
	store := got(Open(background, path, options...))(t)
	t.Cleanup(func() { must(t, store.Close(background)) })
	return store
}

func openMemory(t testing.TB, options ...Option) *Store {
	t.Helper()
	store := got(OpenMemory(background, options...))(t)
	t.Cleanup(func() { must(t, store.Close(background)) })
	return store
}

func newStream(t testing.TB, store *Store, name string, options ...Option) Stream {
	t.Helper()
	return got(store.Stream(name, StreamCreate, options...))(t)
}

func batchOf(records ...string) *Batch {
	batch := new(Batch)
	for _, each := range records {
		batch.AppendString(each)
	}
	return batch
}

func add(t testing.TB, store *Store, stream Stream, records ...string) uint64 {
	t.Helper()
	return got(store.Add(background, stream, batchOf(records...)))(t)
}

// model is what a stream should hold.
type model struct {
	records [][]byte
	times   []int64 // nil: none
}

func (m *model) addRandom(t testing.TB, random *rand.Rand, store *Store, stream Stream, most int) {
	t.Helper()
	batch := new(Batch)
	first := uint64(len(m.records))
	for range random.IntN(most) + 1 {
		record := make([]byte, random.IntN(400))
		for i := range record {
			record[i] = byte(random.Uint32())
		}
		m.records = append(m.records, record)
		if m.times != nil {
			time := random.Int64() - random.Int64()
			m.times = append(m.times, time)
			batch.AppendTime(record, time)
		} else {
			batch.Append(record)
		}
	}
	if at := got(store.Add(background, stream, batch))(t); at != first {
		t.Fatalf("first sequence number %d, want %d", at, first)
	}
}

// compare reads the whole stream and compares every byte, sequence number and time.
func (m *model) compare(t testing.TB, store *Store, stream Stream, viewMax uint64) {
	t.Helper()
	cursor := got(store.Cursor(stream))(t)
	defer cursor.Close()
	must(t, cursor.Limit(viewMax, NoLimit))
	seq := uint64(0)
	for cursor.Next(background) {
		records := cursor.Batch()
		for i := range records.Len() {
			m.compareRecord(t, seq, records.Record(i))
			seq++
		}
	}
	must(t, cursor.Err())
	if seq != uint64(len(m.records)) {
		t.Fatalf("%d records, want %d", seq, len(m.records))
	}
}

func (m *model) compareRecord(t testing.TB, seq uint64, record Record) {
	t.Helper()
	if record.Seq != seq || !bytes.Equal(record.Bytes, m.records[seq]) {
		t.Fatalf("record %d has seq %d and %d other bytes", seq, record.Seq, len(record.Bytes))
	}
	time := int64(0)
	if m.times != nil {
		time = m.times[seq]
	}
	if record.Time != time {
		t.Fatalf("record %d has time %d, want %d", seq, record.Time, time)
	}
}

// eventually runs until the condition holds, giving others the processor: no sleep, and an end.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !condition(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

// untilClosed gives a function that calls its argument again and again, on a goroutine of its own,
// until that fails, which must be with ErrClosed; and a function that waits for all of them.
func untilClosed(t testing.TB) (use func(body func() error), wait func()) {
	var group sync.WaitGroup
	use = func(body func() error) {
		group.Add(1)
		go func() {
			defer group.Done()
			for {
				if err := body(); err != nil {
					if !errors.Is(err, ErrClosed) {
						t.Error(err)
					}
					return
				}
			}
		}()
	}
	return use, group.Wait
}

// fullStore is a store in memory only, filled to its hard limit, where adds wait.
func fullStore(t testing.TB, options ...Option) (*Store, Stream) {
	t.Helper()
	store := openMemory(t, append(options, BudgetBytes(256<<10), WhenFull(FullBlock))...)
	stream := newStream(t, store, "full")
	fill(t, store, stream)
	return store, stream
}

// fill adds until there is no room even for one more byte.
func fill(t testing.TB, store *Store, stream Stream) {
	t.Helper()
	for size := 16 << 10; size > 0; size /= 2 {
		batch := batchOf(string(make([]byte, size)))
		for {
			if _, err := store.TryAdd(stream, batch); err != nil {
				want(t, err, ErrWouldBlock)
				break
			}
		}
	}
}

func recordCount(t testing.TB, store *Store, stream Stream) uint64 {
	t.Helper()
	stats := got(store.StreamStats(stream))(t)
	return stats.TailSeq - stats.BeginSeq
}

func numbered(i int) string { return fmt.Sprintf("record %d", i) }

func blocksPath(t testing.TB) string { return filepath.Join(t.TempDir(), "test.blocks") }

// openBlocks opens a block file that the test closes, if it did not do so itself.
func openBlocks(t testing.TB, path string, options ...Option) *File {
	t.Helper()
	file := got(OpenFile(background, path, options...))(t)
	t.Cleanup(func() { must(t, file.Close()) })
	return file
}

// blockModel is what a block file should hold.
type blockModel map[string][]byte

func randomBytes(random *rand.Rand, size int) []byte {
	data := make([]byte, 0, size+8)
	for len(data) < size {
		data = binary.LittleEndian.AppendUint64(data, random.Uint64())
	}
	return data[:size:size]
}

// put puts a block and notes it.
func (m blockModel) put(t testing.TB, file *File, name string, data []byte) uint64 {
	t.Helper()
	m[name] = bytes.Clone(data)
	return got(file.Put(name, data))(t)
}

// readers is what a file, a transaction and a snapshot have in common.
type readers interface {
	All(prefix string) iter.Seq2[BlockInfo, error]
	Read(dst []byte, name string) ([]byte, error)
	ReadRange(buffer []byte, name string, offset uint64) (int, error)
	ReadBatch(into *ReadBuffer, names ...string) error
	Get(name string) (*Blob, error)
}

// compare lists all blocks and compares every byte of them, by every way to read them.
func (m blockModel) compare(t testing.TB, blocks readers) {
	t.Helper()
	var names []string
	for info, err := range blocks.All("") {
		must(t, err)
		if data, ok := m[info.Name]; !ok || info.Length != uint64(len(data)) {
			t.Fatalf("%q has %d bytes, want %d (%v)", info.Name, info.Length, len(data), ok)
		}
		names = append(names, info.Name)
	}
	if len(names) != len(m) || !slices.IsSorted(names) {
		t.Fatalf("%d blocks, want %d: %q", len(names), len(m), names)
	}
	var buffer ReadBuffer
	must(t, blocks.ReadBatch(&buffer, names...))
	for i, name := range names {
		data := m[name]
		must(t, buffer.Err(i))
		read := got(blocks.Read([]byte("before"), name))(t)
		blob := got(blocks.Get(name))(t)
		part := make([]byte, len(data)/2+1)
		count := got(blocks.ReadRange(part, name, uint64(len(data)/2)))(t)
		if !bytes.Equal(buffer.Bytes(i), data) || string(read) != "before"+string(data) ||
			!bytes.Equal(blob.Bytes(), data) || blob.Len() != len(data) ||
			!bytes.Equal(part[:count], data[len(data)/2:]) {
			t.Fatalf("%q holds other bytes", name)
		}
		must(t, blob.Close())
	}
}
