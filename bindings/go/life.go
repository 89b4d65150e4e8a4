package spillway

import "sync/atomic"

// life counts the calls that are inside a handle, so that the handle is freed by whoever is last:
// Close may come at any time, from any goroutine. enter and leave stand around every call to C;
// leave, which uses the object after the call, also keeps it from being collected during the call
// (what runtime.KeepAlive is for).
type life struct {
	state atomic.Int64 // calls inside; ended is added once
}

const ended = int64(1) << 62

// enter lets a call in; false: the handle is closed. Not a plain Add that is taken back: in
// between, the last call inside would not know that it is the last.
func (l *life) enter() bool {
	for {
		state := l.state.Load()
		if state >= ended {
			return false
		}
		if l.state.CompareAndSwap(state, state+1) {
			return true
		}
	}
}

// leave reports whether this was the last call inside a closed handle: the caller then frees it.
func (l *life) leave() bool { return l.state.Add(-1) == ended }

// end closes the handle to further calls; true for the first to do so. Called from inside.
func (l *life) end() bool {
	for {
		state := l.state.Load()
		if state >= ended {
			return false
		}
		if l.state.CompareAndSwap(state, state+ended) {
			return true
		}
	}
}

// LeakCounts says how many handles were collected without a Close since the program started.
type LeakCounts struct {
	Stores, Cursors, Batches uint64

	Files, Transactions, Blobs, Lists, Readers, Writers uint64 // of block files
}

var leaks struct {
	stores, cursors, batches                    atomic.Uint64
	files, txns, blobs, lists, readers, writers atomic.Uint64
}

// Leaks counts the handles that the garbage collector had to free: numbers to watch in tests. Any
// goroutine.
func Leaks() LeakCounts {
	return LeakCounts{
		Stores:       leaks.stores.Load(),
		Cursors:      leaks.cursors.Load(),
		Batches:      leaks.batches.Load(),
		Files:        leaks.files.Load(),
		Transactions: leaks.txns.Load(),
		Blobs:        leaks.blobs.Load(),
		Lists:        leaks.lists.Load(),
		Readers:      leaks.readers.Load(),
		Writers:      leaks.writers.Load(),
	}
}

// LeakedStores counts the stores of this process that were freed without a successful close, also
// by other users of the library. Any goroutine.
func LeakedStores() uint64 { return rawLeakedStores() }

// LeakedFiles is LeakedStores for block files.
func LeakedFiles() uint64 { return rawLeakedFiles() }
