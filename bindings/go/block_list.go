package spillway

import (
	"iter"
	"sync/atomic"
)

// ListFlags say how blocks are listed.
type ListFlags uint32

// The flags.
const (
	ListNamesOnly ListFlags = listNamesOnly // only the Name of each BlockInfo; faster
)

// blocksPerPage bounds what a list takes from the library at once.
const blocksPerPage = 1024

// BlockList lists blocks in the order of their names, as they were when it was opened, whatever
// changes meanwhile. One goroutine at a time; used by two at once it answers ErrInvalidState. Close
// it.
//
//	for list.Next() {
//		use(list.Info())
//	}
//	if err := list.Err(); err != nil { ... }
type BlockList struct {
	reads   blockReads // which must not be collected before
	handle  *handle[listHandle]
	call    *listCall
	at      int // of the next block in the call's page
	info    BlockInfo
	err     error
	refused atomic.Pointer[Error] // a Next that came while another call ran, or after Close
}

// List lists the blocks whose names begin with prefix, which may be empty.
func (r *blockReads) List(prefix string, flags ListFlags) (*BlockList, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.exit()
	raw, err := rawListOpen(r.file.raw, r.transaction(), prefix, flags)
	if err != nil {
		return nil, err
	}
	call := new(listCall)
	return &BlockList{reads: *r, handle: newHandle(raw, call.free, &leaks.lists), call: call}, nil
}

// All ranges over the blocks whose names begin with prefix, with a list of its own. An error comes
// as the last step, with an empty BlockInfo.
func (r *blockReads) All(prefix string) iter.Seq2[BlockInfo, error] { return r.all(prefix, 0) }

// Names is All for their names alone, which is faster.
func (r *blockReads) Names(prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		r.all(prefix, ListNamesOnly)(func(info BlockInfo, err error) bool {
			return yield(info.Name, err)
		})
	}
}

func (r *blockReads) all(prefix string, flags ListFlags) iter.Seq2[BlockInfo, error] {
	return func(yield func(BlockInfo, error) bool) {
		list, err := r.List(prefix, flags)
		if err != nil {
			yield(BlockInfo{}, err)
			return
		}
		defer list.Close()
		list.All()(yield)
	}
}

// Next moves to the next block and reports whether there is one; Err says why not, nil at the end.
// After an error the list stays where it was. ErrClosed: its file is.
func (l *BlockList) Next() bool {
	if err := l.handle.alone(); err != nil {
		l.refused.Store(err) // not l.err, which belongs to the goroutine that is inside
		return false
	}
	defer l.handle.exitAlone()
	l.err = nil
	if l.at == l.call.page.count() {
		l.at, l.err = 0, l.call.next(l.handle.raw, blocksPerPage)
	}
	if l.at == l.call.page.count() {
		l.info = BlockInfo{}
		return false
	}
	l.info = l.call.page.info(l.at)
	l.at++
	return true
}

// Info tells about the current block; empty before the first Next, at the end and after an error.
func (l *BlockList) Info() BlockInfo { return l.info }

// Err gives the error that made Next fail; nil at the end. A Next that was refused, because the
// list was in use or closed, stays visible for good.
func (l *BlockList) Err() error {
	if refused := l.refused.Load(); refused != nil {
		return refused
	}
	return l.err
}

// All ranges over the blocks from the list's position on. An error comes as the last step, with an
// empty BlockInfo. The list stays open.
func (l *BlockList) All() iter.Seq2[BlockInfo, error] {
	return func(yield func(BlockInfo, error) bool) {
		for l.Next() {
			if !yield(l.info, nil) {
				return
			}
		}
		if err := l.Err(); err != nil {
			yield(BlockInfo{}, err)
		}
	}
}

// Seek moves before the first block of the list whose name is not below name; to the begin with an
// empty one.
func (l *BlockList) Seek(name string) error {
	if err := l.handle.alone(); err != nil {
		return err
	}
	defer l.handle.exitAlone()
	l.at, l.info = 0, BlockInfo{}
	l.err = l.call.seek(l.handle.raw, name)
	return l.err
}

// Close gives the list up. Closing again is fine. It never fails; the result is there for
// io.Closer.
func (l *BlockList) Close() error {
	l.handle.close()
	return nil
}
