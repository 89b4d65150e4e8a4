package spillway

import "context"

// VerifyLevel says what a verification reads.
type VerifyLevel uint32

// The levels.
const (
	VerifyStructures VerifyLevel = 0          // superblocks, registry, space map, accounting of pages
	VerifyFull       VerifyLevel = verifyFull // and every byte of payload
)

// Report is what a verification found.
type Report struct {
	Blocks        uint64 // checked
	BlocksDamaged uint64 // of them
	Bytes         uint64 // read
	Found         uint64 // problems; the first 1,000 of them are in Problems
	Problems      []Problem
}

// Problem is one problem that a verification found.
type Problem struct {
	Code    Code   // ErrCorrupt or ErrIO
	Block   string // name; empty: a structure of the file
	Message string // what and where
}

// Verify checks the file as it is now while it is in use, and changes nothing. It reads at most
// bytesPerSecond (at least 1; [NoLimit]: no limit). ctx cancels it and may have a [Progress], in
// bytes read. nil: it was carried out, and the report says what it found, be that damage; else
// there is none. ErrFull: no room for changes that wait in memory, which are written before. ErrIO,
// ErrCorrupt: writing has ended, or what must be read first cannot be.
func (f *File) Verify(ctx context.Context, level VerifyLevel, bytesPerSecond uint64) (*Report, error) {
	if err := f.enter(); err != nil {
		return nil, err
	}
	defer f.exit()
	var report *Report
	err := withOp(ctx, func(op opHandle) error {
		raw, err := rawFileVerify(f.file.raw, level, bytesPerSecond, op)
		if err == nil {
			report, err = takeReport(raw)
		}
		return err
	})
	return report, err
}

// takeReport copies a report and frees it.
func takeReport(raw reportHandle) (*Report, error) {
	defer rawReportFree(raw)
	report, err := rawReportSummary(raw)
	if err != nil {
		return nil, err
	}
	for {
		problem, err := rawReportProblem(raw, uint64(len(report.Problems)))
		if codeOf(err) == ErrNotFound {
			return &report, nil
		}
		if err != nil {
			return nil, err
		}
		report.Problems = append(report.Problems, problem)
	}
}

// Scrub verifies the file in the background as with [VerifyFull], over and over, reading at most
// bytesPerSecond; another value changes the rate, 0 ends it, as does closing. It only reports: see
// ScrubReport and the counters of [FileStats].
func (f *File) Scrub(bytesPerSecond uint64) error {
	if err := f.enter(); err != nil {
		return err
	}
	defer f.exit()
	return rawFileScrub(f.file.raw, bytesPerSecond)
}

// ScrubReport gives what the last whole pass found. ErrNotFound: none has ended yet.
func (f *File) ScrubReport() (*Report, error) {
	if err := f.enter(); err != nil {
		return nil, err
	}
	defer f.exit()
	raw, err := rawFileScrubReport(f.file.raw)
	if err != nil {
		return nil, err
	}
	return takeReport(raw)
}

// VacuumFlags say how far a vacuum goes.
type VacuumFlags uint32

// The flags.
const (
	VacuumFull   VacuumFlags = vacuumFull   // until nothing more is to be gained
	VacuumDryRun VacuumFlags = vacuumDryRun // changes nothing, only says what a full one would do
)

// VacuumResult is what a vacuum did, also when it failed, or would do.
type VacuumResult struct {
	BytesMoved  uint64 // payload of blocks, to other places (dry run: about, with the registry)
	BytesNeeded uint64 // dry run: of free disk space, at most, while it runs
	BytesBefore uint64 // that the file takes of the disk, holes not counted
	BytesAfter  uint64 // the same (dry run: about); a Close gives back the reserve, too
	BytesFile   uint64 // its length afterwards
	Done        bool   // another call would gain nothing now; means nothing after an error
}

// Vacuum gives free space back to the file system while others read and write: it moves what stands
// near the end to free space in front, at most about maxBytes of it ([NoLimit]: no quota; a later
// call goes on), cuts the file, and gives back what is free inside it. Blocks keep their versions
// and times. Space that snapshots or blobs still need stays. ctx cancels it (what was moved stays
// moved) and may have a [Progress], in bytes moved, of a total that may be more than is moved in
// the end. ErrFull: nothing was lost. ErrBusy: another vacuum runs.
func (f *File) Vacuum(ctx context.Context, flags VacuumFlags, maxBytes uint64) (VacuumResult, error) {
	if err := f.enter(); err != nil {
		return VacuumResult{}, err
	}
	defer f.exit()
	var result VacuumResult
	err := withOp(ctx, func(op opHandle) (err error) {
		result, err = rawFileVacuum(f.file.raw, flags, maxBytes, op)
		return err
	})
	return result, err
}

// Copy writes all blocks into a new file at path without gaps, with their tags, times and versions,
// while others read and write. Every byte is proved; the new file appears, durable, when it is
// whole, or not at all. ctx cancels it and may have a [Progress], in bytes of payload.
// ErrAlreadyExists. ErrNotFound: its folder. ErrCorrupt: a block is damaged, which the error names;
// there is no copy then. ErrFull: the other disk. ErrIO: one of the two.
func (r *blockReads) Copy(ctx context.Context, path string) error {
	if err := r.enter(); err != nil {
		return err
	}
	defer r.exit()
	return withOp(ctx, func(op opHandle) error {
		return rawFileCopy(r.file.raw, r.transaction(), path, op)
	})
}

// Transfer is what Import or Export did, also when it failed.
type Transfer struct {
	Blocks uint64 // moved
	Bytes  uint64 // of them
	Equal  uint64 // blocks that were there already, byte for byte
	// Import: links (which are not followed), devices, pipes and sockets, left files of an
	// interrupted Export, and files whose block another, equal file gave.
	Ignored uint64
}

// Import puts every regular file below folder into a block: prefix (may be empty) and the path from
// there, with "/" between its parts. Existing blocks are replaced, but not written where they are
// equal, so that a call after a crash or an error goes on where it was; others stay. Blocks appear
// one by one or in small groups; all are durable, and were compared with their files, when it
// returns nil. ctx cancels it and may have a [Progress], in bytes read from the files, those of a
// moved one twice, for it is compared; the total is 0. ErrConflict: a file was changed meanwhile.
// ErrNotFound: no such folder. ErrInvalidArgument: a path that cannot be the name of a block.
func (f *File) Import(ctx context.Context, folder, prefix string) (Transfer, error) {
	if err := f.enter(); err != nil {
		return Transfer{}, err
	}
	defer f.exit()
	var transfer Transfer
	err := withOp(ctx, func(op opHandle) (err error) {
		transfer, err = rawFileImport(f.file.raw, folder, prefix, op)
		return err
	})
	return transfer, err
}

// Export writes every block whose name begins with prefix (may be empty) into a file of its own
// below folder, which is made if it is not there: the name without the prefix, "/" making folders,
// and what cannot stand in a path escaped so that Import finds the name again. Files that are equal
// are left alone, others of those paths replaced, each at once; what else is there stays. All are
// durable, and were read again and compared, when it returns nil. Tags, times and versions are not
// written. ctx cancels it and may have a [Progress], in bytes written and read again, so those of a
// moved block twice; the total is 0. ErrCorrupt, ErrIO: blocks that cannot be read were left out;
// the error names the first and says how many, and everything else was written. Also when the
// registry cannot be listed or a file cannot be written: then it ended there, and the error names
// no blocks that were left out.
func (r *blockReads) Export(ctx context.Context, prefix, folder string) (Transfer, error) {
	if err := r.enter(); err != nil {
		return Transfer{}, err
	}
	defer r.exit()
	var transfer Transfer
	err := withOp(ctx, func(op opHandle) (err error) {
		transfer, err = rawFileExport(r.file.raw, r.transaction(), prefix, folder, op)
		return err
	})
	return transfer, err
}

// FileStats is what a block file counts: since it was opened, unless noted. BytesFile is BytesUsed
// + BytesHeld + BytesFree. What waits in memory is not counted in Blocks and PayloadBytes until it
// is written; after a flush they equal what a scan finds.
type FileStats struct {
	Flags          uint32 // 0
	Blocks         uint64 // now, in the file
	PayloadBytes   uint64 // now, of them
	BytesFile      uint64 // now; its length
	BytesUsed      uint64 // now; of it, by what the file holds
	BytesHeld      uint64 // now; by journal, reserve, snapshots and the last checkpoint
	BytesFree      uint64 // now; used again before the file grows
	BlocksDirty    uint64 // now; changes that wait in memory
	BytesDirty     uint64 // now; memory that they take
	BytesCached    uint64 // now; payload kept for Get
	Snapshots      uint64 // now; open snapshots, transactions and lists
	Puts           uint64 // changes accepted
	Groups         uint64 // commit groups written
	Barriers       uint64 // syncs
	Checkpoints    uint64
	BytesWritten   uint64 // to the file, of every kind
	BytesRead      uint64
	Waits          uint64 // changes that found the memory for changes full
	CacheHits      uint64
	CacheMisses    uint64
	ChecksumErrors uint64
	Health         Code   // 0, ErrFull, or what ended writing
	BytesDisk      uint64 // now; what the file takes of the disk, holes not counted
	ScrubPasses    uint64 // ended
	ScrubProblems  uint64 // found by them
}

// Stats gives the counters. Any goroutine, at any rate.
func (f *File) Stats() (FileStats, error) {
	if err := f.enter(); err != nil {
		return FileStats{}, err
	}
	defer f.exit()
	return rawFileStats(f.file.raw)
}
