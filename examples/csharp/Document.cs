// A document of a few thousand parts in one file. A save changes some parts and is all or nothing,
// also when the program is killed in the middle of it; opening reads a few pages, not the document.
//     document new PATH PARTS     a document of so many parts, as of save 0
//     document save PATH COUNT    one save that changes COUNT parts and the manifest
//     document check PATH         proves that all parts are of the saves that the manifest says
//     document delete PATH COUNT  removes the last COUNT parts, as a save
//     document shrink PATH        gives the space of what is gone back to the disk
// Each prints one line and ends with 0, or a message and 1 (64: wrong usage). Who has seen the line
// of a save or delete will find that save, or a later one. What is in the file is the same in each
// language: examples/c/document.c describes it.
using System.Globalization;
using Spillway;
using static System.Buffers.Binary.BinaryPrimitives;

try
{
    int number = args.Length == 3 ? Number(args[2]) : 0;
    string? line = (args.Length, args.FirstOrDefault(), number) switch
    {
        (3, "new", > 0) => New(args[1], number),
        (3, "save", > 0) => Save(args[1], number),
        (2, "check", _) => Check(args[1]),
        (3, "delete", > 0) => Delete(args[1], number),
        (2, "shrink", _) => Shrink(args[1]),
        _ => null,
    };
    if (line == null)
    {
        Console.Error.WriteLine(
            "usage: document new PATH PARTS | save PATH COUNT | check PATH | delete PATH COUNT | "
            + "shrink PATH");
        return 64;
    }
    Console.WriteLine(line);
    return 0;
}
catch (Exception e)
    when (e is SpillwayException or InvalidDataException or ArgumentException or IOException)
{
    Console.Error.WriteLine($"document: {e.Message}");
    return 1;
}

// 1 to 999,999; 0: it is something else.
static int Number(string text) =>
    int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
        && number < 1_000_000 ? number : 0;

static BlockFile Open(string path, OpenMode mode) => BlockFile.Open(path, new() { Open = mode });

static string New(string path, int parts)
{
    using BlockFile file = Open(path, OpenMode.New);
    using BlockTransaction save = file.BeginTransaction();
    Manifest all = new(0, new ulong[parts]);
    Part.PutAll(save, Enumerable.Range(0, parts), all.Save);
    all.Put(save);
    save.Commit();
    return $"save {all.Save}: {parts} of {parts} parts written";
}

static string Save(string path, int count)
{
    using BlockFile file = Open(path, OpenMode.Existing);
    using BlockTransaction save = file.BeginTransaction();
    Manifest old = Manifest.Get(save);
    Manifest all = new(old.Save + 1, old.Stamps);
    int parts = all.Stamps.Length;
    count = Math.Min(count, parts);
    int[] changed = new int[count];
    for (int i = 0; i < count; i++)
    {
        changed[i] = (int)((all.Save * 611 + (ulong)i) % (ulong)parts);
        all.Stamps[changed[i]] = all.Save;
    }
    Part.PutAll(save, changed, all.Save);
    all.Put(save);
    save.Commit(); // All of it or, without this line, nothing; and durable from here on.
    return $"save {all.Save}: {count} of {parts} parts written";
}

static string Delete(string path, int count)
{
    using BlockFile file = Open(path, OpenMode.Existing);
    using BlockTransaction save = file.BeginTransaction();
    Manifest old = Manifest.Get(save);
    int left = Math.Max(old.Stamps.Length - count, 0);
    for (int i = left; i < old.Stamps.Length; i++)
    {
        save.Delete(Part.Name(i));
    }
    Manifest all = new(old.Save + 1, old.Stamps[..left]);
    all.Put(save);
    save.Commit();
    return $"save {all.Save}: {left} of {left} parts left";
}

static string Check(string path)
{
    using BlockFile file = Open(path, OpenMode.ReadOnly);
    using BlockSnapshot now = file.BeginSnapshot();
    Manifest all = Manifest.Get(now);
    int parts = all.Stamps.Length;
    long bytes = 0;
    byte[] room = new byte[Part.MostBytes];
    for (int i = 0; i < parts; i++)
    {
        using Blob found = now.Get(Part.Name(i)); // In the library's memory, not copied.
        if (found.Length < 16 || ReadUInt64LittleEndian(found.Span) != all.Stamps[i])
        {
            throw new InvalidDataException($"a part of another save (part {i})");
        }
        Span<byte> wanted = room.AsSpan(0, Part.Length(i, all.Stamps[i]));
        Part.Fill(wanted, i, all.Stamps[i]);
        if (!found.Span.SequenceEqual(wanted))
        {
            throw new InvalidDataException($"a part with other bytes (part {i})");
        }
        bytes += found.Length;
    }
    if (now.ListNames("part/").Count() != parts)
    {
        throw new InvalidDataException($"more parts than the manifest knows (part {parts})");
    }
    return $"save {all.Save}: {parts} parts, {bytes} bytes, all as they were saved";
}

static string Shrink(string path)
{
    long before = new FileInfo(path).Length;
    using BlockFile file = Open(path, OpenMode.Existing);
    file.Vacuum();
    file.Close(); // Until then it has room in reserve.
    return $"the file: {before} bytes, now {new FileInfo(path).Length}";
}

internal static class Part
{
    public const int MostBytes = 16 + 1000 + 7000;
    private const int BatchBytes = 4 << 20;

    public static string Name(int number) => $"part/{number:D6}";

    public static int Length(int number, ulong save) =>
        16 + 1000 + (int)(((ulong)number * 7919 + save * 104729) % 7001);

    // What a part holds as of a save.
    public static void Fill(Span<byte> part, int number, ulong save)
    {
        WriteUInt64LittleEndian(part, save);
        WriteUInt64LittleEndian(part[8..], (ulong)number);
        ulong first = (ulong)number * 17 + save * 101;
        for (int i = 16; i < part.Length; i++)
        {
            part[i] = (byte)(((ulong)(i - 16) * 31 + first) % 251);
        }
    }

    // Parts as of a save, some megabytes of them per call; each is made where the batch keeps it.
    public static void PutAll(BlockTransaction to, IEnumerable<int> numbers, ulong save)
    {
        using BlockBatch batch = new();
        foreach (int number in numbers)
        {
            int length = Length(number, save);
            Fill(batch.GetSpan(length)[..length], number, save);
            batch.Advance(length);
            batch.EndBlock(Name(number));
            if (batch.ByteCount >= BatchBytes)
            {
                to.PutBatch(batch);
                batch.Clear();
            }
        }
        to.PutBatch(batch);
    }
}

// The save that the document is of, and of each part the save that wrote it.
internal sealed record Manifest(ulong Save, ulong[] Stamps)
{
    public static Manifest Get(ReadableBlocks document)
    {
        using Blob blob = document.Get("manifest");
        ReadOnlySpan<byte> bytes = blob.Span;
        if (bytes.Length < 16
            || (ulong)(bytes.Length - 16) / 8 != ReadUInt64LittleEndian(bytes[8..]))
        {
            throw new InvalidDataException("a manifest of another length (part 0)");
        }
        ulong[] stamps = new ulong[(bytes.Length - 16) / 8];
        for (int i = 0; i < stamps.Length; i++)
        {
            stamps[i] = ReadUInt64LittleEndian(bytes[(16 + 8 * i)..]);
        }
        return new(ReadUInt64LittleEndian(bytes), stamps);
    }

    public void Put(BlockTransaction document)
    {
        byte[] bytes = new byte[16 + 8 * Stamps.Length];
        WriteUInt64LittleEndian(bytes, Save);
        WriteUInt64LittleEndian(bytes.AsSpan(8), (ulong)Stamps.Length);
        for (int i = 0; i < Stamps.Length; i++)
        {
            WriteUInt64LittleEndian(bytes.AsSpan(16 + 8 * i), Stamps[i]);
        }
        document.Put("manifest", bytes);
    }
}
