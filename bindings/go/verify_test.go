package spillway

import (
	"context"
	"testing"
)

func TestStoreVerifyReportsDamagedRecords(t *testing.T) {
	const count, length = 1000, 1000
	random := newRandom(t)
	path := storePath(t)
	store := openAt(t, path)
	log := newStream(t, store, "log")
	other := newStream(t, store, "other")
	records := make([][]byte, count)
	var batch Batch
	for i := range records {
		records[i] = randomBytes(random, length)
		batch.Append(records[i])
	}
	got(store.Add(background, log, &batch))(t)
	add(t, store, other, "good")
	must(t, store.Flush(background, FlushDevice))
	add(t, store, other, "in memory only")
	report := got(store.Verify(background, AllStreams, NoLimit))(t)
	if report.Streams != 2 || report.Records != count+1 || report.Bytes != count*length+4 ||
		report.RecordsDamaged != 0 || report.Found != 0 || report.Ranges != nil {
		t.Fatalf("%+v", report)
	}
	must(t, store.Close(background))
	damage(t, path, records[500])

	store = openAt(t, path)
	var progress Progress
	report = got(store.Verify(WithProgress(background, &progress), log, NoLimit))(t)
	if report.Streams != 1 || report.Records != count || report.Found != 1 ||
		len(report.Ranges) != 1 {
		t.Fatalf("%+v", report)
	}
	if done, total := progress.Records(); done != count || total != count {
		t.Fatalf("%d of %d records", done, total)
	}
	hit := report.Ranges[0]
	if hit.Code != ErrCorrupt || hit.Stream != log || hit.Message == "" || hit.Begin > 500 ||
		hit.End <= 500 || hit.End-hit.Begin != report.RecordsDamaged ||
		report.Bytes != length*(count-report.RecordsDamaged) {
		t.Fatalf("%+v", report)
	}
	for i := range uint64(count) {
		payload, _, err := store.Read(nil, log, i)
		if hit.Begin <= i && i < hit.End {
			want(t, err, ErrCorrupt)
		} else if string(payload) != string(records[i]) {
			t.Fatal("another record", i)
		}
	}
	if report = got(store.Verify(background, other, NoLimit))(t); report.Found != 0 {
		t.Fatalf("%+v", report)
	}

	want(t, second(store.Verify(background, log, 0)), ErrInvalidArgument)
	want(t, second(store.Verify(background, 99, NoLimit)), ErrNotFound)
	ctx, cancel := context.WithCancel(background)
	cancel()
	want(t, second(store.Verify(ctx, log, NoLimit)), ErrCancelled)
	must(t, store.Close(background))
	want(t, second(store.Verify(background, log, NoLimit)), ErrClosed)
}
