package spillway

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"
)

// openWithFile opens a store and its file, which the test closes, if it did not do so itself.
func openWithFile(t testing.TB, path string, options ...Option) (*Store, *File) {
	t.Helper()
	store := got(Open(background, path, options...))(t)
	t.Cleanup(func() { must(t, store.Close(background)) })
	file := got(store.File())(t)
	t.Cleanup(func() { must(t, file.Close()) })
	return store, file
}

func addNumbered(t testing.TB, store *Store, first, count int) {
	t.Helper()
	var batch Batch
	for i := range count {
		batch.AppendString(numbered(first + i))
	}
	got(store.Add(background, newStream(t, store, "log"), &batch))(t)
}

func hasNumbered(t testing.TB, store *Store, count int) {
	t.Helper()
	next := 0
	for record, err := range store.All(background, got(store.Stream("log", StreamExisting))(t)) {
		must(t, err)
		if string(record.Bytes) != numbered(next) {
			t.Fatalf("record %d is %q", next, record.Bytes)
		}
		next++
	}
	if next != count {
		t.Fatalf("%d records, want %d", next, count)
	}
}

func hasBlock(t testing.TB, file *File, name, text string) {
	t.Helper()
	if data := got(file.Read(nil, name))(t); string(data) != text {
		t.Fatalf("%q holds %q", name, data)
	}
}

func TestStoreFileKeepsRecordsAndBlocks(t *testing.T) {
	path := storePath(t)
	before := openBlocks(t, path)
	got(before.Put("older", []byte("than the store")))(t)
	must(t, before.Close())
	text := func(i int) string { return strings.Repeat(fmt.Sprint(i), 2000) }
	store, file := openWithFile(t, path, BudgetBytes(256<<10))
	for i := range 50 {
		addNumbered(t, store, 500*i, 500)
		got(file.Put(fmt.Sprint("block", i), []byte(text(i))))(t)
	}
	if got(store.Stats())(t).RecordsSpilled == 0 {
		t.Fatal("nothing was spilled")
	}
	hasBlock(t, file, "older", "than the store")
	if report := got(file.Verify(background, VerifyFull, NoLimit))(t); len(report.Problems) > 0 {
		t.Fatal(report.Problems)
	}
	hasNumbered(t, store, 25_000)
	must(t, store.Close(background))

	store, file = openWithFile(t, path, OpenMode(OpenExisting))
	hasNumbered(t, store, 25_000)
	for i := range 50 {
		hasBlock(t, file, fmt.Sprint("block", i), text(i))
	}
}

func TestStoreFileCommitsWithRecords(t *testing.T) {
	path := storePath(t)
	store, file := openWithFile(t, path)
	addNumbered(t, store, 0, 1)
	must(t, store.Flush(background, FlushDevice))
	begin := func(name, text string) *Tx {
		tx := got(file.Begin())(t)
		t.Cleanup(tx.Rollback)
		got(tx.Put(name, []byte(text)))(t)
		return tx
	}
	fewest := uint64(math.MaxUint64)
	for i := range 30 {
		level := []FlushLevel{FlushKernel, FlushCheckpoint, FlushDevice}[i%3]
		addNumbered(t, store, 1+10*i, 10)
		tx := begin("position", fmt.Sprint(i))
		barriers := got(file.Stats())(t).Barriers
		must(t, store.Commit(background, tx, level))
		if level == FlushDevice {
			fewest = min(fewest, got(file.Stats())(t).Barriers-barriers)
		}
		want(t, store.Commit(background, tx, level), ErrInvalidState)
		want(t, second(tx.Put("x", nil)), ErrInvalidState)
	}
	if fewest != 1 { // the library may have one of its own now and then
		t.Fatalf("%d barriers", fewest)
	}

	done, cancel := context.WithCancel(background)
	cancel()
	tx := begin("cancelled", "")
	if err := store.Commit(done, tx, FlushDevice); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	want(t, store.Commit(background, tx, CommitRelaxed), ErrInvalidArgument)
	later, cancelLater := context.WithTimeout(background, time.Hour)
	defer cancelLater()
	must(t, store.Commit(later, tx, FlushDevice)) // it was as before

	one, two := begin("both", "1"), begin("both", "2")
	must(t, store.Commit(background, one, FlushDevice))
	want(t, store.Commit(background, two, FlushDevice), ErrConflict)
	want(t, store.Commit(background, two, FlushDevice), ErrInvalidState)

	foreign := got(openBlocks(t, blocksPath(t)).Begin())(t)
	defer foreign.Rollback()
	got(foreign.Put("a", nil))(t)
	want(t, store.Commit(background, foreign, FlushDevice), ErrInvalidArgument)
	must(t, foreign.Commit(FlushDevice)) // it is as before
	rolledBack := begin("no", "")
	rolledBack.Rollback()
	want(t, store.Commit(background, rolledBack, FlushDevice), ErrClosed)

	must(t, store.Discard()) // as a crash
	store, file = openWithFile(t, path)
	hasNumbered(t, store, 301)
	hasBlock(t, file, "position", "29")
	hasBlock(t, file, "cancelled", "")
	hasBlock(t, file, "both", "1")
}

func TestStoreFileClosesWithItsStore(t *testing.T) {
	leaked, path := LeakedFiles(), storePath(t)
	store, file := openWithFile(t, path)
	got(file.Put("a", []byte("kept")))(t)
	want(t, file.Discard(), ErrInvalidState)
	again := got(store.File())(t)
	must(t, again.Close())
	must(t, again.Close())
	want(t, second(again.Stat("a")), ErrClosed)
	hasBlock(t, file, "a", "kept") // closing the other has closed nothing
	tx, list, blob := got(file.Begin())(t), got(file.List("", 0))(t), got(file.Get("a"))(t)
	defer tx.Rollback()
	defer list.Close()
	defer blob.Close()
	must(t, store.Close(background))
	for name, call := range map[string]func() error{
		"Stat":   func() error { return second(file.Stat("a")) },
		"Put":    func() error { return second(file.Put("a", nil)) },
		"Flush":  func() error { return file.Flush(FlushDevice) },
		"Stats":  func() error { return second(file.Stats()) },
		"Tx.Put": func() error { return second(tx.Put("a", nil)) },
		"Next":   func() error { list.Next(); return list.Err() },
		"Commit": func() error { return store.Commit(background, tx, FlushDevice) },
		"File":   func() error { return second(store.File()) },
	} {
		if err := call(); !errors.Is(err, ErrClosed) {
			t.Errorf("%s on a closed store: %v", name, err)
		}
	}
	if string(blob.Bytes()) != "kept" {
		t.Fatalf("the blob has %q", blob.Bytes())
	}
	must(t, file.Close())
	if LeakedFiles() != leaked {
		t.Fatal("a store's file is counted as leaked")
	}
	hasBlock(t, openBlocks(t, path), "a", "kept")
}

func TestStoreFileInAnyOrder(t *testing.T) {
	leakedStores, leakedFiles, before := LeakedStores(), LeakedFiles(), Leaks()
	for order := range 24 {
		for _, elsewhere := range []bool{false, true} {
			store := got(Open(background, storePath(t)))(t)
			addNumbered(t, store, 0, 10)
			file := got(store.File())(t)
			tx := got(file.Begin())(t)
			got(tx.Put("lost", nil))(t)
			cursor := got(store.Cursor(got(store.Stream("log", StreamExisting))(t)))(t)
			rollback := func() error { tx.Rollback(); return nil }
			closeStore := func() error { return store.Close(background) }
			closeTwice(t, order, elsewhere, closeStore, file.Close, rollback, cursor.Close)
		}
	}
	noLeaksSince(t, before)
	if LeakedStores() != leakedStores || LeakedFiles() != leakedFiles {
		t.Fatal("what was closed is counted as leaked")
	}
}

//go:noinline
func forgetStoreFile(t *testing.T, path string) *File {
	store := got(Open(background, path))(t)
	file := got(store.File())(t)
	got(got(file.Begin())(t).Put("lost", nil))(t)
	got(file.Put("a", []byte("1")))(t)
	return file
}

func TestAStoreFileKeepsItsStore(t *testing.T) {
	before, leakedStores, leakedFiles := Leaks(), LeakedStores(), LeakedFiles()
	file := forgetStoreFile(t, storePath(t))
	for range 3 {
		runtime.GC()
		hasBlock(t, file, "a", "1")
	}
	must(t, file.file.store.Close(background))
	must(t, file.Close())
	for range 5 {
		forgetStoreFile(t, storePath(t))
	}
	collected(t, "stores and their files are collected", func(now LeakCounts) bool {
		return now.Stores-before.Stores >= 5 && now.Files-before.Files >= 5
	})
	eventually(t, "the library knows", func() bool { return LeakedStores()-leakedStores >= 5 })
	if LeakedFiles() != leakedFiles {
		t.Fatal("a store's file is counted as leaked")
	}
}

func TestStoreWithoutAFileIsUnsupported(t *testing.T) {
	path := storePath(t)
	sqlite := got(Open(background, path, ColdTier(TierSQLite)))(t)
	tx := got(openBlocks(t, blocksPath(t)).Begin())(t)
	defer tx.Rollback()
	for _, store := range []*Store{openMemory(t), sqlite} {
		want(t, second(store.File()), ErrUnsupported)
		if store.Commit(background, tx, FlushDevice) == nil {
			t.Fatal("it has no file to commit to")
		}
	}
	must(t, tx.Commit(CommitRelaxed))
	must(t, sqlite.Close(background))
	want(t, second(sqlite.File()), ErrClosed)
	want(t, second(Open(background, path, ColdTier(TierBlockFile))), ErrInvalidArgument)
}

func TestStoreFileNamesAreReserved(t *testing.T) {
	const name = ".spillway/store"
	store, file := openWithFile(t, storePath(t))
	addNumbered(t, store, 0, 100)
	must(t, store.Flush(background, FlushDevice))
	whole := string(got(file.Read(nil, name))(t))
	got(file.Put("mine", []byte("text")))(t)
	tx := got(file.Begin())(t)
	defer tx.Rollback()
	var batch BlockBatch
	batch.Append(".spillway/x", nil)
	for _, blocks := range []*blockChanges{&file.blockChanges, &tx.blockChanges} {
		for call, err := range map[string]error{
			"Put":      second(blocks.Put(name, nil)),
			"PutBatch": blocks.PutBatch(&batch),
			"Append":   second(blocks.Append(name, []byte("x"))),
			"Patch":    blocks.Patch(name, 0, []byte("x")),
			"Delete":   blocks.Delete(name),
			"Rename":   blocks.Rename(name, "other"),
			"rename":   blocks.Rename("mine", ".spillway/x"),
			"SetTag":   blocks.SetTag(name, nil),
			"Writer":   second(blocks.Writer(name)),
		} {
			if !errors.Is(err, ErrInvalidArgument) {
				t.Errorf("%s: %v", call, err)
			}
		}
	}
	hasBlock(t, file, name, whole)
	hasNumbered(t, store, 100)
}
