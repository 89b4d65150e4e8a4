package spillway

import (
	"math"
	"strconv"
	"time"
)

// Key names an option of a store, a stream or a block file.
type Key int32

// The keys. Each has a function of its name that makes the option and says what it means. The value
// is what [Store.Option] answers.
const (
	KeyBudgetBytes    Key = optBudgetBytes    // bytes
	KeyBudgetRecords  Key = optBudgetRecords  // records
	KeyHardPercent    Key = optHardPercent    // percent
	KeyLowPercent     Key = optLowPercent     // percent
	KeySpillsInFlight Key = optSpillsInFlight // count
	KeyTimeout        Key = optTimeoutMs      // milliseconds
	KeyColdTier       Key = optColdTier       // Tier
	KeyOpenMode       Key = optOpen           // Mode
	KeyWhenFull       Key = optWhenFull       // Full
	KeyTimes          Key = optTimes          // 0 or 1
	KeySyncInterval   Key = optSyncMs         // milliseconds
	KeyEager          Key = optEager          // 0 or 1
	KeyIdleTime       Key = optIdleMs         // milliseconds
	KeyPromoteReads   Key = optPromoteReads   // reads

	KeyFileChecksum Key = optFileChecksum     // Checksum
	KeyDirtyBytes   Key = optFileDirtyBytes   // bytes
	KeyDirtyBlocks  Key = optFileDirtyBlocks  // blocks
	KeyCacheBytes   Key = optFileCacheBytes   // bytes
	KeyGrowthBytes  Key = optFileGrowthBytes  // bytes
	KeyJournalBytes Key = optFileJournalBytes // bytes

	// Keys below 0 are this package's own.
	keyAddsInFlight    Key = -1
	keyFlushesInFlight Key = -2
	keyChangesInFlight Key = -3
)

// Values of options and limits of the library.
const (
	Auto           int64  = spwAuto           // BudgetBytes: let the library choose
	Unlimited      int64  = spwUnlimited      // budgets: no limit
	NoLimit        uint64 = spwNoLimit        // Cursor.Limit: no limit
	SeqNone        uint64 = spwSeqNone        // no sequence number; Scan.End: all there are now
	RecordBytesMax        = spwRecordBytesMax // bytes of the largest record
	StreamsMax            = spwStreamsMax     // streams of a store
	StreamNameMax         = spwStreamNameMax  // bytes of a stream's name
)

// WaitForever is the Timeout that never ends a wait, and the SyncInterval and IdleTime that never
// end.
const WaitForever time.Duration = math.MaxInt64

// Tier says where spilled records go.
type Tier int64

// The tiers.
const (
	TierBlockFile Tier = tierBlockFile // a block file, also for the application's own: [Store.File]
	TierSQLite    Tier = tierSQLite    // a SQLite database, which any tool may open after Close
)

// Mode says what may and must be there when a store or a block file is opened.
type Mode int64

// The modes.
const (
	OpenCreate   Mode = openCreate   // open it, or create it
	OpenExisting Mode = openExisting // ErrNotFound if there is none
	OpenNew      Mode = openNew      // ErrAlreadyExists if there is one
	OpenReadOnly Mode = openReadOnly // of a block file only: it is there, and nothing of it is changed
	// Of a store with TierBlockFile only: the path is a folder, and what memory cannot hold goes to
	// a file there that has no name, so that nothing stays behind, however the process ends. Nothing
	// is synced, and closing writes nothing.
	OpenTemporary Mode = openTemporary
)

// Full says what an add does at the hard limit.
type Full int64

// What an add does at the hard limit.
const (
	FullBlock Full = whenFullBlock // wait for room
	FullFail  Full = whenFullFail  // ErrWouldBlock at once

	// The batch is dropped: Add gives [SeqNone] and no error, at once, and it is counted
	// (Stats.RecordsDropped, [EventDropped]). Also while the disk is full.
	FullDropNewest Full = whenFullDropNewest
	// A ring: the oldest segments of that stream are trimmed until the batch fits, and counted
	// (Stats.RecordsOverwritten, [EventDropped]); ErrWouldBlock if other streams hold all of the
	// memory. Stores in memory only, else ErrInvalidArgument.
	FullDropOldest Full = whenFullDropOldest
)

// Option is one value for [Open], [OpenMemory], [Store.Stream], [Store.SetOption] or [OpenFile]. An unknown
// key, or one that does not belong where it is used, is [ErrUnsupported]; a value out of range, or
// a key given twice, [ErrInvalidArgument].
type Option struct {
	Key   Key
	Value int64
}

// BudgetBytes limits the bytes of memory for records, overhead included: at least 256 KiB, or
// [Unlimited], or (store only) [Auto], a quarter of the container's or machine's memory. Spilling
// starts above it, and no add passes beyond HardPercent of it. For a store ([Auto] by default), a
// stream ([Unlimited] by default, inside its store's), live.
func BudgetBytes(bytes int64) Option { return Option{KeyBudgetBytes, bytes} }

// BudgetRecords limits the records in memory: at least 1, [Unlimited] by default. For a store, a
// stream, live.
func BudgetRecords(records int64) Option { return Option{KeyBudgetRecords, records} }

// HardPercent sets the hard limit in percent of the budgets: 100 to 1000, 130 by default. For a
// store.
func HardPercent(percent int) Option { return Option{KeyHardPercent, int64(percent)} }

// LowPercent sets where a spill stops, in percent of the budgets: 0 to 100, 70 by default. For a
// store.
func LowPercent(percent int) Option { return Option{KeyLowPercent, int64(percent)} }

// SpillsInFlight sets how many spills may run at once: 1 or 2, 2 by default. For a store.
func SpillsInFlight(count int) Option { return Option{KeySpillsInFlight, int64(count)} }

// Timeout sets how long a call may wait whose context has no earlier deadline, in whole
// milliseconds, rounded up. 0 is not to wait at all; [WaitForever], the default, never ends a wait.
// For a store, live.
func Timeout(timeout time.Duration) Option { return durationOption(KeyTimeout, timeout) }

// durationOption makes an option of whole milliseconds, rounded up.
func durationOption(key Key, d time.Duration) Option {
	if d == WaitForever {
		return Option{key, spwUnlimited}
	}
	if d < 0 {
		return Option{key, -1} // out of range, and not rounded up to 0
	}
	return Option{key, milliseconds(d)}
}

// ColdTier says where spilled records go: a new store's to [TierBlockFile] by default; an existing
// store knows its own, and naming another is ErrInvalidArgument. For a store.
func ColdTier(tier Tier) Option { return Option{KeyColdTier, int64(tier)} }

// OpenMode says what may and must be there: [OpenCreate] by default. For a store, a block file.
func OpenMode(mode Mode) Option { return Option{KeyOpenMode, int64(mode)} }

// WhenFull says what an add does at the hard limit: [FullBlock] by default, in memory-only stores
// [FullFail]. For a store, a stream (its store's by default), live for a stream.
func WhenFull(full Full) Option { return Option{KeyWhenFull, int64(full)} }

// Times says whether every record of a stream has a time, or none. Fixed when the stream is
// created; none by default. For a stream.
func Times(on bool) Option { return boolOption(KeyTimes, on) }

func boolOption(key Key, on bool) Option {
	if on {
		return Option{key, 1}
	}
	return Option{key, 0}
}

// SyncInterval says how long an added batch may stay not durable, in whole milliseconds, rounded up.
// [WaitForever], the default: until a flush or close asks. 0: each Add returns only when its batch
// is on the device; those that add at the same time share the barriers. Else what is not on the
// device is flushed at least that often, in the background. For a store, not in memory only; live.
func SyncInterval(interval time.Duration) Option { return durationOption(KeySyncInterval, interval) }

// Eager says whether full segments are written as soon as there are some, so that a crash loses less
// and memory comes back at once. Off by default: after open not a byte is written below the budget
// until a flush, close or [SyncInterval] asks. For a store, not in memory only.
func Eager(on bool) Option { return boolOption(KeyEager, on) }

// IdleTime sets after what time, in whole milliseconds, rounded up, free memory that nobody has used
// goes back to the system: 10 s by default, never with [WaitForever]. For a store, not in memory
// only, which has [Store.ReleaseMemory].
func IdleTime(time time.Duration) Option { return durationOption(KeyIdleTime, time) }

// PromoteReads sets after how many reads (a [Store.Gather] counts once) of the cold tier near each
// other a run of up to 256 KiB there is copied into memory, inside the budget, where it is dropped
// before anybody waits. Cursors count nothing. 0 (never) to 65535, 3 by default. For a store, not in
// memory only; live.
func PromoteReads(reads int) Option { return Option{KeyPromoteReads, int64(reads)} }

// AddsInFlight sets how many Adds to one stream may be inside the library at once, each on a thread
// of its own; others queue in Go, in order. At least 1; GOMAXPROCS when the store is opened by
// default. It is counted per stream, so that writers who wait for room in one stream keep out
// nobody else. For a store; an option of this package.
func AddsInFlight(count int) Option { return Option{keyAddsInFlight, int64(count)} }

// FlushesInFlight sets how many Flushes (of a block file, also durable commits) may be inside the
// library at once: at least 1, 64 by default, because those that wait together are served by one
// commit. For a store, a block file; an option of this package.
func FlushesInFlight(count int) Option { return Option{keyFlushesInFlight, int64(count)} }

// Checksum says how damage is found in a block file.
type Checksum int64

// The checksums.
const (
	ChecksumXXH3   Checksum = checksumXXH3   // 64 bits; finds accidents
	ChecksumSHA256 Checksum = checksumSHA256 // 256 bits; slower
)

// FileChecksum says how damage is found in a new file: [ChecksumXXH3] by default. An existing file
// knows its own, and naming another is [ErrInvalidArgument]. For a block file.
func FileChecksum(checksum Checksum) Option { return Option{KeyFileChecksum, int64(checksum)} }

// DirtyBytes limits the bytes of changes that wait in memory: at least 1 MiB, 64 MiB by default.
// They are written in the background from half of it on; a change that finds it full waits for the
// disk. For a block file.
func DirtyBytes(bytes int64) Option { return Option{KeyDirtyBytes, bytes} }

// DirtyBlocks limits the blocks whose changes wait in memory: at least 1, 65,536 by default. Same
// rules. For a block file.
func DirtyBlocks(blocks int64) Option { return Option{KeyDirtyBlocks, blocks} }

// CacheBytes limits the payload that is kept for Get once proved: 0 or more, 32 MiB by default. For
// a block file.
func CacheBytes(bytes int64) Option { return Option{KeyCacheBytes, bytes} }

// GrowthBytes sets the step in which the file grows: 1 MiB to 1 GiB, 10 MiB by default. For a block
// file.
func GrowthBytes(bytes int64) Option { return Option{KeyGrowthBytes, bytes} }

// JournalBytes sets after how much journal a checkpoint is made at the latest: at least 1 MiB, 64
// MiB by default. More makes a later open after a crash longer. For a block file.
func JournalBytes(bytes int64) Option { return Option{KeyJournalBytes, bytes} }

// ChangesInFlight sets how many changes of the file's blocks may be inside the library at once,
// each on a thread of its own, since a change may have to wait for the disk; others queue in Go, in
// order. At least 1; 4 for each of GOMAXPROCS when the file is opened by default. For a block file;
// an option of this package.
func ChangesInFlight(count int) Option { return Option{keyChangesInFlight, int64(count)} }

func milliseconds(d time.Duration) int64 {
	ms := int64(d / time.Millisecond)
	if d%time.Millisecond > 0 {
		ms++
	}
	return ms
}

// withOptions runs a call with the options as the library takes them.
func withOptions(options []Option, body func(optionsHandle) error) error {
	if len(options) == 0 {
		return body(nil)
	}
	bag, err := rawOptionsNew()
	if err != nil {
		return err
	}
	defer rawOptionsFree(bag)
	for _, each := range options {
		// One of two values would have no effect, and nobody could tell which.
		if _, err := rawOptionsGet(bag, each.Key); err == nil {
			return invalid("option " + strconv.Itoa(int(each.Key)) + " is given twice")
		}
		if err := rawOptionsSet(bag, each.Key, each.Value); err != nil {
			return err
		}
	}
	return body(bag)
}
