package spillway

// BlockBatch collects blocks to be put at once. The zero value is empty and ready. It keeps its
// memory: fill it, put it, Reset it, and nothing is allocated any more. One goroutine at a time.
type BlockBatch struct {
	names, blocks      columns
	expected, versions []uint64 // as many as blocks; expected also none
}

// Append copies a block to the end of the batch.
func (b *BlockBatch) Append(name string, data []byte) {
	b.names.data = append(b.names.data, name...)
	b.names.end()
	b.blocks.data = append(b.blocks.data, data...)
	b.blocks.end()
	if len(b.expected) > 0 {
		b.expected = append(b.expected, VersionAny)
	}
}

// AppendIf is Append for a block that must have the version expected; [VersionNone]: that must not
// be there yet.
func (b *BlockBatch) AppendIf(name string, data []byte, expected uint64) {
	for len(b.expected) < b.Len() {
		b.expected = append(b.expected, VersionAny)
	}
	b.Append(name, data)
	b.expected = append(b.expected[:b.Len()-1], expected)
}

// Len is the number of blocks.
func (b *BlockBatch) Len() int { return b.names.count() }

// Size is the payload in bytes.
func (b *BlockBatch) Size() int { return len(b.blocks.data) }

// Version gives the version that block i got from the PutBatch before; 0 within a transaction.
func (b *BlockBatch) Version(i int) uint64 { return b.versions[i] }

// Reset empties the batch and keeps its memory.
func (b *BlockBatch) Reset() {
	b.names.reset()
	b.blocks.reset()
	b.expected, b.versions = b.expected[:0], b.versions[:0]
}

func (b *BlockBatch) makeVersions() {
	for b.versions = b.versions[:0]; len(b.versions) < b.Len(); {
		b.versions = append(b.versions, 0)
	}
}

// ReadBuffer holds the blocks that a ReadBatch read, in Go's memory, and keeps that for the next.
// The zero value is empty and ready. One goroutine at a time.
type ReadBuffer struct {
	names columns
	data  []byte
	ends  []uint64 // block i is data[ends[i]:ends[i+1]]
	codes []Code   // of each block
}

// begin makes room for what is to be read.
func (b *ReadBuffer) begin(names []string) {
	b.names.reset()
	b.data, b.ends, b.codes = b.data[:0], append(b.ends[:0], 0), b.codes[:0]
	for _, each := range names {
		b.names.data = append(b.names.data, each...)
		b.names.end()
		b.ends = append(b.ends, 0)
		b.codes = append(b.codes, spwOK)
	}
}

// Len is the number of blocks that were asked for.
func (b *ReadBuffer) Len() int { return len(b.codes) }

// Bytes gives what block i holds, in the memory of the buffer: it is valid until the next
// ReadBatch. Empty if there is an Err.
func (b *ReadBuffer) Bytes(i int) []byte {
	end := b.ends[i+1]
	return b.data[b.ends[i]:end:end]
}

// Err tells why block i could not be read: ErrNotFound, ErrCorrupt or ErrIO; nil if it was.
func (b *ReadBuffer) Err(i int) error {
	if code := b.codes[i]; code != spwOK {
		return &Error{Code: code, Index: int64(i)}
	}
	return nil
}
