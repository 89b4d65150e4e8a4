using Xunit;

namespace Spillway.Tests;

/// <summary>What a store keeps, and for how long: trims, settling, policies that drop, durable
/// adds.</summary>
public class KeepTest
{
    private const int Length = 10;

    /// <summary>Exactly the records from begin up to end are there, each as numbered.</summary>
    private static void Holds(RecordStream stream, ulong begin, ulong end)
    {
        ulong next = begin;
        using Cursor cursor = stream.OpenCursor();
        while (cursor.Next(out RecordBatch batch))
        {
            foreach (ReadOnlySpan<byte> record in batch)
            {
                Assert.Equal(Make.Record(next++, Length), record.ToArray());
            }
        }
        Assert.Equal(end, next);
        StreamStatistics statistics = stream.GetStatistics();
        Assert.Equal((begin, end), (statistics.BeginSequence, statistics.TailSequence));
    }

    private static void Add(RecordStream stream, ulong begin, ulong end, bool times = false)
    {
        using BatchBuilder batch = new();
        for (ulong i = begin; i < end; i++)
        {
            if (times)
            {
                batch.Append(Make.Record(i, Length), 10 * (long)i);
            }
            else
            {
                batch.Append(Make.Record(i, Length));
            }
        }
        Assert.Equal(begin, stream.Add(batch));
    }

    [Fact]
    public void TrimByNumberTimeAndSize()
    {
        using Folder folder = new();
        using (Store store = Make.OnDisk(folder))
        {
            RecordStream timed = store.OpenStream("timed", new() { Times = true });
            Add(timed, 0, 1000, times: true);
            store.Flush();
            Add(timed, 1000, 1001, times: true); // In memory only.
            using Cursor cursor = timed.OpenCursor();
            timed.Trim(123);
            timed.Trim(5); // Below its begin.
            Holds(timed, 123, 1001);
            Fails.With(SpillwayStatus.Trimmed, () => cursor.Next(out _));
            Fails.With(SpillwayStatus.Trimmed, () => timed.Read(122));
            Fails.With(SpillwayStatus.InvalidArgument, () => timed.Trim(1002));

            Assert.Equal(501ul, timed.TrimBefore(5001));
            Holds(timed, 501, 1001);
            Assert.Equal(991ul, timed.TrimToSize((10 * Length) + 1));
            Holds(timed, 991, 1001);
            Assert.Throws<ArgumentOutOfRangeException>(() => timed.TrimToSize(-1));
            RecordStream plain = store.OpenStream("plain");
            Fails.With(SpillwayStatus.InvalidArgument, () => plain.TrimBefore(7));
            StoreStatistics statistics = store.GetStatistics();
            Assert.Equal((991ul, 10ul), (statistics.RecordsTrimmed, statistics.RecordsLive));
        }
        using Store again = Make.OnDisk(folder);
        RecordStream reopened = again.OpenStream("timed");
        Holds(reopened, 991, 1001);
        Assert.Equal(1001ul, reopened.TrimToSize(0));
        Holds(reopened, 1001, 1001);
    }

    [Fact]
    public void TemporaryStoreLeavesNothing()
    {
        using Folder folder = new();
        StoreOptions options = Make.OnDisk();
        options.Open = OpenMode.Temporary;
        using (Store store = Store.Open(folder.Path, options))
        {
            RecordStream log = store.OpenStream("log");
            Add(log, 0, 500);
            store.Settle();
            Assert.Equal(500ul, store.GetStatistics().RecordsCold);
            Holds(log, 0, 500);
            Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
        }
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
        options.ColdTier = ColdTier.Sqlite;
        Fails.With(SpillwayStatus.Unsupported, () => Store.Open(folder.Path, options));
    }

    [Fact]
    public async Task SettleAndReleaseMemory()
    {
        using Folder folder = new();
        using (Store store = Make.OnDisk(folder, budget: 8 << 20))
        {
            RecordStream log = store.OpenStream("log");
            Add(log, 0, 500);
            Fails.With(SpillwayStatus.WouldBlock, () => store.Settle(TimeSpan.Zero));
            store.Settle();
            StoreStatistics settled = store.GetStatistics();
            Assert.Equal((0ul, 0ul), (settled.BytesResident, settled.RecordsResident));
            Assert.Equal(500ul, settled.RecordsCold);
            Holds(log, 0, 500);
            Add(log, 500, 501);
            await store.SettleAsync(Timeout.InfiniteTimeSpan);
            store.Close(CloseMode.Discard);
        }
        using (Store store = Make.OnDisk(folder))
        {
            Holds(store.OpenStream("log"), 0, 501);
        }

        using Store memory = Store.OpenInMemory(new() { BudgetBytes = 4 << 20 });
        Fails.With(SpillwayStatus.Unsupported, () => memory.Settle());
        RecordStream large = memory.OpenStream("large");
        large.AddRecord(new byte[1 << 20]);
        large.Clear();
        Assert.NotEqual(0ul, memory.GetStatistics().BytesFree);
        memory.ReleaseMemory();
        Assert.Equal(0ul, memory.GetStatistics().BytesResident);
        Assert.Equal(1ul, large.AddRecord("more"u8));
    }

    [Fact]
    public void WhatIsReadOftenComesBackIntoMemory()
    {
        using Folder folder = new();
        using Store store = Make.OnDisk(folder, budget: 8 << 20);
        RecordStream log = store.OpenStream("log");
        Add(log, 0, 500);
        store.Settle();
        store.SetOption(OptionKey.PromoteReads, 0);
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(Make.Record(100, Length), log.Read(100));
        }
        StoreStatistics cold = store.GetStatistics();
        Assert.Equal((0ul, 0ul), (cold.Promotions, cold.ReadsMemory));
        Assert.True(cold.ReadsCold >= 10);
        store.SetOption(OptionKey.PromoteReads, 2);
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(Make.Record(100, Length), log.Read(100));
        }
        StoreStatistics warm = store.GetStatistics();
        Assert.Equal(1ul, warm.Promotions);
        Assert.True(warm.ReadsMemory >= 8 && warm.ReadsCold - cold.ReadsCold <= 2);
        Assert.True(warm.BytesClean > 0 && warm.RecordsUnspilled == 0);
        Holds(log, 0, 500);
    }

    /// <summary>How many records the events say were dropped.</summary>
    private static ulong Dropped(Store store, bool numbered)
    {
        ulong count = 0;
        foreach (StoreEvent each in store.DrainEvents())
        {
            if (each.Kind == StoreEventKind.Dropped)
            {
                Assert.Equal(numbered, each.Sequence != Limits.NoSequence);
                count += each.Count;
            }
        }
        return count;
    }

    [Fact]
    public void DropNewestAndRing()
    {
        const int Large = 20_000;
        using (Store store = Store.OpenInMemory(
            new() { BudgetBytes = Make.SmallBudget, WhenFull = WhenFull.DropNewest }))
        {
            RecordStream newest = store.OpenStream("newest");
            ulong taken = 0;
            ulong refused = 0;
            for (int i = 0; i < 50; i++)
            {
                ulong first = newest.AddRecord(Make.Record(taken, Large));
                if (first == Limits.NoSequence)
                {
                    refused++;
                }
                else
                {
                    Assert.Equal(taken++, first);
                }
            }
            StoreStatistics statistics = store.GetStatistics();
            Assert.True(taken > 0 && refused > 0);
            Assert.Equal(
                (refused, refused), (statistics.RecordsDropped, statistics.BatchesDropped));
            Assert.Equal((taken, 0ul), (statistics.RecordsLive, statistics.AddsRefused));
            Assert.Equal(refused, Dropped(store, numbered: false));
            Assert.Equal(Make.Record(taken - 1, Large), newest.Read(taken - 1));
        }
        using (Store store = Store.OpenInMemory(new() { BudgetBytes = Make.SmallBudget }))
        {
            RecordStream ring = store.OpenStream("ring", new() { WhenFull = WhenFull.DropOldest });
            for (ulong i = 0; i < 50; i++)
            {
                Assert.Equal(i, ring.AddRecord(Make.Record(i, Large)));
            }
            ulong begin = ring.GetStatistics().BeginSequence;
            StoreStatistics statistics = store.GetStatistics();
            Assert.NotEqual(0ul, begin);
            Assert.Equal(
                (begin, 50 - begin), (statistics.RecordsOverwritten, statistics.RecordsLive));
            Assert.Equal(begin, Dropped(store, numbered: true));
            for (ulong i = begin; i < 50; i++)
            {
                Assert.Equal(Make.Record(i, Large), ring.Read(i));
            }
        }
        using Folder folder = new();
        Fails.With(
            SpillwayStatus.InvalidArgument,
            () => Store.Open(folder.Store, new() { WhenFull = WhenFull.DropOldest }));
    }

    [Fact]
    public void SyncZeroIsDurableWhenAddReturns()
    {
        using Folder folder = new();
        StoreOptions options = new() { SyncInterval = TimeSpan.Zero };
        using (Store store = Store.Open(folder.Store, options))
        {
            RecordStream log = store.OpenStream("log");
            for (ulong i = 0; i < 20; i++)
            {
                Add(log, i, i + 1);
                Assert.Equal(i + 1, log.GetStatistics().SpilledSequence);
            }
            using BatchBuilder batch = new();
            batch.Append(Make.Record(20, Length));
            Assert.True(log.TryAdd(batch, out ulong first)); // Waits for the device, not for room.
            Assert.Equal(20ul, first);
            store.Close(CloseMode.Discard);
        }
        using Store again = Store.Open(folder.Store);
        Holds(again.OpenStream("log"), 0, 21);
        Fails.With(SpillwayStatus.Unsupported, () => Store.OpenInMemory(options));
    }
}
