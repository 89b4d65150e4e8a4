using Xunit;

namespace Spillway.Tests;

/// <summary>Verification of stores.</summary>
public class StoreVerifyTest
{
    private const int Count = 1000;
    private const int Length = 1000;

    [Fact]
    public void StoreVerifyReportsDamagedRecords()
    {
        using Folder folder = new();
        using (Store store = Make.OnDisk(folder))
        {
            using BatchBuilder batch = new();
            for (int i = 0; i < Count; i++)
            {
                batch.Append(Make.Record((ulong)i, Length));
            }
            store.OpenStream("log").Add(batch);
            RecordStream other = store.OpenStream("other");
            batch.Clear();
            batch.Append("good"u8);
            other.Add(batch);
            store.Flush();
            other.Add(batch); // In memory only.
            RecordReport clean = store.Verify();
            Assert.True(clean.IsClean);
            Assert.Empty(clean.Ranges);
            Assert.Equal(
                (2ul, Count + 1ul, 0ul, (Count * Length) + 4ul),
                (clean.Streams, clean.Records, clean.RecordsDamaged, clean.PayloadBytes));
            store.Close();
            Fails.AsDisposed(() => store.Verify());
        }
        Damage.Flip(folder.Store, Make.Record(500, Length)[300..364]);
        using (Store store = Make.OnDisk(folder))
        {
            RecordStream log = store.OpenStream("log");
            using Operation operation = new();
            RecordReport report = store.Verify(log, operation: operation);
            Assert.Equal(
                (1ul, (ulong)Count, 1ul), (report.Streams, report.Records, report.RangeCount));
            DamagedRecords hit = Assert.Single(report.Ranges);
            Assert.Equal((SpillwayStatus.Corrupt, log.Id), (hit.Status, hit.StreamId));
            Assert.True(hit.Begin <= 500 && 500 < hit.End && hit.Message.Length > 0);
            Assert.Equal(hit.End - hit.Begin, report.RecordsDamaged);
            Assert.Equal((Count - report.RecordsDamaged) * Length, report.PayloadBytes);
            for (ulong i = 0; i < Count; i++)
            {
                if (hit.Begin <= i && i < hit.End)
                {
                    Fails.With(SpillwayStatus.Corrupt, () => log.Read(i));
                }
                else
                {
                    Assert.Equal(Make.Record(i, Length), log.Read(i));
                }
            }
            Assert.True(store.Verify(store.OpenStream("other")).IsClean);
            Assert.Throws<ArgumentOutOfRangeException>(() => store.Verify(bytesPerSecond: 0));
            operation.Cancel();
            Assert.Throws<OperationCanceledException>(() => store.Verify(operation: operation));
        }
    }
}
