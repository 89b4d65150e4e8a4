package spillway

import "context"

// Add adds the records of a batch, visible whole or not at all, and gives the first one's sequence
// number; the others follow without a gap. Everything is copied: the batch may be reset and filled
// again. An empty batch is fine and adds nothing; first is then [SeqNone], as where [WhenFull] drops
// the batch.
//
// first other than [SeqNone] means admitted, also beside an error, which then says that the batch is
// not durable: only a [SyncInterval] of 0 asks for that (ErrClosed: Close writes it. ErrFull: tried
// again. ErrIO, ErrCorrupt: writing has ended). Otherwise nothing is promised about durability, see
// [Store.Flush], and any error means that nothing was added.
//
// At the hard limit [WhenFull] decides: wait for room, in the order of arrival, until ctx is done or
// the store's [Timeout] is over (ErrTimeout), or ErrWouldBlock at once, or drop. A batch that is
// larger than the hard limit goes straight to the cold tier, after everything before it, while the
// call waits. Once admitted, a cancel has no effect.
//
// ErrNotFound: no such stream. ErrInvalidArgument: times for a stream without, or none for one with
// times. ErrTooBig: a record above [RecordBytesMax] (Error.Index tells which), or a batch above the
// hard limit where there is no cold tier or the stream may not wait. ErrFull: at the hard limit,
// and the disk is full. ErrIO, ErrCorrupt: an earlier spill failed, writing has ended.
func (s *Store) Add(ctx context.Context, stream Stream, batch *Batch) (first uint64, err error) {
	return s.add(ctx, stream, &batch.columns)
}

// TryAdd is Add that never waits for room: ErrWouldBlock where Add would. A refusal costs no
// allocation.
func (s *Store) TryAdd(stream Stream, batch *Batch) (first uint64, err error) {
	if err := batch.columns.check(); err != nil {
		return SeqNone, err
	}
	if err := s.call(); err != nil {
		return SeqNone, err
	}
	defer s.exit()
	return rawAdd(s.handle, stream, &batch.columns, spwNoWait, nil)
}

// AddColumns is Add for records that lie in columns already: record i is
// data[offsets[i]:offsets[i+1]], so that offsets has an entry more than there are records, and
// offsets[0] may be above 0. times has one entry per record, or is empty. ErrInvalidArgument:
// offsets that run backwards or end beyond data.
func (s *Store) AddColumns(ctx context.Context, stream Stream, data []byte, offsets []uint64,
	times []int64) (first uint64, err error) {
	return s.add(ctx, stream, &columns{data, offsets, times})
}

func (s *Store) add(ctx context.Context, stream Stream, c *columns) (uint64, error) {
	if err := c.check(); err != nil {
		return SeqNone, err
	}
	if err := doneError(ctx); err != nil {
		return SeqNone, err
	}
	if err := s.call(); err != nil {
		return SeqNone, err
	}
	defer s.exit()
	p := s.timeoutFor(ctx)
	if adds := s.addGate(stream); adds != nil {
		entered, err := adds.enter(ctx, s, &p)
		if err != nil {
			return SeqNone, p.explain(ctx, err)
		}
		if entered {
			defer adds.leave()
		}
	}
	if ctx.Done() != nil {
		var err error
		if p.op, err = s.ops.take(ctx); err != nil {
			return SeqNone, err
		}
		defer s.ops.give(p.op)
	}
	first, err := rawAdd(s.handle, stream, c, p.timeoutMs, p.handle())
	return first, p.explain(ctx, err)
}

// addGate gives the stream's gate; nil for what cannot be a stream, which the library will say.
func (s *Store) addGate(stream Stream) gate {
	if stream > StreamsMax {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	adds, ok := s.adds[stream]
	if !ok {
		adds = make(gate, s.addsInFlight)
		s.adds[stream] = adds
	}
	return adds
}
