namespace Spillway.Native;

/// <summary>The numbers of the C headers, by their names there and in its order.</summary>
internal static class Constants
{
    internal const int SPW_VERSION_MAJOR = 0;
    internal const int SPW_VERSION_MINOR = 1;
    internal const string SPW_VERSION = "0.1.0";

    internal const int SPW_OK = 0;
    internal const int SPW_INVALID_ARGUMENT = 1;
    internal const int SPW_INVALID_STATE = 2;
    internal const int SPW_NO_MEMORY = 3;
    internal const int SPW_NOT_FOUND = 4;
    internal const int SPW_ALREADY_EXISTS = 5;
    internal const int SPW_BUSY = 6;
    internal const int SPW_WOULD_BLOCK = 7;
    internal const int SPW_TIMEOUT = 8;
    internal const int SPW_CANCELLED = 9;
    internal const int SPW_CLOSED = 10;
    internal const int SPW_FULL = 11;
    internal const int SPW_TOO_BIG = 12;
    internal const int SPW_READONLY = 13;
    internal const int SPW_IO = 14;
    internal const int SPW_CORRUPT = 15;
    internal const int SPW_TRIMMED = 16;
    internal const int SPW_UNSUPPORTED = 17;
    internal const int SPW_FORKED = 18;
    internal const int SPW_INTERNAL = 19;
    internal const int SPW_CONFLICT = 20;

    internal const int SPW_STRUCT_SCAN = 1;
    internal const int SPW_STRUCT_VIEW = 2;
    internal const int SPW_STRUCT_STATS = 3;
    internal const int SPW_STRUCT_STREAM_STATS = 4;
    internal const int SPW_STRUCT_EVENT = 5;
    internal const int SPW_STRUCT_SLICE = 6;
    internal const int SPW_STRUCT_BLOCK_INFO = 7;
    internal const int SPW_STRUCT_BLOCK_VIEW = 8;
    internal const int SPW_STRUCT_BLOCK_STATS = 9;
    internal const int SPW_STRUCT_VERIFY_SUMMARY = 10;
    internal const int SPW_STRUCT_PROBLEM = 11;
    internal const int SPW_STRUCT_VACUUM_RESULT = 12;
    internal const int SPW_STRUCT_TRANSFER = 13;
    internal const int SPW_STRUCT_RECORD_SUMMARY = 14;
    internal const int SPW_STRUCT_RECORD_RANGE = 15;

    internal const long SPW_AUTO = -1;
    internal const long SPW_UNLIMITED = 9223372036854775807;
    internal const long SPW_WAIT_DEFAULT = -1;
    internal const long SPW_NO_WAIT = 0;
    internal const long SPW_WAIT_FOREVER = 9223372036854775807;
    internal const uint SPW_ALL = 4294967295;
    internal const ulong SPW_SEQ_NONE = 18446744073709551615;
    internal const ulong SPW_NO_LIMIT = 18446744073709551615;
    internal const ulong SPW_RECORD_BYTES_MAX = 536870912;
    internal const int SPW_STREAMS_MAX = 65535;
    internal const int SPW_STREAM_NAME_MAX = 1024;

    internal const int SPW_OPT_BUDGET_BYTES = 1;
    internal const int SPW_OPT_BUDGET_RECORDS = 2;
    internal const int SPW_OPT_HARD_PERCENT = 3;
    internal const int SPW_OPT_LOW_PERCENT = 4;
    internal const int SPW_OPT_SPILLS_IN_FLIGHT = 5;
    internal const int SPW_OPT_TIMEOUT_MS = 6;
    internal const int SPW_OPT_COLD_TIER = 7;
    internal const int SPW_OPT_OPEN = 8;
    internal const int SPW_OPT_WHEN_FULL = 9;
    internal const int SPW_OPT_TIMES = 10;
    internal const int SPW_OPT_SYNC_MS = 11;
    internal const int SPW_OPT_EAGER = 12;
    internal const int SPW_OPT_IDLE_MS = 13;
    internal const int SPW_OPT_PROMOTE_READS = 14;

    internal const int SPW_TIER_BLOCK_FILE = 1;
    internal const int SPW_TIER_SQLITE = 2;

    internal const int SPW_OPEN_CREATE = 1;
    internal const int SPW_OPEN_EXISTING = 2;
    internal const int SPW_OPEN_NEW = 3;
    internal const int SPW_OPEN_TEMPORARY = 5;

    internal const int SPW_WHEN_FULL_BLOCK = 1;
    internal const int SPW_WHEN_FULL_FAIL = 2;
    internal const int SPW_WHEN_FULL_DROP_NEWEST = 3;
    internal const int SPW_WHEN_FULL_DROP_OLDEST = 4;

    internal const uint SPW_CLOSE_DISCARD = 1;

    internal const uint SPW_STREAM_CREATE = 1;
    internal const uint SPW_STREAM_MUST_CREATE = 3;

    internal const int SPW_FLUSH_KERNEL = 1;
    internal const int SPW_FLUSH_DEVICE = 2;

    internal const uint SPW_STREAM_HAS_TIMES = 1;

    internal const int SPW_EVENT_BLOCKED = 1;
    internal const int SPW_EVENT_SPILL_BEGIN = 2;
    internal const int SPW_EVENT_SPILL_END = 3;
    internal const int SPW_EVENT_ERROR = 4;
    internal const int SPW_EVENT_RECOVERED = 5;
    internal const int SPW_EVENT_CORRUPT = 6;
    internal const int SPW_EVENT_DROPPED = 7;

    internal const uint SPW_SCAN_REVERSE = 1;
    internal const uint SPW_SCAN_FOLLOW = 2;
    internal const uint SPW_SCAN_TIME_RANGE = 4;

    internal const uint SPW_VIEW_DENSE = 1;

    internal const int SPW_BLOCK_NAME_MAX = 1024;
    internal const int SPW_BLOCK_TAG_MAX = 128;
    internal const ulong SPW_BLOB_BYTES_MAX = 67108864;
    internal const ulong SPW_BLOCK_VERSION_ANY = 18446744073709551615;
    internal const ulong SPW_BLOCK_VERSION_NONE = 0;

    internal const int SPW_OPT_FILE_CHECKSUM = 101;
    internal const int SPW_OPT_FILE_DIRTY_BYTES = 102;
    internal const int SPW_OPT_FILE_DIRTY_BLOCKS = 103;
    internal const int SPW_OPT_FILE_CACHE_BYTES = 104;
    internal const int SPW_OPT_FILE_GROWTH_BYTES = 105;
    internal const int SPW_OPT_FILE_JOURNAL_BYTES = 106;

    internal const int SPW_CHECKSUM_XXH3 = 1;
    internal const int SPW_CHECKSUM_SHA256 = 2;

    internal const int SPW_OPEN_READ_ONLY = 4;

    internal const int SPW_FLUSH_CHECKPOINT = 3;

    internal const uint SPW_TXN_READ_ONLY = 1;
    internal const int SPW_COMMIT_RELAXED = 0;

    internal const uint SPW_RENAME_REPLACE = 1;
    internal const uint SPW_LIST_NAMES_ONLY = 1;
    internal const uint SPW_VACUUM_FULL = 1;
    internal const uint SPW_VACUUM_DRY_RUN = 2;
    internal const uint SPW_VERIFY_FULL = 1;
}
