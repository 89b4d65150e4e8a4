package spillway

import (
	"bytes"
	"path/filepath"
	"testing"
)

// The raw layer of block files, each function once.
func TestBlockFileRaw(t *testing.T) {
	path := filepath.Join(t.TempDir(), "blocks")
	file := got(rawFileOpen(path, nil, nil))(t)
	defer func() { rawFileFree(file) }()
	leaked := rawLeakedFiles()

	version := got(rawBlockPut(file, nil, "a", []byte("first"), versionNone))(t)
	_, err := rawBlockPut(file, nil, "a", nil, version+1)
	want(t, err, ErrConflict)
	versions := make([]uint64, 2)
	must(t, rawBlockPutBatch(file, nil, []byte("bc"), []uint64{0, 1, 2}, []byte("secondthird"),
		[]uint64{0, 6, 11}, nil, versions))
	if version == 0 || versions[0] <= version || versions[1] <= version {
		t.Fatal("versions", version, versions)
	}
	if length := got(rawBlockAppend(file, nil, "c", []byte("!")))(t); length != 6 {
		t.Fatal("length", length)
	}
	must(t, rawBlockPatch(file, nil, "c", 0, []byte("T")))
	must(t, rawBlockSetTag(file, nil, "c", []byte("tag")))
	must(t, rawBlockRename(file, nil, "c", "d", 0))
	must(t, rawBlockDelete(file, nil, "b", versionAny))
	if info := got(rawBlockStat(file, nil, "d"))(t); info.length != 6 || string(info.tag) != "tag" ||
		info.createdNs > info.modifiedNs || info.version <= versions[1] {
		t.Fatal("info", info)
	}
	if got(rawBlockExists(file, nil, "b"))(t) || !got(rawBlockExists(file, nil, "d"))(t) {
		t.Fatal("exists")
	}

	buffer := make([]byte, 16)
	if count := got(rawBlockRead(file, nil, "d", 2, buffer))(t); string(buffer[:count]) != "ird!" {
		t.Fatal("read", buffer[:count])
	}
	offsets, statuses := make([]uint64, 4), make([]int32, 3)
	must(t, rawBlockReadBatch(file, nil, []byte("abd"), []uint64{0, 1, 2, 3}, buffer, offsets,
		statuses))
	if string(buffer[:offsets[3]]) != "firstThird!" || Code(statuses[1]) != ErrNotFound {
		t.Fatal("read batch", offsets, statuses)
	}
	blob := got(rawBlockGet(file, nil, "d", 0, spwNoLimit))(t)
	defer rawBlobFree(blob)

	txn := got(rawTxnBegin(file, 0))(t)
	defer rawTxnFree(txn)
	got(rawBlockPut(file, txn, "e", nil, versionAny))(t)
	list := got(rawListOpen(file, txn, "", 0))(t)
	defer rawListFree(list)
	call := new(listCall)
	must(t, call.seek(list, "b"))
	page := got(call.next(list, 10))(t)
	if string(page.names) != "de" || len(page.offsets) != 3 || page.infos[0].length != 6 {
		t.Fatal("page", page)
	}
	if page = got(call.next(list, 10))(t); len(page.offsets) != 0 {
		t.Fatal("page at the end", page)
	}
	must(t, rawTxnCommit(txn, commitRelaxed))
	must(t, rawFileFlush(file, flushCheckpoint))

	report := got(rawFileVerify(file, verifyFull, spwNoLimit, nil))(t)
	defer rawReportFree(report)
	if summary := got(rawReportSummary(report))(t); summary.blocks != 3 || summary.problems != 0 {
		t.Fatal("summary", summary)
	}
	_, err = rawReportProblem(report, 0)
	want(t, err, ErrNotFound)
	if stats := got(rawFileStatsOf(file))(t); stats.blocks != 3 || stats.payloadBytes != 11 ||
		stats.health != spwOK {
		t.Fatal("stats", stats)
	}
	must(t, rawFileClose(file, 0))
	if view := got(rawBlobView(blob))(t); !bytes.Equal(view, []byte("Third!")) {
		t.Fatal("blob", view)
	}
	if rawLeakedFiles() != leaked {
		t.Fatal("a closed file counts as leaked")
	}
}
