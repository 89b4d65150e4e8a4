package spillway

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// blocksToMove has blocks of many sizes, and tags.
func blocksToMove(t testing.TB, file *File) blockModel {
	t.Helper()
	random := newRandom(t)
	m := blockModel{}
	for i := range 100 {
		name := fmt.Sprintf("folder %d/block %d", i%7, i)
		m.put(t, file, name, randomBytes(random, random.IntN(50_000)))
		must(t, file.SetTag(name, []byte(name)))
	}
	m.put(t, file, "empty", nil)
	m.put(t, file, "large", randomBytes(random, 3<<20))
	return m
}

func infosOf(t testing.TB, blocks readers) map[string]BlockInfo {
	t.Helper()
	infos := map[string]BlockInfo{}
	for info, err := range blocks.All("") {
		must(t, err)
		infos[info.Name] = info
	}
	return infos
}

func sameInfos(t testing.TB, is, was map[string]BlockInfo) {
	t.Helper()
	for name, old := range was {
		if now := is[name]; now.Version != old.Version || !now.Created.Equal(old.Created) ||
			!now.Modified.Equal(old.Modified) || !bytes.Equal(now.Tag, old.Tag) {
			t.Fatalf("%+v was %+v", now, old)
		}
	}
	if len(is) != len(was) {
		t.Fatalf("%d blocks, were %d", len(is), len(was))
	}
}

func whole(t testing.TB, file *File) {
	t.Helper()
	if report := got(file.Verify(background, VerifyFull, NoLimit))(t); report.Found != 0 {
		t.Fatalf("%+v", report)
	}
}

func TestBlockVacuumShrinks(t *testing.T) {
	path := blocksPath(t)
	file := openBlocks(t, path, GrowthBytes(1<<20))
	random := newRandom(t)
	m := blockModel{}
	for i := range 400 {
		m.put(t, file, fmt.Sprintf("%03d", i), randomBytes(random, 64<<10))
	}
	must(t, file.Flush(FlushCheckpoint))
	for i := range 400 {
		if name := fmt.Sprintf("%03d", i); i%4 != 0 {
			must(t, file.Delete(name))
			delete(m, name)
		}
	}
	must(t, file.Flush(FlushCheckpoint))
	infos := infosOf(t, file)
	before := got(os.Stat(path))(t).Size()
	plan := got(file.Vacuum(background, VacuumDryRun, NoLimit))(t)
	if plan.BytesMoved == 0 || plan.BytesAfter >= plan.BytesBefore ||
		got(os.Stat(path))(t).Size() != before {
		t.Fatalf("%+v", plan)
	}
	m.compare(t, file)

	got(file.Vacuum(background, 0, 1<<20))(t) // a quota
	m.compare(t, file)
	var progress Progress
	result := got(file.Vacuum(WithProgress(background, &progress), VacuumFull, NoLimit))(t)
	after := got(os.Stat(path))(t).Size()
	if !result.Done || after >= before/2 || result.BytesFile != uint64(after) ||
		result.BytesAfter > result.BytesBefore {
		t.Fatalf("%d bytes, were %d: %+v", after, before, result)
	}
	if done, total := progress.Bytes(); done > total || done == 0 {
		t.Fatalf("%d of %d bytes", done, total)
	}
	m.compare(t, file)
	sameInfos(t, infosOf(t, file), infos)
	whole(t, file)
	if again := got(file.Vacuum(background, VacuumFull, NoLimit))(t); !again.Done {
		t.Fatalf("%+v", again)
	}
	want(t, second(file.Vacuum(background, 64, NoLimit)), ErrUnsupported)
	must(t, file.Close())
	file = openBlocks(t, path)
	m.compare(t, file)
	sameInfos(t, infosOf(t, file), infos)
	whole(t, file)
}

func TestBlockCopyIsEqual(t *testing.T) {
	path := blocksPath(t)
	file := openBlocks(t, path)
	m := blocksToMove(t, file)
	infos := infosOf(t, file)
	snapshot := got(file.Snapshot())(t)
	defer snapshot.Close()
	got(file.Put("later", []byte("not in the snapshot")))(t)
	var progress Progress
	must(t, snapshot.Copy(WithProgress(background, &progress), path+".old"))
	if done, total := progress.Bytes(); done == 0 || done != total {
		t.Fatalf("%d of %d bytes", done, total)
	}
	must(t, file.Copy(background, path+".new"))
	want(t, file.Copy(background, path+".new"), ErrAlreadyExists)
	want(t, file.Copy(background, filepath.Join(t.TempDir(), "none", "copy")), ErrNotFound)
	must(t, snapshot.Close())

	old := openBlocks(t, path+".old")
	m.compare(t, old)
	sameInfos(t, infosOf(t, old), infos)
	whole(t, old)
	m["later"] = []byte("not in the snapshot")
	copied := openBlocks(t, path+".new", OpenMode(OpenReadOnly))
	m.compare(t, copied)
	sameInfos(t, infosOf(t, copied), infosOf(t, file))
	whole(t, copied)

	must(t, file.Close())
	damage(t, path, m["large"])
	file = openBlocks(t, path)
	err := file.Copy(background, path+".damaged")
	var e *Error
	if !errors.As(err, &e) || e.Code != ErrCorrupt || !strings.Contains(e.Msg, "large") {
		t.Fatalf("got %v", err)
	}
	if _, err := os.Stat(path + ".damaged"); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("a copy of damage: %v", err)
	}
}

func TestBlockScrubReports(t *testing.T) {
	path := blocksPath(t)
	file := openBlocks(t, path)
	m := blocksToMove(t, file)
	want(t, second(file.ScrubReport()), ErrNotFound)
	must(t, file.Close())
	damage(t, path, m["large"])

	file = openBlocks(t, path)
	want(t, second(file.ScrubReport()), ErrNotFound)
	must(t, file.Scrub(NoLimit))
	eventually(t, "a pass ends", func() bool { return got(file.Stats())(t).ScrubPasses > 0 })
	report := got(file.ScrubReport())(t)
	if report.Blocks != uint64(len(m)) || report.BlocksDamaged != 1 || len(report.Problems) != 1 ||
		report.Problems[0].Block != "large" || report.Problems[0].Code != ErrCorrupt {
		t.Fatalf("%+v", report)
	}
	if stats := got(file.Stats())(t); stats.ScrubProblems == 0 {
		t.Fatalf("%+v", stats)
	}
	must(t, file.Scrub(1))
	must(t, file.Scrub(0))
	delete(m, "large")
	must(t, file.Delete("large"))
	m.compare(t, file)
}
