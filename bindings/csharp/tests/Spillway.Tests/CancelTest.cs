using System.Diagnostics;
using Xunit;

namespace Spillway.Tests;

public class CancelTest
{
    [Fact]
    public void CancelBeforeTheCall()
    {
        using Folder folder = new();
        using Store store = Make.OnDisk(folder);
        RecordStream log = store.OpenStream("log");
        log.AddRecord("a"u8);
        using Cursor cursor = log.OpenCursor();
        CancellationToken token = new(canceled: true);
        Action[] calls =
        [
            () => log.AddRecord("b"u8, cancellationToken: token),
            () => log.Add([new byte[1]], cancellationToken: token),
            () => store.Flush(cancellationToken: token),
            () => store.Close(cancellationToken: token),
            () => cursor.Next(out _, cancellationToken: token),
            () => Store.Open(folder.Store + "2", Make.OnDisk(), cancellationToken: token),
        ];
        foreach (Action call in calls)
        {
            Assert.Equal(token, Assert.Throws<OperationCanceledException>(call).CancellationToken);
        }
        Assert.False(File.Exists(folder.Store + "2"));
        Assert.Equal(1ul, log.GetStatistics().Count);

        // An operation is cancelled inside of the library instead: nobody's token is to blame.
        using Operation operation = new();
        operation.Cancel();
        OperationCanceledException thrown =
            Assert.Throws<OperationCanceledException>(() => store.Flush(operation: operation));
        Assert.Equal(CancellationToken.None, thrown.CancellationToken);
        Assert.True(cursor.Next(out _), "the cursor goes on");
    }

    [Fact]
    public void CancelDuringAWaitAtTheHardLimit()
    {
        (Store store, RecordStream full) = Make.Full(WhenFull.Block);
        using (store)
        {
            StreamStatistics before = full.GetStatistics();
            CancelOneAdd(full);
            Assert.Equal(1ul, store.GetStatistics().Waits);
            Assert.Equal(before.TailSequence, full.GetStatistics().TailSequence);
            Assert.True(store.GetStatistics().AddsRefused > 0);
        }
    }

    private static void CancelOneAdd(RecordStream full)
    {
        using CancellationTokenSource source = new();
        OperationCanceledException? thrown = null;
        Until.AllRan(
            () => thrown = Assert.Throws<OperationCanceledException>(() => full.AddRecord(
                new byte[20_000], Timeout.InfiniteTimeSpan, source.Token)),
            () =>
            {
                UntilAnAddWaits(full.Store);
                source.Cancel();
            });
        Assert.Equal(source.Token, thrown!.CancellationToken);
    }

    [Fact]
    public void CloseWakesAWaitingAdd()
    {
        (Store store, RecordStream full) = Make.Full(WhenFull.Block);
        using (store)
        {
            Until.AllRan(
                () => Assert.Throws<ObjectDisposedException>(
                    () => full.AddRecord(new byte[20_000], Timeout.InfiniteTimeSpan)),
                () =>
                {
                    UntilAnAddWaits(store);
                    store.Close();
                });
        }
    }

    private static void UntilAnAddWaits(Store store) => Until.True(
        () => store.GetStatistics().AddersWaiting == 1, "no add waits");

    [Fact]
    public void TimeoutAtTheHardLimit()
    {
        (Store store, RecordStream full) = Make.Full(WhenFull.Block);
        using (store)
        {
            ulong tail = full.GetStatistics().TailSequence;
            byte[] record = new byte[20_000];
            long begin = Stopwatch.GetTimestamp();
            Assert.Equal(SpillwayStatus.Timeout, Add(TimeSpan.FromMilliseconds(30)));
            Assert.True(Stopwatch.GetElapsedTime(begin) >= TimeSpan.FromMilliseconds(29));
            Assert.Equal(SpillwayStatus.Timeout, Add(TimeSpan.FromTicks(1))); // Rounded up.
            Assert.Equal(SpillwayStatus.WouldBlock, Add(TimeSpan.Zero));
            store.DefaultTimeout = TimeSpan.FromMilliseconds(2);
            Assert.Equal(SpillwayStatus.Timeout, Add(null));
            using BatchBuilder batch = new();
            batch.Append(record);
            Assert.False(full.TryAdd(batch, out ulong first));
            Assert.Equal(Limits.NoSequence, first);
            full.WhenFull = WhenFull.Fail;
            Assert.Equal(SpillwayStatus.WouldBlock, Add(TimeSpan.FromSeconds(60)));
            Assert.Equal(tail, full.GetStatistics().TailSequence);
            Assert.Throws<ArgumentOutOfRangeException>(
                () => full.AddRecord(record, TimeSpan.FromSeconds(-5)));

            SpillwayStatus Add(TimeSpan? timeout) => Assert
                .Throws<SpillwayException>(() => full.AddRecord(record, timeout)).Status;
        }
    }

    [Fact]
    public void OperationWatchesACall()
    {
        using Folder folder = new();
        using Store store = Make.OnDisk(folder, budget: 64 << 20);
        RecordStream log = store.OpenStream("log");
        using Operation operation = new();
        for (int round = 0; round < 2; round++)
        {
            log.Add(new byte[1000], [.. Enumerable.Range(0, 1001).Select(i => (ulong)i)]);
            store.Flush(operation: operation);
            Assert.True(operation.Progress.Total > 0);
            Assert.Equal(operation.Progress.Total, operation.Progress.Done);
        }
        using CancellationTokenSource source = new();
        store.Flush(operation: operation, cancellationToken: source.Token);
        source.Cancel(); // Too late to reach the operation.
        store.Close(operation: operation);
        operation.Dispose();
        operation.Cancel();
        Assert.Throws<ObjectDisposedException>(() => operation.Progress);
        Assert.Throws<ObjectDisposedException>(
            () => Store.Open(folder.Store, operation: operation));
    }
}
