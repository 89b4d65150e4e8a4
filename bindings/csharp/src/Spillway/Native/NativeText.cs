using System.Text;

namespace Spillway.Native;

/// <summary>Text and times on their way across the border.</summary>
internal static class NativeText
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <exception cref="ArgumentException">An unpaired surrogate: it has no UTF-8, and replacing
    /// it would open something with another name.</exception>
    internal static byte[] Utf8(string text, string parameter)
    {
        ArgumentNullException.ThrowIfNull(text, parameter);
        try
        {
            return Strict.GetBytes(text);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException(
                $"Not valid UTF-16: an unpaired surrogate at index {e.Index}.", parameter, e);
        }
    }

    /// <summary>As <see cref="Utf8(string, string)"/>, in the given room if that is enough.
    /// </summary>
    internal static ReadOnlySpan<byte> Utf8(string text, string parameter, Span<byte> room)
    {
        try
        {
            if (Strict.TryGetBytes(text, room, out int written))
            {
                return room[..written];
            }
        }
        catch (EncoderFallbackException)
        {
            // Said below.
        }
        return Utf8(text, parameter);
    }

    internal static byte[] Path(string path)
    {
        byte[] bytes = Utf8(path, nameof(path));
        RefuseBadPath(bytes);
        return bytes;
    }

    internal static void RefuseBadPath(ReadOnlySpan<byte> path)
    {
        if (path.IsEmpty || path.Contains((byte)0))
        {
            throw new ArgumentException("A path has at least one byte, and no NUL.", nameof(path));
        }
    }

    /// <summary>null: the store's default; zero: do not wait; infinite: until it is done. Rounded
    /// up, so that a short wait is not mistaken for none.</summary>
    internal static long Milliseconds(TimeSpan? timeout)
    {
        if (timeout is not { } time)
        {
            return Constants.SPW_WAIT_DEFAULT;
        }
        if (time == Timeout.InfiniteTimeSpan)
        {
            return Constants.SPW_WAIT_FOREVER;
        }
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, nameof(timeout));
        long whole = time.Ticks / TimeSpan.TicksPerMillisecond;
        return time.Ticks % TimeSpan.TicksPerMillisecond == 0 ? whole : whole + 1;
    }

    /// <summary>A number of bytes, <see cref="long.MaxValue"/> being no limit.</summary>
    internal static ulong Limit(long bytes) =>
        bytes == long.MaxValue ? Constants.SPW_NO_LIMIT : (ulong)bytes;

    /// <summary>From nanoseconds since 1970, UTC.</summary>
    internal static DateTimeOffset Instant(long nanoseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / TimeSpan.NanosecondsPerTick);

    internal static TimeSpan Time(long milliseconds) =>
        milliseconds >= TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMillisecond
            ? Timeout.InfiniteTimeSpan
            : TimeSpan.FromTicks(milliseconds * TimeSpan.TicksPerMillisecond);
}
