using System.Text;
using Xunit;
using Xunit.Abstractions;

namespace Spillway.Tests;

public class BlockTest(ITestOutputHelper output)
{
    [Fact]
    public void BlockPutGetRoundTrip()
    {
        using Folder folder = new();
        int[] lengths = [0, 1, 100, 4095, 4096, 4097, 65_536, 1_000_003, 20 << 20];
        byte[] odd = [0xff, 0xc3, 0x28, 0x2f, 0x01];
        using (BlockFile file = Make.Blocks(folder))
        {
            for (int i = 0; i < lengths.Length; i++)
            {
                file.Put($"length/{lengths[i]}", Make.Record((ulong)i, lengths[i]));
            }
            file.Put("søknad 🌊", "søknad 🌊"u8);
            file.Put(odd, odd);
            CheckRoundTrip(file, lengths, odd); // From memory.
            file.Flush();
        }
        using (BlockFile file = Make.Blocks(folder)) // From the file.
        {
            CheckRoundTrip(file, lengths, odd);
        }
    }

    private static void CheckRoundTrip(BlockFile file, int[] lengths, byte[] odd)
    {
        for (int i = 0; i < lengths.Length; i++)
        {
            string name = $"length/{lengths[i]}";
            byte[] expected = Make.Record((ulong)i, lengths[i]);
            using Blob blob = file.Get(name);
            Assert.True(blob.Span.SequenceEqual(expected), name);
            Assert.True(blob.Memory.Span.SequenceEqual(expected), name);
            Assert.Equal(expected.Length, blob.Length);
            Assert.Equal(expected, blob.ToArray());
            Assert.Equal(expected, file.ReadAll(name));
            Assert.Equal(expected.Length, file.Stat(name).Length);
            CheckRanges(file, name, expected);
        }
        Assert.Equal("søknad 🌊"u8.ToArray(), file.ReadAll("søknad 🌊"));
        Assert.Equal("søknad 🌊"u8.ToArray(), file.ReadAll("søknad 🌊"u8));
        Assert.Equal(odd, file.ReadAll(odd));
        Assert.False(file.Exists("length/2"));
        Assert.False(file.TryGet("length/2", out _));
        Assert.False(file.TryStat("length/2", out _));
        Assert.True(file.Exists(odd));
        Assert.True(file.TryStat(odd, out BlockInfo info));
        Assert.Equal(odd.Length, info.Length);
        Assert.True(file.TryGet(odd, out Blob? found));
        Assert.Equal(odd, found.ToArray());
        found.Dispose();
    }

    private static void CheckRanges(BlockFile file, string name, byte[] expected)
    {
        byte[] buffer = new byte[5000];
        foreach (int offset in (int[])[0, 1, 4096, expected.Length / 2, expected.Length - 1])
        {
            if (offset < 0 || offset > expected.Length)
            {
                continue;
            }
            byte[] range = expected[offset..Math.Min(offset + 5000, expected.Length)];
            Assert.Equal(range.Length, file.Read(name, offset, buffer));
            Assert.Equal(range, buffer[..range.Length]);
            using Blob blob = file.Get(name, offset, 5000);
            Assert.Equal(range, blob.ToArray());
        }
        Assert.Equal(0, file.Read(name, expected.Length + 1L, buffer));
        Assert.Equal(0, file.Read(name, 0, default));
    }

    [Fact]
    public void BlockBatchIsAllOrNone()
    {
        using Folder folder = new();
        using BlockFile file = Make.Blocks(folder);
        using BlockBatch batch = new();
        ulong[] versions = new ulong[3];
        batch.Add("a", "1"u8, BlockVersion.None);
        batch.Add("b"u8, default);
        batch.Write("writ"u8);
        batch.Write("ten"u8);
        Assert.Throws<InvalidOperationException>(() => file.PutBatch(batch));
        batch.EndBlock("c");
        file.PutBatch(batch, versions);
        Assert.True(versions[0] > 0 && versions[0] < versions[1] && versions[1] < versions[2]);
        Assert.Equal(versions[1], file.Stat("b").Version);
        Assert.Equal(("1", "", "written"), (Text(file, "a"), Text(file, "b"), Text(file, "c")));

        batch.Clear();
        batch.Add("a", "2"u8);
        batch.Add("new", "2"u8);
        batch.Add("b", "2"u8, versions[2]);
        SpillwayException thrown =
            Fails.With(SpillwayStatus.Conflict, () => file.PutBatch(batch, versions));
        Assert.Equal(2, thrown.RecordIndex);
        Assert.Equal(("1", ""), (Text(file, "a"), Text(file, "b")));
        Assert.False(file.Exists("new"));

        batch.Clear();
        batch.Add("twice", "first"u8);
        batch.Add("twice", "last"u8);
        file.PutBatch(batch);
        Assert.Equal("last", Text(file, "twice"));
        file.PutBatch("xy"u8, [0, 1, 2], "abc"u8, [0, 1, 3]);
        Assert.Equal(("a", "bc"), (Text(file, "x"), Text(file, "y")));
        Assert.Throws<ArgumentException>(() => file.PutBatch("x"u8, [0, 1], "a"u8, [0]));
        Assert.Throws<ArgumentException>(() => file.PutBatch("x"u8, [], "a"u8, []));
        Assert.Throws<ArgumentException>(() => file.PutBatch("x"u8, [0, 1], "a"u8, [0, 1], [1, 2]));
        Assert.Throws<ArgumentException>(
            () => file.PutBatch("x"u8, [0, 1], "a"u8, [0, 1], default, new ulong[2]));
        Fails.With(
            SpillwayStatus.InvalidArgument, () => file.PutBatch("x"u8, [0, 2], "a"u8, [0, 1]));
    }

    [Fact]
    public void ManyBlocksInBatches()
    {
        const int Blocks = 5000;
        using Folder folder = new();
        using BlockFile file = Make.Blocks(folder);
        using BlockBatch batch = new();
        for (int round = 0; round < 2; round++)
        {
            batch.Clear();
            for (int i = 0; i < Blocks; i++)
            {
                Make.Record((ulong)(i + round), i % 300).CopyTo(batch.GetSpan(300));
                batch.Advance(i % 300);
                batch.EndBlock($"b{i}", round == 0 || i % 7 != 0 ? BlockVersion.Any : Version(i));
            }
            Assert.Equal(Blocks, batch.Count);
            file.PutBatch(batch);
        }
        using BlockReadBatch reads = new();
        for (int i = 0; i < Blocks; i++)
        {
            reads.Add($"b{i}");
        }
        reads.Add("missing");
        file.ReadBatch(reads);
        for (int i = 0; i < Blocks; i++)
        {
            Assert.Equal(Make.Record((ulong)(i + 1), i % 300), reads[i].ToArray());
        }
        Assert.Equal(SpillwayStatus.NotFound, reads.Status(Blocks));
        Assert.Equal(
            Blocks,
            Fails.With(SpillwayStatus.NotFound, () => _ = reads[Blocks].Length).RecordIndex);
        Assert.Throws<ArgumentOutOfRangeException>(() => reads.Status(Blocks + 1));
        reads.Clear();
        Assert.Throws<ArgumentOutOfRangeException>(() => reads.Status(0));
        reads.Add("b299");
        file.ReadBatch(reads);
        Assert.Equal(Make.Record(300, 299), reads[0].ToArray());
        Assert.True(file.ReadBatch(default, [0], default, new ulong[1], default));
        ulong[] ends = new ulong[2];
        Assert.False(file.ReadBatch("b299"u8, [0, 4], default, ends, new SpillwayStatus[1]));
        Assert.Equal(299ul, ends[1]);

        ulong Version(int i) => file.Stat($"b{i}").Version;
    }

    [Fact]
    public void BlockCompareAndSwap()
    {
        using Folder folder = new();
        using BlockFile file = Make.Blocks(folder);
        ulong first = file.Put("a", "1"u8, BlockVersion.None);
        Fails.With(SpillwayStatus.AlreadyExists, () => file.Put("a", "2"u8, BlockVersion.None));
        ulong second = file.Put("a", "2"u8, first);
        Assert.True(second > first);
        Fails.With(SpillwayStatus.Conflict, () => file.Put("a", "3"u8, first));
        Fails.With(SpillwayStatus.NotFound, () => file.Put("b", "3"u8, first));
        Fails.With(SpillwayStatus.Conflict, () => file.Delete("a", first));
        Assert.Equal("2", Text(file, "a"));
        Assert.Equal(second, file.Stat("a").Version);
        file.Delete("a", second);
        Fails.With(SpillwayStatus.NotFound, () => file.Delete("a"));
        Assert.False(file.Exists("a"));

        // Many threads count in one block: no step is lost.
        const int Steps = 200;
        file.Put("count", new byte[4]);
        Action count = () =>
        {
            for (int done = 0; done < Steps;)
            {
                using BlockSnapshot now = file.BeginSnapshot();
                int value = BitConverter.ToInt32(now.ReadAll("count")) + 1;
                try
                {
                    file.Put("count", BitConverter.GetBytes(value), now.Stat("count").Version);
                    done++;
                }
                catch (SpillwayException e) when (e.Status == SpillwayStatus.Conflict)
                {
                    // Somebody else was faster.
                }
            }
        };
        Until.AllRan(count, count, count);
        Assert.Equal(3 * Steps, BitConverter.ToInt32(file.ReadAll("count")));
    }

    [Fact]
    public void BlockAppendAndPatch()
    {
        using Folder folder = new();
        byte[] expected = Make.Record(7, 300_000);
        using (BlockFile file = Make.Blocks(folder))
        {
            for (int at = 0; at < expected.Length; at += 30_000)
            {
                Assert.Equal(at + 30_000, file.Append("log", expected.AsSpan(at, 30_000)));
            }
            file.Flush();
            foreach (int at in (int[])[0, 4000, 100_000, 299_990])
            {
                byte[] patch = Make.Record((ulong)at, 10);
                patch.CopyTo(expected, at);
                file.Patch("log", at, patch);
            }
            Fails.With(
                SpillwayStatus.InvalidArgument, () => file.Patch("log", 299_999, new byte[2]));
            Fails.With(SpillwayStatus.NotFound, () => file.Patch("none", 0, new byte[2]));
            Assert.Throws<ArgumentOutOfRangeException>(() => file.Patch("log", -1, default));
            Assert.Throws<ArgumentOutOfRangeException>(() => file.Read("log", -1, default));
            Assert.Equal(expected, file.ReadAll("log"));
        }
        using (BlockFile file = Make.Blocks(folder))
        {
            Assert.Equal(expected, file.ReadAll("log"));
        }
    }

    [Fact]
    public void BlockRenameAndTag()
    {
        using Folder folder = new();
        DateTimeOffset began = DateTimeOffset.UtcNow - TimeSpan.FromSeconds(5);
        using (BlockFile file = Make.Blocks(folder))
        {
            file.Put("a", "A"u8);
            file.Put("b", "B"u8);
            ulong version = file.Stat("a").Version;
            Assert.Equal(0, file.Stat("a").Tag.Length);
            file.SetTag("a", "text/plain"u8);
            Assert.True(file.Stat("a").Version > version);
            Fails.With(SpillwayStatus.TooBig, () => file.SetTag("a", new byte[129]));
            Fails.With(SpillwayStatus.NotFound, () => file.SetTag("c", default));
            Fails.With(SpillwayStatus.AlreadyExists, () => file.Rename("a", "b"));
            Fails.With(SpillwayStatus.NotFound, () => file.Rename("c", "d"));
            file.Rename("a", "b", replace: true);
            file.Rename("b", "dir/b"u8);
            file.SetTag("dir/b", Make.Record(1, Limits.BlockTagBytesMax));
        }
        using (BlockFile file = Make.Blocks(folder))
        {
            Assert.Equal(["dir/b"], file.ListNames());
            BlockInfo info = file.Stat("dir/b");
            Assert.Equal(Make.Record(1, Limits.BlockTagBytesMax), info.Tag.ToArray());
            Assert.Equal("A", Text(file, "dir/b"));
            Assert.InRange(info.Created, began, DateTimeOffset.UtcNow + TimeSpan.FromSeconds(5));
            Assert.True(info.Modified >= info.Created);
            TimeSpan created = info.Created - DateTimeOffset.UnixEpoch;
            Assert.Equal(info.CreatedNanoseconds / 100, created.Ticks);
            Assert.True(info.ModifiedNanoseconds >= info.CreatedNanoseconds);
            file.Put("dir/b", "again"u8);
            Assert.Equal(Make.Record(1, 128), file.Stat("dir/b").Tag.ToArray());
        }
    }

    [Fact]
    public void BlockReadOnly()
    {
        using Folder folder = new();
        Make.Blocks(folder, 10, 1000).Dispose();
        byte[] before = File.ReadAllBytes(folder.Blocks);
        BlockFileOptions options = new() { Open = OpenMode.ReadOnly };
        using (BlockFile file = BlockFile.Open(folder.Blocks, options))
        using (BlockFile second = BlockFile.Open(folder.Blocks, options))
        {
            Assert.Equal(Make.Record(3, 1000), file.ReadAll("block3"));
            Assert.Equal(Make.Record(4, 1000), second.ReadAll("block4"));
            Assert.True(file.Verify().IsClean);
            Fails.With(SpillwayStatus.Busy, () => BlockFile.Open(folder.Blocks));
            using BlockBatch batch = new();
            batch.Add("x", default);
            Action[] changes =
            [
                () => file.Put("x", default), () => file.PutBatch(batch),
                () => file.Append("x", default), () => file.Patch("block0", 0, new byte[1]),
                () => file.Delete("block0"), () => file.Rename("block0", "x"),
                () => file.SetTag("block0", default),
            ];
            Assert.All(changes, change => Fails.With(SpillwayStatus.ReadOnly, change));
            file.Flush();
            using BlockSnapshot snapshot = second.BeginSnapshot();
            Assert.Equal(10, snapshot.List("block").Count());
        }
        Assert.Equal(before, File.ReadAllBytes(folder.Blocks));
    }

    [Fact]
    public void BlockErrorsCarryCode()
    {
        using Folder folder = new();
        string nowhere = Path.Combine(folder.Path, "no", "such", "folder");
        SpillwayException open =
            Fails.With(SpillwayStatus.NotFound, () => BlockFile.Open(nowhere));
        Assert.Equal(2, open.OsCode); // ENOENT
        Assert.Contains(nowhere, open.Message, StringComparison.Ordinal);
        Assert.Contains("SPW_NOT_FOUND", open.Message, StringComparison.Ordinal);
        Assert.Equal(-1, open.RecordIndex);
        using BlockFile file = Make.Blocks(folder);
        Fails.With(SpillwayStatus.NotFound, () => file.Stat("gone"));
        Fails.With(SpillwayStatus.NotFound, () => file.Get("gone"));
        Fails.With(SpillwayStatus.NotFound, () => file.Read("gone", 0, new byte[1]));
        Fails.With(SpillwayStatus.NotFound, () => file.ReadAll("gone"));
        Fails.With(SpillwayStatus.Busy, () => BlockFile.Open(folder.Blocks));
        Fails.With(SpillwayStatus.AlreadyExists, () => BlockFile.Open(folder.Blocks, New()));
        string none = folder.Blocks + "x";
        BlockFileOptions existing = new() { Open = OpenMode.Existing };
        Fails.With(SpillwayStatus.NotFound, () => BlockFile.Open(none, existing));
        BlockFileOptions options = new() { DirtyBytes = 1 };
        Fails.With(SpillwayStatus.InvalidArgument, () => BlockFile.Open(none, options));
        options = new() { [OptionKey.BudgetBytes] = 1 << 20 };
        Fails.With(SpillwayStatus.Unsupported, () => BlockFile.Open(none, options));
        File.WriteAllText(none, new string('x', 100_000));
        Fails.With(SpillwayStatus.Corrupt, () => BlockFile.Open(none));

        file.Put(new string('x', Limits.BlockNameBytesMax), default);
        string[] names = ["", new string('x', Limits.BlockNameBytesMax + 1), "a\0b"];
        foreach (string bad in names)
        {
            Fails.With(SpillwayStatus.InvalidArgument, () => file.Put(bad, default));
            Fails.With(SpillwayStatus.InvalidArgument, () => file.Exists(bad));
        }
        using BlockBatch batch = new();
        batch.Add("fine", default);
        batch.Add("a\0b", default);
        Assert.Equal(
            1, Fails.With(SpillwayStatus.InvalidArgument, () => file.PutBatch(batch)).RecordIndex);
        Assert.False(file.Exists("fine"));
        Assert.Throws<ArgumentException>(() => file.Put("a\ud800b", default));
        Assert.Throws<ArgumentNullException>(() => file.Put((string)null!, default));
        Assert.Throws<ArgumentException>(() => BlockFile.Open("a\0b"));
        Assert.Throws<ArgumentException>(() => BlockFile.Open(""));
        CancellationToken cancelled = new(canceled: true);
        Assert.Throws<OperationCanceledException>(
            () => file.Verify(cancellationToken: cancelled));
        using Operation operation = new();
        operation.Cancel();
        Assert.Throws<OperationCanceledException>(() => file.Verify(operation: operation));
    }

    private static BlockFileOptions New() => new() { Open = OpenMode.New };

    [Fact]
    public void OptionsReachTheFile()
    {
        using Folder folder = new();
        BlockFileOptions options = new()
        {
            Open = OpenMode.New,
            Checksum = BlockChecksum.Sha256,
            DirtyBytes = 2 << 20,
            DirtyBlocks = 3,
            CacheBytes = 0,
            GrowthBytes = 1 << 20,
            JournalBytes = 1 << 20,
        };
        Assert.Equal(3, options.DirtyBlocks);
        using (BlockFile file = BlockFile.Open(folder.Blocks, options))
        {
            for (int i = 0; i < 20; i++)
            {
                file.Put($"b{i}", Make.Record((ulong)i, 1000));
            }
            file.Get("b1").Dispose();
            Assert.InRange(file.GetStatistics().BlocksDirty, 0ul, 3ul);
            Assert.Equal(0ul, file.GetStatistics().BytesCached);
        }
        options.Checksum = BlockChecksum.Xxh3;
        options.Open = OpenMode.Existing;
        Fails.With(SpillwayStatus.InvalidArgument, () => BlockFile.Open(folder.Blocks, options));
        options.Checksum = null;
        using (BlockFile file = BlockFile.Open(folder.Blocks, options))
        {
            Assert.Equal(Make.Record(19, 1000), file.ReadAll("b19"));
        }
        byte[] path = [.. Encoding.UTF8.GetBytes(folder.Path), (byte)'/', 0xff, 0xfe];
        BlockFile.Open(path).Dispose();
        BlockFile.Open(path, options).Dispose();
    }

    /// <summary>Random changes, alone and in transactions, beside a dictionary that has them too.
    /// </summary>
    [Fact]
    public void SameAsADictionary()
    {
        Random random = Make.Random(output);
        using Folder folder = new();
        SortedDictionary<string, byte[]> model = new(StringComparer.Ordinal);
        for (int round = 0; round < 6; round++)
        {
            using BlockFile file = Make.Blocks(folder);
            Compare(file, model);
            for (int i = 0; i < 10; i++)
            {
                SortedDictionary<string, byte[]> changed = new(model, StringComparer.Ordinal);
                using BlockTransaction save = file.BeginTransaction();
                for (int j = random.Next(30); j > 0; j--)
                {
                    Change(save, changed, random);
                }
                Compare(save, changed);
                Compare(file, model);
                if (random.Next(3) > 0)
                {
                    save.Commit((CommitLevel)random.Next(4));
                    model = changed;
                }
                save.Dispose();
                Change(file, model, random);
            }
            Compare(file, model);
            Assert.True(file.Verify().IsClean);
        }
    }

    private static void Change(
        WritableBlocks blocks, SortedDictionary<string, byte[]> model, Random random)
    {
        string name = $"name{random.Next(40)}";
        byte[] data = Make.Record((ulong)random.Next(), random.Next(3) * random.Next(9000));
        bool exists = model.TryGetValue(name, out byte[]? old);
        Assert.Equal(exists, blocks.Exists(name));
        switch (random.Next(exists ? 5 : 2))
        {
            case 0:
                blocks.Put(name, data);
                model[name] = data;
                break;
            case 1:
                blocks.Append(name, data);
                model[name] = [.. old ?? [], .. data];
                break;
            case 2:
                blocks.Delete(name);
                model.Remove(name);
                break;
            case 3:
                string other = $"name{random.Next(40)}";
                blocks.Rename(name, other, replace: true);
                model.Remove(name);
                model[other] = old!;
                break;
            default:
                int at = random.Next(old!.Length + 1);
                int length = Math.Min(data.Length, old.Length - at);
                blocks.Patch(name, at, data.AsSpan(0, length));
                model[name] = [.. old[..at], .. data[..length], .. old[(at + length)..]];
                break;
        }
    }

    private static void Compare(ReadableBlocks blocks, SortedDictionary<string, byte[]> model)
    {
        BlockEntry[] entries = [.. blocks.List()];
        Assert.Equal(model.Keys, entries.Select(entry => entry.Name));
        Assert.Equal(
            model.Values.Select(data => (long)data.Length), entries.Select(e => e.Info.Length));
        foreach ((string name, byte[] data) in model)
        {
            Assert.Equal(data, blocks.ReadAll(name));
        }
    }

    private static string Text(ReadableBlocks blocks, string name) =>
        Encoding.UTF8.GetString(blocks.ReadAll(name));
}
