// The lines of log files into a store under a budget of 8 MiB; then, from the store opened again,
// the lines with a word, and all lines compared with the files:
//     search STORE WORD FILE...
using System.Text;
using Spillway;

const int Batch = 1000;
if (args.Length < 3)
{
    Console.Error.WriteLine("usage: search STORE WORD FILE...");
    return 2;
}
(string path, string word, string[] files) = (args[0], args[1], args[2..]);
using Stream output = Console.OpenStandardOutput(); // Not a writer: lines need not be text.
using (Store store = Open(OpenMode.New))
{
    Ingest(store.OpenStream("log"));
}
using (Store store = Open(OpenMode.Existing))
{
    Search(store.OpenStream("log"));
}
return 0;

Store Open(OpenMode mode) => Store.Open(
    path, new() { BudgetBytes = 8 << 20, Open = mode });

void Ingest(RecordStream log)
{
    long lines = 0, bytes = 0;
    using BatchBuilder batch = new();
    foreach (ReadOnlyMemory<byte> line in files.SelectMany(Lines))
    {
        batch.Append(line.Span);
        lines++;
        bytes += line.Length;
        if (batch.Count == Batch)
        {
            log.Add(batch);
            batch.Clear();
        }
    }
    log.Add(batch);
    Print($"{lines} lines, {bytes} bytes added\n");
}

void Search(RecordStream log)
{
    byte[] wanted = Encoding.UTF8.GetBytes(word);
    long found = 0, verified = 0;
    using IEnumerator<ReadOnlyMemory<byte>> lines = files.SelectMany(Lines).GetEnumerator();
    using Cursor cursor = log.OpenCursor();
    while (cursor.Next(out RecordBatch batch, maxRecords: Batch))
    {
        for (int i = 0; i < batch.Count; i++)
        {
            ReadOnlySpan<byte> record = batch[i];
            if (record.IndexOf(wanted) >= 0 && ++found <= 3)
            {
                Print($"{batch.Sequence(i)}: ");
                output.Write(record);
                Print("\n");
            }
            verified += lines.MoveNext() && record.SequenceEqual(lines.Current.Span) ? 1 : 0;
        }
    }
    Print($"{found} lines with \"{word}\", {verified} lines verified\n");
}

// The lines of a file without their line feeds; each is valid until the next.
static IEnumerable<ReadOnlyMemory<byte>> Lines(string file)
{
    using FileStream stream = File.OpenRead(file);
    byte[] buffer = new byte[1 << 16];
    int held = 0; // Bytes at the front of the buffer: a line that has not ended yet.
    for (int got; (got = stream.Read(buffer, held, buffer.Length - held)) > 0;)
    {
        int begin = 0, end = held + got;
        for (int feed; (feed = Array.IndexOf(buffer, (byte)'\n', begin, end - begin)) >= 0;)
        {
            yield return buffer.AsMemory(begin, feed - begin);
            begin = feed + 1;
        }
        held = end - begin;
        Array.Copy(buffer, begin, buffer, 0, held);
        Array.Resize(ref buffer, Math.Max(buffer.Length, 2 * held));
    }
    if (held > 0)
    {
        yield return buffer.AsMemory(0, held);
    }
}

void Print(string text) => output.Write(Encoding.UTF8.GetBytes(text));
