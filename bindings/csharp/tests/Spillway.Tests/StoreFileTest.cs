using System.Runtime.CompilerServices;
using Xunit;

namespace Spillway.Tests;

/// <summary>Records and blocks of the application's own in one file.</summary>
public class StoreFileTest
{
    private static void Add(RecordStream log, ulong first, int count)
    {
        using BatchBuilder batch = new();
        for (int i = 0; i < count; i++)
        {
            batch.Append(Make.Record(first + (ulong)i, 100));
        }
        log.Add(batch);
    }

    private static void HasRecords(Store store, int count)
    {
        RecordStream log = store.OpenStream("log", mode: StreamMode.Existing);
        using Cursor cursor = log.OpenCursor();
        ulong next = 0;
        while (cursor.Next(out RecordBatch batch))
        {
            foreach (ReadOnlySpan<byte> record in batch)
            {
                Assert.True(record.SequenceEqual(Make.Record(next++, 100)));
            }
        }
        Assert.Equal((ulong)count, next);
    }

    [Fact]
    public void StoreFileKeepsRecordsAndBlocks()
    {
        using Folder folder = new();
        using (BlockFile before = BlockFile.Open(folder.Store))
        {
            before.Put("older", "than the store"u8);
        }
        using (Store store = Store.Open(
            folder.Store, new StoreOptions { BudgetBytes = Make.SmallBudget }))
        using (BlockFile file = store.OpenFile())
        {
            RecordStream log = store.OpenStream("log");
            for (int i = 0; i < 50; i++)
            {
                Add(log, 100 * (ulong)i, 100);
                file.Put($"block{i}", Make.Record((ulong)i, 5000));
            }
            Assert.True(store.GetStatistics().RecordsSpilled > 0);
            Assert.Equal("than the store"u8.ToArray(), file.ReadAll("older"));
            Assert.True(file.Verify().IsClean);
            HasRecords(store, 5000);
        }
        using (Store store = Store.Open(
            folder.Store, new StoreOptions { Open = OpenMode.Existing }))
        using (BlockFile file = store.OpenFile())
        {
            HasRecords(store, 5000);
            for (int i = 0; i < 50; i++)
            {
                Assert.Equal(Make.Record((ulong)i, 5000), file.ReadAll($"block{i}"));
            }
            Assert.Equal(50, file.ListNames("block").Count());
        }
    }

    [Fact]
    public async Task StoreFileCommitsWithRecords()
    {
        using Folder folder = new();
        Store store = Store.Open(folder.Store);
        RecordStream log = store.OpenStream("log");
        store.Flush();
        BlockFile file = store.OpenFile();
        FlushLevel[] levels = [FlushLevel.Kernel, FlushLevel.Device, FlushLevel.Checkpoint];
        ulong fewest = ulong.MaxValue;
        for (int i = 0; i < 30; i++)
        {
            Add(log, 10 * (ulong)i, 10);
            using BlockTransaction save = file.BeginTransaction();
            save.Put("position", Make.Record((ulong)i, 20));
            ulong barriers = file.GetStatistics().Barriers;
            store.Commit(save, levels[i % 3]);
            if (levels[i % 3] == FlushLevel.Device)
            {
                fewest = Math.Min(fewest, file.GetStatistics().Barriers - barriers);
            }
            Fails.With(SpillwayStatus.InvalidState, () => store.Commit(save));
            Fails.With(SpillwayStatus.InvalidState, () => save.Put("x", default));
        }
        Assert.Equal(1ul, fewest); // The library may have one of its own now and then.
        using (BlockTransaction cancelled = file.BeginTransaction())
        {
            using CancellationTokenSource source = new();
            source.Cancel();
            cancelled.Put("cancelled", default);
            Assert.Throws<OperationCanceledException>(
                () => store.Commit(cancelled, cancellationToken: source.Token));
            Fails.With(
                SpillwayStatus.InvalidArgument, () => store.Commit(cancelled, (FlushLevel)0));
            await store.CommitAsync(cancelled); // It was as before.
        }
        using (BlockTransaction first = file.BeginTransaction())
        using (BlockTransaction second = file.BeginTransaction())
        {
            first.Put("both", "1"u8);
            second.Put("both", "2"u8);
            store.Commit(first);
            Fails.With(SpillwayStatus.Conflict, () => store.Commit(second));
        }
        using (BlockFile other = Make.Blocks(folder))
        using (BlockTransaction foreign = other.BeginTransaction())
        {
            foreign.Put("a", default);
            Fails.With(SpillwayStatus.InvalidArgument, () => store.Commit(foreign));
            foreign.Commit(); // It is as before.
            Assert.Throws<ArgumentNullException>(() => store.Commit(null!));
        }
        BlockTransaction gone = file.BeginTransaction();
        gone.Dispose();
        Fails.AsDisposed(() => store.Commit(gone));
        store.Close(CloseMode.Discard); // As a crash.
        store.Dispose();
        file.Dispose();
        using Store again = Store.Open(folder.Store);
        HasRecords(again, 300);
        using BlockFile reopened = again.OpenFile();
        Assert.Equal(Make.Record(29, 20), reopened.ReadAll("position"));
        Assert.True(reopened.Exists("cancelled"));
        Assert.Equal("1"u8.ToArray(), reopened.ReadAll("both"));
    }

    [Fact]
    public async Task StoreFileClosesWithItsStore()
    {
        ulong leaked = SpillwayLibrary.LeakedFiles;
        using Folder folder = new();
        Store store = Store.Open(folder.Store);
        BlockFile file = store.OpenFile();
        file.Put("a", "kept"u8);
        Fails.With(SpillwayStatus.InvalidState, () => file.Close());
        Fails.With(SpillwayStatus.InvalidState, () => file.Close(CloseMode.Discard));
        BlockFile second = store.OpenFile();
        BlockFile third = store.OpenFile();
        second.Dispose();
        second.Dispose();
        await third.DisposeAsync();
        Fails.AsDisposed(() => second.Exists("a"));
        Assert.True(file.Exists("a")); // Disposing the others has closed nothing.
        using BlockTransaction save = file.BeginTransaction();
        using BlockList list = file.OpenList();
        using Blob blob = file.Get("a");
        store.Dispose();
        Action[] calls =
        [
            () => file.Exists("a"), () => file.Put("a", default), () => file.Flush(),
            () => file.GetStatistics(), () => save.Put("a", default), () => save.Commit(),
            () => list.Next(out _), () => store.Commit(save), () => store.OpenFile(),
        ];
        Assert.All(calls, Fails.AsDisposed);
        Assert.Equal("kept"u8.ToArray(), blob.ToArray());
        file.Dispose();
        Assert.Equal(leaked, SpillwayLibrary.LeakedFiles);
        using BlockFile after = BlockFile.Open(folder.Store);
        Assert.Equal("kept"u8.ToArray(), after.ReadAll("a"));
    }

    [Fact]
    public void StoreFileInAnyOrder()
    {
        (ulong stores, ulong files) = (SpillwayLibrary.LeakedStores, SpillwayLibrary.LeakedFiles);
        using Folder folder = new();
        using (Store store = Store.Open(folder.Store))
        using (BlockFile file = store.OpenFile())
        {
            Add(store.OpenStream("log"), 0, 10);
            file.Put("a", "1"u8);
        }
        for (int order = 0; order < 24; order++)
        {
            Store store = Store.Open(folder.Store);
            BlockFile file = store.OpenFile();
            BlockTransaction save = file.BeginTransaction();
            save.Put("lost", default);
            List<IDisposable> left = [store, file, save, store.OpenStream("log").OpenCursor()];
            for (int rest = order; left.Count > 0; rest /= left.Count + 1)
            {
                IDisposable each = left[rest % left.Count];
                left.Remove(each);
                if (order % 2 == 0)
                {
                    Until.AllRan(each.Dispose, each.Dispose);
                }
                else
                {
                    each.Dispose();
                }
            }
        }
        Assert.Equal(
            (stores, files), (SpillwayLibrary.LeakedStores, SpillwayLibrary.LeakedFiles));

        // Nobody but the file refers to the store, which stays open; then nobody to either.
        BlockFile alone = Forget(folder);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal("1"u8.ToArray(), alone.ReadAll("a"));
        Assert.Equal(stores, SpillwayLibrary.LeakedStores);
        GC.KeepAlive(alone);
        alone = null!;
        for (int i = 0; i < 5; i++)
        {
            Forget(new DirectoryInfo(folder.Path).CreateSubdirectory($"{i}").FullName + "/store");
        }
        Until.Collected(() => SpillwayLibrary.LeakedStores - stores >= 5, "stores are collected");
        Assert.Equal(files, SpillwayLibrary.LeakedFiles);
    }

    private static BlockFile Forget(Folder folder) => Forget(folder.Store);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static BlockFile Forget(string path)
    {
        BlockFile file = Store.Open(path).OpenFile();
        file.BeginTransaction().Put("lost", default);
        return file;
    }

    [Fact]
    public void StoreWithoutAFileIsUnsupported()
    {
        using Folder folder = new();
        using Store memory = Store.OpenInMemory();
        using Store sqlite =
            Store.Open(folder.Store, new StoreOptions { ColdTier = ColdTier.Sqlite });
        using BlockFile file = Make.Blocks(folder);
        using BlockTransaction save = file.BeginTransaction();
        foreach (Store store in (Store[])[memory, sqlite])
        {
            Fails.With(SpillwayStatus.Unsupported, () => store.OpenFile());
            Assert.Throws<SpillwayException>(() => store.Commit(save));
        }
        save.Commit();
        sqlite.Close();
        Fails.AsDisposed(() => sqlite.OpenFile());
        Fails.With(
            SpillwayStatus.InvalidArgument,
            () => Store.Open(
                folder.Store, new StoreOptions { ColdTier = ColdTier.BlockFile }));
    }

    [Fact]
    public void StoreFileNamesAreReserved()
    {
        const string Name = ".spillway/store";
        using Folder folder = new();
        using Store store = Store.Open(folder.Store);
        Add(store.OpenStream("log"), 0, 100);
        store.Flush();
        using BlockFile file = store.OpenFile();
        Assert.Contains(Name, file.ListNames());
        byte[] whole = file.ReadAll(Name);
        Assert.NotEmpty(whole);
        file.Put("mine", "text"u8);
        using BlockTransaction save = file.BeginTransaction();
        foreach (WritableBlocks blocks in (WritableBlocks[])[file, save])
        {
            using BlockBatch batch = new();
            batch.Add(".spillway/x", default);
            Action[] changes =
            [
                () => blocks.Put(Name, default), () => blocks.Append(Name, "x"u8),
                () => blocks.Patch(Name, 0, "x"u8), () => blocks.Delete(Name),
                () => blocks.SetTag(Name, default), () => blocks.PutBatch(batch),
                () => blocks.Rename(Name, "other"), () => blocks.Rename("mine", ".spillway/x"),
                () => blocks.OpenWrite(Name).Dispose(),
            ];
            Assert.All(changes, call => Fails.With(SpillwayStatus.InvalidArgument, call));
        }
        Assert.Equal(whole, file.ReadAll(Name));
        HasRecords(store, 100);
    }
}
