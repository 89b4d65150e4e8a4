using System.Buffers;
using Xunit;

namespace Spillway.Tests;

public class CursorTest
{
    private static RecordStream Filled(Store store, int records)
    {
        RecordStream log = store.OpenStream("log");
        using BatchBuilder batch = new();
        for (int i = 0; i < records; i++)
        {
            batch.Append(Make.Record((ulong)i, i % 200));
        }
        log.Add(batch);
        return log;
    }

    [Fact]
    public void CursorReadsWhileAnotherThreadAdds()
    {
        using Folder folder = new();
        using Store store = Make.OnDisk(folder);
        RecordStream log = Filled(store, 3000);
        using Cursor cursor = log.OpenCursor();
        ulong spillsBefore = store.GetStatistics().Spills;
        using ManualResetEventSlim read = new();
        Until.AllRan(
            () =>
            {
                using BatchBuilder batch = new();
                for (ulong n = 3000; !read.IsSet || n < 20_000; n++)
                {
                    batch.Clear();
                    batch.Append(Make.Record(n, (int)(n % 200)));
                    Assert.Equal(n, log.Add(batch));
                }
            },
            () =>
            {
                try
                {
                    for (int round = 0; round < 5; round++)
                    {
                        Assert.Equal(new SequenceRange(0, 3000), cursor.Range);
                        cursor.Seek(0);
                        ulong n = 0;
                        while (cursor.Next(out RecordBatch batch, maxRecords: 50))
                        {
                            foreach (ReadOnlySpan<byte> record in batch)
                            {
                                Assert.True(record.SequenceEqual(Make.Record(n, (int)(n % 200))));
                                n++;
                            }
                        }
                        Assert.Equal(3000ul, n);
                    }
                }
                finally
                {
                    read.Set();
                }
            });
        Assert.True(store.GetStatistics().Spills > spillsBefore, "nothing was spilled meanwhile");
    }

    [Fact]
    public void RangeSeekAndBounds()
    {
        using Store store = Store.OpenInMemory();
        RecordStream log = Filled(store, 1000);
        using Cursor cursor = log.OpenCursor(100, 200);
        Assert.Equal(new SequenceRange(100, 200), cursor.Range);
        Assert.Equal(100ul, cursor.Range.Count);
        Assert.True(cursor.Next(out RecordBatch batch, maxRecords: 7));
        Assert.Equal((100ul, 7), (batch.FirstSequence, batch.Count));
        cursor.Seek(150);
        Assert.True(cursor.Next(out batch));
        Assert.Equal((150ul, 50), (batch.FirstSequence, batch.Count));
        Assert.False(cursor.Next(out batch));
        Assert.Equal(0, batch.Count);
        cursor.Seek(200);
        Assert.False(cursor.Next(out _));
        Assert.Throws<SpillwayException>(() => cursor.Seek(99));
        Assert.Throws<ArgumentOutOfRangeException>(() => cursor.Next(out _, maxRecords: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => cursor.Next(out _, maxBytes: 0));
        Assert.Equal(
            SpillwayStatus.InvalidState,
            Assert.Throws<SpillwayException>(() => cursor.Detach()).Status);
    }

    [Fact]
    public void ABatchEndsWithTheNextCall()
    {
        using Store store = Store.OpenInMemory();
        RecordStream log = Filled(store, 100);
        Action<Cursor>[] ends =
        [
            cursor => cursor.Next(out _, 10),
            cursor => cursor.Seek(0),
            cursor => cursor.Dispose(),
        ];
        foreach (Action<Cursor> end in ends)
        {
            using Cursor cursor = log.OpenCursor();
            cursor.Next(out RecordBatch batch, 10);
            using OwnedBatch owned = cursor.Detach();
            Assert.True(batch[7].SequenceEqual(owned.Span(7)), "detach leaves the view valid");
            end(cursor);
            bool refused = false;
            try
            {
                _ = batch[7];
            }
            catch (InvalidOperationException)
            {
                refused = true;
            }
            Assert.True(refused);
            Assert.Equal(Make.Record(7, 7), owned[7].ToArray());
        }
    }

    [Fact]
    public void ClearedRecordsAreReported()
    {
        using Store store = Store.OpenInMemory();
        RecordStream log = Filled(store, 100);
        using Cursor cursor = log.OpenCursor();
        cursor.Next(out _, 10);
        log.Clear();
        for (int i = 0; i < 2; i++)
        {
            SpillwayException e = Assert.Throws<SpillwayException>(() => cursor.Next(out _));
            Assert.Equal(SpillwayStatus.Trimmed, e.Status);
        }
        cursor.Seek(100);
        Assert.False(cursor.Next(out _));
        Assert.Equal(100ul, log.GetStatistics().BeginSequence);
    }

    [Fact]
    public void OwnedBatchesAreListsOfMemory()
    {
        using Store store = Store.OpenInMemory();
        RecordStream log = Filled(store, 1000);
        using Cursor cursor = log.OpenCursor();
        int n = 0;
        foreach (OwnedBatch batch in cursor.ReadAll(maxRecords: 64))
        {
            using (batch)
            {
                Assert.True(batch.Count <= 64);
                foreach (ReadOnlyMemory<byte> record in batch)
                {
                    Assert.Equal(Make.Record((ulong)n, n % 200), record.ToArray());
                    n++;
                }
                Assert.Throws<ArgumentOutOfRangeException>(() => batch[batch.Count]);
                Assert.Throws<ArgumentOutOfRangeException>(() => batch.Span(-1));
            }
        }
        Assert.Equal(1000, n);
    }

    [Fact]
    public unsafe void MemoryIsSafeAfterDispose()
    {
        using Store store = Store.OpenInMemory();
        RecordStream log = Filled(store, 100);
        OwnedBatch batch = log.Gather([99, 98]);
        ReadOnlyMemory<byte> memory = batch[0];
        MemoryHandle pin = memory.Pin();
        batch.Dispose();
        batch.Dispose();
        Assert.Throws<ObjectDisposedException>(() => batch[0]);
        Assert.Throws<ObjectDisposedException>(() => batch.Sequence(0));
        Assert.Throws<ObjectDisposedException>(() => memory.ToArray());
        Assert.Throws<ObjectDisposedException>(() => { memory.Pin(); });
        // What is pinned stays, whoever disposes the batch.
        Assert.True(new ReadOnlySpan<byte>(pin.Pointer, 99).SequenceEqual(Make.Record(99, 99)));
        pin.Dispose();
    }

    [Fact]
    public async Task ReadAllAsync()
    {
        using Folder folder = new();
        await using Store store = await Store.OpenAsync(folder.Store, Make.OnDisk());
        RecordStream log = Filled(store, 5000);
        await store.FlushAsync();
        using Cursor cursor = log.OpenCursor();
        int n = 0;
        await foreach (OwnedBatch batch in cursor.ReadAllAsync(maxRecords: 99))
        {
            using (batch)
            {
                for (int i = 0; i < batch.Count; i++, n++)
                {
                    Assert.Equal(Make.Record((ulong)n, n % 200), batch[i].ToArray());
                }
            }
        }
        Assert.Equal(5000, n);
        await store.CloseAsync();
    }

    [Fact]
    public async Task ReadAllAsyncEndsEarly()
    {
        using Store store = Store.OpenInMemory();
        RecordStream log = Filled(store, 5000);
        using Cursor cursor = log.OpenCursor();
        await foreach (OwnedBatch batch in cursor.ReadAllAsync(maxRecords: 10))
        {
            batch.Dispose();
            break; // The pump may be a batch ahead, and must leave none behind.
        }
        cursor.Seek(0);
        Assert.True(cursor.Next(out _), "the pump still has the cursor");

        using CancellationTokenSource source = new();
        cursor.Seek(0);
        OperationCanceledException cancelled =
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            {
                await foreach (OwnedBatch batch in
                    cursor.ReadAllAsync(10).WithCancellation(source.Token))
                {
                    batch.Dispose();
                    await source.CancelAsync();
                }
            });
        Assert.Equal(source.Token, cancelled.CancellationToken);

        log.Clear();
        cursor.Seek(0);
        SpillwayException trimmed = await Assert.ThrowsAsync<SpillwayException>(async () =>
        {
            await foreach (OwnedBatch batch in cursor.ReadAllAsync())
            {
                batch.Dispose();
            }
        });
        Assert.Equal(SpillwayStatus.Trimmed, trimmed.Status);
        cursor.Dispose();
        Assert.Equal(0ul, store.GetStatistics().BytesPinned);
    }
}
