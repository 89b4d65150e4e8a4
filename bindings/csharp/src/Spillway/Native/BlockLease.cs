namespace Spillway.Native;

/// <summary>Keeps a file, and the transaction that a call goes through, from being freed; one stack
/// frame only.</summary>
internal readonly ref struct BlockLease
{
    private readonly HandleLease _file;
    private readonly TransactionHandle? _transaction;

    internal BlockLease(FileHandle file, TransactionHandle? transaction, object owner)
    {
        ObjectDisposedException.ThrowIf(transaction is { IsDisposed: true }, owner);
        _file = file.Lease(owner);
        if (transaction == null)
        {
            return;
        }
        try
        {
            bool held = false;
            transaction.DangerousAddRef(ref held);
            _transaction = transaction;
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    internal nint File => _file.Value;

    /// <summary>0: none, each call is a transaction of its own.</summary>
    internal nint Transaction => _transaction?.DangerousGetHandle() ?? 0;

    public void Dispose()
    {
        _transaction?.DangerousRelease();
        _file.Dispose();
    }
}
