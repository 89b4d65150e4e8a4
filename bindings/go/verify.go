package spillway

import "context"

// RecordReport is what a verification of a store found.
type RecordReport struct {
	Streams        uint64 // checked
	Records        uint64 // checked
	RecordsDamaged uint64 // of them
	Bytes          uint64 // payload of those that are good
	Found          uint64 // ranges of damaged records; the first 1,000 of them are in Ranges
	Ranges         []RecordRange
}

// RecordRange is consecutive records of a stream, none of which can be read.
type RecordRange struct {
	Code    Code // ErrCorrupt or ErrIO
	Stream  Stream
	Begin   uint64 // sequence number of the first
	End     uint64 // behind the last
	Message string // what and where, of the first of them
}

// Verify reads all records of a stream, or of all ([AllStreams]), that are in the cold tier on the
// device when it is called, and checks them, while the store is in use; it goes on behind damage and
// changes nothing. It reads at most bytesPerSecond of payload (at least 1; [NoLimit]: no limit). ctx
// cancels it and may have a [Progress], in records. nil: it was carried out, and the report says what
// it found, be that damage; else there is none. ErrNotFound: no such stream. ErrUnsupported: a store
// in memory only. A block file's structures and other blocks are not looked at: see [Store.File] and
// [File.Verify].
func (s *Store) Verify(ctx context.Context, stream Stream, bytesPerSecond uint64) (*RecordReport, error) {
	if err := s.call(); err != nil {
		return nil, err
	}
	defer s.exit()
	var report *RecordReport
	err := withOp(ctx, func(op opHandle) error {
		raw, err := rawVerify(s.handle, stream, bytesPerSecond, op)
		if err == nil {
			report, err = takeRecordReport(raw)
		}
		return err
	})
	return report, err
}

// takeRecordReport copies a report and frees it.
func takeRecordReport(raw reportHandle) (*RecordReport, error) {
	defer rawReportFree(raw)
	report, err := rawReportRecords(raw)
	if err != nil {
		return nil, err
	}
	for {
		next, err := rawReportRange(raw, uint64(len(report.Ranges)))
		if codeOf(err) == ErrNotFound {
			return &report, nil
		}
		if err != nil {
			return nil, err
		}
		report.Ranges = append(report.Ranges, next)
	}
}
