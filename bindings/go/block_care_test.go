package spillway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
)

// damage changes one byte of what a block of a closed file holds.
func damage(t testing.TB, path string, payload []byte) {
	t.Helper()
	data := got(os.ReadFile(path))(t)
	at := bytes.Index(data, payload)
	if at < 0 || bytes.Count(data, payload) != 1 {
		t.Fatalf("the payload is there %d times", bytes.Count(data, payload))
	}
	data[at+len(payload)/2] ^= 1
	must(t, os.WriteFile(path, data, 0o600))
}

func TestBlockVerifyReportsDamage(t *testing.T) {
	random := newRandom(t)
	path := blocksPath(t)
	file := openBlocks(t, path)
	m := blockModel{}
	for i := range 20 {
		m.put(t, file, fmt.Sprint("block ", i), randomBytes(random, 5000))
	}
	must(t, file.Flush(FlushDevice))
	for _, level := range []VerifyLevel{VerifyStructures, VerifyFull} {
		report := got(file.Verify(background, level, NoLimit))(t)
		if report.Blocks != 20 || report.BlocksDamaged != 0 || report.Found != 0 ||
			report.Problems != nil || report.Bytes == 0 {
			t.Fatalf("%+v", report)
		}
	}
	must(t, file.Close())
	damage(t, path, m["block 7"])

	file = openBlocks(t, path)
	var progress Progress
	report := got(file.Verify(WithProgress(background, &progress), VerifyFull, NoLimit))(t)
	if report.Blocks != 20 || report.BlocksDamaged != 1 || report.Found != 1 ||
		report.Bytes < 20*5000 || len(report.Problems) != 1 {
		t.Fatalf("%+v", report)
	}
	problem := report.Problems[0]
	if problem.Code != ErrCorrupt || problem.Block != "block 7" || problem.Message == "" {
		t.Fatalf("%+v", problem)
	}
	if done, total := progress.Bytes(); done < 20*5000 || done != total {
		t.Fatalf("%d of %d bytes", done, total)
	}
	_, err := file.Get("block 7")
	want(t, err, ErrCorrupt)
	var e *Error
	if dst, err := file.Read(nil, "block 7"); dst != nil || !errors.As(err, &e) ||
		e.Code != ErrCorrupt || e.Msg == "" {
		t.Fatalf("got %#v", err)
	}
	var buffer ReadBuffer
	must(t, file.ReadBatch(&buffer, "block 6", "block 7", "block 8"))
	want(t, buffer.Err(1), ErrCorrupt)
	if !bytes.Equal(buffer.Bytes(0), m["block 6"]) || !bytes.Equal(buffer.Bytes(2), m["block 8"]) {
		t.Fatal("other blocks have other bytes")
	}
	if stats := got(file.Stats())(t); stats.ChecksumErrors == 0 {
		t.Fatal("no checksum error was counted")
	}
	m.put(t, file, "block 7", []byte("whole again"))
	m.compare(t, file)

	want(t, second(file.Verify(background, 64, NoLimit)), ErrUnsupported)
	want(t, second(file.Verify(background, VerifyFull, 0)), ErrInvalidArgument)
}

func TestCancelledCallsOfABlockFile(t *testing.T) {
	path := blocksPath(t)
	file := openBlocks(t, path)
	got(file.Put("a", make([]byte, 1<<20)))(t)
	must(t, file.Flush(FlushDevice))
	reason := errors.New("the user went away")
	ctx, cancel := context.WithCancelCause(background)
	cancel(reason)
	folder := t.TempDir()
	for name, err := range map[string]error{
		"OpenFile": second(OpenFile(ctx, path)),
		"Verify":   second(file.Verify(ctx, VerifyFull, NoLimit)),
		"Vacuum":   second(file.Vacuum(ctx, VacuumFull, NoLimit)),
		"Copy":     file.Copy(ctx, path+".copy"),
		"Import":   second(file.Import(ctx, folder, "")),
		"Export":   second(file.Export(ctx, "", folder)),
	} {
		if !errors.Is(err, context.Canceled) || !errors.Is(err, reason) ||
			!errors.Is(err, ErrCancelled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if entries := got(os.ReadDir(folder))(t); len(entries) != 0 {
		t.Fatalf("%v was exported", entries)
	}

	// During the call: at a byte a second it would take days.
	slow, cancelSlow := context.WithCancelCause(background)
	var progress Progress
	ended := make(chan error)
	go func() { ended <- second(file.Verify(WithProgress(slow, &progress), VerifyFull, 1)) }()
	eventually(t, "it runs", func() bool { _, total := progress.Bytes(); return total > 0 })
	cancelSlow(reason)
	if err := <-ended; !errors.Is(err, ErrCancelled) || !errors.Is(err, reason) {
		t.Fatalf("got %v", err)
	}
}

func TestBlockFileStats(t *testing.T) {
	file := openBlocks(t, blocksPath(t))
	got(file.Put("a", []byte("12345")))(t)
	if stats := got(file.Stats())(t); stats.Puts != 1 || stats.BlocksDirty != 1 {
		t.Fatalf("%+v", stats)
	}
	must(t, file.Flush(FlushCheckpoint))
	blob := got(file.Get("a"))(t)
	defer blob.Close()
	stats := got(file.Stats())(t)
	if stats.Blocks != 1 || stats.PayloadBytes != 5 || stats.BlocksDirty != 0 ||
		stats.BytesFile != stats.BytesUsed+stats.BytesHeld+stats.BytesFree ||
		stats.CacheMisses+stats.CacheHits == 0 || stats.Checkpoints == 0 || stats.Barriers == 0 ||
		stats.Health != 0 {
		t.Fatalf("%+v", stats)
	}
}

func TestEveryCounterOfABlockFileArrives(t *testing.T) {
	compareCounters(t, fileStatsOf) // of spw_block_stats
}
