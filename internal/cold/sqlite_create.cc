#include "internal/cold/sqlite_create.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

#include "internal/cold/sqlite_db.h"
#include "internal/cold/sqlite_vfs.h"
#include "internal/io/posix_file.h"

namespace spillway::cold {
namespace {

using base::Code;
using base::Result;
using base::Status;

constexpr size_t kHeaderBytes = 100;       // of page 1
constexpr size_t kBesideHeaderBytes = 32;  // enough of a WAL's or journal's
// A WAL is checkpointed long before; a longer one is not searched for page 1.
constexpr uint64_t kWalFramesMax = 1'000'000;
// Only the change of the journal mode uses a journal, which holds page 1 and hardly another.
constexpr uint64_t kJournalPagesMax = 16;

uint32_t BigEndian(const uint8_t* bytes) {
  return static_cast<uint32_t>(bytes[0]) << 24 | static_cast<uint32_t>(bytes[1]) << 16 |
         static_cast<uint32_t>(bytes[2]) << 8 | bytes[3];
}

Result<StoreId> RandomStoreId() {
  StoreId id = {};
  if (getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size())) {
    return io::OsError("get random bytes for", "a store id", errno);
  }
  return id;
}

enum class Identity { kOurs, kLater, kForeign };

Identity IdentityOf(std::span<const uint8_t, kHeaderBytes> header) {
  const uint32_t encoding = BigEndian(&header[56]);
  const uint32_t version = BigEndian(&header[60]);
  if (std::memcmp(header.data(), kSqliteMagic, sizeof kSqliteMagic) != 0 ||
      BigEndian(&header[68]) != kApplicationId || version == 0) {
    return Identity::kForeign;
  }
  if (version > kFormatVersion) {
    return Identity::kLater;
  }
  return encoding == 1 ? Identity::kOurs : Identity::kForeign;  // 1: UTF-8
}

// Copies of pages in a file beside the database: where they begin and what one takes up.
struct PageCopies {
  uint64_t first = 0;  // offset of the first copy's page number
  uint64_t stride = 0;
  uint64_t page = 0;  // from the page number to the page
  uint64_t count_max = 0;
};

// Says how copies lie in a WAL or journal; nullopt if the bytes are neither's header.
std::optional<PageCopies> CopiesIn(std::span<const uint8_t, kBesideHeaderBytes> header) {
  constexpr uint8_t kJournalMagic[] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
  const auto sane = [](uint32_t bytes) { return bytes >= 512 && bytes <= 65536; };
  if ((BigEndian(&header[0]) & ~1u) == 0x377f0682 && sane(BigEndian(&header[8]))) {
    return PageCopies{32, 24 + uint64_t{BigEndian(&header[8])}, 24, kWalFramesMax};
  }
  if (std::memcmp(header.data(), kJournalMagic, sizeof kJournalMagic) == 0 &&
      sane(BigEndian(&header[20])) && sane(BigEndian(&header[24]))) {
    return PageCopies{BigEndian(&header[20]), 8 + uint64_t{BigEndian(&header[24])}, 4,
                      kJournalPagesMax};
  }
  return std::nullopt;
}

// The identity in the first copy of page 1 in the WAL or journal. A power cut may have destroyed
// the page in the database while it was written; this copy is the one that SQLite will then use.
Result<Identity> IdentityBeside(io::FileSystem* file_system, const std::string& path) {
  const Result<std::unique_ptr<io::File>> file = file_system->OpenFile(path, io::Open::kReadOnly);
  if (!file.ok()) {
    return file.status().code() == Code::kNotFound ? Identity::kForeign
                                                   : Result<Identity>(file.status());
  }
  std::array<uint8_t, kBesideHeaderBytes> header = {};
  size_t got = 0;
  SPW_RETURN_IF_ERROR(file.value()->ReadAt(0, header, &got));
  const std::optional<PageCopies> copies = CopiesIn(header);
  for (uint64_t i = 0; copies.has_value() && i < copies->count_max; ++i) {
    const uint64_t offset = copies->first + i * copies->stride;
    std::array<uint8_t, 4> number = {};
    SPW_RETURN_IF_ERROR(file.value()->ReadAt(offset, number, &got));
    if (got < number.size()) {
      break;
    }
    if (BigEndian(number.data()) == 1) {
      std::array<uint8_t, kHeaderBytes> page = {};
      SPW_RETURN_IF_ERROR(file.value()->ReadAt(offset + copies->page, page, &got));
      return got == page.size() ? IdentityOf(page) : Identity::kForeign;
    }
  }
  return Identity::kForeign;
}

// Fills the empty file of `vfs` in one transaction, which is synced.
Status Fill(SqliteVfs* vfs, const SqliteTuning& tuning) {
  StoreRow row;
  if (tuning.store_id.has_value()) {
    row.store_id = *tuning.store_id;
  } else {
    const Result<StoreId> random = RandomStoreId();
    if (!random.ok()) {
      return random.status();
    }
    row.store_id = random.value();
  }
  row.clean = true;
  Result<std::unique_ptr<SqliteDb>> opened = SqliteDb::Open(vfs);
  if (!opened.ok()) {
    return opened.status();
  }
  SqliteDb* db = opened.value().get();
  // A journal in memory: a file that fails half-way is thrown away whole.
  SPW_RETURN_IF_ERROR(db->Execute((DatabasePragmas(tuning.page_bytes) +
                                   "PRAGMA journal_mode=MEMORY;PRAGMA synchronous=FULL;BEGIN;" +
                                   kStoreTable + ";" + kStreamsTable + ";" + kRunsTable)
                                      .c_str()));
  {
    Result<Query> insert = db->Use("INSERT INTO spillway_store VALUES(1, ?1, ?2, ?3, ?4, ?5)");
    if (!insert.ok()) {
      return insert.status();
    }
    insert.value().Bind(1, kFormatVersion).BindBlob(2, row.store_id).Bind(3, row.clean ? 1 : 0);
    insert.value().Bind(4, static_cast<int64_t>(row.commits));
    insert.value().Bind(5, static_cast<int64_t>(ChecksumOf(row)));
    SPW_RETURN_IF_ERROR(insert.value().Run());
  }
  const std::string identity = "PRAGMA application_id=" + std::to_string(kApplicationId) +
                               ";PRAGMA user_version=" + std::to_string(kFormatVersion) + ";COMMIT";
  return db->Execute(identity.c_str());
}

Status RefuseRemains(io::FileSystem* file_system, const std::string& path) {
  const Result<std::unique_ptr<io::File>> file = file_system->OpenFile(path, io::Open::kReadOnly);
  if (!file.ok()) {
    return file.status().code() == Code::kNotFound ? Status() : file.status();
  }
  const Result<uint64_t> size = file.value()->Size();
  if (!size.ok() || size.value() == 0) {
    return size.status();
  }
  return base::Corrupt(path + ": lies there without its database; move it away or bring that back");
}

}  // namespace

Status CreateDatabase(io::FileSystem* file_system, const std::string& path,
                      const SqliteTuning& tuning) {
  SPW_RETURN_IF_ERROR(RefuseRemains(file_system, path + "-wal"));
  SPW_RETURN_IF_ERROR(RefuseRemains(file_system, path + "-journal"));
  const std::string temporary = path + "-new";
  if (Status status = file_system->Remove(temporary);
      !status.ok() && status.code() != Code::kNotFound) {
    return status;
  }
  Result<std::unique_ptr<io::File>> file = file_system->OpenFile(temporary, io::Open::kCreateNew);
  if (!file.ok()) {
    return file.status();
  }
  Status status;
  {
    Result<std::unique_ptr<SqliteVfs>> vfs =
        SqliteVfs::Register(file_system, std::move(file.value()));
    status = vfs.ok() ? Fill(vfs.value().get(), tuning) : vfs.status();
  }
  if (status.ok()) {
    status = file_system->RenameNew(temporary, path);
  }
  if (!status.ok()) {
    static_cast<void>(file_system->Remove(temporary));  // the next creation would do it, too
    return status;
  }
  return file_system->SyncFolderOf(path);
}

Status Identify(io::FileSystem* file_system, io::File* database) {
  std::array<uint8_t, kHeaderBytes> header = {};
  size_t got = 0;
  SPW_RETURN_IF_ERROR(database->ReadAt(0, header, &got));
  Identity identity = got == header.size() ? IdentityOf(header) : Identity::kForeign;
  if (identity == Identity::kForeign) {
    for (const char* suffix : {"-wal", "-journal"}) {
      const Result<Identity> beside = IdentityBeside(file_system, database->path() + suffix);
      if (!beside.ok()) {
        return beside.status();
      }
      identity = identity == Identity::kForeign ? beside.value() : identity;
    }
  }
  switch (identity) {
    case Identity::kLater:
      return Status(Code::kUnsupported, database->path() + ": made by a later version");
    case Identity::kForeign:
      return base::Corrupt(database->path() + ": not a Spillway store");
    case Identity::kOurs:
      break;
  }
  return Status();
}

}  // namespace spillway::cold
