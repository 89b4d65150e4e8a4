// Search puts the lines of log files into a store under a budget of 8 MiB; then, from the store
// opened again, prints the lines with a word, and compares all lines with the files:
//
//	search STORE WORD FILE...
package main

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"log"
	"os"

	"spillway"
)

var ctx = context.Background()

func main() {
	log.SetFlags(0)
	if len(os.Args) < 4 {
		fmt.Fprintf(os.Stderr, "usage: %s STORE WORD FILE...\n", os.Args[0])
		os.Exit(2)
	}
	path, word, files := os.Args[1], os.Args[2], os.Args[3:]

	store, stream := openStore(path, spillway.OpenNew)
	ingest(store, stream, files)
	check(store.Close(ctx))

	store, stream = openStore(path, spillway.OpenExisting)
	search(store, stream, []byte(word), files)
	check(store.Close(ctx))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func openStore(path string, mode spillway.Mode) (*spillway.Store, spillway.Stream) {
	store, err := spillway.Open(ctx, path, spillway.OpenMode(mode),
		spillway.ColdTier(spillway.TierSQLite), spillway.BudgetBytes(8<<20))
	check(err)
	stream, err := store.Stream("log", spillway.StreamCreate)
	check(err)
	return store, stream
}

func ingest(store *spillway.Store, stream spillway.Stream, files []string) {
	var batch spillway.Batch
	count, size := 0, 0
	addBatch := func() {
		_, err := store.Add(ctx, stream, &batch)
		check(err)
		batch.Reset()
	}
	for line := range lines(files) {
		batch.Append(line)
		count++
		size += len(line)
		if batch.Len() == 1000 {
			addBatch()
		}
	}
	addBatch()
	fmt.Printf("%d lines, %d bytes added\n", count, size)
}

func search(store *spillway.Store, stream spillway.Stream, word []byte, files []string) {
	found, verified := 0, 0
	nextLine, stop := iter.Pull(lines(files))
	defer stop()
	for record, err := range store.All(ctx, stream) {
		check(err)
		if bytes.Contains(record.Bytes, word) {
			if found++; found <= 3 {
				fmt.Printf("%d: %s\n", record.Seq, record.Bytes)
			}
		}
		if line, ok := nextLine(); ok && bytes.Equal(line, record.Bytes) {
			verified++
		}
	}
	fmt.Printf("%d lines with \"%s\", %d lines verified\n", found, word, verified)
}
