package spillway

// Stream is the id of a stream in its store: small, the same after the store is opened again, and
// nothing to close.
type Stream uint32

// AllStreams stands in place of a stream for the store as a whole.
const AllStreams Stream = spwAll

// StreamMode says what Store.Stream does if there is no such stream.
type StreamMode uint32

// The modes.
const (
	StreamExisting   StreamMode = 0                // ErrNotFound if there is none
	StreamCreate     StreamMode = streamCreate     // create it if there is none
	StreamMustCreate StreamMode = streamMustCreate // ErrAlreadyExists if there is one
)

// Stream gives the id of the stream called name: 1 to [StreamNameMax] bytes, UTF-8 by contract,
// though any bytes are taken and given back. To a stream that exists live options are applied, and
// a fixed one that differs is ErrInvalidArgument. ErrTooBig: name too long, or more than
// [StreamsMax] streams. A new stream is durable with the next flush.
func (s *Store) Stream(name string, mode StreamMode, options ...Option) (Stream, error) {
	if err := s.call(); err != nil {
		return AllStreams, err
	}
	defer s.exit()
	stream := AllStreams
	err := withOptions(options, func(bag optionsHandle) (err error) {
		stream, err = rawStream(s.handle, name, bag, mode)
		return err
	})
	return stream, err
}

// Streams gives the ids of all streams in the order of their creation.
func (s *Store) Streams() ([]Stream, error) {
	if err := s.call(); err != nil {
		return nil, err
	}
	defer s.exit()
	ids := make([]Stream, 16)
	for {
		count, err := rawStreams(s.handle, ids)
		if err != nil {
			return nil, err
		}
		if count <= len(ids) {
			return ids[:count], nil
		}
		ids = make([]Stream, count+count/8) // others may be created meanwhile
	}
}

// StreamName gives a stream's name. ErrNotFound: no such stream.
func (s *Store) StreamName(stream Stream) (string, error) {
	if err := s.call(); err != nil {
		return "", err
	}
	defer s.exit()
	name := make([]byte, StreamNameMax)
	size, err := rawStreamName(s.handle, stream, name)
	if err != nil {
		return "", err
	}
	return string(name[:size]), nil
}

// Clear drops all records of a stream; sequence numbers go on. The memory is free at once; the
// change is durable with the next flush, after which the space on disk comes back in the
// background. ErrNotFound: no such stream. ErrIO, ErrCorrupt: writing has ended.
func (s *Store) Clear(stream Stream) error {
	if err := s.call(); err != nil {
		return err
	}
	defer s.exit()
	return rawClear(s.handle, stream)
}

// Trim drops all records of a stream below begin, hot and cold; sequence numbers go on. At or below
// where the stream begins nothing happens. A reader at a record that is gone gets ErrTrimmed. Memory
// comes back in whole segments, a 64th of the budget. The change is durable with the next flush,
// after which the space on disk comes back in the background; a crash before that may bring the
// records back. ErrInvalidArgument: begin is above the stream's tail. ErrNotFound: no such stream.
// ErrIO, ErrCorrupt: writing has ended.
func (s *Store) Trim(stream Stream, begin uint64) error {
	if err := s.call(); err != nil {
		return err
	}
	defer s.exit()
	return rawTrim(s.handle, stream, begin)
}

// TrimBefore is Trim of the longest prefix of records whose times are all below time; of times that
// do not ascend the first one that is not ends it. It gives where the stream begins then. It reads
// what it drops: ErrIO and ErrCorrupt also mean that this failed, and nothing was dropped then.
// ErrInvalidArgument: the stream has no times.
func (s *Store) TrimBefore(stream Stream, time int64) (begin uint64, err error) {
	if err := s.call(); err != nil {
		return 0, err
	}
	defer s.exit()
	return rawTrimTime(s.handle, stream, time)
}

// TrimToSize is Trim of as few of the oldest records as leave at most so many bytes of payload, of
// those that are there when the call begins. It gives where the stream begins then. It reads the
// sizes of what it leaves: ErrIO and ErrCorrupt also mean that this failed, and nothing was dropped
// then.
func (s *Store) TrimToSize(stream Stream, bytes uint64) (begin uint64, err error) {
	if err := s.call(); err != nil {
		return 0, err
	}
	defer s.exit()
	return rawTrimBytes(s.handle, stream, bytes)
}

// SetOption changes a live option of a stream, or of the store ([AllStreams]), while it is in use.
// ErrNotFound: no such stream. ErrUnsupported: unknown key, or not live. A lower budget takes
// effect by spilling; nothing is dropped.
func (s *Store) SetOption(stream Stream, option Option) error {
	if err := s.call(); err != nil {
		return err
	}
	defer s.exit()
	return rawSet(s.handle, stream, option.Key, option.Value)
}

// Option gives what an option of a stream, or of the store ([AllStreams]), is now: [Auto] is
// answered with the number chosen.
func (s *Store) Option(stream Stream, key Key) (int64, error) {
	if err := s.call(); err != nil {
		return 0, err
	}
	defer s.exit()
	return rawGet(s.handle, stream, key)
}
