using System.Diagnostics;
using Xunit;
using Xunit.Abstractions;

// Collections, finalizers and counters of the whole process are looked at: one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Spillway.Tests;

/// <summary>A folder that is gone after the test.</summary>
public sealed class Folder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("spillway-csharp-").FullName;

    public string Store => System.IO.Path.Combine(Path, "store.spw");

    public string Blocks => System.IO.Path.Combine(Path, "first.blocks");

    // Not by Directory.Delete, which knows no file names that are not Unicode.
    public void Dispose() => Process.Start("rm", ["-rf", Path]).WaitForExit();
}

/// <summary>What many tests begin with.</summary>
public static class Make
{
    public const int SmallBudget = 256 * 1024;

    public static Store OnDisk(Folder folder, long budget = SmallBudget) =>
        Store.Open(folder.Store, OnDisk(budget));

    public static StoreOptions OnDisk(long budget = SmallBudget) =>
        new() { BudgetBytes = budget };

    /// <summary>A store in memory whose hard limit has been reached, and its stream.</summary>
    public static (Store Store, RecordStream Stream) Full(WhenFull whenFull)
    {
        Store store = Store.OpenInMemory(new StoreOptions { BudgetBytes = SmallBudget });
        RecordStream stream =
            store.OpenStream("full", new StreamOptions { WhenFull = whenFull });
        using BatchBuilder batch = new();
        foreach (int size in (int[])[16 * 1024, 64])
        {
            batch.Clear();
            batch.Append(new byte[size]);
            while (stream.TryAdd(batch, out _))
            {
            }
        }
        return (store, stream);
    }

    public static BlockFile Blocks(Folder folder) => BlockFile.Open(folder.Blocks);

    /// <summary>A file with blocks <c>block0</c> and on, each of the bytes of
    /// <see cref="Record"/>.</summary>
    public static BlockFile Blocks(Folder folder, int count, int length)
    {
        BlockFile file = Blocks(folder);
        using BlockBatch batch = new();
        for (int i = 0; i < count; i++)
        {
            batch.Add($"block{i}", Record((ulong)i, length));
        }
        file.PutBatch(batch);
        return file;
    }

    /// <summary>A seed, printed, or the one of SEED, to run a failure again.</summary>
    public static Random Random(ITestOutputHelper output)
    {
        string? given = Environment.GetEnvironmentVariable("SEED");
        int seed = given != null ? int.Parse(given, null) : System.Random.Shared.Next();
        output.WriteLine($"seed={seed} rerun: SEED={seed} bindings/csharp/test.sh BUILD");
        return new Random(seed);
    }

    /// <summary>The bytes that record n of a stream has, wherever it is.</summary>
    public static byte[] Record(ulong n, int length)
    {
        byte[] bytes = new byte[length];
        ulong state = n + 0x9E3779B97F4A7C15;
        for (int i = 0; i < length; i++)
        {
            state = (state * 6364136223846793005) + 1442695040888963407;
            bytes[i] = (byte)(state >> 56);
        }
        return bytes;
    }
}

/// <summary>Calls that must fail.</summary>
public static class Fails
{
    public static SpillwayException With(SpillwayStatus status, Action call)
    {
        SpillwayException thrown = Assert.Throws<SpillwayException>(call);
        Assert.Equal(status, thrown.Status);
        return thrown;
    }

    public static void AsDisposed(Action call) => Assert.Throws<ObjectDisposedException>(call);
}

/// <summary>Waiting for a condition, with a limit that only a failure meets.</summary>
public static class Until
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static void True(Func<bool> condition, string what)
    {
        long begin = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(begin) < Limit, what);
            Thread.Yield();
        }
    }

    /// <summary>Runs actions on threads of their own and fails with the first of their exceptions.
    /// </summary>
    public static void AllRan(params Action[] actions)
    {
        Task[] tasks = [.. actions.Select(each => Task.Factory.StartNew(
            each, CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default))];
        Assert.True(Task.WaitAll(tasks, Limit), "a thread does not end");
    }

    /// <summary>Runs the action on two threads, each with randomness of its own and with what it
    /// calls at every step, while a third does nothing but collect: a use of freed memory would
    /// show as other bytes, or end the process.</summary>
    public static void AllRanAmidCollections(Random random, Action<Random, Action> action)
    {
        int[] seeds = [random.Next(), random.Next()];
        int running = seeds.Length;
        int steps = 0;
        Action collect = () =>
        {
            // In step with the others: back to back, collections would let nobody get on.
            for (int seen = 0; Volatile.Read(ref running) > 0;)
            {
                if (Volatile.Read(ref steps) - seen < 5)
                {
                    Thread.Yield();
                    continue;
                }
                seen = Volatile.Read(ref steps);
                GC.Collect(seen % 4 == 0 ? 2 : 0);
            }
        };
        AllRan([collect, .. seeds.Select(seed => (Action)(() =>
        {
            try
            {
                action(new Random(seed), () => Interlocked.Increment(ref steps));
            }
            finally
            {
                Interlocked.Decrement(ref running);
            }
        }))]);
    }

    /// <summary>Collects until the condition holds: finalizers run when they like.</summary>
    public static void Collected(Func<bool> condition, string what) => True(
        () =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return condition();
        },
        what);
}
