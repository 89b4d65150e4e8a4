// Search puts the lines of log files into a store under a budget of 8 MiB; then, from the store
// opened again, prints the lines with a word, and compares all lines with the files:
//
//	search STORE WORD FILE...
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"log"
	"os"
	"spillway"
)

var ctx = context.Background()

func main() {
	if len(os.Args) < 4 {
		log.Fatalf("usage: %s STORE WORD FILE...", os.Args[0])
	}
	store, stream := openStore(os.Args[1], spillway.OpenNew)
	ingest(store, stream, os.Args[3:])
	store, stream = openStore(os.Args[1], spillway.OpenExisting)
	search(store, stream, []byte(os.Args[2]), os.Args[3:])
}

func check(err error) {
	if err != nil && err != io.EOF {
		log.Fatal(err)
	}
}

func openStore(path string, mode spillway.Mode) (*spillway.Store, spillway.Stream) {
	store, err := spillway.Open(ctx, path, spillway.OpenMode(mode),
		spillway.BudgetBytes(8<<20))
	check(err)
	stream, err := store.Stream("log", spillway.StreamCreate)
	check(err)
	return store, stream
}

func ingest(store *spillway.Store, stream spillway.Stream, files []string) {
	batch, count, size := spillway.Batch{}, 0, 0
	addBatch := func() {
		_, err := store.Add(ctx, stream, &batch)
		check(err)
		batch.Reset()
	}
	for line := range lines(files) {
		batch.Append(line)
		count, size = count+1, size+len(line)
		if batch.Len() == 1000 {
			addBatch()
		}
	}
	addBatch()
	check(store.Close(ctx)) // from here on they are safe
	fmt.Printf("%d lines, %d bytes added\n", count, size)
}

func search(store *spillway.Store, stream spillway.Stream, word []byte, files []string) {
	defer store.Close(ctx)
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

// lines gives the lines of all files without their line feeds, however long they are.
func lines(files []string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, path := range files {
			file, err := os.Open(path)
			defer file.Close()
			for reader, line := bufio.NewReader(file), []byte{}; err == nil; {
				line, err = reader.ReadBytes('\n')
				if len(line) > 0 && !yield(bytes.TrimSuffix(line, []byte("\n"))) {
					return
				}
			}
			check(err)
		}
	}
}
