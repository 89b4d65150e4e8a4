using Spillway.Native;

namespace Spillway;

/// <summary>Special values and limits of the library.</summary>
public static class Limits
{
    /// <summary>A store's budget: a quarter of the container's or machine's memory.</summary>
    public const long Auto = Constants.SPW_AUTO;

    /// <summary>A budget: no limit.</summary>
    public const long Unlimited = Constants.SPW_UNLIMITED;

    /// <summary>In place of a sequence number: none, or the end of what there is.</summary>
    public const ulong NoSequence = Constants.SPW_SEQ_NONE;

    /// <summary>Bytes of the largest record.</summary>
    public const long RecordBytesMax = (long)Constants.SPW_RECORD_BYTES_MAX;

    /// <summary>Streams of a store.</summary>
    public const int StreamsMax = Constants.SPW_STREAMS_MAX;

    /// <summary>UTF-8 bytes of a stream's name.</summary>
    public const int StreamNameBytesMax = Constants.SPW_STREAM_NAME_MAX;

    /// <summary>UTF-8 bytes of a block's name.</summary>
    public const int BlockNameBytesMax = Constants.SPW_BLOCK_NAME_MAX;

    /// <summary>Bytes of a block's tag.</summary>
    public const int BlockTagBytesMax = Constants.SPW_BLOCK_TAG_MAX;

    /// <summary>Bytes of the largest <see cref="Blob"/>.</summary>
    public const int BlobBytesMax = (int)Constants.SPW_BLOB_BYTES_MAX;
}

/// <summary>Conditions on the version of a block, beside a version itself.</summary>
public static class BlockVersion
{
    /// <summary>No condition.</summary>
    public const ulong Any = Constants.SPW_BLOCK_VERSION_ANY;

    /// <summary>There must be no such block.</summary>
    public const ulong None = Constants.SPW_BLOCK_VERSION_NONE;
}

/// <summary>Sequence numbers of one stream from <paramref name="Begin"/> up to, and without,
/// <paramref name="End"/>.</summary>
/// <param name="Begin">The first.</param>
/// <param name="End">One above the last.</param>
public readonly record struct SequenceRange(ulong Begin, ulong End)
{
    /// <summary>How many there are.</summary>
    public ulong Count => End - Begin;
}
