package spillway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/rand"
	"os"
	"path/filepath"
	"time"

	"spillway"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func Example() {
	folder, err := os.MkdirTemp("", "spillway-example-")
	check(err)
	defer os.RemoveAll(folder)
	ctx := context.Background()

	store, err := spillway.Open(ctx, filepath.Join(folder, "first.spw"),
		spillway.BudgetBytes(8<<20))
	check(err)
	stream, err := store.Stream("log", spillway.StreamCreate)
	check(err)

	var batch spillway.Batch
	batch.AppendString("Hello,")
	batch.AppendString("world")
	first, err := store.Add(ctx, stream, &batch)
	check(err)
	fmt.Println("added from sequence number", first)

	for record, err := range store.All(ctx, stream) {
		check(err)
		fmt.Printf("%d: %s\n", record.Seq, record.Bytes)
	}
	check(store.Close(ctx)) // from here on it is safe

	// Output:
	// added from sequence number 0
	// 0: Hello,
	// 1: world
}

func ExampleCursor() {
	ctx := context.Background()
	store, err := spillway.OpenMemory(ctx)
	check(err)
	defer store.Close(ctx)
	stream, err := store.Stream("log", spillway.StreamCreate)
	check(err)
	var batch spillway.Batch
	for i := range 5 {
		batch.Append(fmt.Appendf(nil, "record %d", i))
	}
	_, err = store.Add(ctx, stream, &batch)
	check(err)

	cursor, err := store.Scan(spillway.Scan{Stream: stream, Begin: 1, End: 4})
	check(err)
	defer cursor.Close()
	check(cursor.Limit(2, spillway.NoLimit))
	var last []byte
	for cursor.Next(ctx) {
		view := cursor.Batch()
		fmt.Println(view.Len(), "records from", view.Seq(0))
		last = view.AppendTo(last[:0], view.Len()-1) // a copy: the view ends with the next Next
	}
	check(cursor.Err())
	fmt.Printf("%s\n", last)

	// Output:
	// 2 records from 1
	// 1 records from 3
	// record 3
}

// A view that is to be kept, or handed to another goroutine, is detached: no copy, but a life of
// its own, which ends with its Close.
func ExampleCursor_Detach() {
	ctx := context.Background()
	store, err := spillway.OpenMemory(ctx)
	check(err)
	stream, err := store.Stream("log", spillway.StreamCreate)
	check(err)
	var batch spillway.Batch
	batch.AppendString("kept")
	_, err = store.Add(ctx, stream, &batch)
	check(err)

	cursor, err := store.Cursor(stream)
	check(err)
	cursor.Next(ctx)
	check(cursor.Err())
	kept, err := cursor.Detach()
	check(err)
	cursor.Close()
	store.Close(ctx)
	fmt.Printf("%s\n", kept.Bytes(0))
	kept.Close()

	// Output:
	// kept
}

// At the hard limit an add waits; the context ends the wait.
func ExampleStore_Add_cancel() {
	store, err := spillway.OpenMemory(context.Background(),
		spillway.BudgetBytes(256<<10), spillway.WhenFull(spillway.FullBlock))
	check(err)
	defer store.Close(context.Background())
	stream, err := store.Stream("log", spillway.StreamCreate)
	check(err)

	var batch spillway.Batch
	batch.Append(bytes.Repeat([]byte("x"), 100_000))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	for err == nil {
		_, err = store.Add(ctx, stream, &batch)
	}
	fmt.Println(errors.Is(err, context.DeadlineExceeded), errors.Is(err, spillway.ErrTimeout))

	// Output:
	// true true
}

// openExample opens a new block file, and gives what closes and removes it.
func openExample() (file *spillway.File, done func()) {
	folder, err := os.MkdirTemp("", "spillway-example-")
	check(err)
	file, err = spillway.OpenFile(context.Background(), filepath.Join(folder, "example.blocks"))
	check(err)
	return file, func() {
		check(file.Close())
		check(os.RemoveAll(folder))
	}
}

// A document's parts are saved together, and read as they were at one moment.
func ExampleFile() {
	file, done := openExample()
	defer done()
	check(file.Update(spillway.FlushDevice, func(tx *spillway.Tx) error {
		for name, text := range map[string]string{"part/1": "Hello,", "part/2": "world"} {
			if _, err := tx.Put(name, []byte(text)); err != nil {
				return err
			}
		}
		return nil
	}))
	check(file.View(func(snapshot *spillway.Snapshot) error {
		for info, err := range snapshot.All("part/") {
			if err != nil {
				return err
			}
			text, err := snapshot.Read(nil, info.Name)
			if err != nil {
				return err
			}
			fmt.Printf("%s, %d bytes: %s\n", info.Name, info.Length, text)
		}
		return nil
	}))

	// Output:
	// part/1, 6 bytes: Hello,
	// part/2, 5 bytes: world
}

// Many blocks with one call; the batch keeps its memory for the next.
func ExampleBlockBatch() {
	file, done := openExample()
	defer done()
	var batch spillway.BlockBatch
	for i := range 500 {
		batch.Append(fmt.Sprintf("block/%d", i), []byte{byte(i)})
	}
	check(file.PutBatch(&batch))
	check(file.Flush(spillway.FlushDevice))
	batch.Reset()
	batch.AppendIf("block/7", []byte("changed"), spillway.VersionNone)
	err := file.PutBatch(&batch)
	fmt.Println(errors.Is(err, spillway.ErrAlreadyExists))

	// Output:
	// true
}

// A block is changed only if nobody else did since it was read.
func ExampleFile_PutIf() {
	file, done := openExample()
	defer done()
	first, err := file.PutIf("counter", []byte{1}, spillway.VersionNone)
	check(err)
	_, err = file.PutIf("counter", []byte{2}, first)
	check(err)
	_, err = file.PutIf("counter", []byte{2}, first)
	fmt.Println(errors.Is(err, spillway.ErrConflict))

	// Output:
	// true
}

// A view is not copied, and outlives the file.
func ExampleBlob() {
	file, done := openExample()
	_, err := file.Put("a", []byte("kept"))
	check(err)
	view, err := file.Get("a")
	check(err)
	defer view.Close()
	check(file.Delete("a"))
	done()
	fmt.Printf("%s\n", view.Bytes())

	// Output:
	// kept
}

// What is too large for memory is streamed in, and appears as a whole or not at all.
func ExampleBlockWriter() {
	file, done := openExample()
	defer done()
	writer, err := file.Writer("large")
	check(err)
	defer writer.Close() // gives up what was not committed
	_, err = io.Copy(writer, io.LimitReader(rand.New(rand.NewSource(1)), 10<<20))
	check(err)
	_, err = writer.Commit()
	check(err)

	reader, err := file.Reader("large")
	check(err)
	defer reader.Close()
	count, err := io.Copy(io.Discard, reader)
	fmt.Println(count, err)

	// Output:
	// 10485760 <nil>
}

// Whatever takes an fs.FS takes the blocks.
func ExampleBlockFS() {
	file, done := openExample()
	defer done()
	for _, name := range []string{"index.html", "css/style.css"} {
		_, err := file.Put(name, nil)
		check(err)
	}
	check(fs.WalkDir(file.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		fmt.Println(path, entry.IsDir())
		return err
	}))

	// Output:
	// . true
	// css true
	// css/style.css false
	// index.html false
}
