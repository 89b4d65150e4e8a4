package spillway

import (
	"math"
	"time"
)

// Stats is what a store counts: since it was opened, unless noted. RecordsLive is RecordsUnspilled
// + RecordsCold, and BytesResident is BytesUnspilled + BytesClean + BytesFree, in a store at rest.
type Stats struct {
	Flags               uint32 // 0
	Streams             uint64
	BatchesAdded        uint64
	RecordsAdded        uint64
	PayloadBytesAdded   uint64
	RecordsLive         uint64 // now, in all streams
	RecordsUnspilled    uint64 // now, in memory only
	RecordsCold         uint64 // now, in the cold tier (some also in memory)
	RecordsResident     uint64 // now, in memory; what the record budget limits
	RecordsResidentPeak uint64
	BytesUnspilled      uint64 // now; memory of records that are not yet in the cold tier
	BytesClean          uint64 // now; memory of records that are also in the cold tier
	BytesFree           uint64 // now; memory kept for reuse
	BytesResident       uint64 // now; the sum of the three, never above BytesHard
	BytesResidentPeak   uint64
	BytesPinned         uint64 // now; what only cursors' current views and owned batches hold; on top
	BytesSoft           uint64 // the budget; NoLimit: none
	BytesHard           uint64
	RecordsSoft         uint64
	RecordsHard         uint64
	Spills              uint64 // commits to the cold tier
	RecordsSpilled      uint64
	PayloadBytesSpilled uint64
	SpillLast           time.Duration // how long the last spill took
	SpillTotal          time.Duration
	SpillErrors         uint64
	AddersWaiting       uint64 // now; adds that wait at the hard limit
	Waits               uint64 // adds that had to wait there, and are over
	WaitTotal           time.Duration
	WaitMax             time.Duration
	AddsRefused         uint64 // would block, timeout, cancelled or full, at the hard limit
	RecordsCleared      uint64
	Evictions           uint64 // clean segments dropped from memory
	ColdReads           uint64 // reads of the cold tier
	ColdBytesRead       uint64 // payload bytes decoded by them
	ChecksumErrors      uint64
	ColdFileBytes       uint64 // now; size of the cold tier's files
	EventsLost          uint64 // overwritten before they were drained
	Health              Code   // 0, ErrFull (tried again), or what ended writing
	RecordsTrimmed      uint64 // by the trims; those of a clear are in RecordsCleared
	RecordsOverwritten  uint64 // the oldest ones of rings, dropped to make room
	RecordsDropped      uint64 // refused and dropped at the hard limit; never added
	BatchesDropped      uint64 // their batches
	Paced               uint64 // adds slowed between the soft and the hard limit; they are not in Waits
	PacedTotal          time.Duration
	AddersSyncing       uint64 // now; adds that wait for the device
	Promotions          uint64 // runs copied from the cold tier into memory: [PromoteReads]
	ReadsMemory         uint64 // records that Read and Gather found in memory
	ReadsCold           uint64 // and in the cold tier
}

// Stats gives the counters. Any goroutine, at any rate: it takes no lock.
func (s *Store) Stats() (Stats, error) {
	if err := s.call(); err != nil {
		return Stats{}, err
	}
	defer s.exit()
	return rawStats(s.handle)
}

// StreamStats is where a stream stands. BeginSeq <= SpilledSeq <= TailSeq, and each only goes up;
// there are TailSeq - BeginSeq records.
type StreamStats struct {
	HasTimes        bool
	BeginSeq        uint64 // first record there is
	SpilledSeq      uint64 // all below are on the device
	TailSeq         uint64 // what the next record gets
	RecordsResident uint64
	BytesUnspilled  uint64
}

// StreamStats gives a stream's counters. ErrNotFound: no such stream.
func (s *Store) StreamStats(stream Stream) (StreamStats, error) {
	if err := s.call(); err != nil {
		return StreamStats{}, err
	}
	defer s.exit()
	return rawStreamStats(s.handle, stream)
}

// EventKind says what happened.
type EventKind uint32

// The kinds, and what Value and Count are.
const (
	EventBlocked    EventKind = eventBlocked    // an add waited: nanoseconds, records
	EventSpillBegin EventKind = eventSpillBegin // payload bytes, records
	EventSpillEnd   EventKind = eventSpillEnd   // nanoseconds, records
	EventError      EventKind = eventError      // a spill failed: Code, and Value is the errno
	EventRecovered  EventKind = eventRecovered  // spilling goes on after ErrFull
	EventCorrupt    EventKind = eventCorrupt    // damaged records met: Seq and Count tell which

	// Count records were dropped at the hard limit: from Seq on with [FullDropOldest]; with
	// [FullDropNewest] Seq is SeqNone, for they never had a number.
	EventDropped EventKind = eventDropped
)

// Event is something that happened in a store.
type Event struct {
	Kind   EventKind
	Stream Stream // or AllStreams
	Code   Code   // 0: none
	Time   time.Time
	Seq    uint64 // or SeqNone
	Count  uint64
	Value  uint64
}

const eventsKept = 256

// Events drains the store's events, the oldest first. The last 256 are kept until then;
// Stats.EventsLost counts the others.
func (s *Store) Events() ([]Event, error) {
	if err := s.call(); err != nil {
		return nil, err
	}
	defer s.exit()
	return rawEvents(s.handle, eventsKept)
}

func nanoseconds(ns uint64) time.Duration { return time.Duration(min(ns, math.MaxInt64)) }

func unixNanoseconds(ns uint64) time.Time { return time.Unix(0, int64(min(ns, math.MaxInt64))) }
