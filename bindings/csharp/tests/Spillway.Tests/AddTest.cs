using System.Buffers.Binary;
using System.Buffers;
using Xunit;
using Xunit.Abstractions;

namespace Spillway.Tests;

public class AddTest(ITestOutputHelper output)
{
    /// <summary>All records of a stream, copied.</summary>
    private static List<byte[]> ReadAll(RecordStream stream)
    {
        List<byte[]> records = [];
        using Cursor cursor = stream.OpenCursor();
        while (cursor.Next(out RecordBatch batch))
        {
            foreach (ReadOnlySpan<byte> record in batch)
            {
                records.Add(record.ToArray());
            }
        }
        return records;
    }

    private static void AddSizes(RecordStream stream, List<byte[]> model, params int[] sizes)
    {
        using BatchBuilder batch = new();
        ulong first = (ulong)model.Count;
        foreach (int size in sizes)
        {
            model.Add(Make.Record((ulong)model.Count, size));
            batch.Append(model[^1]);
        }
        Assert.Equal(first, stream.Add(batch));
    }

    [Fact]
    public void BatchEdges()
    {
        using Folder folder = new();
        using Store store = Make.OnDisk(folder);
        RecordStream log = store.OpenStream("log");
        List<byte[]> model = [];

        Assert.Equal(Limits.NoSequence, log.Add(default, [0]));
        Assert.Equal(Limits.NoSequence, log.Add(new BatchBuilder()));
        Assert.Equal(Limits.NoSequence, log.Add(new List<ReadOnlyMemory<byte>>()));
        AddSizes(log, model, 1);
        AddSizes(log, model, [.. Enumerable.Repeat(3, 10_000)]);

        // offsets[0] above 0, and bytes behind the last: a slice of a larger buffer.
        Assert.Equal((ulong)model.Count, log.Add("..abcde!"u8, [2, 4, 4, 7]));
        model.AddRange(["ab"u8.ToArray(), [], "cde"u8.ToArray()]);
        Assert.Equal((ulong)model.Count, log.Add([new byte[] { 7 }, new byte[] { 8, 9 }]));
        model.AddRange([[7], [8, 9]]);

        const int Arena = 64 * 1024;
        foreach (int distance in (int[])[-65, -64, -17, -16, -8, -1, 0, 1, 16])
        {
            AddSizes(log, model, Arena + distance, 5, (Arena / 2) + distance, Arena / 2);
        }
        AddSizes(log, model, [.. Enumerable.Repeat(1000, 2000)]); // Above the hard limit of 332 kB.
        Assert.True(store.GetStatistics().BytesHard < 2_000_000);
        AddSizes(log, model, 10);
        Assert.Equal(model, ReadAll(log));
    }

    [Fact]
    public void BatchesThatDoNotFitAreRefused()
    {
        using Store store = Store.OpenInMemory(new() { BudgetBytes = Make.SmallBudget });
        RecordStream plain = store.OpenStream("plain");
        RecordStream timed = store.OpenStream("timed", new() { Times = true });
        Assert.Throws<ArgumentException>(() => plain.Add("a"u8, []));
        Assert.Throws<ArgumentException>(() => timed.Add("ab"u8, [0, 1, 2], [7]));
        Status(SpillwayStatus.InvalidArgument, () => plain.Add("ab"u8, [0, 3]));
        Status(SpillwayStatus.InvalidArgument, () => plain.Add("ab"u8, [2, 1]));
        Status(SpillwayStatus.InvalidArgument, () => plain.AddRecord("ab"u8, 7L));
        Status(SpillwayStatus.InvalidArgument, () => timed.AddRecord("ab"u8));
        Status(SpillwayStatus.TooBig, () => plain.AddRecord(new byte[1_000_000]));
        Assert.Equal(0ul, store.GetStatistics().RecordsLive);

        static void Status(SpillwayStatus status, Action add) =>
            Assert.Equal(status, Assert.Throws<SpillwayException>(add).Status);
    }

    [Fact]
    public void BuilderIsABufferWriter()
    {
        using Store store = Store.OpenInMemory();
        RecordStream log = store.OpenStream("log");
        using BatchBuilder batch = new(records: 0, bytes: 0);
        BinaryPrimitives.WriteInt32LittleEndian(batch.GetSpan(4), 0x01020304);
        batch.Advance(4);
        batch.Write("more"u8);
        Assert.Throws<InvalidOperationException>(() => log.Add(batch));
        Assert.Throws<InvalidOperationException>(() => batch.Append("x"u8));
        batch.EndRecord();
        "yz"u8.CopyTo(batch.GetMemory(100_000).Span);
        batch.Advance(2);
        batch.EndRecord();
        Assert.Throws<InvalidOperationException>(() => batch.Append("x"u8, 7));
        batch.Clear();
        batch.Append("yz"u8, 7);
        Assert.Throws<InvalidOperationException>(() => batch.Append("x"u8));
        batch.Clear();
        batch.Append("\u0004\u0003\u0002\u0001more"u8);
        batch.Append("yz"u8);
        Assert.Equal((2, 10), (batch.Count, batch.ByteCount));
        log.Add(batch);
        Assert.Equal(["\u0004\u0003\u0002\u0001more"u8.ToArray(), "yz"u8.ToArray()], ReadAll(log));
        batch.Dispose();
        batch.Dispose();
        Assert.Throws<ObjectDisposedException>(() => batch.Append("x"u8));
        Assert.Throws<ObjectDisposedException>(() => batch.GetSpan());
        Assert.Throws<ObjectDisposedException>(() => log.Add(batch));
    }

    [Fact]
    public void ConcurrentWriters()
    {
        const int Writers = 8;
        const int Batches = 60;
        Random random = Make.Random(output);
        int[] seeds = [.. Enumerable.Range(0, Writers).Select(_ => random.Next())];
        using Folder folder = new();
        using Store store = Make.OnDisk(folder);
        RecordStream log = store.OpenStream("log");
        List<(SequenceRange Range, int Writer, int Number)>[] added =
            [.. Enumerable.Range(0, Writers).Select(_ =>
                new List<(SequenceRange Range, int Writer, int Number)>())];

        Until.AllRan([.. Enumerable.Range(0, Writers).Select(writer => (Action)(() =>
        {
            Random own = new(seeds[writer]);
            using BatchBuilder batch = new();
            int number = 0;
            for (int i = 0; i < Batches; i++)
            {
                batch.Clear();
                int count = own.Next(1, 40);
                for (int j = 0; j < count; j++)
                {
                    batch.Append(Tagged(writer, number + j));
                }
                ulong first = log.Add(batch);
                added[writer].Add(
                    (new SequenceRange(first, first + (ulong)count), writer, number));
                number += count;
            }
        }))]);

        List<byte[]> records = ReadAll(log);
        ulong at = 0;
        foreach ((SequenceRange range, int writer, int number) in
            added.SelectMany(each => each).OrderBy(each => each.Range.Begin))
        {
            Assert.Equal(at, range.Begin);
            for (; at < range.End; at++)
            {
                Assert.Equal(Tagged(writer, number + (int)(at - range.Begin)), records[(int)at]);
            }
        }
        Assert.Equal(at, (ulong)records.Count);
        StoreStatistics statistics = store.GetStatistics();
        Assert.True(statistics.BytesResidentPeak <= statistics.BytesHard);

        static byte[] Tagged(int writer, int number)
        {
            byte[] record = Make.Record((ulong)number, 20 + (number % 300));
            BinaryPrimitives.WriteInt32LittleEndian(record, writer);
            BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(4), number);
            return record;
        }
    }

    [Fact]
    public void EmptyPayloads()
    {
        using Folder folder = new();
        using (Store store = Make.OnDisk(folder))
        {
            RecordStream log = store.OpenStream("log");
            log.Add(default, [0, 0, 0]);
            log.Add(default, new ulong[10_001]);
            log.AddRecord(default);
            Check(log);
            store.Flush();
            Check(log);
        }
        using (Store store = Store.Open(folder.Store))
        {
            Check(store.OpenStream("log", mode: StreamMode.Existing));
        }

        static void Check(RecordStream log)
        {
            List<byte[]> records = ReadAll(log);
            Assert.Equal(10_003, records.Count);
            Assert.All(records, record => Assert.Empty(record));
            Assert.Empty(log.Read(10_002));
            using OwnedBatch batch = log.Gather([0, 10_002]);
            Assert.All(batch, record => Assert.True(record.IsEmpty));
        }
    }

    [Fact]
    public void PayloadOf64Mib()
    {
        byte[] payload = new byte[64 << 20];
        new Random(64).NextBytes(payload);
        using Folder folder = new();
        using (Store store = Make.OnDisk(folder, budget: 256 << 20))
        {
            RecordStream log = store.OpenStream("log");
            log.AddRecord(payload);
            Assert.Equal(1ul, store.GetStatistics().RecordsUnspilled);
            Check(log, payload);
            store.Flush();
        }
        using (Store store = Store.Open(folder.Store))
        {
            RecordStream log = store.OpenStream("log");
            Assert.Equal(0ul, store.GetStatistics().RecordsResident);
            Check(log, payload);
        }

        static void Check(RecordStream log, byte[] payload)
        {
            Assert.False(log.TryRead(0, new byte[3], out int length, out _));
            Assert.Equal(payload.Length, length);
            Assert.True(log.Read(0).AsSpan().SequenceEqual(payload));
            using Cursor cursor = log.OpenCursor();
            Assert.True(cursor.Next(out RecordBatch batch, maxBytes: 1));
            Assert.True(batch[0].SequenceEqual(payload));
            using OwnedBatch owned = cursor.Detach();
            Assert.True(owned[0].Span.SequenceEqual(payload));
            Assert.False(cursor.Next(out _));
        }
    }
}
