package spillway

// Read appends the payload of one record to dst, as append does, and gives its time, 0 in a stream
// without times. ErrNotFound: no such stream, or seq at or above its tail. ErrTrimmed: below its
// begin. ErrCorrupt, ErrIO: that record cannot be read; others may. After an error dst is
// unchanged.
func (s *Store) Read(dst []byte, stream Stream, seq uint64) ([]byte, int64, error) {
	if err := s.call(); err != nil {
		return dst, 0, err
	}
	defer s.exit()
	for {
		room := dst[len(dst):cap(dst)]
		size, time, err := rawRead(s.handle, stream, seq, room)
		if err == nil {
			return dst[:len(dst)+int(size)], time, nil
		}
		if codeOf(err) != ErrTooBig || size <= uint64(len(room)) {
			return dst, 0, err
		}
		grown := make([]byte, len(dst), len(dst)+int(size))
		copy(grown, dst)
		dst = grown
	}
}

// Gather copies many records, in the order asked for, into one batch. Errors as Read, with the
// index in Error.Index; then there is no batch. Close it.
func (s *Store) Gather(stream Stream, seqs []uint64) (*OwnedBatch, error) {
	if err := s.call(); err != nil {
		return nil, err
	}
	defer s.exit()
	handle, err := rawGather(s.handle, stream, seqs)
	if err != nil {
		return nil, err
	}
	return newOwnedBatch(handle)
}
