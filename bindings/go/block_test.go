package spillway

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestBlockPutGetRoundTrip(t *testing.T) {
	random := newRandom(t)
	path := blocksPath(t)
	for _, checksum := range []Checksum{ChecksumXXH3, ChecksumSHA256} {
		path += "x"
		file := openBlocks(t, path, FileChecksum(checksum))
		m := blockModel{}
		m.compare(t, file)
		for _, size := range []int{0, 1, 100, 4095, 4096, 4097, 65536, 1<<20 + 17} {
			m.put(t, file, fmt.Sprint("single/", size), randomBytes(random, size))
		}
		var batch BlockBatch
		for round := range 3 {
			batch.Reset()
			for i := range 300 {
				name := fmt.Sprintf("batch/%d/%d", i%7, i*(round+1))
				m[name] = randomBytes(random, random.IntN(3000))
				batch.Append(name, m[name])
			}
			if batch.Len() != 300 {
				t.Fatalf("%d blocks in the batch", batch.Len())
			}
			must(t, file.PutBatch(&batch))
		}
		m.put(t, file, "single/4096", []byte("replaced"))
		must(t, file.Delete("single/1"))
		delete(m, "single/1")
		m.compare(t, file)
		must(t, file.Flush(FlushDevice))
		m.compare(t, file)
		must(t, file.Close())
		file = openBlocks(t, path)
		m.compare(t, file)
		must(t, file.Flush(FlushCheckpoint))
		must(t, file.Discard())
		m.compare(t, openBlocks(t, path, OpenMode(OpenReadOnly)))
	}
}

func TestBlockBatchIsAllOrNone(t *testing.T) {
	file := openBlocks(t, blocksPath(t))
	m := blockModel{}
	version := m.put(t, file, "there", []byte("as it was"))

	var batch BlockBatch
	batch.Append("a", []byte("new"))
	batch.AppendIf("there", []byte("changed"), version+1)
	batch.Append("z", []byte("new"))
	err := file.PutBatch(&batch)
	want(t, err, ErrConflict)
	var e *Error
	if !errors.As(err, &e) || e.Index != 1 {
		t.Fatalf("got %#v", err)
	}
	m.compare(t, file)
	batch.Reset()
	batch.AppendIf("a", []byte("new"), VersionNone)
	batch.Append("", []byte("no name"))
	err = file.PutBatch(&batch)
	want(t, err, ErrInvalidArgument)
	if !errors.As(err, &e) || e.Index != 1 {
		t.Fatalf("got %#v", err)
	}
	m.compare(t, file)

	batch.Reset()
	batch.Append("a", []byte("first of two"))
	batch.AppendIf("there", []byte("changed"), version)
	batch.AppendIf("new", []byte("created"), VersionNone)
	batch.Append("a", []byte("last of two"))
	must(t, file.PutBatch(&batch))
	m["a"], m["there"], m["new"] = []byte("last of two"), []byte("changed"), []byte("created")
	m.compare(t, file)
	for i, name := range []string{"", "there", "new", "a"} {
		if name != "" && batch.Version(i) != got(file.Stat(name))(t).Version {
			t.Fatalf("%q has another version than %d", name, batch.Version(i))
		}
	}
	batch.Reset()
	must(t, file.PutBatch(&batch)) // an empty one is fine
	m.compare(t, file)
}

func TestBlockCompareAndSwap(t *testing.T) {
	file := openBlocks(t, blocksPath(t))
	_, err := file.PutIf("b", []byte("x"), 17)
	want(t, err, ErrNotFound)
	first := got(file.PutIf("b", []byte("first"), VersionNone))(t)
	_, err = file.PutIf("b", []byte("x"), VersionNone)
	want(t, err, ErrAlreadyExists)
	second := got(file.PutIf("b", []byte("second"), first))(t)
	if first == 0 || second <= first || got(file.Stat("b"))(t).Version != second {
		t.Fatalf("versions %d and %d", first, second)
	}
	_, err = file.PutIf("b", []byte("x"), first)
	want(t, err, ErrConflict)
	want(t, file.DeleteIf("b", first), ErrConflict)
	blockModel{"b": []byte("second")}.compare(t, file)

	// Many count one up at once: none is lost.
	const writers, each = 4, 50
	got(file.Put("count", []byte{0}))(t)
	ended := make(chan error)
	for range writers {
		go func() {
			var err error
			for n := 0; n < each && err == nil; {
				var info BlockInfo
				var count []byte
				err = file.View(func(s *Snapshot) (err error) {
					if info, err = s.Stat("count"); err == nil {
						count, err = s.Read(nil, "count")
					}
					return err
				})
				if err == nil {
					_, err = file.PutIf("count", []byte{count[0] + 1}, info.Version)
				}
				if err == nil {
					n++
				} else if errors.Is(err, ErrConflict) {
					err = nil
				}
			}
			ended <- err
		}()
	}
	for range writers {
		must(t, <-ended)
	}
	if count := got(file.Read(nil, "count"))(t); count[0] != writers*each {
		t.Fatalf("counted to %d", count[0])
	}
	must(t, file.DeleteIf("count", got(file.Stat("count"))(t).Version))
	must(t, file.DeleteIf("b", second))
	blockModel{}.compare(t, file)
}

func TestBlockListInOrder(t *testing.T) {
	random := newRandom(t)
	file := openBlocks(t, blocksPath(t))
	var batch BlockBatch
	names := []string{"a", "a/", "a/\xff", "a0", "a\x01b", "b", "\xff\xfe", "ä"}
	for i := range 3000 {
		names = append(names, fmt.Sprintf("page/%d", i))
	}
	for _, i := range random.Perm(len(names)) {
		batch.Append(names[i], []byte(names[i]))
	}
	must(t, file.PutBatch(&batch))
	slices.Sort(names)
	check := func(prefix string, found []string) {
		t.Helper()
		var wanted []string
		for _, each := range names {
			if strings.HasPrefix(each, prefix) {
				wanted = append(wanted, each)
			}
		}
		if !slices.Equal(found, wanted) {
			t.Fatalf("prefix %q: %d blocks, want %d", prefix, len(found), len(wanted))
		}
	}
	for _, prefix := range []string{"", "a", "a/", "page/1", "page/2999", "\xff", "none"} {
		var all, onlyNames []string
		for info, err := range file.All(prefix) {
			must(t, err)
			if info.Length != uint64(len(info.Name)) || info.Version == 0 || info.Tag != nil ||
				info.Created.IsZero() || info.Modified.Before(info.Created) {
				t.Fatalf("%+v", info)
			}
			all = append(all, info.Name)
		}
		check(prefix, all)
		for name, err := range file.Names(prefix) {
			must(t, err)
			onlyNames = append(onlyNames, name)
		}
		check(prefix, onlyNames)
	}

	list := got(file.List("page/", ListNamesOnly))(t)
	defer list.Close()
	must(t, file.Delete("page/2"))
	got(file.Put("page/1x", nil))(t)
	for _, from := range []string{"page/2", "", "page/1x", "page/999", "b", "q"} {
		must(t, list.Seek(from))
		i, _ := slices.BinarySearch(names, max(from, "page/"))
		for ; list.Next(); i++ {
			if list.Info().Name != names[i] {
				t.Fatalf("%q, want %q", list.Info().Name, names[i])
			}
		}
		must(t, list.Err())
		if i < len(names) && strings.HasPrefix(names[i], "page/") || list.Info().Name != "" {
			t.Fatalf("ended before %q", names[i])
		}
	}
	for range file.All("") {
		break
	}
}

func TestBlockReadOnly(t *testing.T) {
	path := blocksPath(t)
	_, err := OpenFile(background, path, OpenMode(OpenReadOnly))
	want(t, err, ErrNotFound)
	file := openBlocks(t, path)
	m := blockModel{}
	m.put(t, file, "a", []byte("kept"))
	must(t, file.Close())

	file = openBlocks(t, path, OpenMode(OpenReadOnly))
	m.compare(t, openBlocks(t, path, OpenMode(OpenReadOnly))) // as many as one likes
	_, err = OpenFile(background, path)
	want(t, err, ErrBusy)
	tx := got(file.Begin())(t)
	defer tx.Rollback()
	var batch BlockBatch
	batch.Append("a", nil)
	for name, err := range map[string]error{
		"Put":                  second(file.Put("a", nil)),
		"PutBatch":             file.PutBatch(&batch),
		"Append":               second(file.Append("a", []byte("x"))),
		"Patch":                file.Patch("a", 0, []byte("x")),
		"Delete":               file.Delete("a"),
		"Rename":               file.Rename("a", "b"),
		"SetTag":               file.SetTag("a", []byte("x")),
		"Put in a transaction": second(tx.Put("a", nil)),
	} {
		if !errors.Is(err, ErrReadOnly) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, file.Flush(FlushDevice))
	m.compare(t, file)
	must(t, file.Close())
}

func TestBlockErrorsCarryCode(t *testing.T) {
	_, err := OpenFile(background, "/no/such/folder/blocks")
	var e *Error
	if !errors.As(err, &e) || e.OS != int32(syscall.ENOENT) || e.Index != -1 ||
		!strings.Contains(e.Msg, "/no/such/folder") || !errors.Is(err, ErrNotFound) {
		t.Fatalf("got %#v", err)
	}
	path := blocksPath(t)
	for _, options := range [][]Option{{DirtyBytes(1)}, {GrowthBytes(1)}, {JournalBytes(1)},
		{DirtyBlocks(0)}, {CacheBytes(-1)}, {CacheBytes(1), CacheBytes(2)}, {ChangesInFlight(0)},
		{FlushesInFlight(0)}, {FileChecksum(7)}} {
		_, err = OpenFile(background, path, options...)
		want(t, err, ErrInvalidArgument)
	}
	_, err = OpenFile(background, path, BudgetBytes(1<<20)) // not an option of a file
	want(t, err, ErrUnsupported)
	_, err = OpenFile(background, path+"\x00")
	want(t, err, ErrInvalidArgument)
	_, err = OpenFile(background, path, OpenMode(OpenExisting))
	want(t, err, ErrNotFound)

	file := openBlocks(t, path, DirtyBytes(1<<20), DirtyBlocks(10), CacheBytes(0), GrowthBytes(1<<20),
		JournalBytes(1<<20), OpenMode(OpenNew), ChangesInFlight(1), FlushesInFlight(1))
	_, err = OpenFile(background, path)
	want(t, err, ErrBusy)
	got(file.Put("a", []byte("12345")))(t)
	for name, err := range map[string]error{
		"Stat":          second(file.Stat("none")),
		"Read":          second(file.Read(nil, "none")),
		"ReadRange":     second(file.ReadRange(nil, "none", 0)),
		"Get":           second(file.Get("none")),
		"Delete":        file.Delete("none"),
		"Patch":         file.Patch("none", 0, []byte("x")),
		"Rename":        file.Rename("none", "b"),
		"RenameReplace": file.RenameReplace("none", "b"),
		"SetTag":        file.SetTag("none", nil),
	} {
		if !errors.Is(err, ErrNotFound) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s of no block: %v", name, err)
		}
	}
	for _, name := range []string{"", "n\x00l", strings.Repeat("n", BlockNameMax+1)} {
		want(t, second(file.Put(name, nil)), ErrInvalidArgument)
		want(t, second(file.Stat(name)), ErrInvalidArgument)
		want(t, second(file.Read(nil, name)), ErrInvalidArgument)
	}
	want(t, file.Patch("a", 3, []byte("678")), ErrInvalidArgument)
	want(t, file.SetTag("a", make([]byte, BlockTagMax+1)), ErrTooBig)
	got(file.Put("b", nil))(t)
	want(t, file.Rename("a", "b"), ErrAlreadyExists)
	if dst := got(file.Read([]byte("before"), "b"))(t); string(dst) != "before" {
		t.Fatalf("read %q", dst)
	}
	if dst, err := file.Read([]byte("before"), "none"); string(dst) != "before" || err == nil {
		t.Fatalf("read %q", dst)
	}
	var buffer ReadBuffer
	must(t, file.ReadBatch(&buffer, "b", "none", "a"))
	want(t, buffer.Err(1), ErrNotFound)
	if buffer.Len() != 3 || buffer.Err(0) != nil || buffer.Err(2) != nil ||
		len(buffer.Bytes(1)) != 0 || string(buffer.Bytes(2)) != "12345" {
		t.Fatalf("read %v", buffer)
	}
	want(t, file.ReadBatch(&buffer, "a", ""), ErrInvalidArgument)
	if buffer.Len() != 0 {
		t.Fatal("a batch that failed has blocks")
	}
	must(t, file.ReadBatch(&buffer))
	want(t, file.Flush(77), ErrInvalidArgument)
	must(t, file.Close())
	_, err = OpenFile(background, path, FileChecksum(ChecksumSHA256))
	want(t, err, ErrInvalidArgument)
}

func TestBlockAppendAndPatch(t *testing.T) {
	random := newRandom(t)
	path := blocksPath(t)
	file := openBlocks(t, path)
	m := blockModel{}
	for i := range 200 {
		name := fmt.Sprint(i % 3)
		data := randomBytes(random, random.IntN(9000))
		if length := got(file.Append(name, data))(t); length != uint64(len(m[name])+len(data)) {
			t.Fatalf("%d bytes, want %d", length, len(m[name])+len(data))
		}
		m[name] = append(m[name], data...)
		if held := m[name]; len(held) > 0 {
			from := random.IntN(len(held))
			to := from + random.IntN(len(held)-from+1)
			copy(held[from:to], data)
			must(t, file.Patch(name, uint64(from), held[from:to]))
		}
		if i%50 == 0 {
			must(t, file.Flush(FlushCheckpoint))
			m.compare(t, file)
		}
	}
	m.compare(t, file)
	must(t, file.Close())
	m.compare(t, openBlocks(t, path))
}

func TestBlockRenameAndTag(t *testing.T) {
	started := time.Now().Add(-time.Minute)
	path := blocksPath(t)
	file := openBlocks(t, path)
	m := blockModel{}
	m.put(t, file, "a", []byte("payload"))
	m.put(t, file, "other", []byte("in the way"))
	tag := bytes.Repeat([]byte{0, 0xff}, BlockTagMax/2)
	must(t, file.SetTag("a", tag))
	tagged := got(file.Stat("a"))(t)
	must(t, file.Rename("a", "b"))
	m["b"] = m["a"]
	delete(m, "a")
	m.compare(t, file)
	renamed := got(file.Stat("b"))(t)
	if !bytes.Equal(renamed.Tag, tag) || renamed.Name != "b" || renamed.Version <= tagged.Version ||
		!renamed.Created.Equal(tagged.Created) || renamed.Created.Before(started) ||
		renamed.Modified.Before(renamed.Created) || renamed.Length != 7 {
		t.Fatalf("%+v was %+v", renamed, tagged)
	}
	must(t, file.Rename("b", "b"))
	if same := got(file.Stat("b"))(t); same.Version != renamed.Version {
		t.Fatal("the same name made a new version")
	}
	must(t, file.RenameReplace("b", "other"))
	m["other"] = m["b"]
	delete(m, "b")
	m.put(t, file, "other", []byte("a new payload keeps the tag"))
	m.compare(t, file)
	if got(file.Exists("b"))(t) || !got(file.Exists("other"))(t) {
		t.Fatal("the names are wrong")
	}
	must(t, file.Close())
	file = openBlocks(t, path)
	m.compare(t, file)
	for info, err := range file.All("other") {
		must(t, err)
		if !bytes.Equal(info.Tag, tag) {
			t.Fatalf("the tag is %v", info.Tag)
		}
	}
	must(t, file.SetTag("other", nil))
	if info := got(file.Stat("other"))(t); len(info.Tag) != 0 {
		t.Fatalf("the tag is %v", info.Tag)
	}
}
