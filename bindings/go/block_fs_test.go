package spillway

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// filesToShow has names that are paths and some that are none, a block with the name of a folder,
// and a folder whose blocks are not next to each other.
var filesToShow = map[string]string{
	"a":          "has the name of a folder",
	"a-b":        "between the block a and the folder a",
	"a/x":        "x",
	"a/deep/er":  "deeper",
	"b.txt":      strings.Repeat("large ", 50_000),
	"empty":      "",
	"a0":         "behind the folder a",
	"c/1":        "1",
	"c/10":       "10",
	"c/2":        "2",
	"/rooted":    "no path",
	"a//b":       "no path",
	"d/":         "no path, and so no folder d",
	"e/../f":     "no path",
	".":          "no path",
	"g\xff/text": "no path",
}

func fileToShow(t testing.TB) *File {
	file := openBlocks(t, blocksPath(t))
	var batch BlockBatch
	for name, text := range filesToShow {
		batch.Append(name, []byte(text))
	}
	must(t, file.PutBatch(&batch))
	return file
}

func TestBlocksAsAFileSystem(t *testing.T) {
	file := fileToShow(t)
	snapshot := got(file.Snapshot())(t)
	defer snapshot.Close()
	for _, fsys := range []*BlockFS{file.FS(), snapshot.FS()} {
		must(t, fstest.TestFS(fsys, "a-b", "a/x", "a/deep/er", "b.txt", "empty", "a0", "c/1", "c/10",
			"c/2"))
		var shown []string
		must(t, fs.WalkDir(fsys, ".", func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				shown = append(shown, path)
				if text := got(fsys.ReadFile(path))(t); string(text) != filesToShow[path] {
					t.Errorf("%q holds %d other bytes", path, len(text))
				}
			}
			return err
		}))
		if wanted := strings.Fields("a/deep/er a/x a-b a0 b.txt c/1 c/10 c/2 empty"); !slices.Equal(
			slices.Sorted(slices.Values(shown)), slices.Sorted(slices.Values(wanted))) {
			t.Fatalf("shown are %q", shown)
		}
	}
	sub := got(fs.Sub(file.FS(), "a"))(t)
	must(t, fstest.TestFS(sub, "x", "deep/er"))
	if text := got(fs.ReadFile(sub, "deep/er"))(t); string(text) != "deeper" {
		t.Fatalf("read %q", text)
	}
	if found := got(fs.Glob(file.FS(), "c/1*"))(t); !slices.Equal(found, []string{"c/1", "c/10"}) {
		t.Fatalf("found %q", found)
	}
	must(t, file.Delete("c/1"))
	_, err := file.FS().Stat("c/1")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v", err)
	}
	info := got(snapshot.FS().Stat("c/1"))(t)
	if block, ok := info.Sys().(BlockInfo); !ok || block.Name != "c/1" || info.Name() != "1" ||
		info.Size() != 1 || info.Mode() != 0o444 || !info.ModTime().Equal(block.Modified) {
		t.Fatalf("%+v", info)
	}
}

func TestErrorsOfABlockFileSystem(t *testing.T) {
	file := fileToShow(t)
	fsys := file.FS()
	check := func(name string, err, wanted error) {
		t.Helper()
		var of *fs.PathError
		if !errors.Is(err, wanted) || !errors.As(err, &of) || of.Path != name {
			t.Errorf("%q: %v", name, err)
		}
	}
	for name, wanted := range map[string]error{"none": fs.ErrNotExist, "a/none": fs.ErrNotExist,
		"d": fs.ErrNotExist, "": fs.ErrInvalid, "/rooted": fs.ErrInvalid, "a//b": fs.ErrInvalid} {
		check(name, second(fsys.Open(name)), wanted)
		check(name, second(fsys.Stat(name)), wanted)
		check(name, second(fsys.ReadFile(name)), wanted)
		check(name, second(fsys.ReadDir(name)), wanted)
	}
	check("a", second(fsys.ReadFile("a")), errFolder)
	check("empty", second(fsys.ReadDir("empty")), errNoFolder)
	folder := got(fsys.Open("c"))(t)
	check("c", second(folder.Read(make([]byte, 1))), errFolder)
	one := got(folder.(fs.ReadDirFile).ReadDir(1))(t)
	rest := got(folder.(fs.ReadDirFile).ReadDir(5))(t)
	if len(one) != 1 || one[0].Name() != "1" || len(rest) != 2 || rest[0].Name() != "10" {
		t.Fatalf("%v, then %v", one, rest)
	}
	if _, err := folder.(fs.ReadDirFile).ReadDir(1); err != io.EOF {
		t.Fatalf("got %v", err)
	}
	must(t, folder.Close())
	check("c", second(folder.(fs.ReadDirFile).ReadDir(1)), fs.ErrClosed)
	must(t, file.Close())
	for _, name := range []string{".", "a", "b.txt"} {
		check(name, second(fsys.Open(name)), fs.ErrClosed)
	}
}
