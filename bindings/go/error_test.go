package spillway

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestErrorsCarryCodeAndPlace(t *testing.T) {
	_, err := Open(background, "/no/such/folder/store")
	var e *Error
	if !errors.As(err, &e) || e.OS != int32(syscall.ENOENT) ||
		!strings.Contains(e.Msg, "/no/such/folder") {
		t.Fatalf("got %#v", err)
	}
	if !errors.Is(err, syscall.ENOENT) || !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, e.Code) {
		t.Fatalf("got %v", err)
	}
	if errors.Is(err, ErrBusy) || errors.Is(err, context.Canceled) || e.Index != -1 {
		t.Fatalf("got %#v", err)
	}
	text := err.Error()
	if !strings.HasPrefix(text, "spillway: SPW_") || !strings.HasSuffix(text, e.Msg) {
		t.Fatalf("text %q", text)
	}

	store := openMemory(t)
	stream := newStream(t, store, "log")
	add(t, store, stream, "zero", "one")
	_, err = store.Gather(stream, []uint64{1, 0, 7, 1})
	want(t, err, ErrNotFound)
	if !errors.As(err, &e) || e.Index != 2 || e.Msg == "" {
		t.Fatalf("got %#v", err)
	}
	_, _, err = store.Read(nil, stream, 2)
	want(t, err, ErrNotFound)
	must(t, store.Clear(stream))
	_, _, err = store.Read(nil, stream, 1)
	want(t, err, ErrTrimmed)
	_, err = store.Add(background, 4711, batchOf("x"))
	want(t, err, ErrNotFound)
	_, err = store.Add(background, AllStreams, batchOf("x"))
	want(t, err, ErrNotFound)

	_, err = OpenMemory(background, Option{Key: 99, Value: 1})
	want(t, err, ErrUnsupported)
	_, err = OpenMemory(background, Times(true)) // not an option of a store
	want(t, err, ErrUnsupported)
	_, err = OpenMemory(background, BudgetBytes(1))
	want(t, err, ErrInvalidArgument)
	_, err = OpenMemory(background, Timeout(-1))
	want(t, err, ErrInvalidArgument)
	_, err = OpenMemory(background, BudgetRecords(5), BudgetRecords(6))
	want(t, err, ErrInvalidArgument)
	_, err = OpenMemory(background, AddsInFlight(0))
	want(t, err, ErrInvalidArgument)
	want(t, store.SetOption(AllStreams, Option{Key: 99}), ErrUnsupported)
	_, err = store.Option(stream, 99)
	want(t, err, ErrUnsupported)
}

func TestErrorsOfAPath(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "store.spw")
	_, err := Open(background, path, OpenMode(OpenExisting))
	want(t, err, ErrNotFound)
	_, err = Open(background, path, ColdTier(99))
	want(t, err, ErrInvalidArgument)
	openAt(t, path, OpenMode(OpenNew))
	_, err = Open(background, path)
	want(t, err, ErrBusy)
	other := filepath.Join(folder, "other")
	must(t, os.WriteFile(other, []byte(strings.Repeat("no store ", 1000)), 0o600))
	_, err = Open(background, other)
	want(t, err, ErrCorrupt)
	_, err = Open(background, other, OpenMode(OpenNew))
	want(t, err, ErrAlreadyExists)
	_, err = Open(background, folder)
	if err == nil {
		t.Fatal("a folder was opened")
	}
}

func TestCodesHaveTheNamesOfTheirValues(t *testing.T) {
	for code, name := range map[Code]string{spwOK: "SPW_OK", ErrTrimmed: "SPW_TRIMMED",
		ErrInternal: "SPW_INTERNAL", ErrConflict: "SPW_CONFLICT", 77: "SPW_UNKNOWN"} {
		if code.Error() != name {
			t.Errorf("code %d is %q, want %q", code, code.Error(), name)
		}
	}
	for code := ErrInvalidArgument; code <= ErrConflict; code++ {
		if shared := sharedError(code); shared != nil && (shared.Code != code || shared.Index != -1) {
			t.Errorf("code %v has the error %v", code, shared)
		}
	}
}

func TestClearedRecordsStopACursorUntilSeek(t *testing.T) {
	store := openMemory(t)
	stream := newStream(t, store, "log")
	add(t, store, stream, "zero", "one", "two")
	cursor := got(store.Cursor(stream))(t)
	defer cursor.Close()
	must(t, cursor.Limit(1, NoLimit))
	if !cursor.Next(background) {
		t.Fatal(cursor.Err())
	}
	must(t, store.Clear(stream))
	for range 2 {
		if cursor.Next(background) {
			t.Fatal("cleared records were read")
		}
		want(t, cursor.Err(), ErrTrimmed)
	}
	steps := 0
	for record, err := range cursor.All(background) {
		want(t, err, ErrTrimmed)
		if record.Bytes != nil {
			t.Fatal("a record with an error")
		}
		steps++
	}
	if steps != 1 {
		t.Fatalf("%d steps", steps)
	}
	must(t, cursor.Seek(3))
	if cursor.Next(background) || cursor.Err() != nil {
		t.Fatalf("at the end: %v", cursor.Err())
	}
	want(t, cursor.Seek(4), ErrInvalidArgument)
}
