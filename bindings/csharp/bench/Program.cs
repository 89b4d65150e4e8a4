// What a record costs on its way in and out, in nanoseconds: the same workload as the benches of
// the other languages and of C.
using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using Spillway;

const int RecordBytes = 128;
const int BatchRecords = 1000;
const int Rounds = 3;

int records = int.Parse(args[0], CultureInfo.InvariantCulture);
double add = double.MaxValue;
double read = double.MaxValue;
for (int round = 0; round <= Rounds; round++) // Round 0 warms up code and allocator.
{
    using Store store = Store.OpenInMemory(new StoreOptions { BudgetBytes = Limits.Unlimited });
    RecordStream log = store.OpenStream("log");
    double addNs = Time(() => Add(log, records));
    long sum = 0;
    double readNs = Time(() => sum = Read(log));
    if (sum != Expected(records))
    {
        Console.Error.WriteLine($"sum {sum}, expected {Expected(records)}");
        return 1;
    }
    Console.Error.WriteLine($"round {round}: add {addNs:F2} read {readNs:F2} ns per record");
    if (round > 0)
    {
        add = Math.Min(add, addNs);
        read = Math.Min(read, readNs);
    }
}
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"add_ns_per_record {add:F2}"));
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"read_ns_per_record {read:F2}"));
return 0;

double Time(Action action)
{
    long begin = Stopwatch.GetTimestamp();
    action();
    return Stopwatch.GetElapsedTime(begin).TotalNanoseconds / records;
}

static void Add(RecordStream log, int records)
{
    byte[] record = new byte[RecordBytes];
    record.AsSpan().Fill(0x5a);
    using BatchBuilder batch = new(BatchRecords, BatchRecords * RecordBytes);
    for (int i = 0; i < records; i++)
    {
        BinaryPrimitives.WriteInt64LittleEndian(record, i);
        batch.Append(record);
        if (batch.Count == BatchRecords)
        {
            log.Add(batch);
            batch.Clear();
        }
    }
    log.Add(batch);
}

static long Read(RecordStream log)
{
    long sum = 0;
    using Cursor cursor = log.OpenCursor();
    while (cursor.Next(out RecordBatch batch, maxRecords: BatchRecords))
    {
        foreach (ReadOnlySpan<byte> record in batch)
        {
            sum += record[0] + record[^1];
        }
    }
    return sum;
}

// Worked out from the numbers alone, so that a record that comes twice or not at all shows.
static long Expected(int records)
{
    long sum = 0x5aL * records;
    for (int i = 0; i < records; i++)
    {
        sum += i & 0xff;
    }
    return sum;
}
