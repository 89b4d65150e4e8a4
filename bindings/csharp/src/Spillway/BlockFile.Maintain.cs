using System.Runtime.CompilerServices;
using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <content>Shrinking, folders, verification and numbers.</content>
[SkipLocalsInit]
public sealed unsafe partial class BlockFile
{
    /// <summary>Gives free space back to the file system while others read and write: moves what
    /// stands near the end to free space in front, cuts the file, and gives back what is free
    /// inside it. Blocks keep their versions and times; space that snapshots or blobs still need
    /// stays. A crash leaves every block as it was.</summary>
    /// <param name="mode">How far it goes.</param>
    /// <param name="maxBytes">About so many bytes are moved at most; a later call goes on.</param>
    /// <param name="operation">Watches (bytes moved, of a total that may be more than is moved in
    /// the end) or cancels the call.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="SpillwayException">Busy: another vacuum runs. Full: nothing was lost.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled; what was moved stays moved.
    /// </exception>
    public VacuumResult Vacuum(
        VacuumMode mode = VacuumMode.Full, long maxBytes = Limits.Unlimited,
        Operation? operation = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        using HandleLease lease = _handle.Lease(this);
        using CancellableCall call = new(cancellationToken, operation);
        spw_vacuum_result result = new() { struct_size = (uint)sizeof(spw_vacuum_result) };
        nint error;
        int status = spw_file_vacuum(
            lease.Value, (uint)mode, NativeText.Limit(maxBytes), call.Op, &result, &error);
        NativeError.Check(status, error, cancellationToken);
        return new VacuumResult(result);
    }

    /// <summary>Puts every regular file below a folder into a block: the prefix and the path from
    /// there, with <c>/</c> between its parts; a file that <see cref="ReadableBlocks.Export"/> wrote
    /// gets the name that its block had. Existing blocks are replaced, but not written where they
    /// are equal; others stay. Blocks appear one by one or in small groups; all are durable, and
    /// were compared with their files, when it returns.</summary>
    /// <param name="folder">From where. Must not be changed meanwhile. Links are not followed.
    /// </param>
    /// <param name="prefix">What the names begin with; may be empty.</param>
    /// <param name="operation">Watches (bytes read from the files, those of a moved one twice, for
    /// it is compared; the total is 0, unknown) or cancels the call.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="SpillwayException">NotFound: no such folder. Conflict: the message names a
    /// file that was changed meanwhile. InvalidArgument: a path that cannot be the name of a block.
    /// After each of them another call goes on where it was.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; another call goes on where it
    /// was.</exception>
    /// <exception cref="ArgumentException">The folder is empty, has a NUL or an unpaired surrogate.
    /// </exception>
    public TransferResult Import(
        Utf8Text folder, Utf8Text prefix = default, Operation? operation = null,
        CancellationToken cancellationToken = default)
    {
        ReadOnlySpan<byte> path = folder.Bytes(stackalloc byte[Utf8Text.Room], nameof(folder));
        ReadOnlySpan<byte> bytes = prefix.Bytes(stackalloc byte[Utf8Text.Room], nameof(prefix));
        NativeText.RefuseBadPath(path);
        using HandleLease lease = _handle.Lease(this);
        using CancellableCall call = new(cancellationToken, operation);
        spw_transfer result = new() { struct_size = (uint)sizeof(spw_transfer) };
        nint error;
        fixed (byte* source = path, begin = bytes)
        {
            int status = spw_file_import(
                lease.Value, source, (nuint)path.Length, begin, (nuint)bytes.Length, call.Op,
                &result, &error);
            NativeError.Check(status, error, cancellationToken);
        }
        return new TransferResult(result);
    }

    /// <summary>Checks the file as it is now while it is in use: its structures, the accounting of
    /// every page, and in full every checksum of every block. Changes nothing.</summary>
    /// <param name="mode">How much it reads.</param>
    /// <param name="bytesPerSecond">The most it reads, at least 1.</param>
    /// <param name="operation">Watches (bytes read) or cancels the call.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>What it found; damage is no exception.</returns>
    /// <exception cref="SpillwayException">Full: no room for changes that wait in memory, which are
    /// written before. IO, Corrupt: writing has ended, or what must be read first cannot be.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public VerifyReport Verify(
        VerifyMode mode = VerifyMode.Full, long bytesPerSecond = Limits.Unlimited,
        Operation? operation = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesPerSecond);
        using ReportHandle report = new();
        using HandleLease lease = _handle.Lease(this);
        using CancellableCall call = new(cancellationToken, operation);
        nint raw, error;
        int status = spw_file_verify(
            lease.Value, (uint)mode, NativeText.Limit(bytesPerSecond), call.Op, &raw, &error);
        NativeError.Check(status, error, cancellationToken);
        report.Adopt(raw);
        return new VerifyReport(raw);
    }

    /// <summary>Verifies the file in full in the background, over and over, until it is closed.
    /// Only reports: <see cref="GetScrubReport"/>, and the scrub counters of
    /// <see cref="GetStatistics"/>.</summary>
    /// <param name="bytesPerSecond">The most it reads; another value changes the rate, 0 ends it.
    /// </param>
    public void Scrub(long bytesPerSecond)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytesPerSecond);
        using HandleLease lease = _handle.Lease(this);
        nint error;
        int status = spw_file_scrub(lease.Value, NativeText.Limit(bytesPerSecond), &error);
        NativeError.Check(status, error);
    }

    /// <summary>What the last whole pass of <see cref="Scrub"/> found; null: none has ended yet.
    /// </summary>
    public VerifyReport? GetScrubReport()
    {
        using ReportHandle report = new();
        using HandleLease lease = _handle.Lease(this);
        nint raw, error;
        int status = spw_file_scrub_report(lease.Value, &raw, &error);
        if (!NativeError.CheckUnless(Constants.SPW_NOT_FOUND, status, error, default))
        {
            return null;
        }
        report.Adopt(raw);
        return new VerifyReport(raw);
    }

    /// <summary>Numbers of the file at this instant; costs next to nothing.</summary>
    public BlockFileStatistics GetStatistics()
    {
        using HandleLease lease = _handle.Lease(this);
        spw_block_stats stats = new() { struct_size = (uint)sizeof(spw_block_stats) };
        nint error;
        NativeError.Check(spw_file_stats(lease.Value, &stats, &error), error);
        return new BlockFileStatistics(stats);
    }
}
