using Spillway.Native;

namespace Spillway;

/// <summary>Where records go that are spilled.</summary>
public enum ColdTier
{
    /// <summary>A block file, which may hold blocks of the application's own beside the records:
    /// <see cref="Store.OpenFile"/>. A block file that is there already becomes a store's.
    /// </summary>
    BlockFile = Constants.SPW_TIER_BLOCK_FILE,
    /// <summary>A SQLite database: after close any tool may open it; while it is open, tools of
    /// other processes may read it, but no second copy of SQLite in this process may touch it.
    /// </summary>
    Sqlite = Constants.SPW_TIER_SQLITE,
}

/// <summary>What may and must be there when a store or file is opened.</summary>
public enum OpenMode
{
    /// <summary>Opens it, or creates it.</summary>
    OpenOrCreate = Constants.SPW_OPEN_CREATE,
    /// <summary>NotFound if there is none.</summary>
    Existing = Constants.SPW_OPEN_EXISTING,
    /// <summary>AlreadyExists if there is one.</summary>
    New = Constants.SPW_OPEN_NEW,
    /// <summary>A <see cref="BlockFile"/> only: must be there, and no byte of it is changed. May be
    /// opened so many times, but not while it is open for writing.</summary>
    ReadOnly = Constants.SPW_OPEN_READ_ONLY,
    /// <summary>A <see cref="Store"/> with <see cref="ColdTier.BlockFile"/> only: the path is a
    /// folder, and what memory cannot hold goes to a file there that has no name, so that nothing
    /// stays behind, however the process ends. Nothing is synced, and closing writes nothing.
    /// </summary>
    Temporary = Constants.SPW_OPEN_TEMPORARY,
}

/// <summary>What may and must be there when a stream is opened.</summary>
public enum StreamMode
{
    /// <summary>NotFound if there is none.</summary>
    Existing = 0,
    /// <summary>Opens it, or creates it.</summary>
    OpenOrCreate = (int)Constants.SPW_STREAM_CREATE,
    /// <summary>AlreadyExists if there is one.</summary>
    New = (int)Constants.SPW_STREAM_MUST_CREATE,
}

/// <summary>What an add does at the hard limit.</summary>
public enum WhenFull
{
    /// <summary>Waits for room, up to the timeout of the call.</summary>
    Block = Constants.SPW_WHEN_FULL_BLOCK,
    /// <summary>Fails with WouldBlock at once.</summary>
    Fail = Constants.SPW_WHEN_FULL_FAIL,
    /// <summary>The batch is dropped: the add returns <see cref="Limits.NoSequence"/> at once, and
    /// it is counted (<see cref="StoreStatistics.RecordsDropped"/>,
    /// <see cref="StoreEventKind.Dropped"/>). Also while the disk is full.</summary>
    DropNewest = Constants.SPW_WHEN_FULL_DROP_NEWEST,
    /// <summary>A ring: the oldest segments of that stream are trimmed until the batch fits, and
    /// counted (<see cref="StoreStatistics.RecordsOverwritten"/>,
    /// <see cref="StoreEventKind.Dropped"/>); WouldBlock if other streams hold all of the memory.
    /// Stores in memory only, else InvalidArgument.</summary>
    DropOldest = Constants.SPW_WHEN_FULL_DROP_OLDEST,
}

/// <summary>How safe a flush makes what was done before it.</summary>
public enum FlushLevel
{
    /// <summary>With the operating system: survives the end of this process, not a power cut.
    /// </summary>
    Kernel = Constants.SPW_FLUSH_KERNEL,
    /// <summary>On the device: survives a power cut.</summary>
    Device = Constants.SPW_FLUSH_DEVICE,
    /// <summary>A <see cref="BlockFile"/> and <see cref="Store.Commit"/> only: on the device, and
    /// the next open has nothing to replay.</summary>
    Checkpoint = Constants.SPW_FLUSH_CHECKPOINT,
}

/// <summary>How safe a <see cref="BlockTransaction.Commit"/> makes its changes before it returns.
/// </summary>
public enum CommitLevel
{
    /// <summary>Atomic and in order; durable with the next flush.</summary>
    Relaxed = Constants.SPW_COMMIT_RELAXED,
    /// <summary>As <see cref="FlushLevel.Kernel"/>.</summary>
    Kernel = Constants.SPW_FLUSH_KERNEL,
    /// <summary>As <see cref="FlushLevel.Device"/>.</summary>
    Device = Constants.SPW_FLUSH_DEVICE,
    /// <summary>As <see cref="FlushLevel.Checkpoint"/>.</summary>
    Checkpoint = Constants.SPW_FLUSH_CHECKPOINT,
}

/// <summary>How damage is found in a block file.</summary>
public enum BlockChecksum
{
    /// <summary>64 bits; finds accidents.</summary>
    Xxh3 = Constants.SPW_CHECKSUM_XXH3,
    /// <summary>256 bits; slower.</summary>
    Sha256 = Constants.SPW_CHECKSUM_SHA256,
}

/// <summary>How much a <see cref="BlockFile.Verify"/> reads.</summary>
public enum VerifyMode
{
    /// <summary>The structures of the file only.</summary>
    Structures = 0,
    /// <summary>Also every byte of payload.</summary>
    Full = (int)Constants.SPW_VERIFY_FULL,
}

/// <summary>How far a <see cref="BlockFile.Vacuum"/> goes.</summary>
public enum VacuumMode
{
    /// <summary>Once through the file.</summary>
    Once = 0,
    /// <summary>Until nothing more is to be gained.</summary>
    Full = (int)Constants.SPW_VACUUM_FULL,
    /// <summary>Changes nothing, only says what <see cref="Full"/> would do.</summary>
    DryRun = (int)Constants.SPW_VACUUM_DRY_RUN,
}

/// <summary>What a close does with what is not on the device yet.</summary>
public enum CloseMode
{
    /// <summary>Writes them.</summary>
    Flush = 0,
    /// <summary>Gives them up, and closes at once.</summary>
    Discard = (int)Constants.SPW_CLOSE_DISCARD,
}

/// <summary>Options by their number in the C header, for those who read or set them by key.
/// </summary>
public enum OptionKey
{
    /// <summary>Bytes of memory for records. Store, stream; live.</summary>
    BudgetBytes = Constants.SPW_OPT_BUDGET_BYTES,
    /// <summary>Records held in memory. Store, stream; live.</summary>
    BudgetRecords = Constants.SPW_OPT_BUDGET_RECORDS,
    /// <summary>Hard limit in percent of the budgets. Store.</summary>
    HardPercent = Constants.SPW_OPT_HARD_PERCENT,
    /// <summary>Low-water mark in percent of the budgets. Store.</summary>
    LowPercent = Constants.SPW_OPT_LOW_PERCENT,
    /// <summary>Spills that may run at once. Store.</summary>
    SpillsInFlight = Constants.SPW_OPT_SPILLS_IN_FLIGHT,
    /// <summary>Default timeout in milliseconds. Store; live.</summary>
    TimeoutMilliseconds = Constants.SPW_OPT_TIMEOUT_MS,
    /// <summary>A <see cref="Spillway.ColdTier"/>. Store.</summary>
    ColdTier = Constants.SPW_OPT_COLD_TIER,
    /// <summary>An <see cref="OpenMode"/>. Store, block file.</summary>
    Open = Constants.SPW_OPT_OPEN,
    /// <summary>A <see cref="Spillway.WhenFull"/>. Store, stream; live for a stream.</summary>
    WhenFull = Constants.SPW_OPT_WHEN_FULL,
    /// <summary>1: every record has a time; 0: none has. Stream, fixed at creation.</summary>
    Times = Constants.SPW_OPT_TIMES,
    /// <summary>How long a batch may stay not durable, in milliseconds. Store; live.</summary>
    SyncMilliseconds = Constants.SPW_OPT_SYNC_MS,
    /// <summary>1: full segments are written as soon as there are some. Store.</summary>
    Eager = Constants.SPW_OPT_EAGER,
    /// <summary>When idle memory goes back to the system, in milliseconds. Store.</summary>
    IdleMilliseconds = Constants.SPW_OPT_IDLE_MS,
    /// <summary>After how many reads cold records come into memory. Store; live.</summary>
    PromoteReads = Constants.SPW_OPT_PROMOTE_READS,
    /// <summary>A <see cref="BlockChecksum"/>. Block file, fixed at creation.</summary>
    FileChecksum = Constants.SPW_OPT_FILE_CHECKSUM,
    /// <summary>Bytes of changes that may wait in memory. Block file.</summary>
    FileDirtyBytes = Constants.SPW_OPT_FILE_DIRTY_BYTES,
    /// <summary>Blocks whose changes may wait in memory. Block file.</summary>
    FileDirtyBlocks = Constants.SPW_OPT_FILE_DIRTY_BLOCKS,
    /// <summary>Bytes of payload kept for views. Block file.</summary>
    FileCacheBytes = Constants.SPW_OPT_FILE_CACHE_BYTES,
    /// <summary>The step in which a block file grows.</summary>
    FileGrowthBytes = Constants.SPW_OPT_FILE_GROWTH_BYTES,
    /// <summary>Bytes of journal after which a checkpoint is made. Block file.</summary>
    FileJournalBytes = Constants.SPW_OPT_FILE_JOURNAL_BYTES,
}
