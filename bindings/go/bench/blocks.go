package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"time"

	"spillway"
)

const (
	blocks      = 1000
	updates     = 500
	blockBytes  = 4096
	blockRounds = 40
)

// measureBlocks puts a batch of blocks, makes it durable and reads it again, in a file at path.
func measureBlocks(path string) {
	file, err := spillway.OpenFile(context.Background(), path)
	check(err)
	names := make([]string, blocks)
	for i := range names {
		names[i] = fmt.Sprintf("block/%04d", i)
	}
	updated := make([]string, updates)
	for i := range updated {
		updated[i] = names[i*(blocks/updates)]
	}
	block := bytes.Repeat([]byte{'x'}, blockBytes)
	var batch spillway.BlockBatch
	pack := func(names []string, stamp, step int) {
		batch.Reset()
		for i, name := range names {
			binary.LittleEndian.PutUint64(block, uint64(stamp+i*step))
			batch.Append(name, block)
		}
	}
	pack(names, 0, 1)
	check(file.PutBatch(&batch))
	check(file.Flush(spillway.FlushDevice))

	var buffer spillway.ReadBuffer
	var put, durable, read time.Duration
	for round := range blockRounds + 1 {
		started := time.Now()
		pack(updated, round*blocks, blocks/updates)
		check(file.PutBatch(&batch))
		putTook := time.Since(started)
		check(file.Flush(spillway.FlushDevice))
		durableTook := time.Since(started)
		check(file.ReadBatch(&buffer, updated...))
		readTook := time.Since(started) - durableTook
		for i := range updated {
			check(buffer.Err(i))
			binary.LittleEndian.PutUint64(block, uint64(round*blocks+i*(blocks/updates)))
			if !bytes.Equal(buffer.Bytes(i), block) {
				log.Fatalf("%s holds other bytes", updated[i])
			}
		}
		if round == 1 { // the one before only warms up
			put, durable, read = putTook, durableTook, readTook
		}
		put, durable, read = min(put, putTook), min(durable, durableTook), min(read, readTook)
	}
	check(file.Close())
	fmt.Printf("block_put_us %.1f\n", float64(put.Nanoseconds())/1e3)
	fmt.Printf("block_durable_us %.1f\n", float64(durable.Nanoseconds())/1e3)
	fmt.Printf("block_read_us %.1f\n", float64(read.Nanoseconds())/1e3)
}
