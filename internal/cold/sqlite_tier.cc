#include "internal/cold/sqlite_tier.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <map>
#include <utility>

#include "internal/cold/sqlite_create.h"
#include "internal/cold/sqlite_library.h"
#include "internal/cold/sqlite_reader.h"
#include "internal/cold/sqlite_vfs.h"
#include "internal/cold/sqlite_writer.h"
#include "internal/cold/stream_states.h"
#include "internal/cold/turn.h"
#include "internal/io/posix_file.h"

namespace spillway::cold {
namespace {

using base::Code;
using base::Result;
using base::Status;

class SqliteTier final : public ColdTier {
 public:
  SqliteTier(std::unique_ptr<io::File> lock, std::unique_ptr<SqliteVfs> vfs,
             std::unique_ptr<SqliteWriter> writer, const Catalog& catalog,
             const SqliteTuning& tuning)
      : tuning_(tuning),
        lock_(std::move(lock)),
        vfs_(std::move(vfs)),
        writer_(std::move(writer)),
        readers_(std::make_unique<SqliteReaders>(vfs_.get(), catalog.store.store_id, tuning)) {
    TurnHolder turn(turn_);
    for (const CatalogStream& stream : catalog.streams) {
      streams_.Add(stream.state);
      stored_.emplace(stream.state.id, Stored{stream.stored_begin, stream.settled_begin});
    }
    MeasureFile();
  }

  ~SqliteTier() override {
    if (vfs_ != nullptr) {
      vfs_->EndWriting(Status(Code::kClosed));
    }
  }

  std::vector<StreamState> Streams() const override { return streams_.All(); }

  Status Commit(const Changes& changes, Durability durability) override {
    TurnHolder turn(turn_);
    if (!poison_.ok()) {
      return poison_;
    }
    StreamStates::Staged staged;
    SPW_RETURN_IF_ERROR(streams_.Stage(changes, &staged));
    for (const auto& [id, state] : staged.added) {
      stored_.insert_or_assign(id, Stored{state.begin_seq, 0});
    }
    if (staged.touched.empty() && (durability == Durability::kKernel || !unsynced_)) {
      return Status();
    }
    Status status = Wrote(writer_->Commit(changes, staged.touched, durability));
    if (!status.ok()) {
      return status;
    }
    unsynced_ = durability == Durability::kKernel;
    streams_.Publish(&staged);
    TidyUp(false);
    return Status();
  }

  Status Read(uint32_t stream, uint64_t seq, uint64_t end_seq, uint64_t max_payload_bytes,
              record::ColumnBuffer* out) override {
    ReadRequest request{stream, false, seq, end_seq, max_payload_bytes};
    SPW_RETURN_IF_ERROR(streams_.CheckRange(stream, seq, end_seq, &request.has_times));
    bool checksum_error = false;
    const Status status = readers_->Read(request, out, &checksum_error);
    // What was dropped while it was read may be half there; that is no damage.
    SPW_RETURN_IF_ERROR(streams_.CheckRange(stream, seq, end_seq, &request.has_times));
    if (checksum_error) {
      counters_.checksum_errors.fetch_add(1, std::memory_order_relaxed);
    }
    return status;
  }

  uint64_t EndOfDamage(uint32_t stream, uint64_t seq, uint64_t end_seq) override {
    return readers_->EndOfDamage(stream, seq, end_seq);
  }

  Status Reclaim(bool* more) override {
    *more = false;
    TurnHolder turn(turn_);
    if (!poison_.ok()) {
      return poison_;
    }
    bool removed = false;
    SPW_RETURN_IF_ERROR(RemoveSome(&removed, more));
    bool more_pages = false;
    SPW_RETURN_IF_ERROR(Wrote(writer_->Vacuum(&more_pages)));
    *more = *more || more_pages;
    // The file gets shorter when the WAL has been copied into it.
    TidyUp(removed && !*more);
    return Status();
  }

  TierStats stats() const override { return counters_.Read(); }

  Status Close(CloseMode mode) override {
    TurnHolder turn(turn_);
    Status status;
    if (mode == CloseMode::kClean) {
      readers_.reset();
      status = poison_.ok() ? writer_->CloseCleanly() : poison_;
      if (poison_.ok() && MayRetry(status) && !unsynced_) {
        status = Status();  // all is on the device; only the mark and the tidying up are missing
      }
    }
    vfs_->EndWriting(Status(Code::kClosed));
    readers_.reset();
    writer_.reset();
    vfs_.reset();
    lock_.reset();
    return status;
  }

 private:
  // Whether the tier must not write any more after this failure.
  bool EndsWriting(const Status& status) const noexcept SPW_REQUIRES(turn_) {
    return !status.ok() && (!MayRetry(status) || writer_->broken() || vfs_->ended());
  }

  // What a write came to: keeps the first failure that ends writing.
  Status Wrote(Status status) SPW_REQUIRES(turn_) {
    if (EndsWriting(status)) {
      poison_ = status;
    }
    return status;
  }

  // Behind a commit that succeeded, so nothing may fail or throw any more: what goes wrong here is
  // told by the next call.
  void TidyUp(bool checkpoint_anyway) noexcept SPW_REQUIRES(turn_) {
    const uint64_t wal_bytes = writer_->wal_bytes();
    if (wal_bytes >= tuning_.wal_bytes_hard) {
      // Copied it may have been before, but it starts anew only if no reader stands in it.
      readers_->Pause();
      Checkpoint();
      readers_->Resume();
    } else if (checkpoint_anyway || wal_bytes >= tuning_.wal_bytes_soft) {
      Checkpoint();
    }
    MeasureFile();
  }

  // A full disk or a reader of another process only delays it.
  void Checkpoint() noexcept SPW_REQUIRES(turn_) {
    SqliteWriter& writer = *writer_;
    Status status = base::CatchToStatus([&] { return writer.Checkpoint(); });
    if (EndsWriting(status) && poison_.ok()) {
      poison_ = std::move(status);
    }
  }

  void MeasureFile() noexcept SPW_REQUIRES(turn_) {
    const uint64_t wal_bytes = writer_->wal_bytes();
    static_cast<void>(base::CatchToStatus([&] {
      const Result<uint64_t> size = vfs_->database()->Size();
      if (size.ok()) {
        counters_.file_bytes.store(size.value() + wal_bytes, std::memory_order_relaxed);
      }
      return Status();
    }));
  }

  // Deletes records of one stream. *more: of this one or another there are more.
  Status RemoveSome(bool* removed, bool* more) SPW_REQUIRES(turn_) {
    struct Candidate {
      uint32_t id;
      uint64_t stored_begin;
      uint64_t begin_seq;
    };
    std::vector<Candidate> candidates;
    for (const StreamState& state : streams_.All()) {
      const Stored& stored = stored_.at(state.id);
      if (stored.begin < state.begin_seq && stored.settled_begin < state.begin_seq) {
        candidates.push_back({state.id, stored.begin, state.begin_seq});
      }
    }
    for (const Candidate& candidate : candidates) {
      const Result<Removal> removal =
          writer_->NextRemoval(candidate.id, candidate.stored_begin, candidate.begin_seq);
      if (!removal.ok()) {
        return removal.status();
      }
      const bool some = removal.value().end_seq > candidate.stored_begin;
      if (some) {
        SPW_RETURN_IF_ERROR(Wrote(writer_->Remove(removal.value())));
      }
      Stored& stored = stored_.at(candidate.id);
      stored.begin = removal.value().end_seq;
      if (!removal.value().more) {
        stored.settled_begin = candidate.begin_seq;
      }
      if (some) {
        *removed = true;
        *more = removal.value().more || candidate.id != candidates.back().id;
        return Status();
      }
    }
    return Status();
  }

  // See CatalogStream.
  struct Stored {
    uint64_t begin = 0;
    uint64_t settled_begin = 0;
  };

  const SqliteTuning tuning_;
  // In the order of their lives: connections go before the VFS, the VFS before the lock.
  std::unique_ptr<io::File> lock_;
  std::unique_ptr<SqliteVfs> vfs_;
  Turn turn_;
  std::unique_ptr<SqliteWriter> writer_ SPW_GUARDED_BY(turn_);
  Status poison_ SPW_GUARDED_BY(turn_);
  bool unsynced_ SPW_GUARDED_BY(turn_) = false;  // commits that a power cut could take
  std::unique_ptr<SqliteReaders> readers_;
  std::map<uint32_t, Stored> stored_ SPW_GUARDED_BY(turn_);

  StreamStates streams_;
  TierCounters counters_;
};

Result<std::string> AbsolutePath(const std::string& path) {
  if (path.empty() || path.find('\0') != std::string::npos) {
    return base::InvalidArgument("a path is empty or contains a NUL byte");
  }
  if (path.front() == '/') {
    return path;
  }
  // Now and for good: the host may change its folder later.
  char folder[PATH_MAX] = "";
  if (::getcwd(folder, sizeof folder) == nullptr) {
    return io::OsError("find the current folder for", path, errno);
  }
  return std::string(folder) + "/" + path;
}

// Whether there is a database, if that is what the mode wants.
Result<bool> CheckPresence(io::FileSystem* file_system, const std::string& path, OpenMode mode) {
  Result<bool> exists = file_system->Exists(path);
  if (exists.ok() && exists.value() && mode == OpenMode::kNew) {
    return Status(Code::kAlreadyExists, path + ": there is one already");
  }
  if (exists.ok() && !exists.value() && mode == OpenMode::kExisting) {
    return Status(Code::kNotFound, path + ": there is none");
  }
  return exists;
}

}  // namespace

Result<std::unique_ptr<ColdTier>> OpenSqliteTier(io::FileSystem* file_system,
                                                 const std::string& path, OpenMode mode,
                                                 const SqliteTuning& tuning) {
  if (mode == OpenMode::kNameless) {
    return Status(Code::kUnsupported, "a SQLite database needs a name");
  }
  SPW_RETURN_IF_ERROR(StartSqlite());
  const Result<std::string> absolute = AbsolutePath(path);
  if (!absolute.ok()) {
    return absolute.status();
  }
  const std::string& database_path = absolute.value();
  // Asked before the lock, so that no lock file is left where no store may be; and behind it again.
  Result<bool> exists = CheckPresence(file_system, database_path, mode);
  if (!exists.ok()) {
    return exists.status();
  }
  Result<std::unique_ptr<io::File>> lock =
      file_system->OpenFile(database_path + "-lock", io::Open::kCreate);
  if (!lock.ok()) {
    return lock.status();
  }
  SPW_RETURN_IF_ERROR(lock.value()->Lock());
  exists = CheckPresence(file_system, database_path, mode);
  if (!exists.ok()) {
    return exists.status();
  }
  if (!exists.value()) {
    SPW_RETURN_IF_ERROR(CreateDatabase(file_system, database_path, tuning));
  }
  Result<std::unique_ptr<io::File>> database =
      file_system->OpenFile(database_path, io::Open::kExisting);
  if (!database.ok()) {
    return database.status();
  }
  SPW_RETURN_IF_ERROR(Identify(file_system, database.value().get()));
  Result<std::unique_ptr<SqliteVfs>> vfs =
      SqliteVfs::Register(file_system, std::move(database.value()));
  if (!vfs.ok()) {
    return vfs.status();
  }
  Catalog catalog;
  Result<std::unique_ptr<SqliteWriter>> writer =
      SqliteWriter::Open(vfs.value().get(), tuning, &catalog);
  if (!writer.ok()) {
    return writer.status();
  }
  std::unique_ptr<ColdTier> tier = std::make_unique<SqliteTier>(
      std::move(lock.value()), std::move(vfs.value()), std::move(writer.value()), catalog, tuning);
  return tier;
}

Status IsSqlite(io::FileSystem* file_system, const std::string& path, bool* is) {
  Result<std::unique_ptr<io::File>> file = file_system->OpenFile(path, io::Open::kReadOnly);
  if (!file.ok()) {
    return file.status();
  }
  std::array<uint8_t, sizeof kSqliteMagic> begin{};
  size_t bytes_read = 0;
  SPW_RETURN_IF_ERROR(file.value()->ReadAt(0, begin, &bytes_read));
  *is = std::memcmp(begin.data(), kSqliteMagic, sizeof kSqliteMagic) == 0;
  return {};
}

std::string SqliteTierPragmas(const SqliteTuning& tuning) {
  return DatabasePragmas(tuning.page_bytes) + "PRAGMA journal_mode=WAL;" +
         ConnectionPragmas(tuning.cache_kib) +
         "PRAGMA wal_autocheckpoint=" + std::to_string(tuning.wal_bytes_soft / tuning.page_bytes) +
         ";";
}

}  // namespace spillway::cold
