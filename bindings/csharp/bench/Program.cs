// What a record costs on its way in and out, in nanoseconds, and a batch of blocks, in us: the same
// workloads as the benches of the other languages and of C (tests/bindings/throughput.sh).
using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Spillway;

const int RecordBytes = 128;
const int BatchRecords = 1000;
const int BlockBytes = 4096;
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
Print("add_ns_per_record", add);
Print("read_ns_per_record", read);
if (Environment.GetEnvironmentVariable("BLOCKS") is { Length: > 0 } path)
{
    MeasureBlocks(path);
}
return 0;

static void Print(string what, double value) =>
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what} {value:F2}"));

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

static void MeasureBlocks(string path)
{
    const int Updates = 500;
    const int BlockRounds = 40;
    double put = double.MaxValue;
    double durable = double.MaxValue;
    double read = double.MaxValue;
    using BlockFile file = BlockFile.Open(path);
    using BlockBatch batch = new();
    using BlockReadBatch reads = new();
    Pack(batch, step: 1, stamp: 0);
    file.PutBatch(batch);
    file.Flush();
    byte[][] names = [.. Enumerable.Range(0, Updates).Select(i => Name(2 * i))];
    foreach (byte[] name in names)
    {
        reads.Add(name);
    }
    for (int round = 0; round <= BlockRounds; round++)
    {
        long began = Stopwatch.GetTimestamp();
        Pack(batch, step: 2, stamp: round * 1000L);
        file.PutBatch(batch);
        double putTime = Stopwatch.GetElapsedTime(began).TotalMicroseconds;
        file.Flush();
        double durableTime = Stopwatch.GetElapsedTime(began).TotalMicroseconds;
        long beganToRead = Stopwatch.GetTimestamp();
        file.ReadBatch(reads);
        double readTime = Stopwatch.GetElapsedTime(beganToRead).TotalMicroseconds;
        for (int i = 0; i < Updates; i++)
        {
            CheckBlock(reads[i], (round * 1000L) + (2 * i));
        }
        if (round > 0)
        {
            put = Math.Min(put, putTime);
            durable = Math.Min(durable, durableTime);
            read = Math.Min(read, readTime);
        }
    }
    Print("block_put_us", put);
    Print("block_durable_us", durable);
    Print("block_read_us", read);
}

// The blocks of every step-th number, one by one.
static void Pack(BlockBatch batch, int step, long stamp)
{
    const int Blocks = 1000;
    Span<byte> block = stackalloc byte[BlockBytes];
    Span<byte> name = stackalloc byte[10];
    block.Fill((byte)'x');
    batch.Clear();
    for (int i = 0; i < Blocks; i += step)
    {
        BinaryPrimitives.WriteInt64LittleEndian(block, stamp + i);
        Utf8.TryWrite(name, CultureInfo.InvariantCulture, $"block/{i:D4}", out _);
        batch.Add((ReadOnlySpan<byte>)name, block);
    }
}

static byte[] Name(int block) =>
    Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"block/{block:D4}"));

static void CheckBlock(ReadOnlySpan<byte> block, long stamp)
{
    if (block.Length != BlockBytes || BinaryPrimitives.ReadInt64LittleEndian(block) != stamp
        || block[8..].ContainsAnyExcept((byte)'x'))
    {
        throw new InvalidDataException($"a block is not that of {stamp}");
    }
}
