using System.Buffers;

namespace Spillway.Native;

/// <summary>Arrays from the shared pool that grow; an empty one is not from there.</summary>
internal static class PooledArray
{
    /// <summary>At least doubles, so that n elements are copied O(n) times in all.</summary>
    /// <param name="array">Replaced by a larger one.</param>
    /// <param name="used">Elements that are copied.</param>
    /// <param name="needed">The least length.</param>
    internal static void Grow<T>(ref T[] array, int used, int needed)
    {
        long size = Math.Min(Math.Max(needed, array.Length * 2L), Array.MaxLength);
        T[] larger = ArrayPool<T>.Shared.Rent((int)size);
        array.AsSpan(0, used).CopyTo(larger);
        Return(ref array);
        array = larger;
    }

    /// <summary>A number of bytes as the length of an array.</summary>
    /// <exception cref="InvalidOperationException">No array is that long.</exception>
    internal static int Length(long bytes) => bytes <= Array.MaxLength
        ? (int)bytes
        : throw new InvalidOperationException(
            $"{bytes} bytes are more than an array holds: read them in parts.");

    internal static void Return<T>(ref T[] array)
    {
        T[] old = array;
        array = [];
        if (old.Length > 0)
        {
            ArrayPool<T>.Shared.Return(old);
        }
    }
}
