// Limits without a disk: a plain copy, and arenas that any store in memory has to fill.
#include <sys/mman.h>

#include <cstring>

#include "tests/bench/files.h"
#include "tests/bench/store.h"

namespace spillway::bench {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

// Anonymous memory, aligned to huge pages. Fresh: not touched yet.
class Mapping {
 public:
  enum class Pages { kHuge, kSmall };

  Mapping() = default;
  ~Mapping() { Reset(); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  void Map(size_t size, Pages pages) {
    Reset();
    size_ = size + kHugePage;
    base_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base_ == MAP_FAILED) {
      DieErrno("mmap");
    }
    madvise(base_, size_, pages == Pages::kHuge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  }
  void Reset() {
    if (base_ != nullptr) {
      munmap(base_, size_);
      base_ = nullptr;
    }
  }
  char* data() const {
    const size_t past = reinterpret_cast<uintptr_t>(base_) % kHugePage;
    return static_cast<char*>(base_) + (past == 0 ? 0 : kHugePage - past);
  }

 private:
  void* base_ = nullptr;
  size_t size_ = 0;
};

// memcpy of the payload buffers into memory that was allocated and written to before. Keeps no
// offsets: it is not a store but the bound for one.
class CopyLimit final : public Store {
 public:
  void Create(const std::string&) override {
    const size_t size = Corpus::Get().bytes();
    bytes_.Map(size, Mapping::Pages::kHuge);
    std::memset(bytes_.data(), 1, size);
    batches_.reserve(Corpus::Get().records() / 100);
    used_ = 0;
  }
  void Add(const Batch& batch) override {
    char* to = bytes_.data() + used_;
    std::memcpy(to, batch.data, batch.bytes());
    used_ += batch.bytes();
    batches_.push_back(Batch{to, batch.offsets, batch.count, batch.first_seq});
  }
  void Close() override {
    bytes_.Reset();
    batches_.clear();
  }
  void Open(const std::string&) override { Die("memcpy keeps nothing"); }
  void Scan(RecordHash* hash) override {
    for (const Batch& batch : batches_) {
      for (size_t i = 0; i < batch.count; ++i) {
        hash->Add(batch.record(i));
      }
    }
  }
  size_t Read(uint64_t, std::span<char>) override { Die("memcpy has no positions"); }

 private:
  Mapping bytes_;
  size_t used_ = 0;
  std::vector<Batch> batches_;
};

// Payload and offsets as two columns in fresh memory.
class Arena final : public Store {
 public:
  explicit Arena(Mapping::Pages pages) : pages_(pages) {}

  void Create(const std::string&) override {
    bytes_.Map(Corpus::Get().bytes(), pages_);
    offsets_.Map((Corpus::Get().records() + 1) * sizeof(uint64_t), pages_);
    count_ = 0;
    used_ = 0;
  }
  void Add(const Batch& batch) override {
    std::memcpy(bytes_.data() + used_, batch.data, batch.bytes());
    uint64_t* const ends = offsets() + count_ + 1;
    for (size_t i = 0; i < batch.count; ++i) {
      ends[i] = used_ + batch.offsets[i + 1];
    }
    used_ += batch.bytes();
    count_ += batch.count;
  }
  void Close() override {
    bytes_.Reset();
    offsets_.Reset();
  }
  void Open(const std::string&) override { Die("an arena keeps nothing"); }
  void Scan(RecordHash* hash) override {
    for (uint64_t i = 0; i < count_; ++i) {
      hash->Add(bytes_.data() + offsets()[i], offsets()[i + 1] - offsets()[i]);
    }
  }
  size_t Read(uint64_t seq, std::span<char> buffer) override {
    const size_t len = offsets()[seq + 1] - offsets()[seq];
    std::memcpy(buffer.data(), bytes_.data() + offsets()[seq], len);
    return len;
  }

 private:
  uint64_t* offsets() const { return reinterpret_cast<uint64_t*>(offsets_.data()); }

  const Mapping::Pages pages_;
  Mapping bytes_;
  Mapping offsets_;
  uint64_t count_ = 0;
  uint64_t used_ = 0;
};

}  // namespace

void AddMemoryLimits(std::vector<Contestant>* all) {
  all->push_back(Contestant{.name = "memcpy",
                            .durability = Durability::kMemory,
                            .options = "payload only, into touched memory on huge pages (madvise)",
                            .make = [](const Budget&) { return std::make_unique<CopyLimit>(); }});
  all->push_back(Contestant{
      .name = "arena_huge",
      .durability = Durability::kMemory,
      .options = "payload and offsets into fresh memory on huge pages (madvise)",
      .reads = true,
      .make = [](const Budget&) { return std::make_unique<Arena>(Mapping::Pages::kHuge); }});
  all->push_back(Contestant{
      .name = "arena_4k",
      .durability = Durability::kMemory,
      .options = "payload and offsets into fresh memory on 4 KiB pages",
      .make = [](const Budget&) { return std::make_unique<Arena>(Mapping::Pages::kSmall); }});
}

}  // namespace spillway::bench
