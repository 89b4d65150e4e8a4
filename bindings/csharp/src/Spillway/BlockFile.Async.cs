namespace Spillway;

/// <content>The members that may wait for the disk, each on a thread of its own: such a wait is too
/// long for the pool's threads.</content>
public sealed partial class BlockFile
{
    /// <summary>As <see cref="Open"/>, on a thread of its own, for replay may read much.</summary>
    /// <inheritdoc cref="Open"/>
    public static Task<BlockFile> OpenAsync(
        string path, BlockFileOptions? options = null, Operation? operation = null,
        CancellationToken cancellationToken = default) =>
        Blocking.Run(() => Open(path, options, operation, cancellationToken), cancellationToken);

    /// <summary>As <see cref="Flush"/>, on a thread of its own.</summary>
    /// <inheritdoc cref="Flush"/>
    public Task FlushAsync(FlushLevel level = FlushLevel.Device) =>
        Blocking.Run(() => Flush(level), default);

    /// <summary>As <see cref="Close"/>, on a thread of its own.</summary>
    /// <inheritdoc cref="Close"/>
    public Task CloseAsync(CloseMode mode = CloseMode.Flush) =>
        Blocking.Run(() => Close(mode), default);

    /// <summary>As <see cref="Vacuum"/>, on a thread of its own.</summary>
    /// <inheritdoc cref="Vacuum"/>
    public Task<VacuumResult> VacuumAsync(
        VacuumMode mode = VacuumMode.Full, long maxBytes = Limits.Unlimited,
        Operation? operation = null, CancellationToken cancellationToken = default) =>
        Blocking.Run(
            () => Vacuum(mode, maxBytes, operation, cancellationToken), cancellationToken);

    /// <summary>As <see cref="Import"/>, on a thread of its own.</summary>
    /// <inheritdoc cref="Import"/>
    public Task<TransferResult> ImportAsync(
        string folder, string prefix = "", Operation? operation = null,
        CancellationToken cancellationToken = default) =>
        Blocking.Run(
            () => Import(folder, prefix, operation, cancellationToken), cancellationToken);

    /// <summary>As <see cref="Verify"/>, on a thread of its own.</summary>
    /// <inheritdoc cref="Verify"/>
    public Task<VerifyReport> VerifyAsync(
        VerifyMode mode = VerifyMode.Full, long bytesPerSecond = Limits.Unlimited,
        Operation? operation = null, CancellationToken cancellationToken = default) =>
        Blocking.Run(
            () => Verify(mode, bytesPerSecond, operation, cancellationToken), cancellationToken);

    /// <summary>As <see cref="Dispose"/>, with the close on a thread of its own.</summary>
    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }
        try
        {
            if (_store == null)
            {
                await CloseAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            _handle.Dispose();
        }
    }
}
