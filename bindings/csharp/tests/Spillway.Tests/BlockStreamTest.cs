using System.Runtime.CompilerServices;
using Xunit;

namespace Spillway.Tests;

public class BlockStreamTest
{
    private const int Length = 9_000_001;

    [Fact]
    public void BlockReaderSeeks()
    {
        using Folder folder = new();
        using BlockFile file = Make.Blocks(folder);
        byte[] data = Make.Record(1, Length);
        file.Put("big", data);
        file.SetTag("big", "tag"u8);
        BlockInfo info = file.Stat("big");
        using BlockReadStream stream = file.OpenRead("big");
        file.Delete("big"); // It reads what was there.
        Assert.Equal((Length, info.Version), (stream.Length, stream.Info.Version));
        Assert.Equal("tag"u8.ToArray(), stream.Info.Tag.ToArray());
        Assert.True(stream is { CanRead: true, CanSeek: true, CanWrite: false, Position: 0 });

        using MemoryStream whole = new();
        stream.CopyTo(whole);
        Assert.Equal(data, whole.ToArray());
        Assert.Equal(Length, stream.Position);
        Assert.Equal(-1, stream.ReadByte());
        byte[] buffer = new byte[5000];
        foreach (int at in (int[])[0, 1, 4_500_000, 65_535, Length - 10, Length - 5000])
        {
            int expected = Math.Min(5000, Length - at);
            Assert.Equal(at, stream.Seek(at, SeekOrigin.Begin));
            Assert.Equal(expected, stream.ReadAtLeast(buffer, 5000, throwOnEndOfStream: false));
            Assert.Equal(data[at..(at + expected)], buffer[..expected]);
            Assert.Equal(at + expected, stream.Position);
            Assert.Equal(at, stream.Seek(-expected, SeekOrigin.Current));
            Assert.Equal(data[at], stream.ReadByte());
            Assert.Equal(at, stream.Seek(at - Length, SeekOrigin.End));
            Assert.Equal(1, stream.Read(buffer, 7, 1));
            Assert.Equal(data[at], buffer[7]);
            Assert.Equal(expected, stream.ReadAt(at, buffer));
            Assert.Equal(data[at..(at + expected)], buffer[..expected]);
            Assert.Equal(at + 1, stream.Position);
        }
        stream.Position = Length + 10L;
        Assert.Equal((0, 0), (stream.Read(buffer), stream.ReadAt(Length + 10L, buffer)));
        Assert.Equal(Length + 10L, stream.Position);
        Assert.Throws<IOException>(() => stream.Seek(-1, SeekOrigin.Begin));
        Assert.Throws<IOException>(() => stream.Seek(long.MaxValue, SeekOrigin.End));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Seek(0, (SeekOrigin)3));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Position = -1);
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.ReadAt(-1, buffer));
        Assert.Throws<NotSupportedException>(() => stream.Write(buffer, 0, 1));
        Assert.Throws<NotSupportedException>(() => stream.SetLength(1));
        Fails.With(SpillwayStatus.NotFound, () => file.OpenRead("big"));
    }

    [Fact]
    public async Task BlockStreamsOfManyThreadsAndAsync()
    {
        using Folder folder = new();
        using BlockFile file = Make.Blocks(folder);
        byte[] data = Make.Record(2, Length);
        using (BlockWriteStream write = file.OpenWrite("big"))
        {
            await new MemoryStream(data).CopyToAsync(write);
            await write.FlushAsync();
            Assert.Equal(Length, write.BytesWritten);
            Assert.Equal(await write.CommitAsync(), file.Stat("big").Version);
        }
        using BlockReadStream read = file.OpenRead("big");
        using MemoryStream copy = new();
        await read.CopyToAsync(copy);
        Assert.Equal(data, copy.ToArray());
        read.Position = 3;
        byte[] some = new byte[10];
        Assert.Equal(10, await read.ReadAsync(some));
        Assert.Equal(data[3..13], some);
        CancellationToken cancelled = new(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => read.ReadAsync(some, cancelled).AsTask());
        Assert.Equal(13, read.Position);

        Action places = () =>
        {
            byte[] buffer = new byte[3000];
            for (int i = 0; i < 200; i++)
            {
                int at = i * 40_000;
                Assert.Equal(3000, read.ReadAt(at, buffer));
                Assert.True(buffer.AsSpan().SequenceEqual(data.AsSpan(at, 3000)));
            }
        };
        Until.AllRan(places, places, places);
    }

    [Fact]
    public void BlockWriterCommitsOrVanishes()
    {
        using Folder folder = new();
        byte[] data = Make.Record(3, Length);
        using (BlockFile file = Make.Blocks(folder))
        {
            using (BlockWriteStream stream = file.OpenWrite("given up"))
            {
                stream.Write(data);
            }
            Assert.Empty(file.ListNames());

            using BlockWriteStream write = file.OpenWrite("big", BlockVersion.None);
            Assert.True(write is { CanRead: false, CanSeek: false, CanWrite: true });
            for (int at = 0; at < Length; at += 100_000)
            {
                write.Write(data, at, Math.Min(100_000, Length - at));
            }
            Assert.False(file.Exists("big"));
            ulong version = write.Commit();
            Assert.Equal(data, file.ReadAll("big"));
            Assert.Equal(version, file.Stat("big").Version);
            Fails.With(SpillwayStatus.InvalidState, () => write.Write(data, 0, 1));
            Fails.With(SpillwayStatus.InvalidState, () => write.Commit());
            Assert.Throws<NotSupportedException>(() => write.Length);
            Assert.Throws<NotSupportedException>(() => write.Position);
            Assert.Throws<NotSupportedException>(() => write.Seek(0, SeekOrigin.Begin));
            Assert.Throws<NotSupportedException>(() => write.Read(data, 0, 1));

            using BlockWriteStream late = file.OpenWrite("big", version);
            late.WriteByte(1);
            file.Put("big", "other"u8);
            Fails.With(SpillwayStatus.Conflict, () => late.Commit());
            using (BlockWriteStream empty = file.OpenWrite("empty"))
            {
                empty.Commit();
            }
            using BlockTransaction save = file.BeginTransaction();
            using BlockWriteStream within = save.OpenWrite("within");
            within.Write(data);
            Assert.Equal(0ul, within.Commit());
            Assert.Equal(data, save.ReadAll("within"));
            Assert.Equal(["big", "empty"], file.ListNames());
            save.Commit();
        }
        using (BlockFile file = Make.Blocks(folder))
        {
            Assert.Equal(["big", "empty", "within"], file.ListNames());
            Assert.Equal("other"u8.ToArray(), file.ReadAll("big"));
            Assert.Equal([], file.ReadAll("empty"));
            Assert.Equal(data, file.ReadAll("within"));
            Assert.True(file.Verify().IsClean);
        }
    }

    [Fact]
    public void BlockStreamsAfterDispose()
    {
        using Folder folder = new();
        byte[] some = new byte[10];
        foreach (bool fileFirst in (bool[])[true, false])
        {
            BlockFile file = Make.Blocks(folder);
            file.Put("a", Make.Record(1, 100));
            BlockReadStream read = file.OpenRead("a");
            BlockWriteStream write = file.OpenWrite("b");
            write.Write(some);
            if (fileFirst)
            {
                file.Dispose();
                Fails.AsDisposed(() => read.ReadByte());
                Fails.AsDisposed(() => read.ReadAt(0, some));
                Fails.AsDisposed(() => write.Write(some));
                Fails.AsDisposed(() => write.Commit());
                Fails.AsDisposed(() => file.OpenRead("a"));
                Fails.AsDisposed(() => file.OpenWrite("a"));
            }
            for (int i = 0; i < 2; i++)
            {
                read.Dispose();
                write.Dispose();
            }
            Assert.False(read.CanRead || read.CanSeek || write.CanWrite);
            Fails.AsDisposed(() => read.ReadByte());
            Fails.AsDisposed(() => read.ReadAt(0, some));
            Fails.AsDisposed(() => _ = read.Length);
            Fails.AsDisposed(() => _ = read.Position);
            Fails.AsDisposed(() => read.Position = 1);
            Fails.AsDisposed(() => write.Write(some));
            Fails.AsDisposed(() => write.Commit());
            file.Dispose();
        }
        using BlockFile again = Make.Blocks(folder);
        Assert.Equal(["a"], again.ListNames());
        BlockFileOptions options = new() { Open = OpenMode.ReadOnly };
        again.Dispose();
        using BlockFile fixedFile = BlockFile.Open(folder.Blocks, options);
        Fails.With(SpillwayStatus.ReadOnly, () => fixedFile.OpenWrite("c"));
    }

    [Fact]
    public void UndisposedStreamsAreCollected()
    {
        using Folder folder = new();
        using BlockFile file = Make.Blocks(folder, 1, 100_000);
        file.Flush(FlushLevel.Checkpoint);
        ulong held = file.GetStatistics().BytesHeld;
        Forget(file);
        Until.Collected(
            () =>
            {
                file.Put("block0", default); // Their space comes free when something is written.
                file.Flush(FlushLevel.Checkpoint);
                BlockFileStatistics now = file.GetStatistics();
                return now.Snapshots == 0 && now.BytesHeld <= held + (4 << 20);
            },
            "streams stay");
        Assert.Equal(["block0"], file.ListNames());
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget(BlockFile file)
    {
        byte[] data = Make.Record(1, 5 << 20);
        for (int i = 0; i < 20; i++)
        {
            file.OpenWrite("x").Write(data);
            file.OpenRead("block0").ReadByte();
        }
        Assert.True(file.GetStatistics().BytesHeld >= 20ul * (4 << 20));
    }

    [Fact]
    public void StreamsAllocateNothing()
    {
        using Folder folder = new();
        using BlockFile file = Make.Blocks(folder, 1, 100_000);
        using BlockReadStream read = file.OpenRead("block0");
        using BlockWriteStream write = file.OpenWrite("x");
        byte[] buffer = new byte[1000];
        Assert.Equal(0, AllocationTest.Allocated(() =>
        {
            read.Position = 0;
            while (read.Read(buffer) > 0)
            {
                write.Write(buffer);
            }
            read.ReadAt(5, buffer);
            write.WriteByte(1);
        }));
        write.Commit();
        Assert.Equal(300 * 100_001, file.Stat("x").Length);
    }
}
