namespace Spillway;

/// <content>The members that may wait for the disk, each on a thread of its own: such a wait is too
/// long for the pool's threads.</content>
public sealed partial class Store
{
    /// <summary>As <see cref="Open(string, StoreOptions?, Operation?, CancellationToken)"/>, on a
    /// thread of its own, for recovery may read much.</summary>
    /// <inheritdoc cref="Open(string, StoreOptions?, Operation?, CancellationToken)"/>
    public static Task<Store> OpenAsync(
        string path, StoreOptions? options = null, Operation? operation = null,
        CancellationToken cancellationToken = default) =>
        Blocking.Run(() => Open(path, options, operation, cancellationToken), cancellationToken);

    /// <summary>As <see cref="Flush"/>, on a thread of its own.</summary>
    /// <inheritdoc cref="Flush"/>
    public Task FlushAsync(
        FlushLevel level = FlushLevel.Device, TimeSpan? timeout = null,
        Operation? operation = null, CancellationToken cancellationToken = default) =>
        Blocking.Run(() => Flush(level, timeout, operation, cancellationToken), cancellationToken);

    /// <summary>As <see cref="Settle"/>, on a thread of its own.</summary>
    /// <inheritdoc cref="Settle"/>
    public Task SettleAsync(
        TimeSpan? timeout = null, Operation? operation = null,
        CancellationToken cancellationToken = default) =>
        Blocking.Run(() => Settle(timeout, operation, cancellationToken), cancellationToken);

    /// <summary>As <see cref="Commit"/>, on a thread of its own.</summary>
    /// <inheritdoc cref="Commit"/>
    public Task CommitAsync(
        BlockTransaction transaction, FlushLevel level = FlushLevel.Device,
        TimeSpan? timeout = null, Operation? operation = null,
        CancellationToken cancellationToken = default) =>
        Blocking.Run(
            () => Commit(transaction, level, timeout, operation, cancellationToken),
            cancellationToken);

    /// <summary>As <see cref="Close"/>, on a thread of its own.</summary>
    /// <inheritdoc cref="Close"/>
    public Task CloseAsync(
        CloseMode mode = CloseMode.Flush, TimeSpan? timeout = null,
        Operation? operation = null, CancellationToken cancellationToken = default) =>
        Blocking.Run(() => Close(mode, timeout, operation, cancellationToken), cancellationToken);

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
            await CloseAsync(CloseMode.Flush, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        }
        finally
        {
            _handle.Dispose();
        }
    }
}
