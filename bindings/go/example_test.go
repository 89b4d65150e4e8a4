package spillway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
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
		spillway.ColdTier(spillway.TierSQLite), spillway.BudgetBytes(8<<20))
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
