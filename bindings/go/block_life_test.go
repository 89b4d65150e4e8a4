package spillway

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"unsafe"
)

func lastOfAll(blocks readers) (last error) {
	for _, err := range blocks.All("") {
		last = err
	}
	return last
}

func TestBlockClosedFileSaysClosed(t *testing.T) {
	file := openBlocks(t, blocksPath(t))
	got(file.Put("a", []byte("kept")))(t)
	tx, snapshot := got(file.Begin())(t), got(file.Snapshot())(t)
	defer tx.Rollback()
	defer snapshot.Close()
	list := got(file.List("", 0))(t)
	defer list.Close()
	blob := got(file.Get("a"))(t)
	defer blob.Close()
	for range 2 {
		must(t, file.Close())
		must(t, file.Discard())
	}
	var batch BlockBatch
	batch.Append("x", nil)
	var buffer ReadBuffer
	folder := t.TempDir()
	for name, call := range map[string]func() error{
		"Put":          func() error { return second(file.Put("x", nil)) },
		"PutBatch":     func() error { return file.PutBatch(&batch) },
		"Append":       func() error { return second(file.Append("x", nil)) },
		"Patch":        func() error { return file.Patch("a", 0, nil) },
		"Delete":       func() error { return file.Delete("a") },
		"Rename":       func() error { return file.Rename("a", "b") },
		"SetTag":       func() error { return file.SetTag("a", nil) },
		"Stat":         func() error { return second(file.Stat("a")) },
		"Exists":       func() error { return second(file.Exists("a")) },
		"Read":         func() error { return second(file.Read(nil, "a")) },
		"ReadRange":    func() error { return second(file.ReadRange(nil, "a", 0)) },
		"ReadBatch":    func() error { return file.ReadBatch(&buffer, "a") },
		"Get":          func() error { return second(file.Get("a")) },
		"List":         func() error { return second(file.List("", 0)) },
		"All":          func() error { return lastOfAll(file) },
		"Reader":       func() error { return second(file.Reader("a")) },
		"Writer":       func() error { return second(file.Writer("a")) },
		"Begin":        func() error { return second(file.Begin()) },
		"Snapshot":     func() error { return second(file.Snapshot()) },
		"Update":       func() error { return file.Update(CommitRelaxed, nil) },
		"View":         func() error { return file.View(nil) },
		"Flush":        func() error { return file.Flush(FlushDevice) },
		"Stats":        func() error { return second(file.Stats()) },
		"Verify":       func() error { return second(file.Verify(background, 0, NoLimit)) },
		"Scrub":        func() error { return file.Scrub(1) },
		"ScrubReport":  func() error { return second(file.ScrubReport()) },
		"Vacuum":       func() error { return second(file.Vacuum(background, 0, NoLimit)) },
		"Copy":         func() error { return file.Copy(background, folder+"/copy") },
		"Import":       func() error { return second(file.Import(background, folder, "")) },
		"Export":       func() error { return second(file.Export(background, "", folder)) },
		"FS":           func() error { return second(file.FS().Open(".")) },
		"Tx.Put":       func() error { return second(tx.Put("x", nil)) },
		"Tx.Read":      func() error { return second(tx.Read(nil, "a")) },
		"Tx.Commit":    func() error { return tx.Commit(CommitRelaxed) },
		"Snapshot.Get": func() error { return second(snapshot.Get("a")) },
		"Snapshot.All": func() error { return lastOfAll(snapshot) },
		"Next":         func() error { list.Next(); return list.Err() },
		"Seek":         func() error { return list.Seek("") },
	} {
		if err := call(); !errors.Is(err, ErrClosed) {
			t.Errorf("%s on a closed file: %v", name, err)
		}
	}
	must(t, list.Close())
	if list.Next() || list.Info().Name != "" {
		t.Fatal("a closed list gave a block")
	}
	want(t, list.Err(), ErrClosed)
	if string(blob.Bytes()) != "kept" {
		t.Fatalf("the blob has %q", blob.Bytes())
	}
}

func TestDisposeBlockHandlesInAnyOrder(t *testing.T) {
	leaked, before := LeakedFiles(), Leaks()
	for order := range 24 {
		for _, elsewhere := range []bool{false, true} {
			file := got(OpenFile(background, blocksPath(t)))(t)
			got(file.Put("a", []byte("1")))(t)
			tx := got(file.Begin())(t)
			got(tx.Put("b", nil))(t)
			list := got(tx.List("", 0))(t)
			if !list.Next() {
				t.Fatal(list.Err())
			}
			blob := got(tx.Get("a"))(t)
			rollback := func() error { tx.Rollback(); return nil }
			closeTwice(t, order, elsewhere, file.Close, list.Close, blob.Close, rollback)
		}
	}
	noLeaksSince(t, before)
	if LeakedFiles() != leaked {
		t.Fatal("closed files are counted as leaked")
	}
}

// Forgets handles on a stack that is gone when it returns.
//
//go:noinline
func forgetBlocks(t *testing.T, file *File, handles int) {
	for range handles {
		tx := got(file.Begin())(t)
		got(tx.Put("lost", nil))(t)
		if list := got(tx.List("", 0))(t); !list.Next() {
			t.Fatal(list.Err())
		}
		got(tx.Get("a"))(t)
	}
}

//go:noinline
func forgetFiles(t *testing.T, count int) {
	for range count {
		file := got(OpenFile(background, blocksPath(t)))(t)
		got(file.Put("a", []byte("lost")))(t)
		forgetBlocks(t, file, 2)
	}
}

func TestUndisposedBlockHandlesAreCollected(t *testing.T) {
	const handles, files = 1000, 20
	before, leakedFiles := Leaks(), LeakedFiles()
	file := openBlocks(t, blocksPath(t))
	got(file.Put("a", make([]byte, 1<<20)))(t)
	forgetBlocks(t, file, handles)
	collected(t, "transactions, lists and blobs are collected", func(now LeakCounts) bool {
		return now.Transactions-before.Transactions >= handles && now.Lists-before.Lists >= handles &&
			now.Blobs-before.Blobs >= handles
	})
	if stats := got(file.Stats())(t); stats.Snapshots != 0 {
		t.Fatalf("%d snapshots are open", stats.Snapshots)
	}
	blockModel{"a": make([]byte, 1<<20)}.compare(t, file)

	forgetFiles(t, files)
	collected(t, "files are collected", func(now LeakCounts) bool {
		return now.Files-before.Files >= files
	})
	eventually(t, "the library knows", func() bool { return LeakedFiles()-leakedFiles >= files })
}

// A list and a snapshot keep their file from being collected.
func TestASnapshotKeepsItsFile(t *testing.T) {
	snapshot, list := func() (*Snapshot, *BlockList) {
		file := got(OpenFile(background, blocksPath(t)))(t)
		got(file.Put("a", []byte("1")))(t)
		snapshot := got(file.Snapshot())(t)
		return snapshot, got(snapshot.List("", 0))(t)
	}()
	for range 3 {
		runtime.GC()
		if data := got(snapshot.Read(nil, "a"))(t); string(data) != "1" {
			t.Fatalf("read %q", data)
		}
	}
	if !list.Next() || list.Info().Name != "a" {
		t.Fatal(list.Err())
	}
	must(t, list.Close())
	must(t, snapshot.Close())
	must(t, snapshot.file.end(0))
}

// Two goroutines on one list: it notices, and nothing crashes.
func TestAListInUseSaysSo(t *testing.T) {
	file := openBlocks(t, blocksPath(t))
	got(file.Put("a", nil))(t)
	list := got(file.List("", 0))(t)
	defer list.Close()
	if err := list.handle.alone(); err != nil { // as a Next of another goroutine does
		t.Fatal(err)
	}
	want(t, list.Seek(""), ErrInvalidState)
	if list.Next() {
		t.Fatal("two at once")
	}
	want(t, list.Err(), ErrInvalidState)
	must(t, list.Close()) // which frees nothing yet
	must(t, list.call.next(list.handle.raw, 1))
	if page := &list.call.page; page.count() != 1 || page.info(0).Name != "a" {
		t.Fatal("no page")
	}
	list.handle.exitAlone()
	if list.call.page.count() != 0 {
		t.Fatal("the page is kept after its end")
	}
}

func TestALoopMayCloseItsListAndItsFile(t *testing.T) {
	file := openBlocks(t, blocksPath(t))
	got(file.Put("a", nil))(t)
	got(file.Put("b", nil))(t)
	list := got(file.List("", 0))(t)
	steps := 0
	for _, err := range list.All() {
		if steps++; steps == 1 {
			must(t, err)
			must(t, list.Close())
		} else {
			want(t, err, ErrClosed)
		}
	}
	if steps != 2 {
		t.Fatalf("%d steps", steps)
	}
	want(t, file.Update(CommitRelaxed, func(tx *Tx) error {
		must(t, file.Close())
		want(t, second(tx.Put("c", nil)), ErrClosed)
		return nil
	}), ErrClosed)
}

func TestCloseABlockFileWhileOthersUseIt(t *testing.T) {
	for range 8 {
		file := openBlocks(t, blocksPath(t), DirtyBytes(1<<20), ChangesInFlight(2))
		got(file.Put("first", []byte("there")))(t)
		var puts atomic.Int64
		use, wait := untilClosed(t)
		data := make([]byte, 100_000)
		for w := range 4 {
			use(func() error {
				return second(file.Put(fmt.Sprint(w, puts.Add(1)%20), data))
			})
		}
		use(func() error { return second(file.Stats()) })
		use(func() error { return lastOfAll(file) })
		use(func() error { return file.Flush(FlushKernel) })
		use(func() error {
			return file.Update(CommitRelaxed, func(tx *Tx) error {
				return errors.Join(second(tx.Put("mine", data)), second(tx.Read(nil, "first")))
			})
		})
		use(func() error {
			blob, err := file.Get("first")
			if err == nil && string(blob.Bytes()) != "there" {
				t.Error("other bytes")
			}
			if err == nil {
				blob.Close()
			}
			return err
		})
		eventually(t, "some puts", func() bool { return puts.Load() > 50 })
		use(func() error { must(t, file.Close()); return errClosed })
		must(t, file.Close())
		wait()
	}
}

func TestChangesQueueInGo(t *testing.T) {
	file := openBlocks(t, blocksPath(t), ChangesInFlight(1))
	got(file.Put("there", []byte("as it was")))(t)
	held := file.file.changes
	held.wait() // as a change does that waits for the disk
	ended := make(chan error)
	for _, name := range []string{"a", "b"} {
		go func() { ended <- second(file.Put(name, nil)) }()
	}
	for range 1000 {
		runtime.Gosched()
	}
	blockModel{"there": []byte("as it was")}.compare(t, file) // reads go on, and so does a flush
	must(t, file.Flush(FlushDevice))
	held.leave()
	must(t, <-ended)
	must(t, <-ended)

	held.wait()
	go func() { ended <- second(file.Append("there", nil)) }()
	must(t, file.Close())
	held.leave()
	want(t, <-ended, ErrClosed)
}

// A view lies in the library's memory, and two of one block in the same: nothing is copied.
func TestAViewIsNotCopied(t *testing.T) {
	file := openBlocks(t, blocksPath(t))
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB
	got(file.Put("a", data))(t)
	must(t, file.Flush(FlushDevice))
	one, two := got(file.Get("a"))(t), got(file.Get("a"))(t)
	defer one.Close()
	defer two.Close()
	raw := got(rawBlobView(one.raw))(t)
	if at := unsafe.SliceData(one.Bytes()); at != unsafe.SliceData(raw) ||
		at != unsafe.SliceData(two.Bytes()) || !bytes.Equal(raw, data) {
		t.Fatal("the view is a copy")
	}
	must(t, one.Close())
	if !bytes.Equal(two.Bytes(), data) {
		t.Fatal("closing one view ended the other")
	}
	before := goBytesAllocated()
	for range 100 {
		blob := got(file.Get("a"))(t)
		if len(blob.Bytes()) != len(data) {
			t.Fatal("a part of the block")
		}
		must(t, blob.Close())
	}
	if allocated := goBytesAllocated() - before; allocated > 100*1024 {
		t.Fatalf("100 views took %d bytes of Go's memory", allocated)
	}
}

func goBytesAllocated() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}

func TestBlockStressWithForcedCollections(t *testing.T) {
	const workers, rounds = 4, 100
	file := openBlocks(t, blocksPath(t), DirtyBytes(1<<20), CacheBytes(1<<20))
	whileCollecting(t, workers, func(w int) error {
		return workOnBlocks(file, fmt.Sprint(w, "/"), rounds)
	})
}

func workOnBlocks(file *File, prefix string, rounds int) error {
	contents := func(i, round int) []byte { return bytes.Repeat([]byte{byte(i), byte(round)}, 10*i+1) }
	for round := range rounds {
		batch := new(BlockBatch) // a new one: garbage
		for i := range 50 {
			batch.Append(fmt.Sprint(prefix, i), contents(i, round))
		}
		tx, err := file.Begin()
		if err != nil {
			return err
		}
		if err = tx.PutBatch(batch); err == nil {
			err = tx.Commit(CommitRelaxed)
		}
		if err != nil {
			return err
		}
		buffer := new(ReadBuffer)
		count := 0
		for info, err := range file.All(prefix) {
			if err != nil {
				return err
			}
			var i int
			fmt.Sscan(info.Name[len(prefix):], &i)
			blob, err := file.Get(info.Name)
			if err == nil {
				err = file.ReadBatch(buffer, info.Name)
			}
			if err != nil {
				return err
			}
			if !bytes.Equal(blob.Bytes(), contents(i, round)) || !bytes.Equal(buffer.Bytes(0), blob.Bytes()) {
				return fmt.Errorf("%q has other bytes", info.Name)
			}
			if count++; count%2 == 0 {
				blob.Close() // the others are left to the collector
			}
			runtime.KeepAlive(blob)
		}
		if count != 50 {
			return fmt.Errorf("%d blocks", count)
		}
	}
	return file.Flush(FlushKernel)
}
