namespace Spillway.Native;

/// <summary>Spans that belong together, checked before pointers to them leave: the library is told
/// one count for all of them.</summary>
internal static class Spans
{
    /// <summary>How many byte strings the offsets bound.</summary>
    internal static int CountOf(ReadOnlySpan<ulong> offsets, string parameter) =>
        offsets.IsEmpty
            ? throw new ArgumentException("One more than blocks, so at least one.", parameter)
            : offsets.Length - 1;

    internal static void RefuseOther(int length, int expected, string parameter)
    {
        if (length != expected)
        {
            throw new ArgumentException($"{length} of them where {expected} belong.", parameter);
        }
    }
}
