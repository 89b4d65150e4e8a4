using Spillway.Native;

namespace Spillway;

/// <summary>
/// Watches and cancels one call from outside: give it to the call, and read its progress or cancel
/// it from another thread. A <see cref="CancellationToken"/> is enough where only cancelling is
/// wanted. Any thread. It belongs to one running call at a time (a second fails with InvalidState)
/// and can be used again afterwards, unless it was cancelled, by <see cref="Cancel"/> or the token
/// of a call: that is for good. Disposing it while its call runs is fine.
/// </summary>
public sealed unsafe class Operation : IDisposable
{
    /// <summary>A new one, for no call yet.</summary>
    public Operation()
    {
        LibraryLoader.Ensure();
        Handle = OperationHandle.New();
    }

    internal OperationHandle Handle { get; }

    /// <summary>Work done and in total of the call that runs or ran last: records for flush and
    /// close of a store, bytes for vacuum, copy, import, export and verification of a block file;
    /// 0 in total is unknown, or not yet known; every call begins with 0.</summary>
    /// <exception cref="ObjectDisposedException">It has been disposed.</exception>
    public (ulong Done, ulong Total) Progress
    {
        get
        {
            using HandleLease lease = Handle.Lease(this);
            ulong done, total;
            NativeMethods.spw_op_progress(lease.Value, &done, &total);
            return (done, total);
        }
    }

    /// <summary>Makes its call, and every later one, end with
    /// <see cref="OperationCanceledException"/> as soon as it can. Never waits; any number of
    /// times; nothing after Dispose.</summary>
    public void Cancel() => Handle.Cancel();

    /// <summary>Frees it, once no call runs with it. Any number of times.</summary>
    public void Dispose() => Handle.Dispose();
}
