// Package spillway holds more records than memory allows, in order, and loses none: records are
// appended in batches at memory speed, spilled to disk in the background under one budget, and read
// back in order. And it keeps many named blocks in one crash-safe file.
//
// A [Store] has named streams; a [Stream] is an append-only sequence of records, each with a
// sequence number: dense from 0, never reused. [Batch] collects records, [Store.Add] adds them all
// at once or not at all, a [Cursor] reads a snapshot of a stream.
//
//	store, err := spillway.Open(ctx, "first.spw")
//	log, err := store.Stream("log", spillway.StreamCreate)
//	var batch spillway.Batch
//	batch.Append([]byte("Hello"))
//	first, err := store.Add(ctx, log, &batch)
//	for record, err := range store.All(ctx, log) { ... }
//	err = store.Close(ctx)
//
// A [File] is the package's other half: many named blocks (byte strings) in one crash-safe file. A
// [Tx] changes several at once, a [Snapshot] sees them as they were at one moment, a [BlockBatch]
// puts many with one call, a [Blob] is a view that is not copied, a [BlockReader] and a
// [BlockWriter] stream what is too large for memory, and [BlockFS] shows blocks as files.
//
//	file, err := spillway.OpenFile(ctx, "first.blocks")
//	err = file.Update(spillway.FlushDevice, func(tx *spillway.Tx) error {
//		_, err := tx.Put("chapter/1", []byte("Hello"))
//		return err
//	})
//	blob, err := file.Get("chapter/1")
//	err = file.Close()
//
// [Store.File] is the block file that a store's records are in, and [Store.Commit] makes a
// transaction of it and the records durable together.
//
// # Goroutines
//
// A Store may be used by any number of goroutines at once, and so may an [OwnedBatch], a File, a
// Tx, a Snapshot and a Blob. A Batch, a Cursor and the [Records] in it, a BlockBatch, a
// [ReadBuffer], a [BlockList], a BlockReader (but for ReadAt) and a BlockWriter belong to one
// goroutine at a time; those of them that are handles answer [ErrInvalidState] when they are used
// by two at once.
//
// # Waiting, and how it ends
//
// Add at the hard limit, Flush, Open and Close may wait. The context given ends the wait: the error
// then satisfies errors.Is with context.Canceled or context.DeadlineExceeded, and with
// context.Cause(ctx). A context that is done already is seen before anything is done. What was
// admitted is not taken back by a cancel. The store's own [Timeout] ends it as well, as
// [ErrTimeout]. TryAdd, TryFlush and TryClose do not wait at all.
//
// Calls of a File take a context where they go over the whole file: OpenFile, Verify, Vacuum, Copy,
// Import, Export. The others wait for nothing but the disk.
//
// # Closing
//
// Close a Store or a File to make everything durable and to learn whether that worked. One that is
// not closed is given up when it is collected: what was not on disk is lost, as in a crash. All
// other handles should be closed too, in any order and at any time: they hold memory, or space in
// the file, that the garbage collector does not see. [Leaks] counts what was forgotten.
//
// # Memory that is not Go's
//
// THE BYTES OF A RECORD OR A BLOB LIE IN THE LIBRARY'S MEMORY, NOT IN GO'S. They are valid as long
// as the method that gave them says, and no longer: after that, reading them reads other records or
// crashes, and keeping them is a mistake too. Copy what must stay, with [Records.AppendTo] or
// bytes.Clone, or keep the whole view with [Cursor.Detach].
package spillway
