package spillway

import "iter"

// Record is one record of a loop over a cursor. ITS BYTES LIE IN THE LIBRARY'S MEMORY AND ARE VALID
// ONLY UNTIL THE LOOP'S NEXT STEP: copy what must stay (bytes.Clone).
type Record struct {
	Seq   uint64 // sequence number
	Time  int64  // 0 in a stream without times
	Bytes []byte // payload; must not be changed
}

// Records is consecutive or gathered records as columns in the library's memory: the current view
// of a [Cursor], or an [OwnedBatch]. THE BYTES IT GIVES ARE VALID ONLY UNTIL THE NEXT CALL OF NEXT,
// SEEK OR CLOSE ON THE CURSOR, OR UNTIL CLOSE OF THE OWNED BATCH, and must not be changed. Keep the
// cursor or owned batch reachable as long as they are used (a deferred Close does that). After
// Next, Seek or Close, Records is empty or has other records: an index out of range panics.
type Records struct {
	_        noCopy // a copy would outlive the view unnoticed
	data     []byte
	begin    []uint64
	end      []uint64
	seqs     []uint64 // nil: firstSeq, firstSeq + 1, ...
	times    []int64  // nil: the stream has no times
	firstSeq uint64
	dense    bool
}

// noCopy makes `go vet` object to copies.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// Len is the number of records.
func (r *Records) Len() int { return len(r.begin) }

// Bytes gives the payload of record i, IN THE LIBRARY'S MEMORY: VALID ONLY UNTIL THE NEXT CALL OF
// NEXT, SEEK OR CLOSE.
func (r *Records) Bytes(i int) []byte {
	end := r.end[i]
	return r.data[r.begin[i]:end:end]
}

// AppendTo copies the payload of record i to the end of dst.
func (r *Records) AppendTo(dst []byte, i int) []byte { return append(dst, r.Bytes(i)...) }

// Seq gives the sequence number of record i.
func (r *Records) Seq(i int) uint64 {
	if r.seqs != nil {
		return r.seqs[i]
	}
	_ = r.begin[i] // out of range: panic, as everywhere
	return r.firstSeq + uint64(i)
}

// HasTimes reports whether the records have times.
func (r *Records) HasTimes() bool { return r.times != nil }

// Time gives the time of record i; 0 where there are none.
func (r *Records) Time(i int) int64 {
	if r.times != nil {
		return r.times[i]
	}
	_ = r.begin[i]
	return 0
}

// Record gives record i; its Bytes as [Records.Bytes] does.
func (r *Records) Record(i int) Record { return Record{r.Seq(i), r.Time(i), r.Bytes(i)} }

// All ranges over the records.
func (r *Records) All() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for i := range r.Len() {
			if !yield(r.Record(i)) {
				return
			}
		}
	}
}

// Columns gives the columns themselves: record i is data[begin[i]:end[i]]. Valid as Bytes is.
func (r *Records) Columns() (data []byte, begin, end []uint64) { return r.data, r.begin, r.end }

// Dense reports whether the records touch: end[i] is begin[i+1], as in an Arrow array.
func (r *Records) Dense() bool { return r.dense }
