using Xunit;

namespace Spillway.Tests;

public class WatchTest
{
    [Fact]
    public void OptionsAreWhatWasSet()
    {
        StoreOptions options = new()
        {
            BudgetBytes = 1 << 20,
            BudgetRecords = 1000,
            HardPercent = 150,
            LowPercent = 50,
            SpillsInFlight = 1,
            Timeout = TimeSpan.FromMilliseconds(1500),
            ColdTier = ColdTier.Sqlite,
            Open = OpenMode.New,
            WhenFull = WhenFull.Fail,
            SyncInterval = TimeSpan.FromMilliseconds(1500),
            Eager = true,
            IdleTime = Timeout.InfiniteTimeSpan,
            PromoteReads = 7,
        };
        Assert.Equal(1500, options[OptionKey.TimeoutMilliseconds]);
        Assert.Equal((150, 50), (options.HardPercent, options.LowPercent));
        Assert.Equal(1, options.SpillsInFlight);
        Assert.Equal((WhenFull.Fail, ColdTier.Sqlite), (options.WhenFull, options.ColdTier));
        Assert.Equal(OpenMode.New, options.Open);
        using Folder folder = new();
        using Store store = Store.Open(folder.Store, options);
        Assert.Equal((1 << 20, 1000L), (store.BudgetBytes, store.BudgetRecords));
        Assert.Equal(150, store.GetOption(OptionKey.HardPercent));
        Assert.Equal(options.Timeout, store.DefaultTimeout);
        Assert.Equal(1500, store.GetOption(OptionKey.SyncMilliseconds));
        Assert.Equal(1, store.GetOption(OptionKey.Eager));
        Assert.Equal(Limits.Unlimited, store.GetOption(OptionKey.IdleMilliseconds));
        Assert.Equal((7, 7L), (options.PromoteReads, store.GetOption(OptionKey.PromoteReads)));
        Assert.Equal((true, Timeout.InfiniteTimeSpan), (options.Eager, options.IdleTime));
        Assert.Equal(options.SyncInterval, store.SyncInterval);
        store.SyncInterval = TimeSpan.Zero;
        Assert.Equal(TimeSpan.Zero, store.SyncInterval);
        store.DefaultTimeout = Timeout.InfiniteTimeSpan;
        Assert.Equal(Timeout.InfiniteTimeSpan, store.DefaultTimeout);
        store.BudgetBytes = 2 << 20;
        store.BudgetRecords = Limits.Unlimited;
        Assert.Equal((2 << 20, Limits.Unlimited), (store.BudgetBytes, store.BudgetRecords));
        Assert.Equal(2ul << 20, store.GetStatistics().BytesSoft);

        StreamOptions streamOptions = new() { Times = true, BudgetBytes = 1 << 20 };
        Assert.True(streamOptions.Times);
        RecordStream log = store.OpenStream("log", streamOptions);
        Assert.Equal(WhenFull.Fail, log.WhenFull);
        log.WhenFull = WhenFull.Block;
        log.BudgetRecords = 10;
        Assert.Equal((WhenFull.Block, 10L), (log.WhenFull, log.BudgetRecords));
        Assert.Equal(1 << 20, log.BudgetBytes);
        Assert.Equal(1, log.GetOption(OptionKey.Times));
    }

    [Fact]
    public void StatisticsAndEvents()
    {
        using Folder folder = new();
        using Store store = Make.OnDisk(folder);
        RecordStream log = store.OpenStream("log");
        Assert.Equal(0ul, log.GetStatistics().Count);
        for (ulong i = 0; i < 100; i++)
        {
            log.AddRecord(Make.Record(i, 1000));
        }
        store.Flush(FlushLevel.Kernel);
        store.Flush();
        StoreStatistics store1 = store.GetStatistics();
        Assert.Equal((1ul, 100ul), (store1.Streams, store1.BatchesAdded));
        Assert.Equal((100ul, 100_000ul), (store1.RecordsAdded, store1.PayloadBytesAdded));
        Assert.Equal((100ul, 0ul), (store1.RecordsCold, store1.RecordsUnspilled));
        Assert.Equal(SpillwayStatus.Ok, store1.Health);
        Assert.True(store1.ColdFileBytes > 0);
        StreamStatistics stream = log.GetStatistics();
        Assert.Equal((0ul, 100ul, 100ul),
            (stream.BeginSequence, stream.SpilledSequence, stream.TailSequence));

        StoreEvent[] events = store.DrainEvents();
        StoreEvent ended = events.First(each => each.Kind == StoreEventKind.SpillEnd);
        Assert.True(ended.Count > 0);
        Assert.InRange(ended.Time, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow);
        Assert.Equal((ulong)events.Length, (ulong)events.Count(each => each.Status == 0));
        Assert.Empty(store.DrainEvents());

        store.Close(CloseMode.Discard);
    }

    [Fact]
    public void VersionsAndNames()
    {
        Assert.StartsWith("0.1.", SpillwayLibrary.Version, StringComparison.Ordinal);
        Assert.Equal(0x00000001u, SpillwayLibrary.AbiVersion);
        foreach (SpillwayStatus status in Enum.GetValues<SpillwayStatus>())
        {
            string name = SpillwayLibrary.StatusName(status)["SPW_".Length..].Replace("_", "");
            Assert.Equal(status.ToString(), name, ignoreCase: true);
        }
        Assert.Equal("SPW_UNKNOWN", SpillwayLibrary.StatusName((SpillwayStatus)99));
    }

    [Fact]
    public void DiscardLosesWhatIsNotOnTheDevice()
    {
        using Folder folder = new();
        ulong leaked = SpillwayLibrary.LeakedStores;
        using (Store store = Make.OnDisk(folder, 64 << 20))
        {
            RecordStream log = store.OpenStream("log");
            log.AddRecord("kept"u8);
            store.Flush();
            log.AddRecord("lost"u8);
            store.Close(CloseMode.Discard);
        }
        using (Store store = Store.Open(folder.Store))
        {
            Assert.Equal(1ul, store.OpenStream("log").GetStatistics().Count);
        }
        Assert.Equal(leaked, SpillwayLibrary.LeakedStores);
    }
}
