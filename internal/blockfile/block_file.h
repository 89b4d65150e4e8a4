// Many named blocks in one crash-safe file.
//
// A change is visible at once and durable after the next Flush to the device or Close that returns
// OK: after a crash the file holds all changes up to some Flush at least, and of later ones all up
// to some point or none; those of one call or transaction together. Any number of threads may
// call; one writes to the file at a time, and readers wait for nobody.
//
// This class is the door; behind it stands the Engine (engine.h).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/operation.h"
#include "internal/base/status.h"
#include "internal/blockfile/codec.h"
#include "internal/blockfile/entry.h"
#include "internal/io/file.h"

namespace spillway::blockfile {

inline constexpr uint64_t kAnyVersion = UINT64_MAX;  // no condition
inline constexpr uint64_t kNoVersion = 0;            // condition: there is no such block
inline constexpr uint64_t kBlobBytesMost = uint64_t{64} << 20;
// Blocks of such names are the library's own (cold/BLOCK_FORMAT.md): others read them only.
inline constexpr std::string_view kReservedPrefix = ".spillway/";

enum class Level { kRelaxed = 0, kKernel = 1, kDevice = 2, kCheckpoint = 3 };
// kNameless: a new one in the folder that the path names, gone when it is closed; nothing of it is
// ever synced.
enum class OpenMode { kCreate = 1, kExisting = 2, kNew = 3, kReadOnly = 4, kNameless = 5 };

struct Settings {
  OpenMode mode = OpenMode::kCreate;
  bool named_checksum = false;  // the checksum below was asked for: an existing file must have it
  ChecksumKind checksum = ChecksumKind::kXxh3;
  uint64_t dirty_bytes_most = uint64_t{64} << 20;
  uint64_t dirty_blocks_most = 65536;
  uint64_t cache_bytes = uint64_t{32} << 20;
  uint64_t growth_bytes = uint64_t{10} << 20;
  uint64_t journal_bytes_most = uint64_t{64} << 20;

  // For tests; the others have what users get.
  uint32_t page_bytes = kPageBytes;
  uint64_t growth_bytes_most = uint64_t{256} << 20;
  uint64_t region_pages = 1024;  // of the journal
  uint64_t reserve_bytes = uint64_t{2} << 20;
  uint64_t direct_bytes = uint64_t{8}
                          << 20;  // of a call; from there on payloads go around the dirty set
  uint64_t stretch_bytes = uint64_t{2} << 20;  // a writer's memory; whole pages, 2 MiB at most
  uint64_t cached_pages = 2048;                // of the registry
  int64_t readers_ms_most = 100;               // whoever reads longer is not waited for by a vacuum
  bool background = true;                      // a thread that writes behind and makes checkpoints
  std::function<uint64_t()> random;            // for file ids and salts; null: the system's
  std::function<int64_t()> clock_ns;           // since 1970; null: the system's
};

struct BlockInfo {
  uint64_t length = 0;
  uint64_t version = 0;  // 0: changed by the transaction that asks
  int64_t created_ns = 0;
  int64_t modified_ns = 0;
  uint32_t tag_bytes = 0;
  std::array<uint8_t, kTagBytesMost> tag{};
};

struct PutItem {
  std::string_view name;
  Bytes payload;
  uint64_t expected = kAnyVersion;
  uint64_t version = 0;           // set by Put; 0 within a transaction
  std::optional<Bytes> tag = {};  // as of a block that was not there before; else a tag stays
};

// Proved bytes with a life of their own.
struct Blob {
  std::shared_ptr<const void> owner;
  Bytes bytes;
};

struct FileStats {
  uint64_t blocks = 0;
  uint64_t payload_bytes = 0;
  uint64_t bytes_file = 0;
  uint64_t bytes_used = 0;
  uint64_t bytes_held = 0;
  uint64_t bytes_free = 0;
  uint64_t blocks_dirty = 0;
  uint64_t bytes_dirty = 0;
  uint64_t bytes_cached = 0;
  uint64_t snapshots = 0;
  uint64_t puts = 0;
  uint64_t groups = 0;
  uint64_t barriers = 0;
  uint64_t checkpoints = 0;
  uint64_t bytes_written = 0;
  uint64_t bytes_read = 0;
  uint64_t waits = 0;
  uint64_t cache_hits = 0;
  uint64_t cache_misses = 0;
  uint64_t checksum_errors = 0;
  uint64_t bytes_disk = 0;
  uint64_t scrub_passes = 0;
  uint64_t scrub_problems = 0;
  base::Code health = base::Code::kOk;
};

struct Problem {
  base::Code code;
  std::string name;  // of the block; empty: a structure of the file
  std::string message;
};
struct Report {
  uint64_t blocks = 0;
  uint64_t blocks_damaged = 0;
  uint64_t bytes = 0;
  uint64_t problems_found = 0;
  std::vector<Problem> problems;  // the first kProblemsMost
  static constexpr size_t kProblemsMost = 1000;
};

struct VacuumPlan {
  bool full = false;
  bool dry_run = false;
  uint64_t bytes_most = UINT64_MAX;  // to be moved
};
struct VacuumResult {
  uint64_t bytes_moved = 0;
  uint64_t bytes_needed = 0;
  uint64_t bytes_before = 0;
  uint64_t bytes_after = 0;
  uint64_t bytes_file = 0;
  bool done = false;
};

class Engine;

// Reads see the file as it was when it began and its own changes; others see them once it is
// committed. Thread-safe. Keeps the engine alive, not open. See transaction.h.
class Transaction;

// Blocks in the order of their names. One thread at a time. See lister.h.
class Lister;

// Blocks that may be too large for memory. See stream_reader.h and stream_writer.h.
class StreamReader;
class StreamWriter;

// The names and infos of some blocks; name i is names[name_offsets[i] .. name_offsets[i + 1]).
struct BlockPage {
  std::string names;
  std::vector<uint64_t> name_offsets;  // one more than there are blocks
  std::vector<BlockInfo> infos;        // empty if they were not asked for
  uint64_t count = 0;
};

class BlockFile {
 public:
  // Only the library changes blocks of reserved names.
  enum class Owner { kApplication, kLibrary };
  // kNotFound, kAlreadyExists, kBusy, kCorrupt (also: no block file), kUnsupported, kReadOnly,
  // kCancelled, and what the disk says. operation may be null.
  static base::Result<std::shared_ptr<BlockFile>> Open(io::FileSystem* files,
                                                       const std::string& path,
                                                       const Settings& settings,
                                                       base::Operation* operation = nullptr,
                                                       Owner owner = Owner::kApplication);
  // Whether the file that is there is one, damaged or not.
  static base::Status IsOne(io::FileSystem* files, const std::string& path, bool* is);
  // closes: it is the one that ends the engine.
  BlockFile(std::shared_ptr<Engine> engine, Owner owner, bool closes)
      : engine_(std::move(engine)), owner_(owner), closes_(closes) {}
  // As a crash, unless it was closed; waits for nothing.
  ~BlockFile();
  BlockFile(const BlockFile&) = delete;
  BlockFile& operator=(const BlockFile&) = delete;

  // The same file for the application beside the library's own use of it, which closes it.
  std::shared_ptr<BlockFile> ForApplication() const;
  bool closes() const { return closes_; }
  bool closed() const;

  // Makes all durable and releases the file. kFull leaves it open, every other result closes it.
  // discard: closes at once, as a crash would. Idempotent.
  base::Status Close(bool discard);
  base::Status Flush(Level level);

  base::Status Begin(bool read_only, std::shared_ptr<Transaction>* txn);
  // Whatever the result, it is over. kConflict.
  base::Status Commit(Transaction* txn, Level level);

  // txn may be null, in all of these.
  // All or none; a status about one has its index (Status::record). kAlreadyExists, kConflict,
  // kNotFound.
  base::Status Put(Transaction* txn, std::span<PutItem> items);
  base::Status Append(Transaction* txn, std::string_view name, Bytes bytes, uint64_t* length);
  base::Status Patch(Transaction* txn, std::string_view name, uint64_t offset, Bytes bytes);
  base::Status Remove(Transaction* txn, std::string_view name, uint64_t expected = kAnyVersion);
  base::Status Rename(Transaction* txn, std::string_view from, std::string_view to, bool replace);
  base::Status SetTag(Transaction* txn, std::string_view name, Bytes tag);

  base::Status Stat(Transaction* txn, std::string_view name, BlockInfo* info);
  base::Status Exists(Transaction* txn, std::string_view name, bool* exists);
  base::Status Read(Transaction* txn, std::string_view name, uint64_t offset,
                    std::span<uint8_t> buffer, uint64_t* bytes_read);
  // Whole blocks as of one moment, one after another. offsets has one entry more than names;
  // statuses one for each. kTooBig: offsets says what is needed.
  base::Status ReadMany(Transaction* txn, std::span<const std::string_view> names,
                        std::span<uint8_t> buffer, std::span<uint64_t> offsets,
                        std::span<base::Code> statuses);
  base::Status Get(Transaction* txn, std::string_view name, uint64_t offset, uint64_t length,
                   Blob* blob);

  base::Status List(Transaction* txn, std::string_view prefix, bool names_only,
                    std::unique_ptr<Lister>* lister);

  base::Status OpenReader(Transaction* txn, std::string_view name,
                          std::unique_ptr<StreamReader>* reader);
  // tag: see PutItem.
  base::Status OpenWriter(Transaction* txn, std::string_view name, uint64_t expected,
                          std::unique_ptr<StreamWriter>* writer,
                          std::optional<Bytes> tag = std::nullopt);

  base::Status Verify(bool full, uint64_t bytes_per_second, base::Operation* operation,
                      Report* report);
  // Gives free space back to the file system; spillway_file.h tells more. kBusy: another runs.
  base::Status Vacuum(const VacuumPlan& plan, base::Operation* operation, VacuumResult* result);
  // All blocks, with their metadata, into a new file, which is durable when this returns.
  // kAlreadyExists.
  base::Status CopyTo(Transaction* txn, io::FileSystem* files, const std::string& path,
                      base::Operation* operation);
  // Verifies over and over; 0: ends that.
  base::Status Scrub(uint64_t bytes_per_second);
  // What the last whole pass found. kNotFound: none has ended.
  base::Status ScrubReport(Report* report);
  FileStats Stats() const;

 private:
  struct Target;
  struct Moment;
  base::Status TakeMoment(Transaction* txn, std::string_view prefix, bool infos, Moment* moment);
  base::Status CheckMayChange(std::string_view name) const;
  const std::shared_ptr<Engine> engine_;
  const Owner owner_;
  const bool closes_;
};

}  // namespace spillway::blockfile
