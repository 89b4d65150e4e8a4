using System.Buffers;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Xunit;
using Xunit.Abstractions;

namespace Spillway.Tests;

public class BlockLifetimeTest(ITestOutputHelper output)
{
    [DllImport("spillway")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static extern unsafe int spw_blob_view(
        nint blob, byte** data, ulong* length, nint* error);

    [Fact]
    public unsafe void AViewIsNotCopied()
    {
        using Folder folder = new();
        using BlockFile file = Make.Blocks(folder, 1, 5000);
        using Blob blob = file.Get("block0");
        FieldInfo field =
            typeof(Blob).GetField("_handle", BindingFlags.Instance | BindingFlags.NonPublic)!;
        byte* data;
        ulong length;
        nint error;
        int status = spw_blob_view(
            ((SafeHandle)field.GetValue(blob)!).DangerousGetHandle(), &data, &length, &error);
        Assert.Equal((0, 5000ul), (status, length));
        fixed (byte* span = blob.Span)
        {
            Assert.True(data == span);
        }
        using MemoryHandle pin = blob.Memory[10..].Pin();
        Assert.True(data + 10 == pin.Pointer);
        using Blob second = file.Get("block0"); // From the cache, so the same memory.
        fixed (byte* span = second.Span)
        {
            Assert.True(data == span);
        }
        blob.Dispose(); // What is pinned stays.
        Assert.Equal(Make.Record(0, 5000)[10], *(byte*)pin.Pointer);
    }

    [Fact]
    public void BlockViewOutlivesFile()
    {
        using Folder folder = new();
        BlockFile file = Make.Blocks(folder, 2, 100_000);
        file.Flush(FlushLevel.Checkpoint);
        Blob blob = file.Get("block1");
        ReadOnlyMemory<byte> memory = blob.Memory;
        VerifyReport report = file.Verify();
        file.Put("block1", "changed"u8);
        file.Flush(FlushLevel.Checkpoint);
        Assert.Equal(Make.Record(1, 100_000), blob.ToArray());
        file.Delete("block1");
        file.Dispose();
        File.Delete(folder.Blocks);
        Assert.Equal(Make.Record(1, 100_000), blob.ToArray());
        Assert.Equal(Make.Record(1, 100_000), memory.ToArray());
        Assert.Equal(2ul, report.Blocks);
        blob.Dispose();
        blob.Dispose();
        Fails.AsDisposed(() => _ = blob.Span);
        Fails.AsDisposed(() => _ = blob.Memory);
        Fails.AsDisposed(() => memory.ToArray());
        Fails.AsDisposed(() => memory.Pin());
    }

    [Fact]
    public async Task BlockClosedFileSaysClosed()
    {
        using Folder folder = new();
        using BlockFile file = Make.Blocks(folder, 2, 100);
        using BlockTransaction save = file.BeginTransaction();
        using BlockSnapshot snapshot = file.BeginSnapshot();
        using BlockList list = file.OpenList();
        Blob blob = file.Get("block1");
        save.Put("x", default);
        file.Close();
        RefusesAll();
        file.Close();
        await file.CloseAsync();
        file.Dispose();
        await file.DisposeAsync();
        file.Dispose();
        file.Close();
        RefusesAll();
        Assert.Equal(Make.Record(1, 100), blob.ToArray());
        using (BlockFile again = Make.Blocks(folder))
        {
            Assert.Equal(["block0", "block1"], again.ListNames());
            BlockTransaction ended = again.BeginTransaction();
            BlockSnapshot past = again.BeginSnapshot();
            BlockList walk = again.OpenList();
            ended.Dispose();
            past.Dispose();
            walk.Dispose();
            Fails.AsDisposed(() => ended.Put("x", default));
            Fails.AsDisposed(() => ended.Commit());
            Fails.AsDisposed(() => past.Exists("x"));
            Fails.AsDisposed(() => walk.Next(out _));
            Fails.AsDisposed(() => walk.Seek("x"));
        }

        void RefusesAll()
        {
            ReadableBlocks[] all = [file, save, snapshot];
            foreach (ReadableBlocks blocks in all)
            {
                Action[] reads =
                [
                    () => blocks.Exists("block1"), () => blocks.Stat("block1"),
                    () => blocks.TryStat("block1", out _), () => blocks.ReadAll("block1"),
                    () => blocks.Read("block1", 0, new byte[1]), () => blocks.Get("block1"),
                    () => blocks.TryGet("block1", out _), () => blocks.OpenList(),
                    () => _ = blocks.List().Any(), () => _ = blocks.ListNames().Any(),
                    () => blocks.ReadBatch(
                        "a"u8, [0, 1], default, new ulong[2], new SpillwayStatus[1]),
                ];
                Assert.All(reads, Fails.AsDisposed);
            }
            Assert.All((WritableBlocks[])[file, save], RefusesChanges);
            Action[] calls =
            [
                () => file.Flush(), () => file.BeginTransaction(), () => file.BeginSnapshot(),
                () => file.Verify(), () => file.GetStatistics(), () => save.Commit(),
                () => list.Next(out _), () => list.Seek("a"),
            ];
            Assert.All(calls, Fails.AsDisposed);
        }
    }

    private static void RefusesChanges(WritableBlocks blocks)
    {
        using BlockBatch batch = new();
        batch.Add("a", default);
        Action[] changes =
        [
            () => blocks.Put("a", default), () => blocks.PutBatch(batch),
            () => blocks.Append("a", default), () => blocks.Patch("block1", 0, default),
            () => blocks.Delete("block1"), () => blocks.Rename("block1", "x"),
            () => blocks.SetTag("block1", default),
        ];
        Assert.All(changes, Fails.AsDisposed);
    }

    [Fact]
    public void BlockHandlesInAnyOrder()
    {
        ulong leaked = SpillwayLibrary.LeakedFiles;
        using Folder folder = new();
        Make.Blocks(folder, 2, 100).Dispose();
        foreach (int[] order in Orders([0, 1, 2, 3, 4]))
        {
            BlockFile file = Make.Blocks(folder);
            IDisposable[] handles =
            [
                file, file.BeginTransaction(), file.BeginSnapshot(), file.OpenList(),
                file.Get("block1"),
            ];
            foreach (int i in order)
            {
                Action[] twice = [handles[i].Dispose, handles[i].Dispose];
                if (order[0] % 2 == 0)
                {
                    Until.AllRan(twice);
                }
                else
                {
                    Array.ForEach(twice, dispose => dispose());
                }
            }
        }
        Assert.Equal(leaked, SpillwayLibrary.LeakedFiles);
    }

    private static IEnumerable<int[]> Orders(int[] left) => left.Length == 0
        ? [[]]
        : left.SelectMany(
            first => Orders([.. left.Where(each => each != first)])
                .Select(rest => (int[])[first, .. rest]));

    [Fact]
    public void DisposeDuringCallsOnBlocks()
    {
        using Folder folder = new();
        for (int round = 0; round < 20; round++)
        {
            BlockFile file = Make.Blocks(folder, 20, 1000);
            using Barrier start = new(4);
            int done = 0;
            Until.AllRan(
                () => Use(() => Assert.Equal(Make.Record(7, 1000), file.ReadAll("block7"))),
                () => Use(() => Assert.Equal(20, file.ListNames().Count())),
                () => Use(() => file.Put("block1", Make.Record(1, 1000))),
                () =>
                {
                    start.SignalAndWait();
                    Until.True(() => Volatile.Read(ref done) > 50, "nobody gets on");
                    file.Dispose();
                });

            void Use(Action call)
            {
                start.SignalAndWait();
                Fails.AsDisposed(() =>
                {
                    while (true)
                    {
                        call();
                        Interlocked.Increment(ref done);
                    }
                });
            }
        }
    }

    [Fact]
    public void UndisposedBlockHandlesAreCollected()
    {
        const ulong Files = 9;
        using Folder folder = new();
        ulong leaked = SpillwayLibrary.LeakedFiles;
        using BlockFile file = Make.Blocks(folder, 100, 1000);
        Forget(file, 3000);
        for (ulong i = 0; i < Files; i++)
        {
            ForgetAFile(folder.Blocks + i);
        }
        Until.Collected(() => SpillwayLibrary.LeakedFiles == leaked + Files, "files stay");
        Until.Collected(
            () => file.GetStatistics().Snapshots == 0, "transactions, snapshots or lists stay");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget(BlockFile file, int handles)
    {
        for (int i = 0; i < handles; i++)
        {
            switch (i % 4)
            {
                case 0:
                    file.BeginTransaction().Put("x", default);
                    break;
                case 1:
                    _ = file.BeginSnapshot();
                    break;
                case 2:
                    file.OpenList().Next(out _);
                    break;
                default:
                    _ = file.Get($"block{i % 100}");
                    break;
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ForgetAFile(string path)
    {
        BlockFile file = BlockFile.Open(path);
        file.Put("x", default);
        file.BeginTransaction().Put("y", default);
        file.OpenList().Next(out _);
        _ = file.Get("x");
    }

    /// <summary>Handles dropped, disposed and read in random order.</summary>
    [Fact]
    public void BlockStressWithForcedCollections()
    {
        Random random = Make.Random(output);
        using Folder folder = new();
        Make.Blocks(folder, 50, 3000).Dispose();
        // Without a cache only blobs keep their memory.
        using BlockFile file = BlockFile.Open(folder.Blocks, new() { CacheBytes = 0 });
        Until.AllRanAmidCollections(random, (own, step) => Stress(file, own, step));
        Until.Collected(() => file.GetStatistics().Snapshots == 0, "handles stay");
    }

    private static void Stress(BlockFile file, Random random, Action step)
    {
        byte[][] data = [.. Enumerable.Range(0, 50).Select(i => Make.Record((ulong)i, 3000))];
        List<(int Block, object Handle)> held = [];
        for (int i = 0; i < 5000; i++)
        {
            step();
            int block = random.Next(50);
            held.Add((block, random.Next(5) switch
            {
                0 => file.BeginSnapshot(),
                1 => file.BeginTransaction(),
                2 => file.OpenList($"block{block}"),
                3 => file.Get($"block{block}"),
                _ => file.Get($"block{block}").Memory[1..], // Nothing else keeps this blob.
            }));
            int chosen = random.Next(held.Count);
            Read(held[chosen].Handle, held[chosen].Block, data[held[chosen].Block]);
            if (held.Count > 20)
            {
                if (random.Next(2) == 0)
                {
                    (held[chosen].Handle as IDisposable)?.Dispose();
                }
                held.RemoveAt(chosen);
            }
        }
    }

    private static void Read(object handle, int block, byte[] data)
    {
        switch (handle)
        {
            case Blob blob:
                Assert.True(blob.Memory.Span.SequenceEqual(data));
                break;
            case ReadOnlyMemory<byte> memory:
                Assert.True(memory.Span.SequenceEqual(data.AsSpan(1)));
                break;
            case BlockList list:
                list.Seek("");
                list.Next(out BlockPage page, 1);
                Assert.Equal($"block{block}", page.Name(0));
                break;
            case WritableBlocks save:
                save.Put("private", data);
                Assert.Equal(data, save.ReadAll("private"));
                break;
            default:
                Assert.Equal(data, ((ReadableBlocks)handle).ReadAll($"block{block}"));
                break;
        }
    }
}
