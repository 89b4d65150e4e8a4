using System.Threading.Channels;

namespace Spillway;

/// <summary>
/// The thread that reads a cursor ahead of an asynchronous enumeration. It ends when there are no
/// more records, by an error, or when the enumeration does, which waits for it: after
/// <see cref="DisposeAsync"/> nobody but the caller uses the cursor, and no batch is left behind.
/// </summary>
internal sealed class CursorPump : IAsyncDisposable
{
    private readonly Cursor _cursor;
    private readonly int _maxRecords;
    private readonly CancellationToken _token;
    private readonly CancellationTokenSource _stop;
    private readonly Channel<OwnedBatch> _batches = Channel.CreateBounded<OwnedBatch>(
        new BoundedChannelOptions(1) { SingleReader = true, SingleWriter = true });
    private readonly Task _thread;

    internal CursorPump(Cursor cursor, int maxRecords, CancellationToken token)
    {
        _cursor = cursor;
        _maxRecords = maxRecords;
        _token = token;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        _thread = Blocking.Run(Pump, CancellationToken.None);
    }

    /// <summary>null: there are no more.</summary>
    internal async ValueTask<OwnedBatch?> NextAsync()
    {
        _token.ThrowIfCancellationRequested();
        ChannelReader<OwnedBatch> batches = _batches.Reader;
        while (await batches.WaitToReadAsync(_token).ConfigureAwait(false))
        {
            if (batches.TryRead(out OwnedBatch? batch))
            {
                return batch;
            }
        }
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _thread.ConfigureAwait(false);
        while (_batches.Reader.TryRead(out OwnedBatch? left))
        {
            left.Dispose();
        }
        _stop.Dispose();
    }

    private void Pump()
    {
        Exception? reason = null;
        try
        {
            while (_cursor.NextOwned(_maxRecords, cancellationToken: _stop.Token) is { } batch)
            {
                Hand(batch);
            }
        }
        catch (OperationCanceledException) when (_token.IsCancellationRequested)
        {
            // The reader is to see the caller's token, not the linked one.
            reason = new OperationCanceledException(_token);
        }
        catch (Exception e)
        {
            reason = e;
        }
        _batches.Writer.Complete(reason);
    }

    private void Hand(OwnedBatch batch)
    {
        try
        {
            // This thread is the pump's own, so it may wait.
            _batches.Writer.WriteAsync(batch, _stop.Token).AsTask().GetAwaiter().GetResult();
        }
        catch
        {
            batch.Dispose();
            throw;
        }
    }
}
