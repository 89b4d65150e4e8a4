using System.Diagnostics.CodeAnalysis;
using Spillway.Native;

namespace Spillway;

/// <summary>
/// Text on its way into a call: the name of a block, or what names begin with. Made by itself from
/// a <see cref="string"/>, which is encoded as UTF-8, or from bytes, which are taken as they are
/// and need not be valid UTF-8: <c>file.Put("a", ...)</c>, <c>file.Put("a"u8, ...)</c>. Allocates
/// nothing. A default one is empty.
/// </summary>
[SuppressMessage("Usage", "CA2225", Justification = "The constructors are the alternates.")]
public readonly ref struct Utf8Text
{
    /// <summary>What callers have on their stack for a string's bytes: no name is longer.</summary>
    internal const int Room = Limits.BlockNameBytesMax;

    private readonly string? _text;
    private readonly ReadOnlySpan<byte> _bytes;

    /// <summary>Text to be encoded.</summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    public Utf8Text(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        _text = text;
    }

    /// <summary>Bytes as they are.</summary>
    public Utf8Text(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Text to be encoded.</summary>
    /// <exception cref="ArgumentNullException">It is null.</exception>
    public static implicit operator Utf8Text(string text) => new(text);

    /// <summary>Bytes as they are.</summary>
    public static implicit operator Utf8Text(ReadOnlySpan<byte> bytes) => new(bytes);

    /// <summary>Bytes as they are.</summary>
    public static implicit operator Utf8Text(byte[] bytes) => new((ReadOnlySpan<byte>)bytes);

    /// <summary>Its bytes: those it was made from, or encoded in the room.</summary>
    /// <exception cref="ArgumentException">An unpaired surrogate.</exception>
    internal ReadOnlySpan<byte> Bytes(Span<byte> room, string parameter) =>
        _text == null ? _bytes : NativeText.Utf8(_text, parameter, room);
}
