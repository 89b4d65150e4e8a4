package spillway

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

func TestBlockTxnRollsBack(t *testing.T) {
	file := openBlocks(t, blocksPath(t))
	m := blockModel{}
	m.put(t, file, "a", []byte("as it was"))
	m.put(t, file, "b", []byte("as it was"))
	failed := errors.New("the caller's own")
	change := func(tx *Tx) error {
		var batch BlockBatch
		batch.Append("d", []byte("new"))
		batch.AppendIf("e", []byte("new"), VersionNone)
		return errors.Join(second(tx.Put("a", []byte("changed"))), tx.Delete("b"),
			second(tx.Append("c", []byte("new"))), tx.PutBatch(&batch))
	}
	changed := blockModel{"a": []byte("changed"), "c": []byte("new"), "d": []byte("new"),
		"e": []byte("new")}
	if err := file.Update(CommitRelaxed, func(tx *Tx) error {
		must(t, change(tx))
		changed.compare(t, tx)
		m.compare(t, file)
		if info := got(tx.Stat("a"))(t); info.Version != 0 {
			t.Fatalf("version %d before the commit", info.Version)
		}
		return failed
	}); err != failed {
		t.Fatalf("got %v", err)
	}
	m.compare(t, file)
	func() {
		defer func() {
			if recover() != failed {
				t.Error("the panic was changed")
			}
		}()
		file.Update(CommitRelaxed, func(tx *Tx) error {
			must(t, change(tx))
			panic(failed)
		})
	}()
	m.compare(t, file)
	tx := got(file.Begin())(t)
	must(t, change(tx))
	for range 2 {
		tx.Rollback()
	}
	m.compare(t, file)
	want(t, tx.Commit(CommitRelaxed), ErrClosed)
	want(t, second(tx.Put("a", nil)), ErrClosed)
	if stats := got(file.Stats())(t); stats.Snapshots != 0 {
		t.Fatalf("%d snapshots are open", stats.Snapshots)
	}
	for _, level := range []FlushLevel{CommitRelaxed, FlushKernel, FlushDevice, FlushCheckpoint} {
		must(t, file.Update(level, func(tx *Tx) error { return second(tx.Append("c", []byte("."))) }))
		m["c"] = append(m["c"], '.')
		m.compare(t, file)
	}
}

func TestBlockTxnConflict(t *testing.T) {
	file := openBlocks(t, blocksPath(t))
	m := blockModel{}
	m.put(t, file, "a", []byte("as it was"))
	m.put(t, file, "b", []byte("as it was"))
	tx := got(file.Begin())(t)
	got(tx.Put("a", []byte("mine")))(t)
	got(tx.Put("c", []byte("mine")))(t)
	m.put(t, file, "a", []byte("theirs"))
	want(t, tx.Commit(FlushDevice), ErrConflict)
	want(t, tx.Commit(FlushDevice), ErrInvalidState)
	want(t, second(tx.Read(nil, "b")), ErrInvalidState)
	tx.Rollback()
	m.compare(t, file)

	// What others change elsewhere is in nobody's way; nor is what was only read.
	tx = got(file.Begin())(t)
	defer tx.Rollback()
	got(tx.Read(nil, "b"))(t)
	got(tx.Put("a", []byte("mine")))(t)
	m.put(t, file, "b", []byte("theirs"))
	want(t, tx.Commit(77), ErrInvalidArgument) // which does not end it
	must(t, tx.Commit(FlushDevice))
	m["a"] = []byte("mine")
	m.compare(t, file)
	tx.Rollback()
	m.compare(t, file)
}

func TestBlockSnapshotIsStable(t *testing.T) {
	file := openBlocks(t, blocksPath(t))
	m := blockModel{}
	for i := range 50 {
		m.put(t, file, fmt.Sprint(i), bytes.Repeat([]byte{byte(i)}, 10_000))
	}
	old := blockModel{}
	for name, data := range m {
		old[name] = data
	}
	snapshot := got(file.Snapshot())(t)
	defer snapshot.Close()
	tx := got(file.Begin())(t)
	defer tx.Rollback()
	for round := range 3 {
		for i := range 50 {
			m.put(t, file, fmt.Sprint(i), bytes.Repeat([]byte{byte(i)}, 5000*round))
		}
		must(t, file.Delete("7"))
		must(t, file.Rename("8", "7"))
		m["7"] = m["8"]
		delete(m, "8")
		m.put(t, file, "more", nil)
		must(t, file.Flush(FlushCheckpoint))
		m.compare(t, file)
		old.compare(t, snapshot)
		old.compare(t, tx)
	}
	must(t, file.View(func(s *Snapshot) error { m.compare(t, s); return nil }))
	if stats := got(file.Stats())(t); stats.Snapshots != 2 {
		t.Fatalf("%d snapshots are open", stats.Snapshots)
	}
	must(t, snapshot.Close())
	must(t, snapshot.Close())
	want(t, second(snapshot.Read(nil, "1")), ErrClosed)
	failed := errors.New("the caller's own")
	if err := file.View(func(*Snapshot) error { return failed }); err != failed {
		t.Fatalf("got %v", err)
	}
}

func TestBlockViewOutlivesFile(t *testing.T) {
	random := newRandom(t)
	file := openBlocks(t, blocksPath(t))
	data := randomBytes(random, 300_000)
	got(file.Put("a", data))(t)
	whole := got(file.Get("a"))(t)
	must(t, file.Flush(FlushDevice))
	part := got(file.GetRange("a", 1000, 5000))(t)
	tail := got(file.GetRange("a", 299_000, NoLimit))(t)
	behind := got(file.GetRange("a", 300_000, 5))(t)
	blobs := []*Blob{whole, part, tail, behind}
	check := func() {
		t.Helper()
		for i, wanted := range [][]byte{data, data[1000:6000], data[299_000:], nil} {
			if !bytes.Equal(blobs[i].Bytes(), wanted) {
				t.Fatalf("blob %d has other bytes", i)
			}
		}
	}
	check()
	got(file.Put("a", []byte("other")))(t)
	check()
	must(t, file.Delete("a"))
	must(t, file.Flush(FlushCheckpoint))
	check()
	must(t, file.Close())
	check()
	for _, each := range blobs {
		must(t, each.Close())
		must(t, each.Close())
		if each.Bytes() != nil || each.Len() != 0 {
			t.Fatal("a closed blob has bytes")
		}
	}
}
