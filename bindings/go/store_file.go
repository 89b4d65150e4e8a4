package spillway

import "context"

// File gives the block file that the store's records are in, for blocks of the application's own. It
// is the store's: with the store it is closed. Names that begin with ".spillway/" are the store's
// too: they are listed and can be read, and to change them is ErrInvalidArgument. Its options are
// the library's: 4 MiB each of changes that wait and of cached blocks, on top of the store's budget;
// its flushes count among the store's [FlushesInFlight].
//
// Each call makes a handle of its own, which keeps the store from being collected. Close it, in any
// order. ErrUnsupported: a store in memory only, or with another cold tier.
func (s *Store) File() (*File, error) {
	if err := s.call(); err != nil {
		return nil, err
	}
	defer s.exit()
	raw, err := rawStoreFile(s.handle)
	if err != nil {
		return nil, err
	}
	file := &openFile{
		handle:  newHandle(raw, rawFileFree, &leaks.files),
		changes: s.changes,
		flushes: s.flushes,
		store:   s,
	}
	return &File{blockChanges{blockReads{file: file}}}, nil
}

// Commit commits a transaction of the store's file together with a flush of the store, with one
// barrier for both: when it returns, the transaction and everything admitted before the call, by any
// goroutine, are as safe as level says: [FlushKernel], [FlushDevice] or [FlushCheckpoint]. After a
// crash at any time, if the transaction is there, so are those records.
//
// The flush comes first and can fail as [Store.Flush] does: the transaction is then as it was, and
// Commit can be called again. After that as [Tx.Commit]. ErrInvalidArgument also for a transaction
// of another file; ErrUnsupported: a store without a block file. Rollback ends the transaction
// whatever became of it: defer it.
func (s *Store) Commit(ctx context.Context, tx *Tx, level FlushLevel) error {
	if err := tx.enter(); err != nil {
		return err
	}
	defer tx.exit()
	err := s.flush(ctx, func(timeoutMs int64, op opHandle) error {
		return rawStoreCommit(s.handle, tx.txn.raw, level, timeoutMs, op)
	})
	// Of other errors only the library knows whether they are the flush's, and it remembers.
	if code := codeOf(err); err == nil || code == ErrConflict || code == ErrInvalidState {
		tx.txn.committed.Store(true)
		tx.txn.end()
	}
	return err
}
