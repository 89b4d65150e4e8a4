using System.Runtime.CompilerServices;
using Xunit;
using Xunit.Abstractions;

namespace Spillway.Tests;

public class LifetimeTest(ITestOutputHelper output)
{
    private static RecordStream Filled(Store store)
    {
        RecordStream log = store.OpenStream("log");
        ulong[] offsets = [.. Enumerable.Range(0, 101).Select(i => 100ul * (ulong)i)];
        log.Add(Make.Record(1, 10_000), offsets);
        return log;
    }

    [Fact]
    public async Task UseAfterClose()
    {
        using Folder folder = new();
        using Store store = Make.OnDisk(folder);
        RecordStream log = Filled(store);
        Cursor cursor = log.OpenCursor();
        OwnedBatch batch = cursor.NextOwned()!;
        store.Close();
        RefusesAll(store, log);
        Refuses(() => cursor.Next(out _));
        store.Close();
        await store.CloseAsync();
        store.Dispose();
        store.Dispose();
        await store.DisposeAsync();
        store.Close();
        RefusesAll(store, log);
        Refuses(() => cursor.Next(out _));
        Assert.Equal(100, batch.Count);
        Assert.Equal(Make.Record(1, 10_000)[9900..], batch[99].ToArray());

        cursor.Dispose();
        Action[] calls =
        [
            () => cursor.Next(out _), () => cursor.NextOwned(), () => cursor.Detach(),
            () => cursor.Seek(0), () => _ = cursor.Range,
        ];
        Assert.All(calls, Refuses);
        Assert.Equal(Make.Record(1, 10_000)[..100], batch[0].ToArray());
        batch.Dispose();
        Refuses(() => _ = batch[0]);
    }

    private static void RefusesAll(Store store, RecordStream log)
    {
        Action[] calls =
        [
            () => store.OpenStream("log"), () => store.GetStreams(), () => store.Flush(),
            () => store.GetStatistics(), () => store.DrainEvents(), () => _ = store.BudgetBytes,
            () => store.BudgetBytes = 1 << 20, () => log.Add("a"u8, [0, 1]),
            () => log.AddRecord("a"u8), () => log.TryAdd(new BatchBuilder(), out _),
            () => log.Read(0), () => log.Gather([0]), () => log.Clear(),
            () => log.GetStatistics(), () => log.OpenCursor(), () => _ = log.WhenFull,
            () => log.Trim(0), () => log.TrimBefore(0), () => log.TrimToSize(0),
            () => store.Settle(), () => store.ReleaseMemory(),
        ];
        Assert.All(calls, Refuses);
    }

    private static void Refuses(Action call) => Assert.Throws<ObjectDisposedException>(call);

    [Fact]
    public void DisposeInAnyOrder()
    {
        int[][] orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        ulong leaked = SpillwayLibrary.LeakedStores;
        foreach (int[] order in orders)
        {
            foreach (bool elsewhere in (bool[])[false, true])
            {
                using Folder folder = new();
                Store store = Make.OnDisk(folder);
                Cursor cursor = Filled(store).OpenCursor();
                OwnedBatch batch = cursor.NextOwned(10)!;
                IDisposable[] handles = [store, cursor, batch];
                foreach (int i in order)
                {
                    Action[] twice = [handles[i].Dispose, handles[i].Dispose];
                    if (elsewhere)
                    {
                        Until.AllRan(twice);
                    }
                    else
                    {
                        Array.ForEach(twice, dispose => dispose());
                    }
                }
            }
        }
        Assert.Equal(leaked, SpillwayLibrary.LeakedStores);
    }

    [Fact]
    public void DisposeDuringCalls()
    {
        for (int round = 0; round < 20; round++)
        {
            Store store = Store.OpenInMemory(new() { BudgetBytes = 4 << 20 });
            RecordStream log = Filled(store);
            using Barrier start = new(3);
            Action use = () =>
            {
                start.SignalAndWait();
                Refuses(() => ReadForEver(log));
            };
            Until.AllRan(use, use, () =>
            {
                start.SignalAndWait();
                for (int i = 0; i < 5; i++)
                {
                    Thread.Yield();
                }
                store.Dispose();
            });
        }
    }

    private static void ReadForEver(RecordStream log)
    {
        while (true)
        {
            using Cursor cursor = log.OpenCursor();
            cursor.Next(out RecordBatch batch);
            Assert.Equal(100, batch[99].Length);
            log.Read(5);
        }
    }

    [Fact]
    public void UndisposedHandlesAreCollected()
    {
        const ulong Stores = 12;
        using Folder folder = new();
        ulong leaked = SpillwayLibrary.LeakedStores;
        using Store store = Make.OnDisk(folder, budget: 16 << 20);
        RecordStream log = Filled(store);
        Forget(log, 10_000);
        for (ulong i = 0; i < Stores; i++)
        {
            ForgetAStore(i % 3 == 0 ? folder.Store + i : null);
        }
        Until.Collected(() => SpillwayLibrary.LeakedStores == leaked + Stores, "stores stay");
        Until.Collected(() => PinnedAfterClear(store, log) == 0, "cursors or batches stay");
    }

    // Memory counts as pinned once only views and batches hold it.
    private static ulong PinnedAfterClear(Store store, RecordStream log)
    {
        log.Clear();
        return store.GetStatistics().BytesPinned;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget(RecordStream log, int handles)
    {
        for (int i = 0; i < handles; i++)
        {
            switch (i % 4)
            {
                case 0:
                    log.OpenCursor().Next(out _, 10);
                    break;
                case 1:
                    _ = log.OpenCursor().NextOwned(10);
                    break;
                case 2:
                    _ = log.Gather([(ulong)(i % 100)]);
                    break;
                default:
                    _ = new Operation();
                    break;
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ForgetAStore(string? path)
    {
        Store store = path == null ? Store.OpenInMemory() : Store.Open(path, Make.OnDisk());
        Filled(store).OpenCursor().Next(out _);
    }

    [Fact]
    public void MemoryInUseIsNotCollected()
    {
        using Store store = Store.OpenInMemory();
        CollectInsideALoop(store);
        Until.Collected(() => store.GetStatistics().BytesPinned == 0, "the cursor stays");
        CollectBesideAMemory(store);
        Until.Collected(() => store.GetStatistics().BytesPinned == 0, "the batch stays");
    }

    // Methods of their own, for what is on a stack may be kept until its method returns.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CollectInsideALoop(Store store)
    {
        RecordStream log = Filled(store);
        foreach (ReadOnlySpan<byte> record in NewBatch(log)) // Nothing else keeps this cursor.
        {
            CollectAndCheck(store, log);
            Assert.Equal(Make.Record(1, 10_000)[..100], record.ToArray());
            break;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CollectBesideAMemory(Store store)
    {
        RecordStream log = Filled(store);
        ReadOnlyMemory<byte> memory = NewMemory(log);
        CollectAndCheck(store, log);
        Assert.Equal(Make.Record(1, 10_000)[9900..], memory.ToArray());
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ReadOnlyMemory<byte> NewMemory(RecordStream log) =>
        log.OpenCursor().NextOwned()![99];

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CollectAndCheck(Store store, RecordStream log)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.NotEqual(0ul, PinnedAfterClear(store, log));
    }

    /// <summary>Handles dropped, disposed and read in random order.</summary>
    [Fact]
    public void StressWithForcedCollections()
    {
        Random random = Make.Random(output);
        using Folder folder = new();
        using Store store = Make.OnDisk(folder, budget: 1 << 20);
        RecordStream log = Filled(store);
        Until.AllRanAmidCollections(random, (own, step) => Stress(log, own, step));
        Until.Collected(() => PinnedAfterClear(store, log) == 0, "cursors or batches stay");
    }

    private static void Stress(RecordStream log, Random random, Action step)
    {
        byte[] data = Make.Record(1, 10_000);
        List<object> held = [];
        for (int i = 0; i < 10_000; i++)
        {
            step();
            held.Add(random.Next(30) switch
            {
                0 => Store.OpenInMemory(),
                < 10 => log.OpenCursor(),
                < 20 => log.OpenCursor().NextOwned(100)!,
                < 27 => log.Gather([7, 99])[1], // Nothing but a memory keeps this batch.
                _ => new Operation(),
            });
            int chosen = random.Next(held.Count);
            Read(held[chosen], data);
            foreach (ReadOnlySpan<byte> record in NewBatch(log)) // Nothing keeps this cursor.
            {
                Assert.Equal(data[0], record[0]);
                break;
            }
            if (held.Count > 20)
            {
                if (random.Next(2) == 0)
                {
                    (held[chosen] as IDisposable)?.Dispose();
                }
                held.RemoveAt(chosen);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static RecordBatch NewBatch(RecordStream log)
    {
        log.OpenCursor().Next(out RecordBatch batch, 5);
        return batch;
    }

    private static void Read(object handle, byte[] data)
    {
        switch (handle)
        {
            case Cursor cursor:
                cursor.Seek(0);
                cursor.Next(out RecordBatch batch, 3);
                Assert.True(batch[2].SequenceEqual(data.AsSpan(200, 100)));
                GC.KeepAlive(cursor);
                break;
            case OwnedBatch owned:
                Assert.True(owned[99].Span.SequenceEqual(data.AsSpan(9900)));
                break;
            case ReadOnlyMemory<byte> memory:
                Assert.Equal(data[9900..], memory.ToArray());
                break;
            case Operation operation:
                operation.Cancel();
                break;
            default:
                ((Store)handle).OpenStream("s").AddRecord(data);
                break;
        }
    }
}
