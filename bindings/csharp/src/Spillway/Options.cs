using Spillway.Native;

namespace Spillway;

/// <summary>
/// A bag of values by key; what is not set, the library chooses. The values are checked together
/// when they are used, which copies them: one bag serves many calls, and later changes to it reach
/// none of them. One thread at a time. It lives in managed memory, so there is nothing to dispose.
/// </summary>
public abstract class OptionBag
{
    private readonly SortedDictionary<int, long> _values = [];

    private protected OptionBag() { }

    /// <summary>A value by its key, in the unit of the C header; null: not set. A key or value that
    /// the library does not know fails where the bag is used, as Unsupported or InvalidArgument: so
    /// options of a later library can be set by number.</summary>
    public long? this[OptionKey key]
    {
        get => _values.TryGetValue((int)key, out long value) ? value : null;
        set
        {
            if (value is { } number)
            {
                _values[(int)key] = number;
            }
            else
            {
                _values.Remove((int)key);
            }
        }
    }

    private protected TimeSpan? GetTime(OptionKey key) =>
        this[key] is { } milliseconds ? NativeText.Time(milliseconds) : null;

    private protected void SetTime(OptionKey key, TimeSpan? time) =>
        this[key] = time is null ? null : NativeText.Milliseconds(time);

    private protected bool? GetFlag(OptionKey key) =>
        this[key] is { } value ? value != 0 : null;

    private protected void SetFlag(OptionKey key, bool? value) =>
        this[key] = value is { } flag ? (flag ? 1 : 0) : null;

    internal unsafe OptionsHandle ToNative()
    {
        OptionsHandle made = new();
        nint raw, error;
        NativeError.Check(NativeMethods.spw_options_new(&raw, &error), error);
        made.Adopt(raw);
        try
        {
            foreach ((int key, long value) in _values)
            {
                int status = NativeMethods.spw_options_set_i64(raw, key, value, &error);
                NativeError.Check(status, error);
            }
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }
}

/// <summary>How to open a store; see <see cref="OptionBag"/>.</summary>
public sealed class StoreOptions : OptionBag
{
    /// <summary>Bytes of memory for records, overhead included: at least 256 KiB, or
    /// <see cref="Limits.Unlimited"/>, or <see cref="Limits.Auto"/>, which is the default. Spilling
    /// starts above it; no add passes beyond <see cref="HardPercent"/> of it at any instant.
    /// </summary>
    public long? BudgetBytes
    {
        get => this[OptionKey.BudgetBytes];
        set => this[OptionKey.BudgetBytes] = value;
    }

    /// <summary>Records held in memory, at least 1; default <see cref="Limits.Unlimited"/>.
    /// </summary>
    public long? BudgetRecords
    {
        get => this[OptionKey.BudgetRecords];
        set => this[OptionKey.BudgetRecords] = value;
    }

    /// <summary>Hard limit in percent of the budgets, 100 to 1000; default 130.</summary>
    public int? HardPercent
    {
        get => (int?)this[OptionKey.HardPercent];
        set => this[OptionKey.HardPercent] = value;
    }

    /// <summary>Low-water mark in percent of the budgets, where a spill stops, 0 to 100; default
    /// 70.</summary>
    public int? LowPercent
    {
        get => (int?)this[OptionKey.LowPercent];
        set => this[OptionKey.LowPercent] = value;
    }

    /// <summary>Spills that may run at once, 1 or 2; default 2.</summary>
    public int? SpillsInFlight
    {
        get => (int?)this[OptionKey.SpillsInFlight];
        set => this[OptionKey.SpillsInFlight] = value;
    }

    /// <summary>The timeout of calls that name none; default
    /// <see cref="System.Threading.Timeout.InfiniteTimeSpan"/>.</summary>
    public TimeSpan? Timeout
    {
        get => GetTime(OptionKey.TimeoutMilliseconds);
        set => SetTime(OptionKey.TimeoutMilliseconds, value);
    }

    /// <summary>Where spilled records go; default of a new store
    /// <see cref="Spillway.ColdTier.BlockFile"/>. An existing one knows its own, and naming another
    /// is InvalidArgument.</summary>
    public ColdTier? ColdTier
    {
        get => (ColdTier?)this[OptionKey.ColdTier];
        set => this[OptionKey.ColdTier] = (long?)value;
    }

    /// <summary>What may and must be there; default <see cref="OpenMode.OpenOrCreate"/>.</summary>
    public OpenMode? Open
    {
        get => (OpenMode?)this[OptionKey.Open];
        set => this[OptionKey.Open] = (long?)value;
    }

    /// <summary>What an add does at the hard limit; default <see cref="WhenFull.Block"/>, in
    /// memory-only stores <see cref="WhenFull.Fail"/>.</summary>
    public WhenFull? WhenFull
    {
        get => (WhenFull?)this[OptionKey.WhenFull];
        set => this[OptionKey.WhenFull] = (long?)value;
    }

    /// <summary>How long an added batch may stay not durable; live, not in memory only. Zero: each
    /// add returns only when its batch is on the device; those that add at the same time share the
    /// barriers. More: what is not on the device is flushed at least that often, in the background.
    /// Default <see cref="System.Threading.Timeout.InfiniteTimeSpan"/>: until a flush or close
    /// asks.</summary>
    public TimeSpan? SyncInterval
    {
        get => GetTime(OptionKey.SyncMilliseconds);
        set => SetTime(OptionKey.SyncMilliseconds, value);
    }

    /// <summary>Whether full segments are written as soon as there are some, so that a crash loses
    /// less and memory comes back at once; not in memory only. By default not a byte is written
    /// after open below the budget until a flush, close or <see cref="SyncInterval"/> asks.
    /// </summary>
    public bool? Eager
    {
        get => GetFlag(OptionKey.Eager);
        set => SetFlag(OptionKey.Eager, value);
    }

    /// <summary>After what time free memory that nobody has used goes back to the system; default
    /// 10 s, <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> for never. Not in memory only,
    /// where <see cref="Store.ReleaseMemory"/> does it.</summary>
    public TimeSpan? IdleTime
    {
        get => GetTime(OptionKey.IdleMilliseconds);
        set => SetTime(OptionKey.IdleMilliseconds, value);
    }

    /// <summary>After how many reads (a gather counts once) of the cold tier near each other a run
    /// of up to 256 KiB there is copied into memory, inside the budget, where it is dropped before
    /// anybody waits; live, not in memory only. Cursors count nothing. 0 (never) to 65535; default
    /// 3.</summary>
    public int? PromoteReads
    {
        get => (int?)this[OptionKey.PromoteReads];
        set => this[OptionKey.PromoteReads] = value;
    }
}

/// <summary>How to open a stream; see <see cref="OptionBag"/>. For a stream that exists, live
/// options are applied, and a fixed one that differs is InvalidArgument.</summary>
public sealed class StreamOptions : OptionBag
{
    /// <summary>Bytes of memory for this stream's records, inside the store's; live. At least
    /// 256 KiB; default <see cref="Limits.Unlimited"/>.</summary>
    public long? BudgetBytes
    {
        get => this[OptionKey.BudgetBytes];
        set => this[OptionKey.BudgetBytes] = value;
    }

    /// <summary>Records of this stream held in memory, inside the store's; live. At least 1;
    /// default <see cref="Limits.Unlimited"/>.</summary>
    public long? BudgetRecords
    {
        get => this[OptionKey.BudgetRecords];
        set => this[OptionKey.BudgetRecords] = value;
    }

    /// <summary>What an add does at the hard limit; live. Default: the store's.</summary>
    public WhenFull? WhenFull
    {
        get => (WhenFull?)this[OptionKey.WhenFull];
        set => this[OptionKey.WhenFull] = (long?)value;
    }

    /// <summary>Whether every record has a time; fixed when the stream is created. Default: none
    /// has.</summary>
    public bool? Times
    {
        get => GetFlag(OptionKey.Times);
        set => SetFlag(OptionKey.Times, value);
    }
}

/// <summary>How to open a block file; see <see cref="OptionBag"/>.</summary>
public sealed class BlockFileOptions : OptionBag
{
    /// <summary>What may and must be there; default <see cref="OpenMode.OpenOrCreate"/>.</summary>
    public OpenMode? Open
    {
        get => (OpenMode?)this[OptionKey.Open];
        set => this[OptionKey.Open] = (long?)value;
    }

    /// <summary>How damage is found in a new file; default <see cref="BlockChecksum.Xxh3"/>. An
    /// existing file knows its own, and naming another is InvalidArgument.</summary>
    public BlockChecksum? Checksum
    {
        get => (BlockChecksum?)this[OptionKey.FileChecksum];
        set => this[OptionKey.FileChecksum] = (long?)value;
    }

    /// <summary>Bytes of changes that may wait in memory, at least 1 MiB; default 64 MiB. They are
    /// written in the background from half of it on; a change that finds it full waits for the
    /// disk.</summary>
    public long? DirtyBytes
    {
        get => this[OptionKey.FileDirtyBytes];
        set => this[OptionKey.FileDirtyBytes] = value;
    }

    /// <summary>Blocks whose changes may wait in memory, at least 1; default 65,536. The same rules
    /// as of <see cref="DirtyBytes"/>.</summary>
    public long? DirtyBlocks
    {
        get => this[OptionKey.FileDirtyBlocks];
        set => this[OptionKey.FileDirtyBlocks] = value;
    }

    /// <summary>Bytes of payload kept for <see cref="ReadableBlocks.Get"/> once proved, 0 or more;
    /// default 32 MiB.</summary>
    public long? CacheBytes
    {
        get => this[OptionKey.FileCacheBytes];
        set => this[OptionKey.FileCacheBytes] = value;
    }

    /// <summary>The step in which the file grows, 1 MiB to 1 GiB; default 10 MiB. It grows with the
    /// file up to 256 MiB.</summary>
    public long? GrowthBytes
    {
        get => this[OptionKey.FileGrowthBytes];
        set => this[OptionKey.FileGrowthBytes] = value;
    }

    /// <summary>Bytes of journal after which a checkpoint is made at the latest, at least 1 MiB;
    /// default 64 MiB. More makes a later open after a crash longer.</summary>
    public long? JournalBytes
    {
        get => this[OptionKey.FileJournalBytes];
        set => this[OptionKey.FileJournalBytes] = value;
    }
}
