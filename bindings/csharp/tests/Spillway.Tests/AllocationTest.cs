using Xunit;

namespace Spillway.Tests;

public class AllocationTest
{
    /// <summary>Managed bytes that a thread allocates by an action that has run warm.</summary>
    private static long Allocated(Action action)
    {
        for (int i = 0; i < 200; i++)
        {
            action();
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            action();
        }
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    [Fact]
    public void AddingAllocatesNothing()
    {
        using Store store = Store.OpenInMemory(new() { BudgetBytes = 256 << 20 });
        RecordStream plain = store.OpenStream("plain");
        RecordStream timed = store.OpenStream("timed", new() { Times = true });
        using BatchBuilder batch = new();
        using CancellationTokenSource source = new();
        byte[] record = Make.Record(1, 100);
        Assert.Equal(0, Allocated(() =>
        {
            batch.Clear();
            for (int i = 0; i < 1000; i++)
            {
                batch.Append(record);
            }
            plain.Add(batch);
        }));
        Assert.Equal(0, Allocated(() =>
        {
            batch.Clear();
            for (int i = 0; i < 100; i++)
            {
                batch.Append(record, i);
            }
            timed.Add(batch, TimeSpan.FromSeconds(5), source.Token);
            timed.TryAdd(batch, out _);
            plain.AddRecord(record, cancellationToken: source.Token);
        }));
    }

    [Fact]
    public void ReadingAllocatesNothing()
    {
        using Store store = Store.OpenInMemory();
        RecordStream log = store.OpenStream("log");
        log.Add(new byte[1000], [.. Enumerable.Range(0, 1001).Select(i => (ulong)i)]);
        using Cursor cursor = log.OpenCursor();
        using CancellationTokenSource source = new();
        byte[] buffer = new byte[10];
        long sum = 0;
        Assert.Equal(0, Allocated(() =>
        {
            cursor.Seek(0);
            while (cursor.Next(out RecordBatch batch, 100, cancellationToken: source.Token))
            {
                foreach (ReadOnlySpan<byte> record in batch)
                {
                    sum += record.Length;
                }
            }
            log.TryRead(7, buffer, out _, out _);
            _ = store.GetStatistics();
            _ = log.GetStatistics();
        }));
        Assert.Equal(300 * 1000, sum);
    }
}
