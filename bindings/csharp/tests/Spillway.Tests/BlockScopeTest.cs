using System.Text;
using Xunit;

namespace Spillway.Tests;

public class BlockScopeTest
{
    [Fact]
    public void BlockTxnRollsBack()
    {
        using Folder folder = new();
        using BlockFile file = Make.Blocks(folder, 3, 100);
        using (BlockTransaction save = file.BeginTransaction())
        {
            Assert.Same(file, save.File);
            Assert.Equal(0ul, save.Put("new", "1"u8));
            save.Delete("block0");
            save.Rename("block1", "other");
            save.Append("block2", "more"u8);
            save.Patch("block2", 0, "less"u8);
            save.SetTag("block2", "tag"u8);
            Assert.Equal(["block2", "new", "other"], save.ListNames());
            Assert.Equal(104, save.Stat("block2").Length);
            Assert.Equal(0ul, save.Stat("block2").Version);
        }
        Assert.Equal(["block0", "block1", "block2"], file.ListNames());
        Assert.Equal(Make.Record(2, 100), file.ReadAll("block2"));
        Assert.Equal(0ul, file.GetStatistics().Snapshots);

        using (BlockTransaction save = file.BeginTransaction())
        {
            using BlockBatch batch = new();
            batch.Add("new", "1"u8);
            batch.Add("block0", "2"u8);
            save.PutBatch(batch);
            Assert.Equal(Make.Record(0, 100), file.ReadAll("block0"));
            save.Commit();
            Fails.With(SpillwayStatus.InvalidState, () => save.Commit());
            Fails.With(SpillwayStatus.InvalidState, () => save.Put("x", default));
            Fails.With(SpillwayStatus.InvalidState, () => save.ReadAll("new"));
        }
        Assert.Equal("2"u8.ToArray(), file.ReadAll("block0"));
        file.Close(CloseMode.Discard); // It was durable.
        file.Dispose();
        using BlockFile again = Make.Blocks(folder);
        Assert.Equal(["block0", "block1", "block2", "new"], again.ListNames());
        Assert.Equal("2"u8.ToArray(), again.ReadAll("block0"));
    }

    [Fact]
    public async Task BlockTxnConflict()
    {
        using Folder folder = new();
        await using BlockFile file = await BlockFile.OpenAsync(folder.Blocks);
        file.Put("a", "1"u8);
        using BlockTransaction first = file.BeginTransaction();
        using BlockTransaction second = file.BeginTransaction();
        using BlockTransaction apart = file.BeginTransaction();
        first.Put("a", "first"u8);
        first.Put("b", "first"u8);
        second.Put("a", "second"u8);
        second.Put("c", "second"u8);
        apart.Put("d", "apart"u8);
        await first.CommitAsync();
        Fails.With(SpillwayStatus.Conflict, () => second.Commit());
        apart.Commit(CommitLevel.Relaxed);
        Assert.Equal("first"u8.ToArray(), file.ReadAll("a"));
        Assert.Equal(["a", "b", "d"], file.ListNames());
        await file.FlushAsync(FlushLevel.Checkpoint);
        await file.CloseAsync();
    }

    [Fact]
    public void BlockSnapshotIsStable()
    {
        using Folder folder = new();
        using BlockFile file = Make.Blocks(folder, 100, 5000);
        using BlockSnapshot snapshot = file.BeginSnapshot();
        using BlockList list = file.OpenList();
        for (int i = 0; i < 100; i += 2)
        {
            file.Delete($"block{i}");
            file.Put($"block{i + 1}", "changed"u8);
        }
        file.Put("another", default);
        file.Flush(FlushLevel.Checkpoint);
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(Make.Record((ulong)i, 5000), snapshot.ReadAll($"block{i}"));
        }
        Assert.Equal(100, snapshot.ListNames().Count());
        Assert.True(list.Next(out BlockPage page));
        Assert.Equal("block0", page.Name(0));
        Assert.Equal(51, file.ListNames().Count());
        Assert.Equal("changed"u8.ToArray(), file.ReadAll("block1"));
        using BlockFile other = BlockFile.Open(folder.Blocks + "2");
        using BlockTransaction foreign = other.BeginTransaction();
        Assert.False(foreign.Exists("block1"));
    }

    [Fact]
    public void BlockListInOrder()
    {
        using Folder folder = new();
        using BlockFile file = Make.Blocks(folder);
        string[] names =
        [
            .. Enumerable.Range(0, 3000).Select(i => $"dir{i % 3}/{i:x}"),
            "ø", "Z", "a", "\ud83c\udf0a",
        ];
        using BlockBatch batch = new();
        foreach (string name in names)
        {
            batch.Add(name, Encoding.UTF8.GetBytes(name));
        }
        file.PutBatch(batch);
        string[] sorted = [.. names.OrderBy(
            Encoding.UTF8.GetBytes,
            Comparer<byte[]>.Create(static (a, b) => a.AsSpan().SequenceCompareTo(b)))];
        Assert.Equal(sorted, file.ListNames());
        Assert.Equal(sorted, file.List().Select(entry => entry.Name));
        Assert.Equal(
            sorted.Where(name => name.StartsWith("dir1/", StringComparison.Ordinal)),
            file.ListNames("dir1/"));
        Assert.Equal(["ø"], file.ListNames("ø"u8));
        Assert.Empty(file.List("none"));
        foreach (BlockEntry entry in file.List("dir2"))
        {
            Assert.Equal(entry.NameBytes.Length, entry.Info.Length);
            Assert.Equal(file.Stat(entry.Name).Version, entry.Info.Version);
        }

        using BlockList list = file.OpenList("dir");
        list.Seek("dir1/b");
        Assert.True(list.Next(out BlockPage page, 2));
        string[] from = [.. sorted.Where(name => string.CompareOrdinal(name, "dir1/b") >= 0)];
        Assert.Equal((from[0], from[1]), (page.Name(0), page.Name(1)));
        Assert.Equal(from[1].Length, page.Info(1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => PageOf(list, 1).Name(1));
        Assert.Throws<InvalidOperationException>(() => Stale(list).Name(0));
        list.Seek("");
        Assert.Equal(sorted.First(name => name[0] == 'd'), PageOf(list, 1).Name(0));
        list.Seek("e");
        Assert.False(list.Next(out page));
        Assert.Equal(0, page.Count);
        using BlockList brief = file.OpenList(namesOnly: true);
        Assert.Throws<InvalidOperationException>(() => PageOf(brief, 1).Info(0).Length);
    }

    private static BlockPage PageOf(BlockList list, int maxBlocks)
    {
        list.Next(out BlockPage page, maxBlocks);
        return page;
    }

    private static BlockPage Stale(BlockList list)
    {
        list.Next(out BlockPage page, 1);
        list.Next(out _, 1);
        return page;
    }

    [Fact]
    public void BlockVerifyReportsDamage()
    {
        const int Blocks = 20;
        const int Length = 50_000;
        using Folder folder = new();
        using (BlockFile file = Make.Blocks(folder, Blocks, Length))
        {
            using Operation operation = new();
            VerifyReport clean = file.Verify(operation: operation);
            Assert.True(clean.IsClean);
            Assert.Equal((20ul, 0ul, 0ul), (clean.Blocks, clean.BlocksDamaged, clean.ProblemCount));
            Assert.Equal(VerifyMode.Full, clean.Mode);
            Assert.True(clean.BytesRead >= Blocks * Length);
            (ulong done, ulong total) = operation.Progress;
            Assert.Equal(total, done);
            Assert.True(done >= Blocks * Length);
        }
        Damage.Flip(folder.Blocks, Make.Record(7, Length)[30_000..30_064]);
        using (BlockFile file = Make.Blocks(folder))
        {
            Assert.True(file.Verify(VerifyMode.Structures).IsClean);
            VerifyReport report = file.Verify();
            Assert.Equal((20ul, 1ul), (report.Blocks, report.BlocksDamaged));
            BlockProblem problem = Assert.Single(report.Problems);
            Assert.Equal((SpillwayStatus.Corrupt, "block7"), (problem.Status, problem.Name));
            Assert.Equal("block7"u8.ToArray(), problem.NameBytes.ToArray());
            Assert.NotEmpty(problem.Message);
            Fails.With(SpillwayStatus.Corrupt, () => file.Get("block7"));
            Fails.With(SpillwayStatus.Corrupt, () => file.ReadAll("block7"));
            using BlockReadBatch reads = new();
            reads.Add("block7");
            reads.Add("block8");
            file.ReadBatch(reads);
            Assert.Equal(SpillwayStatus.Corrupt, reads.Status(0));
            Assert.Equal(Make.Record(8, Length), reads[1].ToArray());
            Assert.True(file.GetStatistics().ChecksumErrors > 0);
        }
    }

    [Fact]
    public void StatisticsCount()
    {
        using Folder folder = new();
        using BlockFile file = Make.Blocks(folder, 10, 10_000);
        Assert.Equal(10ul, file.GetStatistics().BlocksDirty);
        file.Flush();
        BlockFileStatistics stats = file.GetStatistics();
        Assert.Equal((10ul, 100_000ul, 0ul), (stats.Blocks, stats.PayloadBytes, stats.BlocksDirty));
        Assert.Equal(stats.BytesFile, stats.BytesUsed + stats.BytesHeld + stats.BytesFree);
        Assert.Equal((ulong)new FileInfo(folder.Blocks).Length, stats.BytesFile);
        Assert.True(stats.BytesWritten >= 100_000 && stats.Barriers > 0 && stats.Groups > 0);
        Assert.Equal(10ul, stats.Puts);
        using BlockSnapshot one = file.BeginSnapshot();
        using BlockTransaction two = file.BeginTransaction();
        Assert.Equal(2ul, file.GetStatistics().Snapshots);
        for (int i = 0; i < 3; i++)
        {
            file.Get("block1").Dispose();
        }
        stats = file.GetStatistics();
        Assert.Equal((2ul, 1ul), (stats.CacheHits, stats.CacheMisses));
        Assert.True(stats.BytesCached >= 10_000);
        Assert.Equal(SpillwayStatus.Ok, stats.Health);
    }
}

/// <summary>Bytes of files changed behind the library's back.</summary>
public static class Damage
{
    /// <summary>Flips a bit wherever these bytes stand in a file, which is at least once.</summary>
    public static void Flip(string path, byte[] bytes)
    {
        byte[] all = File.ReadAllBytes(path);
        int places = 0;
        for (int at = 0; ; at++, places++)
        {
            int found = all.AsSpan(at).IndexOf(bytes);
            if (found < 0)
            {
                break;
            }
            at += found;
            all[at] ^= 1;
        }
        Assert.True(places > 0, "the bytes are not in the file");
        File.WriteAllBytes(path, all);
    }
}
