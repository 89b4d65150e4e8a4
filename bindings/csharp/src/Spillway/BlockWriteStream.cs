using System.Diagnostics.CodeAnalysis;
using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <summary>
/// Writes a block as a <see cref="Stream"/> (<see cref="WritableBlocks.OpenWrite"/>): it becomes
/// visible, whole, with <see cref="Commit"/>, and leaves no trace if it is disposed before. So an
/// exception on the way, with <c>using</c>, writes nothing. One thread at a time, else
/// InvalidState.
/// </summary>
public sealed unsafe class BlockWriteStream : Stream
{
    private readonly WriterHandle _handle;

    internal BlockWriteStream(WriterHandle handle) => _handle = handle;

    /// <summary>Bytes that were written.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>false.</summary>
    public override bool CanRead => false;

    /// <summary>false.</summary>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => !_handle.IsDisposed;

    /// <summary>It cannot seek; see <see cref="BytesWritten"/>.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Length => throw OnlyWrites();

    /// <inheritdoc cref="Length"/>
    public override long Position
    {
        get => throw OnlyWrites();
        set => throw OnlyWrites();
    }

    /// <summary>Adds bytes at the end. Allocates nothing.</summary>
    /// <param name="buffer">Copied.</param>
    /// <exception cref="SpillwayException">Full: none were added, and it can be called again.
    /// InvalidState: it was committed, or another thread is writing.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        using HandleLease lease = _handle.Lease(this);
        nint error;
        fixed (byte* bytes = buffer)
        {
            int status = spw_writer_write(lease.Value, bytes, (ulong)buffer.Length, &error);
            NativeError.Check(status, error);
        }
        BytesWritten += buffer.Length;
    }

    /// <inheritdoc cref="Write(ReadOnlySpan{byte})"/>
    /// <param name="buffer">Copied.</param>
    /// <param name="offset">From where in it.</param>
    /// <param name="count">So many.</param>
    public override void Write(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        Write(buffer.AsSpan(offset, count));
    }

    /// <inheritdoc/>
    public override void WriteByte(byte value) => Write(new ReadOnlySpan<byte>(in value));

    /// <summary>As <see cref="Write(ReadOnlySpan{byte})"/>, on a thread of the pool.</summary>
    /// <inheritdoc cref="Write(ReadOnlySpan{byte})"/>
    /// <param name="buffer">Must not be changed until it is done.</param>
    /// <param name="cancellationToken">Cancels it before it begins.</param>
    public override ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        new(Task.Run(() => Write(buffer.Span), cancellationToken));

    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    /// <param name="buffer">Must not be changed until it is done.</param>
    /// <param name="offset">From where in it.</param>
    /// <param name="count">So many.</param>
    /// <param name="cancellationToken">Cancels it before it begins.</param>
    public override Task WriteAsync(
        byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <summary>Creates the block or replaces what it holds; its tag stays. In a transaction: when
    /// that is committed.</summary>
    /// <returns>The new version; 0 in a transaction.</returns>
    /// <exception cref="SpillwayException">Conflict, AlreadyExists, NotFound: the version expected.
    /// Full, NoMemory: it can be called again; after any other result the stream can only be
    /// disposed.</exception>
    public ulong Commit()
    {
        using HandleLease lease = _handle.Lease(this);
        ulong version;
        nint error;
        NativeError.Check(spw_writer_commit(lease.Value, &version, &error), error);
        return version;
    }

    /// <summary>As <see cref="Commit"/>, on a thread of its own.</summary>
    /// <inheritdoc cref="Commit"/>
    public Task<ulong> CommitAsync() => Blocking.Run(Commit, default);

    /// <summary>Does nothing: nobody sees what is written before <see cref="Commit"/>.</summary>
    public override void Flush() { }

    /// <summary>It cannot be read.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override int Read(byte[] buffer, int offset, int count) => throw OnlyWrites();

    /// <inheritdoc cref="Length"/>
    public override long Seek(long offset, SeekOrigin origin) => throw OnlyWrites();

    /// <inheritdoc cref="Length"/>
    public override void SetLength(long value) => throw OnlyWrites();

    /// <summary>Frees it; without a commit before, nothing was written. Any number of times, before
    /// or after its file.</summary>
    /// <param name="disposing">false: called by a finalizer, which frees by itself.</param>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _handle.Dispose();
        }
        base.Dispose(disposing);
    }

    private static NotSupportedException OnlyWrites() => new(
        "The stream only writes, at the end: ReadableBlocks.OpenRead makes one that reads.");
}
