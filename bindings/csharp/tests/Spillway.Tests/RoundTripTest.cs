using Xunit;
using Xunit.Abstractions;

namespace Spillway.Tests;

public class RoundTripTest(ITestOutputHelper output)
{
    /// <summary>What a stream must hold.</summary>
    private sealed class Model
    {
        public List<byte[]> Records { get; } = [];

        public List<long>? Times { get; init; }

        public void AddTo(RecordStream stream, BatchBuilder batch, Random random)
        {
            batch.Clear();
            ulong first = (ulong)Records.Count;
            int count = random.Next(0, 60);
            for (int i = 0; i < count; i++)
            {
                byte[] record = Make.Record((ulong)Records.Count, random.Next(0, 700));
                Records.Add(record);
                if (Times == null)
                {
                    batch.Append(record);
                    continue;
                }
                Times.Add(random.NextInt64(long.MinValue, long.MaxValue));
                batch.Append(record, Times[^1]);
            }
            Assert.Equal(count == 0 ? Limits.NoSequence : first, stream.Add(batch));
        }

        public void Check(RecordStream stream)
        {
            using Cursor cursor = stream.OpenCursor();
            Assert.Equal(new SequenceRange(0, (ulong)Records.Count), cursor.Range);
            int at = 0;
            while (cursor.Next(out RecordBatch batch, maxRecords: 77))
            {
                Assert.Equal(Times != null, batch.HasTimes);
                Assert.Equal((ulong)at, batch.FirstSequence);
                for (int i = 0; i < batch.Count; i++, at++)
                {
                    Assert.True(batch[i].SequenceEqual(Records[at]), $"record {at}");
                    Assert.Equal((ulong)at, batch.Sequence(i));
                    Assert.Equal(Times?[at] ?? 0, batch.Time(i));
                }
            }
            Assert.Equal(Records.Count, at);
        }

        public void CheckPoints(RecordStream stream, Random random)
        {
            ulong[] wanted = new ulong[50];
            for (int i = 0; i < wanted.Length; i++)
            {
                wanted[i] = (ulong)random.Next(Records.Count);
                byte[] read = stream.Read(wanted[i], out long time);
                Assert.Equal(Records[(int)wanted[i]], read);
                Assert.Equal(Times?[(int)wanted[i]] ?? 0, time);
            }
            using OwnedBatch gathered = stream.Gather(wanted);
            Assert.Equal(wanted.Length, gathered.Count);
            for (int i = 0; i < wanted.Length; i++)
            {
                Assert.Equal(wanted[i], gathered.Sequence(i));
                Assert.Equal(Records[(int)wanted[i]], gathered[i].ToArray());
                Assert.Equal(Times?[(int)wanted[i]] ?? 0, gathered.Time(i));
            }
        }
    }

    [Fact]
    public void RoundTrip()
    {
        Random random = Make.Random(output);
        using Folder folder = new();
        Model plain = new();
        Model timed = new() { Times = [] };
        using (Store store = Make.OnDisk(folder))
        {
            RecordStream log = store.OpenStream("log");
            RecordStream events = store.OpenStream("events", new StreamOptions { Times = true });
            using BatchBuilder batch = new();
            for (int i = 0; i < 150; i++)
            {
                plain.AddTo(log, batch, random);
                timed.AddTo(events, batch, random);
            }
            store.Flush(FlushLevel.Device);
            Assert.True(store.GetStatistics().Spills > 0, "nothing was spilled");
            Assert.True(store.GetStatistics().Evictions > 0, "all is still in memory");
            CheckAll(store, plain, timed, random);
            store.Close();
        }
        using (Store store = Store.Open(folder.Store, new() { Open = OpenMode.Existing }))
        {
            CheckAll(store, plain, timed, random);
        }
    }

    private static void CheckAll(Store store, Model plain, Model timed, Random random)
    {
        IReadOnlyList<RecordStream> streams = store.GetStreams();
        Assert.Equal(["log", "events"], streams.Select(stream => stream.Name));
        Assert.Equal(
            [false, true], streams.Select(stream => stream.GetStatistics().HasTimes));
        plain.Check(streams[0]);
        timed.Check(streams[1]);
        plain.CheckPoints(streams[0], random);
        timed.CheckPoints(streams[1], random);
    }
}
