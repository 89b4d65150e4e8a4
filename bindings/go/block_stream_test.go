package spillway

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
)

var (
	_ io.ReadSeekCloser = (*BlockReader)(nil)
	_ io.ReaderAt       = (*BlockReader)(nil)
	_ io.WriteCloser    = (*BlockWriter)(nil)
)

func TestBlockReaderSeeks(t *testing.T) {
	random := newRandom(t)
	file := openBlocks(t, blocksPath(t))
	data := randomBytes(random, 5<<20+123)
	got(file.Put("a", data))(t)
	must(t, file.SetTag("a", []byte("tag")))
	must(t, file.Flush(FlushDevice))
	reader := got(file.Reader("a"))(t)
	defer reader.Close()
	info := got(file.Stat("a"))(t)
	if of := reader.Info(); of.Name != "a" || of.Length != uint64(len(data)) ||
		of.Version != info.Version || string(of.Tag) != "tag" || !of.Created.Equal(info.Created) {
		t.Fatalf("%+v", of)
	}
	// Whatever becomes of the block.
	got(file.Put("a", []byte("other")))(t)
	must(t, file.Delete("a"))
	must(t, file.Flush(FlushCheckpoint))
	if all := got(io.ReadAll(reader))(t); !bytes.Equal(all, data) {
		t.Fatal("read other bytes")
	}
	at := int64(len(data))
	buffer := make([]byte, 300_000)
	for range 300 {
		target := random.Int64N(int64(len(data)) + 1000)
		var now int64
		switch random.IntN(3) {
		case 0:
			now = got(reader.Seek(target, io.SeekStart))(t)
		case 1:
			now = got(reader.Seek(target-at, io.SeekCurrent))(t)
		case 2:
			now = got(reader.Seek(target-int64(len(data)), io.SeekEnd))(t)
		}
		if now != target {
			t.Fatalf("at %d, want %d", now, target)
		}
		part := buffer[:random.IntN(len(buffer))+1]
		count, err := io.ReadFull(reader, part)
		rest := data[min(int(target), len(data)):]
		wanted := rest[:min(len(part), len(rest))]
		if !bytes.Equal(part[:count], wanted) || (err == nil) != (count == len(part)) {
			t.Fatalf("%d bytes at %d: %v", count, target, err)
		}
		at = target + int64(count)
	}
	for _, each := range []struct {
		offset int64
		whence int
	}{{-1, io.SeekStart}, {-int64(len(data)) - 1, io.SeekEnd}, {0, 7}} {
		want(t, second(reader.Seek(each.offset, each.whence)), ErrInvalidArgument)
	}
	if now := got(reader.Seek(0, io.SeekCurrent))(t); now != at {
		t.Fatalf("a seek that failed went to %d", now)
	}
	want(t, second(reader.ReadAt(buffer, -1)), ErrInvalidArgument)

	ended := make(chan error)
	for i := range 4 {
		go func() { // any number at once
			part := make([]byte, 1000)
			for offset := i; offset < len(data); offset += len(data) / 50 {
				count, err := reader.ReadAt(part, int64(offset))
				if !bytes.Equal(part[:count], data[offset:min(offset+1000, len(data))]) ||
					(err == nil) != (count == len(part)) || err != nil && err != io.EOF {
					ended <- fmt.Errorf("%d bytes at %d: %v", count, offset, err)
					return
				}
			}
			ended <- nil
		}()
	}
	for range 4 {
		must(t, <-ended)
	}
	if now := got(reader.Seek(0, io.SeekCurrent))(t); now != at {
		t.Fatalf("ReadAt went to %d", now)
	}
	want(t, second(file.Reader("a")), ErrNotFound)
	if err := reader.handle.alone(); err != nil { // as a Read of another goroutine does
		t.Fatal(err)
	}
	want(t, second(reader.Read(buffer)), ErrInvalidState)
	want(t, second(reader.Seek(0, io.SeekStart)), ErrInvalidState)
	reader.handle.exitAlone()
	must(t, file.Close())
	want(t, second(reader.Read(buffer)), ErrClosed)
	must(t, reader.Close())
	must(t, reader.Close())
	want(t, second(reader.Read(buffer)), ErrClosed)
	want(t, second(reader.ReadAt(buffer, 0)), ErrClosed)
}

func TestReadersBehaveAsGoExpects(t *testing.T) {
	file := openBlocks(t, blocksPath(t))
	text := bytes.Repeat([]byte("text "), 1000)
	got(file.Put("text", text))(t)
	got(file.Put("empty", nil))(t)
	tx, snapshot := got(file.Begin())(t), got(file.Snapshot())(t)
	defer tx.Rollback()
	defer snapshot.Close()
	got(tx.Put("text", text[5:]))(t)
	for _, each := range []struct {
		blocks interface {
			Reader(name string) (*BlockReader, error)
		}
		name   string
		wanted []byte
	}{{file, "text", text}, {file, "empty", nil}, {tx, "text", text[5:]}, {snapshot, "text", text}} {
		reader := got(each.blocks.Reader(each.name))(t)
		must(t, iotest.TestReader(reader, each.wanted))
		must(t, reader.Close())
	}
}

func TestBlockWriterCommitsOrVanishes(t *testing.T) {
	random := newRandom(t)
	path := blocksPath(t)
	file := openBlocks(t, path)
	m := blockModel{}
	m.put(t, file, "there", []byte("as it was"))
	must(t, file.SetTag("there", []byte("tag")))

	data := randomBytes(random, 20<<20)
	fill := func(writer *BlockWriter) {
		t.Helper()
		for rest := data; len(rest) > 0; {
			part := rest[:min(random.IntN(1<<20), len(rest))]
			if count := got(writer.Write(part))(t); count != len(part) {
				t.Fatalf("%d of %d bytes were written", count, len(part))
			}
			rest = rest[len(part):]
		}
	}
	given := got(file.Writer("there"))(t)
	fill(given)
	m.compare(t, file)
	for range 2 {
		must(t, given.Close()) // gives it up
	}
	want(t, second(given.Write(data)), ErrClosed)
	want(t, second(given.Commit()), ErrClosed)
	m.compare(t, file)

	writer := got(file.Writer("there"))(t)
	defer writer.Close()
	fill(writer)
	m.compare(t, file)
	version := got(writer.Commit())(t)
	m["there"] = data
	m.compare(t, file)
	if info := got(file.Stat("there"))(t); info.Version != version || string(info.Tag) != "tag" {
		t.Fatalf("%+v, want version %d", info, version)
	}
	want(t, second(writer.Write(data)), ErrInvalidState)
	want(t, second(writer.Commit()), ErrInvalidState)
	must(t, writer.Close())
	m.compare(t, file)

	for _, each := range []struct {
		expected uint64
		name     string
		code     Code
	}{{VersionNone, "there", ErrAlreadyExists}, {version + 1, "there", ErrConflict},
		{version, "none", ErrNotFound}} {
		writer := got(file.WriterIf(each.name, each.expected))(t)
		got(writer.Write([]byte("x")))(t)
		want(t, second(writer.Commit()), each.code)
		must(t, writer.Close())
	}
	m.compare(t, file)
	must(t, file.Update(FlushDevice, func(tx *Tx) error {
		writer := got(tx.WriterIf("new", VersionNone))(t)
		defer writer.Close()
		fill(writer)
		if version := got(writer.Commit())(t); version != 0 {
			t.Fatalf("version %d before the commit", version)
		}
		m.compare(t, file)
		return nil
	}))
	m["new"] = data
	m.compare(t, file)
	empty := got(file.Writer("empty"))(t)
	got(empty.Commit())(t)
	m["empty"] = nil
	busy := got(file.Writer("there"))(t)
	defer busy.Close()
	if err := busy.handle.alone(); err != nil { // as a Write of another goroutine does
		t.Fatal(err)
	}
	want(t, second(busy.Write(data)), ErrInvalidState)
	busy.handle.exitAlone()
	fill(busy)
	must(t, file.Close())
	want(t, second(busy.Write(data)), ErrClosed)
	want(t, second(busy.Commit()), ErrClosed)

	file = openBlocks(t, path)
	m.compare(t, file)
	if report := got(file.Verify(background, VerifyFull, NoLimit))(t); report.Found != 0 {
		t.Fatalf("%+v", report)
	}
}

//go:noinline
func forgetStreams(t *testing.T, file *File, handles int) {
	for range handles {
		got(got(file.Reader("a"))(t).Read(make([]byte, 10)))(t)
		got(got(file.Writer("a"))(t).Write([]byte("lost")))(t)
	}
}

func TestUndisposedStreamsAreCollected(t *testing.T) {
	const handles = 100
	before := Leaks()
	file := openBlocks(t, blocksPath(t))
	got(file.Put("a", []byte("kept")))(t)
	forgetStreams(t, file, handles)
	collected(t, "readers and writers are collected", func(now LeakCounts) bool {
		return now.Readers-before.Readers >= handles && now.Writers-before.Writers >= handles
	})
	blockModel{"a": []byte("kept")}.compare(t, file)
	before = Leaks()
	reader, writer := got(file.Reader("a"))(t), got(file.Writer("a"))(t)
	got(writer.Commit())(t) // which is as good as a Close
	must(t, reader.Close())
	writer, reader = nil, nil
	noLeaksSince(t, before)
}

func TestReadingAndWritingAStreamAllocatesNothing(t *testing.T) {
	if underRace {
		t.Skip("sync.Pool drops things under the race detector")
	}
	file := openBlocks(t, blocksPath(t))
	writer := got(file.Writer("a"))(t)
	defer writer.Close()
	buffer := make([]byte, 4096)
	allocates(t, "Write", 0, func() { got(writer.Write(buffer))(t) })
	got(writer.Commit())(t)
	reader := got(file.Reader("a"))(t)
	defer reader.Close()
	allocates(t, "Read", 0, func() { got(reader.Read(buffer))(t) })
	allocates(t, "ReadAt", 0, func() { got(reader.ReadAt(buffer, 5))(t) })
	allocates(t, "Seek", 0, func() { got(reader.Seek(0, io.SeekStart))(t) })
}
