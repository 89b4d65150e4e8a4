using System.Runtime.CompilerServices;

namespace Spillway;

/// <content>Reading as a sequence of batches.</content>
public sealed partial class Cursor
{
    /// <summary>The records from here on as batches of the caller's own, who disposes each. Reads
    /// as it is enumerated; the cursor is left where that ends.</summary>
    /// <inheritdoc cref="Next" path="/exception"/>
    /// <param name="maxRecords">At most so many records in a batch, at least 1.</param>
    public IEnumerable<OwnedBatch> ReadAll(int maxRecords = 1000)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxRecords);
        return Enumerate();

        IEnumerable<OwnedBatch> Enumerate()
        {
            while (NextOwned(maxRecords) is { } batch)
            {
                yield return batch;
            }
        }
    }

    /// <summary>As <see cref="ReadAll"/>, with one thread per enumeration that reads one batch
    /// ahead, so that no thread of the pool waits for the disk. The enumeration has the cursor for
    /// itself until it ends, and leaves it where its thread came to.</summary>
    /// <inheritdoc cref="Next" path="/exception"/>
    /// <param name="maxRecords">At most so many records in a batch, at least 1.</param>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    public async IAsyncEnumerable<OwnedBatch> ReadAllAsync(
        int maxRecords = 1000,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxRecords);
        cancellationToken.ThrowIfCancellationRequested();
        CursorPump pump = new(this, maxRecords, cancellationToken);
        await using (pump.ConfigureAwait(false))
        {
            while (await pump.NextAsync().ConfigureAwait(false) is { } batch)
            {
                yield return batch;
            }
        }
    }
}
