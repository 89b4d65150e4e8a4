package spillway

// Batch collects records to be added at once. The zero value is empty and ready. It keeps its
// memory: fill it, add it, Reset it, and nothing is allocated any more. One goroutine at a time;
// several may add the same batch as long as none changes it.
type Batch struct {
	columns columns
}

// columns is records, blocks or names as the library takes them: record i is data[offsets[i]:offsets[i+1]]. offsets
// has one entry more than there are records, or none; times as many as records, or none.
type columns struct {
	data    []byte
	offsets []uint64
	times   []int64
}

func (c *columns) count() int { return max(len(c.offsets)-1, 0) }

// end ends the record whose bytes stand at the end of data.
func (c *columns) end() {
	if len(c.offsets) == 0 {
		c.offsets = append(c.offsets, 0)
	}
	c.offsets = append(c.offsets, uint64(len(c.data)))
}

// reset keeps the memory.
func (c *columns) reset() { *c = columns{c.data[:0], c.offsets[:0], c.times[:0]} }

// Append copies a record without time to the end of the batch.
func (b *Batch) Append(record []byte) {
	b.columns.data = append(b.columns.data, record...)
	b.columns.end()
}

// AppendString is Append for a string.
func (b *Batch) AppendString(record string) {
	b.columns.data = append(b.columns.data, record...)
	b.columns.end()
}

// AppendTime copies a record with a time. The library keeps times as they are; nanoseconds since
// 1970 are usual.
func (b *Batch) AppendTime(record []byte, time int64) {
	b.columns.times = append(b.columns.times, time)
	b.Append(record)
}

// Len is the number of records.
func (b *Batch) Len() int { return b.columns.count() }

// Size is the payload in bytes.
func (b *Batch) Size() int { return len(b.columns.data) }

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() { b.columns.reset() }

// check finds what would make the library read past the end of times.
func (c *columns) check() error {
	if len(c.times) != 0 && len(c.times) != c.count() {
		return invalid("some records of the batch have a time, others have none")
	}
	return nil
}
