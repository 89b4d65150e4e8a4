package spillway

import "sync/atomic"

// Tx is a transaction: reads through it see the file as it was when it began and its own changes,
// whatever others commit, and nobody else sees its changes until it is committed. Any goroutine may
// use it, many at once. End it with Commit or Rollback. It answers ErrInvalidState after a Commit
// and ErrClosed after a Rollback or when its file is closed. Versions are 0 within a transaction:
// a block gets one by the commit.
type Tx struct {
	blockChanges
}

// Snapshot is the file as it was when the snapshot was taken. It takes no memory, but keeps the
// space of what is replaced meanwhile. Any goroutine may use it, many at once. Close it.
type Snapshot struct {
	blockReads
}

// openTx is what a Tx shares with its lists and streams.
type openTx struct {
	*handle[txnHandle]
	committed atomic.Bool
}

// Begin begins a transaction.
func (f *File) Begin() (*Tx, error) {
	reads, err := f.begin(0)
	if err != nil {
		return nil, err
	}
	return &Tx{blockChanges{reads}}, nil
}

// Snapshot takes a snapshot.
func (f *File) Snapshot() (*Snapshot, error) {
	reads, err := f.begin(txnReadOnly)
	if err != nil {
		return nil, err
	}
	return &Snapshot{reads}, nil
}

func (f *File) begin(flags uint32) (blockReads, error) {
	if err := f.enter(); err != nil {
		return blockReads{}, err
	}
	defer f.exit()
	raw, err := rawTxnBegin(f.file.raw, flags)
	if err != nil {
		return blockReads{}, err
	}
	txn := &openTx{handle: newHandle(raw, rawTxnFree, &leaks.txns)}
	return blockReads{f.file, txn}, nil
}

// Update runs body in a transaction and commits it, as safe as level says (see [Tx.Commit]). An
// error of body, or a panic, rolls it back; the error is returned as it is. ErrConflict: somebody
// else changed one of its blocks first, nothing happened, and it may be run again.
func (f *File) Update(level FlushLevel, body func(tx *Tx) error) error {
	tx, err := f.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := body(tx); err != nil {
		return err
	}
	return tx.Commit(level)
}

// View runs body with a snapshot, which ends with it.
func (f *File) View(body func(snapshot *Snapshot) error) error {
	snapshot, err := f.Snapshot()
	if err != nil {
		return err
	}
	defer snapshot.Close()
	return body(snapshot)
}

// Commit makes the changes visible, all at once, and as safe as level says: [CommitRelaxed],
// [FlushKernel], [FlushDevice] or [FlushCheckpoint]. It ends the transaction whatever it returns,
// but for ErrInvalidArgument: no such level. ErrConflict: a block that it changed was changed by
// somebody else since it began; nothing happened. ErrFull and ErrIO after it became visible: it may
// be lost in a crash.
func (tx *Tx) Commit(level FlushLevel) error {
	if err := tx.enter(); err != nil {
		return err
	}
	defer tx.exit()
	gate := tx.file.flushes
	if level == CommitRelaxed {
		gate = tx.file.changes
	}
	gate.wait()
	defer gate.leave()
	err := rawTxnCommit(tx.txn.raw, level)
	if codeOf(err) != ErrInvalidArgument {
		tx.txn.committed.Store(true)
		tx.txn.end()
	}
	return err
}

// Rollback gives up what was not committed; after Commit, or when called again, it does nothing:
// defer it.
func (tx *Tx) Rollback() { tx.txn.close() }

// Close gives up the snapshot. Closing again is fine. It never fails; the result is there for
// io.Closer.
func (s *Snapshot) Close() error {
	s.txn.close()
	return nil
}
