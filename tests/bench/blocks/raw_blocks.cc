// Limits: blocks of one size in a plain file, overwritten where they stand, or written anew in one
// piece behind it. Where they stand is kept in memory only: bounds for a store, not a store.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "internal/base/checksum.h"
#include "tests/bench/blocks/block_store.h"
#include "tests/bench/blocks/updates.h"
#include "tests/bench/files.h"

namespace spillway::bench {
namespace {

void WriteAt(const Fd& file, const char* bytes, size_t len, uint64_t offset) {
  if (pwrite(file.get(), bytes, len, static_cast<off_t>(offset)) != static_cast<ssize_t>(len)) {
    DieErrno("pwrite");
  }
}

void ReadAt(const Fd& file, char* bytes, size_t len, uint64_t offset) {
  if (pread(file.get(), bytes, len, static_cast<off_t>(offset)) != static_cast<ssize_t>(len)) {
    DieErrno("pread");
  }
}

// The library's, with the widest instructions there are: a limit must not be slow.
uint64_t Hash(std::string_view bytes) {
  return base::Hash64({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, 0);
}

void Sync(const Fd& file) {
  if (fdatasync(file.get()) != 0) {
    DieErrno("fdatasync");
  }
}

// Block i stands at i times the length of the longest.
class InPlace final : public BlockStore {
 public:
  using BlockStore::BlockStore;

  void Open(const std::string& folder, Durability durability) override {
    durability_ = durability;
    file_.Open(folder + "/blocks", O_RDWR | O_CREAT);
  }
  void Put(const BlockBatch& batch) override {
    for (size_t i = 0; i < batch.count(); ++i) {
      const std::string_view payload = batch.payload(i);
      WriteAt(file_, payload.data(), payload.size(), batch.indexes[i] * set().bytes_max());
    }
    if (durability_ == Durability::kEachBatch) {
      Sync(file_);
    }
  }
  std::unique_ptr<BlockSession> StartSession(SessionKind) override {
    return std::make_unique<Session>(*this);
  }
  void Close() override {
    Sync(file_);
    file_.Reset();
  }

 private:
  class Session final : public BlockSession {
   public:
    explicit Session(const InPlace& store) : store_(store) {}
    size_t Read(size_t index, std::span<char> buffer) override {
      const size_t bytes = store_.set().bytes(index);
      ReadAt(store_.file_, buffer.data(), bytes, index * store_.set().bytes_max());
      return bytes;
    }

   private:
    const InPlace& store_;
  };

  Durability durability_ = Durability::kAtEnd;
  Fd file_;
};

// The space behind the blocks, as the group finds it.
enum class Fresh {
  kReserved,  // by fallocate: the file system notes with the sync that it is in use now
  kUsed,      // written before, as a file has it that gives back what it no longer needs
};

// A group goes behind everything with one write, each block with a checksum.
class CopyOnWrite final : public BlockStore {
 public:
  CopyOnWrite(const BlockSet& set, Fresh fresh)
      : BlockStore(set), fresh_(fresh), places_(set.count()) {}

  void Open(const std::string& folder, Durability durability) override {
    durability_ = durability;
    file_.Open(folder + "/blocks", O_RDWR | O_CREAT);
    if (durability == Durability::kEachBatch) {
      Reserve();
    }
  }
  void Put(const BlockBatch& batch) override {
    for (size_t i = 0; i < batch.count(); ++i) {
      const std::string_view payload = batch.payload(i);
      places_[batch.indexes[i]] =
          Place{.offset = end_ + batch.data_offsets[i], .hash = Hash(payload)};
    }
    WriteAt(file_, batch.data.data(), batch.data.size(), end_);
    end_ += batch.data.size();
    if (durability_ == Durability::kEachBatch) {
      Sync(file_);
    }
  }
  std::unique_ptr<BlockSession> StartSession(SessionKind) override {
    return std::make_unique<Session>(*this);
  }
  void Close() override {
    Sync(file_);
    file_.Reset();
  }

 private:
  struct Place {
    uint64_t offset = 0;
    uint64_t hash = 0;
  };

  class Session final : public BlockSession {
   public:
    explicit Session(const CopyOnWrite& store) : store_(store) {}
    size_t Read(size_t index, std::span<char> buffer) override {
      const size_t bytes = store_.set().bytes(index);
      const Place& place = store_.places_[index];
      ReadAt(store_.file_, buffer.data(), bytes, place.offset);
      if (Hash({buffer.data(), bytes}) != place.hash) {
        Die("raw_cow: wrong checksum");
      }
      return bytes;
    }

   private:
    const CopyOnWrite& store_;
  };

  // Room for all that the workloads change.
  void Reserve() {
    if (std::exchange(reserved_, true)) {
      return;
    }
    const size_t round = (set().count() + 1) / 2 * set().bytes_max();
    const size_t rounds = RoundsMost(set().bytes_max());
    if (fresh_ == Fresh::kUsed) {
      const std::vector<char> zeros(round);
      for (size_t i = 0; i < rounds; ++i) {
        WriteAt(file_, zeros.data(), round, end_ + i * round);
      }
    } else if (const int code = posix_fallocate(file_.get(), static_cast<off_t>(end_),
                                                static_cast<off_t>(round * rounds));
               code != 0) {
      errno = code;
      DieErrno("posix_fallocate");
    }
    Sync(file_);
  }

  const Fresh fresh_;
  std::vector<Place> places_;
  Durability durability_ = Durability::kAtEnd;
  bool reserved_ = false;
  uint64_t end_ = 0;
  Fd file_;
};

}  // namespace

void AddRawBlocks(std::vector<BlockContestant>* all) {
  all->push_back(BlockContestant{
      .name = "raw",
      .options = "pwrite in place, one fdatasync per group; reads: pread, no checksum",
      .make = [](const BlockSet& set) { return std::make_unique<InPlace>(set); }});
  all->push_back(BlockContestant{
      .name = "raw_cow",
      .options = "XXH3 of each block, one pwrite into fresh space (reserved by fallocate) and one "
                 "fdatasync per group; reads: pread and XXH3",
      .make = [](const BlockSet& set) {
        return std::make_unique<CopyOnWrite>(set, Fresh::kReserved);
      }});
  all->push_back(BlockContestant{.name = "raw_cow_used",
                                 .options = "as raw_cow, into space that was written before",
                                 .reads = false,
                                 .grows = false,
                                 .make = [](const BlockSet& set) {
                                   return std::make_unique<CopyOnWrite>(set, Fresh::kUsed);
                                 }});
}

}  // namespace spillway::bench
