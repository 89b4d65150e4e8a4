// Bench measures what a record costs on its way in and out, in a store in memory only, and what a
// batch of blocks costs, in a file at BLOCKS if that is set; the same workload is there in every
// language: tests/bindings/throughput.sh says which. RECORDS=n sets how many records.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"spillway"
)

const (
	recordBytes = 128
	batchMax    = 1000
	rounds      = 3
)

func main() {
	log.SetFlags(0)
	records := 3_000_000
	if text := os.Getenv("RECORDS"); text != "" {
		given, err := strconv.Atoi(text)
		if err != nil || given < 1 {
			log.Fatalf("RECORDS=%s", text)
		}
		records = given
	}
	var add, read time.Duration
	for round := range rounds + 1 {
		addTook, readTook := measure(records)
		log.Printf("round %d: add %v, read %v", round, addTook, readTook)
		if round == 0 {
			continue // warms up the allocator and the caches
		}
		if round == 1 || addTook < add {
			add = addTook
		}
		if round == 1 || readTook < read {
			read = readTook
		}
	}
	fmt.Printf("add_ns_per_record %.2f\n", float64(add.Nanoseconds())/float64(records))
	fmt.Printf("read_ns_per_record %.2f\n", float64(read.Nanoseconds())/float64(records))
	if path := os.Getenv("BLOCKS"); path != "" {
		measureBlocks(path)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func measure(records int) (add, read time.Duration) {
	ctx := context.Background()
	store, err := spillway.OpenMemory(ctx, spillway.BudgetBytes(spillway.Unlimited))
	check(err)
	defer func() { check(store.Close(ctx)) }()
	stream, err := store.Stream("bench", spillway.StreamCreate)
	check(err)

	started := time.Now()
	addAll(ctx, store, stream, records)
	add = time.Since(started)

	started = time.Now()
	sum := readAll(ctx, store, stream)
	read = time.Since(started)
	if want := expected(records); sum != want {
		log.Fatalf("sum %d, want %d", sum, want)
	}
	return add, read
}

func addAll(ctx context.Context, store *spillway.Store, stream spillway.Stream, records int) {
	var batch spillway.Batch
	record := payload()
	for i := range records {
		binary.LittleEndian.PutUint64(record, uint64(i))
		batch.Append(record)
		if batch.Len() == batchMax || i+1 == records {
			_, err := store.Add(ctx, stream, &batch)
			check(err)
			batch.Reset()
		}
	}
}

func readAll(ctx context.Context, store *spillway.Store, stream spillway.Stream) (sum uint64) {
	cursor, err := store.Cursor(stream)
	check(err)
	defer cursor.Close()
	check(cursor.Limit(batchMax, spillway.NoLimit))
	for cursor.Next(ctx) {
		view := cursor.Batch()
		for i := range view.Len() {
			bytes := view.Bytes(i)
			sum += uint64(bytes[0]) + uint64(bytes[len(bytes)-1])
		}
	}
	check(cursor.Err())
	return sum
}

func payload() []byte {
	record := make([]byte, recordBytes)
	for i := range record {
		record[i] = byte(i)
	}
	return record
}

// expected is the sum of the first and last byte of each record.
func expected(records int) (sum uint64) {
	for i := range records {
		sum += uint64(byte(i)) + recordBytes - 1
	}
	return sum
}
