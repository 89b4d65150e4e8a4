namespace Spillway.Native;

/// <summary>
/// What a call needs to be cancelled by a token: a pooled operation, registered with the token for
/// as long as the call runs. Nothing at all (<see cref="Op"/> is 0) for a token that cannot be
/// cancelled. Allocates nothing once pool and token have run warm.
/// </summary>
internal readonly ref struct CancellableCall
{
    private readonly OperationHandle? _operation;
    private readonly bool _pooled;
    private readonly CancellationToken _token;
    private readonly CancellationTokenRegistration _registration;

    /// <exception cref="OperationCanceledException">The token is cancelled already: native code is
    /// not entered.</exception>
    internal CancellableCall(CancellationToken token, Operation? operation = null)
    {
        token.ThrowIfCancellationRequested();
        _token = token;
        _pooled = operation == null;
        if (operation != null)
        {
            _operation = operation.Handle;
            bool held = false;
            ObjectDisposedException.ThrowIf(_operation.IsDisposed, operation);
            _operation.DangerousAddRef(ref held);
        }
        else if (token.CanBeCanceled)
        {
            _operation = OperationPool.Rent();
        }
        if (_operation != null)
        {
            _registration = token.UnsafeRegister(
                static operation => ((OperationHandle)operation!).Cancel(), _operation);
        }
    }

    /// <summary>For the op parameter of the call.</summary>
    internal nint Op => _operation?.DangerousGetHandle() ?? 0;

    public void Dispose()
    {
        // First: waits for a callback that is running, so that nobody touches the operation below.
        _registration.Dispose();
        if (_operation == null)
        {
            return;
        }
        if (!_pooled)
        {
            _operation.DangerousRelease();
        }
        else if (_token.IsCancellationRequested)
        {
            _operation.Dispose(); // A cancelled operation is so for good.
        }
        else
        {
            OperationPool.Return(_operation);
        }
    }
}

/// <summary>Operations for reuse; as many as threads usually wait at once. Any thread.</summary>
internal static class OperationPool
{
    private static readonly OperationHandle?[] Slots = new OperationHandle?[16];

    internal static OperationHandle Rent()
    {
        for (int i = 0; i < Slots.Length; i++)
        {
            if (Slots[i] != null && Interlocked.Exchange(ref Slots[i], null) is { } found)
            {
                return found;
            }
        }
        return OperationHandle.New();
    }

    internal static void Return(OperationHandle operation)
    {
        for (int i = 0; i < Slots.Length; i++)
        {
            if (Interlocked.CompareExchange(ref Slots[i], operation, null) == null)
            {
                return;
            }
        }
        operation.Dispose();
    }
}
