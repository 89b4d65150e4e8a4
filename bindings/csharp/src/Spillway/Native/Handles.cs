using System.Runtime.InteropServices;
using static Spillway.Native.NativeMethods;

namespace Spillway.Native;

/// <summary>
/// Owns one handle of the library: freed once, by Dispose or the finalizer, and never while a call
/// that holds a <see cref="HandleLease"/> runs. Freeing never fails and never waits for I/O. A
/// handle holds no lease on its parent: the library counts that reference itself, and a second one
/// here would let a forgotten cursor keep a store, and so its file lock, alive.
/// </summary>
internal abstract class NativeHandle : SafeHandle
{
    private bool _disposed;

    protected NativeHandle() : base(0, ownsHandle: true) { }

    public override bool IsInvalid => handle == 0;

    /// <summary>Whether Dispose was called. IsClosed says so only when the last lease has ended.
    /// </summary>
    internal bool IsDisposed => Volatile.Read(ref _disposed);

    /// <summary>Takes over what a call has just made. The object exists before the call, so that
    /// nothing can fail between the two.</summary>
    internal void Adopt(nint value) => SetHandle(value);

    /// <summary>The raw handle, safe to use until the lease is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The owner has been disposed.</exception>
    internal HandleLease Lease(object owner) => new(this, owner);

    protected override void Dispose(bool disposing)
    {
        Volatile.Write(ref _disposed, true);
        base.Dispose(disposing);
    }
}

/// <summary>Keeps a handle from being freed; one stack frame only.</summary>
internal readonly ref struct HandleLease
{
    private readonly NativeHandle _handle;

    internal HandleLease(NativeHandle handle, object owner)
    {
        ObjectDisposedException.ThrowIf(handle.IsDisposed, owner);
        bool held = false;
        handle.DangerousAddRef(ref held); // Throws the same, if somebody was faster.
        _handle = handle;
    }

    internal nint Value => _handle.DangerousGetHandle();

    public void Dispose() => _handle.DangerousRelease();
}

internal sealed class StoreHandle : NativeHandle
{
    protected override bool ReleaseHandle()
    {
        spw_store_free(handle);
        return true;
    }
}

internal sealed class CursorHandle : NativeHandle
{
    protected override bool ReleaseHandle()
    {
        spw_cursor_free(handle);
        return true;
    }
}

internal sealed class BatchHandle : NativeHandle
{
    protected override bool ReleaseHandle()
    {
        spw_batch_free(handle);
        return true;
    }
}

internal sealed class FileHandle : NativeHandle
{
    protected override bool ReleaseHandle()
    {
        spw_file_free(handle);
        return true;
    }
}

internal sealed class TransactionHandle : NativeHandle
{
    protected override bool ReleaseHandle()
    {
        spw_txn_free(handle);
        return true;
    }
}

internal sealed class BlobHandle : NativeHandle
{
    protected override bool ReleaseHandle()
    {
        spw_blob_free(handle);
        return true;
    }
}

internal sealed class ListHandle : NativeHandle
{
    protected override bool ReleaseHandle()
    {
        spw_list_free(handle);
        return true;
    }
}

internal sealed class ReportHandle : NativeHandle
{
    protected override bool ReleaseHandle()
    {
        spw_report_free(handle);
        return true;
    }
}

internal sealed class ReaderHandle : NativeHandle
{
    protected override bool ReleaseHandle()
    {
        spw_reader_free(handle);
        return true;
    }
}

internal sealed class WriterHandle : NativeHandle
{
    protected override bool ReleaseHandle()
    {
        spw_writer_free(handle);
        return true;
    }
}

internal sealed class OptionsHandle : NativeHandle
{
    protected override bool ReleaseHandle()
    {
        spw_options_free(handle);
        return true;
    }
}

internal sealed class OperationHandle : NativeHandle
{
    internal static unsafe OperationHandle New()
    {
        OperationHandle made = new();
        nint raw, error;
        int status = spw_op_new(&raw, &error);
        NativeError.Check(status, error);
        made.Adopt(raw);
        return made;
    }

    /// <summary>Any thread; after the handle was freed it does nothing.</summary>
    internal void Cancel()
    {
        bool held = false;
        try
        {
            DangerousAddRef(ref held);
            spw_op_cancel(handle);
        }
        catch (ObjectDisposedException)
        {
            // There is no call left to cancel.
        }
        finally
        {
            if (held)
            {
                DangerousRelease();
            }
        }
    }

    protected override bool ReleaseHandle()
    {
        spw_op_free(handle);
        return true;
    }
}
