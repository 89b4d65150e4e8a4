using System.Text;
using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <summary>What a <see cref="BlockFile.Vacuum"/> did, or a dry run would do.</summary>
public readonly struct VacuumResult
{
    private readonly spw_vacuum_result _result;

    internal VacuumResult(in spw_vacuum_result result) => _result = result;

    /// <summary>Payload bytes of blocks that were moved; of a dry run, are to be moved, about and
    /// with the registry.</summary>
    public ulong BytesMoved => _result.bytes_moved;

    /// <summary>Of a dry run: bytes of free disk space that it would need, at most.</summary>
    public ulong BytesNeeded => _result.bytes_needed;

    /// <summary>Bytes that the file took of the disk, holes not counted.</summary>
    public ulong BytesBefore => _result.bytes_before;

    /// <summary>Bytes that it takes now; of a dry run, about. A close gives back the reserve, too,
    /// which an open file holds.</summary>
    public ulong BytesAfter => _result.bytes_after;

    /// <summary>The file's length afterwards.</summary>
    public ulong BytesFile => _result.bytes_file;

    /// <summary>Whether another call would gain nothing now; else it may, as after a quota or
    /// <see cref="VacuumMode.Once"/>.</summary>
    public bool IsDone => _result.done != 0;
}

/// <summary>What a <see cref="BlockFile.Import"/> or <see cref="ReadableBlocks.Export"/> did.
/// </summary>
public readonly struct TransferResult
{
    private readonly spw_transfer _result;

    internal TransferResult(in spw_transfer result) => _result = result;

    /// <summary>Blocks moved.</summary>
    public ulong Blocks => _result.blocks;

    /// <summary>Bytes of them.</summary>
    public ulong Bytes => _result.bytes;

    /// <summary>Blocks that were there already, byte for byte.</summary>
    public ulong Equal => _result.equal;

    /// <summary>Import: links (which are not followed), devices, pipes and sockets, left files of
    /// an interrupted export, and files whose block another, equal file gave.</summary>
    public ulong Ignored => _result.ignored;
}

/// <summary>What a verification found. A copy: any thread, any time.</summary>
public sealed unsafe class VerifyReport
{
    private readonly BlockProblem[] _problems;

    /// <summary>Of the caller's report, which it copies.</summary>
    internal VerifyReport(nint report)
    {
        spw_verify_summary summary = new() { struct_size = (uint)sizeof(spw_verify_summary) };
        nint error;
        NativeError.Check(spw_report_summary(report, &summary, &error), error);
        Mode = (VerifyMode)summary.flags;
        Blocks = summary.blocks;
        BlocksDamaged = summary.blocks_damaged;
        BytesRead = summary.bytes;
        ProblemCount = summary.problems;
        List<BlockProblem> problems = [];
        spw_problem problem = new() { struct_size = (uint)sizeof(spw_problem) };
        for (ulong i = 0; i < summary.problems; i++)
        {
            int status = spw_report_problem(report, i, &problem, &error);
            if (!NativeError.CheckUnless(Constants.SPW_NOT_FOUND, status, error, default))
            {
                break; // More were found than are kept.
            }
            problems.Add(new BlockProblem(problem));
        }
        _problems = [.. problems];
    }

    /// <summary>What was read.</summary>
    public VerifyMode Mode { get; }

    /// <summary>Blocks checked.</summary>
    public ulong Blocks { get; }

    /// <summary>Of them, those that are damaged.</summary>
    public ulong BlocksDamaged { get; }

    /// <summary>Bytes read.</summary>
    public ulong BytesRead { get; }

    /// <summary>Problems found; see <see cref="Problems"/>.</summary>
    public ulong ProblemCount { get; }

    /// <summary>The first 1,000 problems.</summary>
    public IReadOnlyList<BlockProblem> Problems => _problems;

    /// <summary>Whether nothing is wrong.</summary>
    public bool IsClean => ProblemCount == 0;
}

/// <summary>Something that a verification found.</summary>
public sealed unsafe class BlockProblem
{
    private readonly byte[]? _name;

    internal BlockProblem(in spw_problem problem)
    {
        Status = (SpillwayStatus)problem.code;
        Message = Encoding.UTF8.GetString(problem.message, (int)problem.message_len);
        _name = problem.name == null
            ? null
            : new ReadOnlySpan<byte>(problem.name, (int)problem.name_len).ToArray();
    }

    /// <summary>Corrupt or IO.</summary>
    public SpillwayStatus Status { get; }

    /// <summary>The block's name, bytes that are no UTF-8 shown as U+FFFD; null: it is a structure
    /// of the file.</summary>
    public string? Name => _name == null ? null : Encoding.UTF8.GetString(_name);

    /// <summary>The block's name as it is; empty: it is a structure of the file.</summary>
    public ReadOnlyMemory<byte> NameBytes => _name;

    /// <summary>What and where.</summary>
    public string Message { get; }
}
