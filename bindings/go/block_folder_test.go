package spillway

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestBlockImportExportRoundTrip(t *testing.T) {
	folder := t.TempDir()
	file := openBlocks(t, filepath.Join(folder, "one.blocks"))
	m := blocksToMove(t, file)
	bytesOfAll := uint64(0)
	for _, data := range m {
		bytesOfAll += uint64(len(data))
	}
	out := filepath.Join(folder, "out")
	transfer := got(file.Export(background, "", out))(t)
	if transfer != (Transfer{Blocks: uint64(len(m)), Bytes: bytesOfAll}) {
		t.Fatalf("%+v", transfer)
	}
	files := 0
	must(t, fs.WalkDir(os.DirFS(out), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			files++
			if !bytes.Equal(got(os.ReadFile(filepath.Join(out, path)))(t), m[path]) {
				t.Errorf("%q holds other bytes", path)
			}
		}
		return err
	}))
	if files != len(m) {
		t.Fatalf("%d files for %d blocks", files, len(m))
	}
	must(t, os.Symlink("large", filepath.Join(out, "link")))

	other := openBlocks(t, filepath.Join(folder, "two.blocks"))
	imported := blockModel{}
	for name, data := range m {
		imported["in/"+name] = data
	}
	var progress Progress
	transfer = got(other.Import(WithProgress(background, &progress), out, "in/"))(t)
	if transfer != (Transfer{Blocks: uint64(len(m)), Bytes: bytesOfAll, Ignored: 1}) {
		t.Fatalf("%+v", transfer)
	}
	if done, total := progress.Bytes(); done < bytesOfAll || total != 0 {
		t.Fatalf("%d of %d bytes", done, total)
	}
	imported.compare(t, other)
	transfer = got(other.Import(background, out, "in/"))(t)
	if transfer != (Transfer{Equal: uint64(len(m)), Ignored: 1}) {
		t.Fatalf("%+v", transfer)
	}
	imported.compare(t, other)

	// Names that cannot be paths come back all the same; a prefix bounds what is written.
	wild := blockModel{}
	for _, name := range []string{"w/a//b", "w/../up", "w/.", "w/%41", "w/\xff\xfe", "w/a:b\\c", "w//"} {
		wild.put(t, file, name, []byte(name))
	}
	must(t, file.View(func(s *Snapshot) error {
		transfer = got(s.Export(background, "w/", filepath.Join(folder, "wild")))(t)
		return nil
	}))
	if transfer.Blocks != uint64(len(wild)) {
		t.Fatalf("%+v", transfer)
	}
	third := openBlocks(t, filepath.Join(folder, "three.blocks"))
	got(third.Import(background, filepath.Join(folder, "wild"), "w/"))(t)
	wild.compare(t, third)
	want(t, second(third.Import(background, filepath.Join(folder, "none"), "")), ErrNotFound)
}
