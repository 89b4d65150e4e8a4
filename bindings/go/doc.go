// Package spillway holds more records than memory allows, in order, and loses none: records are
// appended in batches at memory speed, spilled to disk in the background under one budget, and read
// back in order.
//
// A [Store] has named streams; a [Stream] is an append-only sequence of records, each with a
// sequence number: dense from 0, never reused. [Batch] collects records, [Store.Add] adds them all
// at once or not at all, a [Cursor] reads a snapshot of a stream.
//
//	store, err := spillway.Open(ctx, "first.spw", spillway.ColdTier(spillway.TierSQLite))
//	log, err := store.Stream("log", spillway.StreamCreate)
//	var batch spillway.Batch
//	batch.Append([]byte("Hello"))
//	first, err := store.Add(ctx, log, &batch)
//	for record, err := range store.All(ctx, log) { ... }
//	err = store.Close(ctx)
//
// # Goroutines
//
// A Store may be used by any number of goroutines at once, and so may an [OwnedBatch]. A Batch, a
// Cursor and the [Records] in it belong to one goroutine at a time; a Cursor that is used by two at
// once answers [ErrInvalidState].
//
// # Waiting, and how it ends
//
// Add at the hard limit, Flush, Open and Close may wait. The context given ends the wait: the error
// then satisfies errors.Is with context.Canceled or context.DeadlineExceeded, and with
// context.Cause(ctx). A context that is done already is seen before anything is done. What was
// admitted is not taken back by a cancel. The store's own [Timeout] ends it as well, as
// [ErrTimeout]. TryAdd, TryFlush and TryClose do not wait at all.
//
// # Closing
//
// Close a Store to make everything durable and to learn whether that worked. A store that is not
// closed is given up when it is collected: what was not on disk is lost, as in a crash. Cursors and
// owned batches should be closed too, in any order and at any time: they hold memory that the
// garbage collector does not see. [Leaks] counts what was forgotten.
//
// # Memory that is not Go's
//
// THE BYTES OF A RECORD LIE IN THE LIBRARY'S MEMORY, NOT IN GO'S. They are valid as long as the
// method that gave them says, and no longer: after that, reading them reads other records or
// crashes, and keeping them is a mistake too. Copy what must stay, with [Records.AppendTo] or
// bytes.Clone, or keep the whole view with [Cursor.Detach].
package spillway
