using System.Runtime.InteropServices;
using Xunit;

namespace Spillway.Tests;

/// <summary>What a store says when its last flush fails. A limit on the size of files plays the
/// full disk.</summary>
public partial class FullDiskTest
{
    private const int RlimitFsize = 1;
    private const int SigXfsz = 25;

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Soft;
        public ulong Hard;
    }

    [LibraryImport("libc")]
    private static unsafe partial int getrlimit(int resource, Limit* limit);

    [LibraryImport("libc")]
    private static unsafe partial int setrlimit(int resource, Limit* limit);

    private static unsafe void WithFilesOfAtMost(ulong bytes, Action action)
    {
        using PosixSignalRegistration stayAlive = PosixSignalRegistration.Create(
            (PosixSignal)SigXfsz, context => context.Cancel = true);
        Limit before;
        Assert.Equal(0, getrlimit(RlimitFsize, &before));
        Limit low = before with { Soft = bytes };
        Assert.Equal(0, setrlimit(RlimitFsize, &low));
        try
        {
            action();
        }
        finally
        {
            Assert.Equal(0, setrlimit(RlimitFsize, &before));
        }
    }

    private static Store Filled(Folder folder)
    {
        Store store = Make.OnDisk(folder, budget: 64 << 20);
        RecordStream log = store.OpenStream("log");
        log.AddRecord("kept"u8);
        store.Flush();
        log.AddRecord(new byte[4 << 20]);
        return store;
    }

    [Fact]
    public void DisposeThrowsWhenTheLastFlushFails()
    {
        using Folder folder = new();
        ulong leaked = SpillwayLibrary.LeakedStores;
        Store store = Filled(folder);
        WithFilesOfAtMost(1 << 20, () =>
        {
            SpillwayException full = Assert.Throws<SpillwayException>(store.Dispose);
            Assert.Equal(SpillwayStatus.Full, full.Status);
            store.Dispose();
            Assert.Throws<ObjectDisposedException>(() => store.GetStatistics());
        });
        Assert.Equal(leaked + 1, SpillwayLibrary.LeakedStores);
        Until.True(() => CanOpen(folder), "the handle was not given up");
    }

    [Fact]
    public void CloseCanBeTriedAgain()
    {
        using Folder folder = new();
        using (Store store = Filled(folder))
        {
            SpillwayException? full = null;
            WithFilesOfAtMost(1 << 20, () =>
                full = Assert.Throws<SpillwayException>(() => store.Close()));
            Assert.Equal(SpillwayStatus.Full, full!.Status);
            Assert.Equal(1ul, store.OpenStream("log").GetStatistics().SpilledSequence);
            store.Close();
        }
        using Store again = Store.Open(folder.Store);
        Assert.Equal(2ul, again.OpenStream("log").GetStatistics().Count);
    }

    [Fact]
    public void FailedSyncTellsWhatWasAdmitted()
    {
        using Folder folder = new();
        using Store store = Store.Open(
            folder.Store, new() { BudgetBytes = 64 << 20, SyncInterval = TimeSpan.Zero });
        RecordStream log = store.OpenStream("log");
        log.AddRecord("kept"u8);
        byte[] big = Make.Record(1, 4 << 20);
        WithFilesOfAtMost(1 << 20, () =>
        {
            SpillwayException full = Fails.With(SpillwayStatus.Full, () => log.AddRecord(big));
            Assert.Equal(1ul, full.AdmittedSequence);
        });
        store.Flush(); // It was tried again.
        Assert.Equal(big, log.Read(1));
        Assert.Equal(2ul, log.GetStatistics().SpilledSequence);
        SpillwayException refused =
            Fails.With(SpillwayStatus.InvalidArgument, () => log.AddRecord("timed"u8, 7L));
        Assert.Null(refused.AdmittedSequence);
    }

    // The threads of a store that was only freed close its files when they end.
    private static bool CanOpen(Folder folder)
    {
        try
        {
            using Store store = Store.Open(folder.Store);
            return store.OpenStream("log").Read(0).AsSpan().SequenceEqual("kept"u8);
        }
        catch (SpillwayException e) when (e.Status == SpillwayStatus.Busy)
        {
            return false;
        }
    }
}
