// spw_file: open, close, flush, statistics.

#include <atomic>

#include "capi/arguments.h"
#include "capi/file_handles.h"
#include "capi/file_options.h"
#include "capi/guard.h"
#include "capi/structs.h"
#include "internal/io/posix_file.h"

using namespace spillway::capi;  // NOLINT(google-build-using-namespace): the border lies here
using spillway::base::Code;
using spillway::base::InvalidArgument;
using spillway::base::Result;
using spillway::base::Status;
using spillway::blockfile::BlockFile;
using spillway::blockfile::FileStats;
using spillway::blockfile::Level;

namespace {

std::atomic<uint64_t> leaked_files{0};

static_assert(static_cast<int>(Level::kRelaxed) == SPW_COMMIT_RELAXED &&
              static_cast<int>(Level::kKernel) == SPW_FLUSH_KERNEL &&
              static_cast<int>(Level::kDevice) == SPW_FLUSH_DEVICE &&
              static_cast<int>(Level::kCheckpoint) == SPW_FLUSH_CHECKPOINT);

spw_block_stats MakeStats(const FileStats& from) {
  spw_block_stats stats = {};
  stats.blocks = from.blocks;
  stats.payload_bytes = from.payload_bytes;
  stats.bytes_file = from.bytes_file;
  stats.bytes_used = from.bytes_used;
  stats.bytes_held = from.bytes_held;
  stats.bytes_free = from.bytes_free;
  stats.blocks_dirty = from.blocks_dirty;
  stats.bytes_dirty = from.bytes_dirty;
  stats.bytes_cached = from.bytes_cached;
  stats.snapshots = from.snapshots;
  stats.puts = from.puts;
  stats.groups = from.groups;
  stats.barriers = from.barriers;
  stats.checkpoints = from.checkpoints;
  stats.bytes_written = from.bytes_written;
  stats.bytes_read = from.bytes_read;
  stats.waits = from.waits;
  stats.cache_hits = from.cache_hits;
  stats.cache_misses = from.cache_misses;
  stats.checksum_errors = from.checksum_errors;
  stats.bytes_disk = from.bytes_disk;
  stats.scrub_passes = from.scrub_passes;
  stats.scrub_problems = from.scrub_problems;
  stats.health = static_cast<uint64_t>(from.health);
  return stats;
}

}  // namespace

extern "C" {

spw_status spw_file_open(const char* path, size_t path_len, const spw_options* options, spw_op* op,
                         spw_file** out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    *out = nullptr;
    if (options != nullptr) {
      SPW_RETURN_IF_ERROR(CheckHandle(options));
    }
    std::string name;
    SPW_RETURN_IF_ERROR(CheckPath(path, path_len, &name));
    spillway::blockfile::Settings settings;
    SPW_RETURN_IF_ERROR(
        ParseFileOptions(options == nullptr ? nullptr : &options->options, &settings));
    OpCall op_call;
    SPW_RETURN_IF_ERROR(op_call.Enter(op));
    if (op_call.get() != nullptr && op_call.get()->cancelled()) {
      return Status(Code::kCancelled);
    }
    auto handle = std::make_unique<spw_file>();
    handle->fork_guard = std::make_shared<const spillway::base::ForkGuard>();
    Result<std::shared_ptr<BlockFile>> file =
        BlockFile::Open(spillway::io::PosixFileSystem(), name, settings, op_call.get());
    SPW_RETURN_IF_ERROR(file.status());
    handle->file = std::move(file.value());
    *out = handle.release();
    return {};
  });
}

spw_status spw_file_close(spw_file* file, uint32_t flags, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckHere(file));
    if ((flags & ~SPW_CLOSE_DISCARD) != 0) {
      return {Code::kUnsupported, "unknown flags " + std::to_string(flags) + " for close"};
    }
    if (!file->file->closes()) {
      return {Code::kInvalidState, "the file is a store's, which closes it"};
    }
    Status status = file->file->Close((flags & SPW_CLOSE_DISCARD) != 0);
    if (status.code() != Code::kFull) {
      file->closed.store(true, std::memory_order_relaxed);
    }
    return status;
  });
}

void spw_file_free(spw_file* file) {
  if (file == nullptr || file->kind != spw_file::kKind) {
    return;
  }
  if (!file->fork_guard->forked() && file->file->closes() &&
      !file->closed.load(std::memory_order_relaxed)) {
    leaked_files.fetch_add(1, std::memory_order_relaxed);
  }
  FreeHandle(file);
}

uint64_t spw_leaked_files(void) { return leaked_files.load(std::memory_order_relaxed); }

spw_status spw_file_flush(spw_file* file, int32_t level, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckHere(file));
    if (level < SPW_FLUSH_KERNEL || level > SPW_FLUSH_CHECKPOINT) {
      return InvalidArgument("unknown flush level " + std::to_string(level));
    }
    return file->file->Flush(static_cast<Level>(level));
  });
}

spw_status spw_file_stats(const spw_file* file, spw_block_stats* out, spw_error** err) {
  return Guard(err, [&]() -> Status {
    SPW_RETURN_IF_ERROR(CheckPointer(out, "out"));
    SPW_RETURN_IF_ERROR(ClearStruct(out, "spw_block_stats"));
    SPW_RETURN_IF_ERROR(CheckHere(file));
    if (file->file->closed()) {
      return Status(Code::kClosed);
    }
    WriteStruct(out, MakeStats(file->file->Stats()));
    return {};
  });
}

}  // extern "C"
