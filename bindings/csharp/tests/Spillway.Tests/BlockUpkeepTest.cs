using Xunit;

namespace Spillway.Tests;

public class BlockUpkeepTest
{
    [Fact]
    public async Task BlockVacuumShrinks()
    {
        const int Blocks = 400;
        const int Length = 100_000;
        using Folder folder = new();
        using BlockFile file = Make.Blocks(folder, Blocks, Length);
        file.Flush(FlushLevel.Checkpoint);
        for (int i = 0; i < Blocks; i++)
        {
            if (i % 4 != 3)
            {
                file.Delete($"block{i}");
            }
        }
        file.Flush(FlushLevel.Checkpoint);
        ulong version = file.Stat("block7").Version;
        long before = new FileInfo(folder.Blocks).Length;
        VacuumResult dry = file.Vacuum(VacuumMode.DryRun);
        Assert.Equal(before, new FileInfo(folder.Blocks).Length);
        Assert.True(dry.BytesAfter < dry.BytesBefore);

        using Operation operation = new();
        operation.Cancel();
        Assert.Throws<OperationCanceledException>(() => file.Vacuum(operation: operation));
        VacuumResult step = file.Vacuum(VacuumMode.Once, maxBytes: 200_000);
        Assert.True(step.BytesMoved < 4 << 20);
        VacuumResult full = await file.VacuumAsync();
        Assert.True(full.IsDone);
        Assert.True(full.BytesAfter <= full.BytesBefore);
        Assert.Equal((ulong)new FileInfo(folder.Blocks).Length, full.BytesFile);
        Assert.True((ulong)before > full.BytesFile * 3 / 2, $"{before} to {full.BytesFile}");
        Assert.Equal(version, file.Stat("block7").Version);
        for (int i = 3; i < Blocks; i += 4)
        {
            Assert.Equal(Make.Record((ulong)i, Length), file.ReadAll($"block{i}"));
        }
        Assert.True(file.Verify().IsClean);
        Assert.True(file.GetStatistics().BytesDisk > 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Vacuum(maxBytes: -1));
        file.Close();
        Fails.AsDisposed(() => file.Vacuum());
    }

    [Fact]
    public async Task BlockCopyIsEqual()
    {
        using Folder folder = new();
        using BlockFile file = Make.Blocks(folder, 50, 30_000);
        file.SetTag("block1", "tag"u8);
        string path = folder.Blocks + "-copy";
        using BlockSnapshot snapshot = file.BeginSnapshot();
        file.Delete("block2");
        file.CopyTo(path);
        await snapshot.CopyToAsync(path + "2");
        using (BlockFile copy = BlockFile.Open(path))
        using (BlockFile second = BlockFile.Open(path + "2"))
        {
            Same(file, copy);
            Same(snapshot, second);
            Assert.False(copy.Exists("block2"));
            Assert.True(second.Exists("block2"));
            Assert.True(copy.Verify().IsClean && second.Verify().IsClean);
        }
        Fails.With(SpillwayStatus.AlreadyExists, () => file.CopyTo(path));
        Fails.With(SpillwayStatus.NotFound, () => file.CopyTo(folder.Path + "/no/such"));
        Assert.Throws<ArgumentException>(() => file.CopyTo(""));
        CancellationToken cancelled = new(canceled: true);
        Assert.Throws<OperationCanceledException>(
            () => file.CopyTo(path + "3", cancellationToken: cancelled));
        using Operation operation = new();
        operation.Cancel();
        Assert.Throws<OperationCanceledException>(() => file.CopyTo(path + "3", operation));
        Assert.False(File.Exists(path + "3"));
        file.Close();
        Fails.AsDisposed(() => file.CopyTo(path + "3"));
    }

    private static void Same(ReadableBlocks from, ReadableBlocks copy)
    {
        BlockEntry[] expected = [.. from.List()];
        BlockEntry[] found = [.. copy.List()];
        Assert.Equal(expected.Length, found.Length);
        foreach ((BlockEntry one, BlockEntry two) in expected.Zip(found))
        {
            Assert.Equal(one.Name, two.Name);
            Assert.Equal(one.Info.Version, two.Info.Version);
            Assert.Equal(one.Info.CreatedNanoseconds, two.Info.CreatedNanoseconds);
            Assert.Equal(one.Info.ModifiedNanoseconds, two.Info.ModifiedNanoseconds);
            Assert.Equal(one.Info.Tag.ToArray(), two.Info.Tag.ToArray());
            Assert.Equal(from.ReadAll(one.Name), copy.ReadAll(one.Name));
        }
    }

    [Fact]
    public void BlockScrubReports()
    {
        const int Length = 50_000;
        using Folder folder = new();
        Make.Blocks(folder, 20, Length).Dispose();
        using (BlockFile file = Make.Blocks(folder))
        {
            Assert.Null(file.GetScrubReport());
            file.Scrub(Limits.Unlimited);
            Until.True(() => file.GetStatistics().ScrubPasses >= 2, "no pass ends");
            Assert.Equal(0ul, file.GetStatistics().ScrubProblems);
            VerifyReport clean = file.GetScrubReport()!;
            Assert.Equal((20ul, 0ul, true), (clean.Blocks, clean.BlocksDamaged, clean.IsClean));
            Assert.Equal(VerifyMode.Full, clean.Mode);
            Assert.True(clean.BytesRead >= 20 * Length);
            file.Scrub(0);
            file.Scrub(1 << 20);
            Assert.Throws<ArgumentOutOfRangeException>(() => file.Scrub(-1));
        }
        Damage.Flip(folder.Blocks, Make.Record(7, Length)[30_000..30_064]);
        using (BlockFile file = Make.Blocks(folder))
        {
            file.Scrub(Limits.Unlimited);
            Until.True(() => file.GetStatistics().ScrubPasses >= 1, "no pass ends");
            VerifyReport report = file.GetScrubReport()!;
            Assert.Equal("block7", Assert.Single(report.Problems).Name);
            Assert.True(file.GetStatistics().ScrubProblems >= 1);
            file.Close();
            Fails.AsDisposed(() => file.Scrub(1));
            Fails.AsDisposed(() => file.GetScrubReport());
        }
    }

    /// <summary>At one byte in a second it would take days: only the cancellation, or the close,
    /// ends it.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void CancelDuringAVerification(int way)
    {
        using Folder folder = new();
        using BlockFile file = Make.Blocks(folder, 20, 50_000);
        using Operation operation = new();
        using CancellationTokenSource source = new();
        Action verify = () => file.Verify(VerifyMode.Full, 1, operation, source.Token);
        OperationCanceledException? thrown = null;
        Until.AllRan(
            () =>
            {
                if (way == 2)
                {
                    Fails.AsDisposed(verify);
                }
                else
                {
                    thrown = Assert.Throws<OperationCanceledException>(verify);
                }
            },
            () =>
            {
                Until.True(() => operation.Progress.Total > 0, "it does not begin");
                Action end = way switch
                {
                    0 => source.Cancel,
                    1 => operation.Cancel,
                    _ => () => file.Close(),
                };
                end();
            });
        CancellationToken expected = way == 0 ? source.Token : CancellationToken.None;
        Assert.Equal(way == 2 ? null : expected, thrown?.CancellationToken);
    }
}
