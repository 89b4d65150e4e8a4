using System.Diagnostics.CodeAnalysis;
using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <summary>
/// Reads a block as a <see cref="Stream"/> (<see cref="ReadableBlocks.OpenRead"/>), as it was when
/// it was opened, whatever became of it. What comes next is read ahead. One thread at a time, else
/// InvalidState; but <see cref="ReadAt"/> and the properties of any number at once.
/// </summary>
public sealed unsafe class BlockReadStream : Stream
{
    private readonly ReaderHandle _handle;
    private readonly BlockInfo _info;
    private long _position;

    internal BlockReadStream(ReaderHandle handle)
    {
        _handle = handle;
        spw_block_info info = new() { struct_size = (uint)sizeof(spw_block_info) };
        using HandleLease lease = handle.Lease(this);
        nint error;
        NativeError.Check(spw_reader_stat(lease.Value, &info, &error), error);
        _info = *(BlockInfo*)&info;
    }

    /// <summary>Of the block that is read.</summary>
    public ref readonly BlockInfo Info => ref _info;

    /// <inheritdoc/>
    public override bool CanRead => !_handle.IsDisposed;

    /// <inheritdoc/>
    public override bool CanSeek => !_handle.IsDisposed;

    /// <summary>false.</summary>
    public override bool CanWrite => false;

    /// <summary>Bytes of the block that is read.</summary>
    public override long Length
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsDisposed, this);
            return _info.Length;
        }
    }

    /// <summary>Where the next read begins; may be behind the end.</summary>
    public override long Position
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsDisposed, this);
            return _position;
        }
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            using HandleLease lease = _handle.Lease(this);
            nint error;
            NativeError.Check(spw_reader_seek(lease.Value, (ulong)value, &error), error);
            _position = value;
        }
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin)
    {
        long from = origin switch
        {
            SeekOrigin.Begin => 0,
            SeekOrigin.Current => Position,
            SeekOrigin.End => Length,
            _ => throw new ArgumentOutOfRangeException(nameof(origin)),
        };
        if (offset < -from || offset > long.MaxValue - from)
        {
            throw new IOException("A position is not before the begin.");
        }
        return Position = from + offset;
    }

    /// <summary>Copies the next bytes. Allocates nothing.</summary>
    /// <param name="buffer">Where to.</param>
    /// <returns>How many: fewer than fit only at the end, 0 behind it.</returns>
    /// <exception cref="SpillwayException">Corrupt, IO: they cannot be read; the position is where
    /// it was. InvalidState: another thread is reading.</exception>
    public override int Read(Span<byte> buffer)
    {
        using HandleLease lease = _handle.Lease(this);
        ulong length;
        nint error;
        fixed (byte* target = buffer)
        {
            int status = spw_reader_read(
                lease.Value, target, (ulong)buffer.Length, &length, &error);
            NativeError.Check(status, error);
        }
        _position += (long)length;
        return (int)length;
    }

    /// <summary>Copies bytes from an offset on, whatever the position, which stays. Any number of
    /// threads at once. Allocates nothing.</summary>
    /// <param name="offset">Where in the block to begin.</param>
    /// <param name="buffer">Where to.</param>
    /// <returns>How many: fewer than fit only at the end, 0 behind it.</returns>
    /// <exception cref="SpillwayException">Corrupt, IO: they cannot be read.</exception>
    public int ReadAt(long offset, Span<byte> buffer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        using HandleLease lease = _handle.Lease(this);
        ulong length;
        nint error;
        fixed (byte* target = buffer)
        {
            int status = spw_reader_read_at(
                lease.Value, (ulong)offset, target, (ulong)buffer.Length, &length, &error);
            NativeError.Check(status, error);
        }
        return (int)length;
    }

    /// <inheritdoc cref="Read(Span{byte})"/>
    /// <param name="buffer">Where to.</param>
    /// <param name="offset">Where in it.</param>
    /// <param name="count">At most so many.</param>
    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    /// <inheritdoc/>
    public override int ReadByte()
    {
        byte next;
        return Read(new Span<byte>(&next, 1)) == 0 ? -1 : next;
    }

    /// <summary>As <see cref="Read(Span{byte})"/>, on a thread of the pool.</summary>
    /// <inheritdoc cref="Read(Span{byte})"/>
    /// <param name="buffer">Where to.</param>
    /// <param name="cancellationToken">Cancels it before it begins.</param>
    public override ValueTask<int> ReadAsync(
        Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        new(Task.Run(() => Read(buffer.Span), cancellationToken));

    /// <inheritdoc cref="ReadAsync(Memory{byte}, CancellationToken)"/>
    /// <param name="buffer">Where to.</param>
    /// <param name="offset">Where in it.</param>
    /// <param name="count">At most so many.</param>
    /// <param name="cancellationToken">Cancels it before it begins.</param>
    public override Task<int> ReadAsync(
        byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <summary>Does nothing.</summary>
    public override void Flush() { }

    /// <summary>It cannot be written.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override void SetLength(long value) => ThrowReadOnly();

    /// <inheritdoc cref="SetLength"/>
    public override void Write(byte[] buffer, int offset, int count) => ThrowReadOnly();

    /// <summary>Frees it. Any number of times, before or after its file.</summary>
    /// <param name="disposing">false: called by a finalizer, which frees by itself.</param>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _handle.Dispose();
        }
        base.Dispose(disposing);
    }

    [DoesNotReturn]
    private static void ThrowReadOnly() => throw new NotSupportedException(
        "The stream reads: WritableBlocks.OpenWrite makes one that writes.");
}
