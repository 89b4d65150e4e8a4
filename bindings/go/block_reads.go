package spillway

import "time"

// Limits of block files, and what takes the place of a version.
const (
	BlockNameMax = blockNameMax // bytes of a block's name
	BlockTagMax  = blockTagMax  // bytes of a block's tag
	BlobBytesMax = blobBytesMax // bytes of the largest range that GetRange gives

	VersionAny  uint64 = versionAny  // no condition
	VersionNone uint64 = versionNone // condition: there is no such block
)

// BlockInfo is what is known about a block.
type BlockInfo struct {
	Name     string
	Length   uint64 // bytes of payload
	Version  uint64 // 0: changed by this transaction, which is not committed
	Created  time.Time
	Modified time.Time // payload, tag or name
	Tag      []byte    // a copy
}

// blockReads is how blocks are read: of a file as it is now, or as a transaction or snapshot sees
// it.
type blockReads struct {
	file *openFile
	txn  *openTx // nil: each call sees the file as it is then
}

// enter stands at the beginning of every method, and exit at the end if there was no error.
func (r *blockReads) enter() error {
	if r.txn != nil && !r.txn.enter() {
		if r.txn.committed.Load() {
			return errCommitted
		}
		return errClosed
	}
	if !r.file.enter() {
		if r.txn != nil {
			r.txn.exit()
		}
		return errClosed
	}
	return nil
}

func (r *blockReads) exit() {
	r.file.exit()
	if r.txn != nil {
		r.txn.exit()
	}
}

func (r *blockReads) transaction() txnHandle {
	if r.txn == nil {
		return nil
	}
	return r.txn.raw
}

// Stat tells about a block. ErrNotFound.
func (r *blockReads) Stat(name string) (BlockInfo, error) {
	if err := r.enter(); err != nil {
		return BlockInfo{}, err
	}
	defer r.exit()
	return rawBlockStat(r.file.raw, r.transaction(), name)
}

// Exists reports whether there is a block of that name.
func (r *blockReads) Exists(name string) (bool, error) {
	if err := r.enter(); err != nil {
		return false, err
	}
	defer r.exit()
	return rawBlockExists(r.file.raw, r.transaction(), name)
}

// Read appends what a block holds to dst, as append does; every byte was proved by its checksum.
// ErrNotFound. After an error dst is unchanged.
func (r *blockReads) Read(dst []byte, name string) ([]byte, error) {
	if err := r.enter(); err != nil {
		return dst, err
	}
	defer r.exit()
	for buffer := dst; ; {
		room := buffer[len(dst):cap(buffer)]
		size, code, err := rawBlockReadWhole(r.file.raw, r.transaction(), name, room)
		switch {
		case err == nil && code == spwOK:
			return buffer[:len(dst)+int(size)], nil
		case err == nil:
			// What is wrong with the block; nil if it was put anew since then.
			if _, err := rawBlockRead(r.file.raw, r.transaction(), name, 0, room); err != nil {
				return dst, err
			}
		case codeOf(err) != ErrTooBig || size <= uint64(len(room)):
			return dst, err
		default:
			buffer = make([]byte, len(dst), len(dst)+int(size))
			copy(buffer, dst)
		}
	}
}

// ReadRange fills buffer with the block's bytes from offset on and says how many there were: fewer
// than len(buffer) only at the block's end, 0 behind it. Every byte was proved by its checksum.
// ErrNotFound.
func (r *blockReads) ReadRange(buffer []byte, name string, offset uint64) (int, error) {
	if err := r.enter(); err != nil {
		return 0, err
	}
	defer r.exit()
	count, err := rawBlockRead(r.file.raw, r.transaction(), name, offset, buffer)
	return int(count), err
}

// ReadBatch reads the blocks of these names, whole and as of one moment, into the memory of into;
// what that held before is gone. A block that cannot be read has its own error there.
func (r *blockReads) ReadBatch(into *ReadBuffer, names ...string) error {
	into.begin(names)
	if err := r.enter(); err != nil {
		return err
	}
	defer r.exit()
	for {
		room := into.data[:cap(into.data)]
		err := rawBlockReadBatch(r.file.raw, r.transaction(), &into.names, room, into.ends,
			into.codes)
		size := into.ends[len(names)]
		switch {
		case err == nil:
			into.data = room[:size]
			return nil
		case codeOf(err) != ErrTooBig || size <= uint64(len(room)):
			into.begin(nil)
			return err
		}
		into.data = make([]byte, size)
	}
}

// Get gives a view of a whole block: proved once, kept in a cache, and not copied. It stays as it
// is whatever happens to block and file. ErrNotFound. ErrTooBig: more than [BlobBytesMax].
func (r *blockReads) Get(name string) (*Blob, error) { return r.GetRange(name, 0, NoLimit) }

// GetRange is Get for a range of a block; bytes beyond the block's end are left out, and length
// [NoLimit] goes up to it.
func (r *blockReads) GetRange(name string, offset, length uint64) (*Blob, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.exit()
	raw, err := rawBlockGet(r.file.raw, r.transaction(), name, offset, length)
	if err != nil {
		return nil, err
	}
	return newBlob(raw)
}
