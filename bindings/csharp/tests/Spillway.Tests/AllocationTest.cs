using Xunit;

namespace Spillway.Tests;

public class AllocationTest
{
    /// <summary>Managed bytes that a thread allocates by an action that has run warm.</summary>
    internal static long Allocated(Action action)
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

    [Fact]
    public void BlocksAllocateNothing()
    {
        using Folder folder = new();
        using BlockFile file = Make.Blocks(folder, 100, 1000);
        using BlockBatch batch = new();
        using BlockReadBatch reads = new();
        byte[][] names = [.. Enumerable.Range(0, 50).Select(i => (byte[])[(byte)'b', (byte)i])];
        byte[] data = Make.Record(1, 1000);
        byte[] buffer = new byte[1000];
        ulong[] versions = new ulong[50];
        names[0][1] = (byte)'0';
        Assert.Equal(0, Allocated(() =>
        {
            batch.Clear();
            for (int i = 1; i < names.Length; i++)
            {
                batch.Add(names[i], data);
            }
            batch.Add("a name of its own", data, BlockVersion.Any);
            file.PutBatch(batch, versions);
        }));
        Assert.Equal(0, Allocated(() =>
        {
            ulong version = file.Put("single", data);
            file.Patch("single", 10, buffer.AsSpan(0, 10));
            file.Put("single", data, file.Stat("single").Version);
            file.Append("single", default);
            if (version == 0 || file.Read("single", 10, buffer) != 990 || !file.Exists("block1"))
            {
                throw new InvalidOperationException();
            }
        }));
        using BlockList list = file.OpenList("block");
        Assert.Equal(0, Allocated(() =>
        {
            reads.Clear();
            for (int i = 1; i < names.Length; i++)
            {
                reads.Add(names[i]);
            }
            file.ReadBatch(reads);
            list.Seek("");
            long sum = file.TryStat("none", out _) ? 1 : 0;
            while (list.Next(out BlockPage page, 30))
            {
                for (int i = 0; i < page.Count; i++)
                {
                    sum += page.Info(i).Length + page.NameBytes(i).Length + page.Info(i).Tag.Length;
                }
            }
            if (sum < 100_000 || !reads[7].SequenceEqual(data))
            {
                throw new InvalidOperationException();
            }
            _ = file.GetStatistics();
        }));
    }
}
