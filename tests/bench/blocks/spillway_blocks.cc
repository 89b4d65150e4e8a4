// Spillway's block file, through its public header only.
#include <spillway.h>

#include "tests/bench/blocks/block_store.h"
#include "tests/bench/spillway_call.h"

namespace spillway::bench {
namespace {

constexpr int64_t kCacheBytes = int64_t{1} << 30;  // as the peers have it

enum class Way {
  kPlain,         // a call, then a flush to the device
  kTransactions,  // a transaction per group, committed to the device
};

// The only error that a single call may end with is that the block is not there.
bool Found(spw_status status, const char* call) {
  if (status != SPW_OK && status != SPW_NOT_FOUND) {
    Die(std::string(call) + ": " + spw_status_name(status));
  }
  return status == SPW_OK;
}

class SpillwayBlocks final : public BlockStore {
 public:
  SpillwayBlocks(const BlockSet& set, Way way) : BlockStore(set), way_(way) {}
  ~SpillwayBlocks() override { spw_file_free(file_); }

  void Open(const std::string& folder, Durability durability) override {
    durability_ = durability;
    Options options;
    options.Set(SPW_OPT_FILE_CACHE_BYTES, kCacheBytes);
    const std::string path = folder + "/blocks.spw";
    SPW_CHECKED(spw_file_open, path.data(), path.size(), options.get(), nullptr, &file_);
  }

  void Put(const BlockBatch& batch) override {
    if (way_ == Way::kTransactions) {
      Commit([&](spw_txn* txn) { PutAll(txn, batch); });
      return;
    }
    PutAll(nullptr, batch);
    if (durability_ == Durability::kEachBatch) {
      SPW_CHECKED(spw_file_flush, file_, SPW_FLUSH_DEVICE);
    }
  }

  void Delete(const BlockBatch& batch) override {
    Commit([&](spw_txn* txn) {
      for (size_t i = 0; i < batch.count(); ++i) {
        const std::string_view name = batch.name(i);
        SPW_CHECKED(spw_block_delete, file_, txn, name.data(), name.size(), SPW_BLOCK_VERSION_ANY);
      }
    });
  }

  std::unique_ptr<BlockSession> StartSession(SessionKind) override {
    return std::make_unique<Session>(file_, set());
  }

  void List(std::string_view prefix, NameList* names) override {
    spw_list* list = nullptr;
    SPW_CHECKED(spw_list_open, file_, nullptr, prefix.data(), prefix.size(), SPW_LIST_NAMES_ONLY,
                &list);
    spw_block_view view = {};
    view.struct_size = sizeof(view);
    for (;;) {
      SPW_CHECKED(spw_list_next, list, kListed, &view);
      if (view.count == 0) {
        break;
      }
      for (uint64_t i = 0; i < view.count; ++i) {
        const uint64_t begin = view.name_offsets[i];
        names->Add({view.names + begin, static_cast<size_t>(view.name_offsets[i + 1] - begin)});
      }
    }
    spw_list_free(list);
  }

  void Close() override {
    SPW_CHECKED(spw_file_close, file_, 0U);
    spw_file_free(file_);
    file_ = nullptr;
  }

  std::optional<uint64_t> bytes_written() const override {
    spw_block_stats stats = {};
    stats.struct_size = sizeof(stats);
    SPW_CHECKED(spw_file_stats, file_, &stats);
    return stats.bytes_written;
  }

 private:
  static constexpr uint64_t kListed = 1000;

  class Session final : public BlockSession {
   public:
    Session(spw_file* file, const BlockSet& set) : file_(file), set_(set) {}

    size_t Read(size_t index, std::span<char> buffer) override {
      const std::string_view name = set_.name(index);
      uint64_t bytes = 0;
      const spw_status status = spw_block_read(file_, nullptr, name.data(), name.size(), 0,
                                               buffer.data(), buffer.size(), &bytes, nullptr);
      return Found(status, "spw_block_read") ? bytes : kNoBlock;
    }

    void ReadBatch(const BlockBatch& wanted, std::span<char> buffer,
                   std::span<size_t> ends) override {
      const size_t count = wanted.count();
      offsets_.resize(count + 1);
      statuses_.resize(count);
      SPW_CHECKED(spw_block_read_batch, file_, nullptr, wanted.names.data(), wanted.names.size(),
                  wanted.name_offsets.data(), count, buffer.data(), buffer.size(), offsets_.data(),
                  statuses_.data());
      for (size_t i = 0; i < count; ++i) {
        if (statuses_[i] != SPW_OK) {
          Die(std::string("spw_block_read_batch: ") + spw_status_name(statuses_[i]));
        }
        ends[i] = offsets_[i + 1];
      }
    }

    char View(size_t index) override {
      const std::string_view name = set_.name(index);
      spw_blob* blob = nullptr;
      SPW_CHECKED(spw_block_get, file_, nullptr, name.data(), name.size(), 0, SPW_NO_LIMIT, &blob);
      const uint8_t* bytes = nullptr;
      uint64_t len = 0;
      SPW_CHECKED(spw_blob_view, blob, &bytes, &len);
      const char first = static_cast<char>(bytes[0]);
      spw_blob_free(blob);
      return first;
    }

    void Put(size_t index, std::string_view payload) override {
      const std::string_view name = set_.name(index);
      SPW_CHECKED(spw_block_put, file_, nullptr, name.data(), name.size(), payload.data(),
                  payload.size(), SPW_BLOCK_VERSION_ANY, nullptr);
    }

    void Delete(size_t index) override {
      const std::string_view name = set_.name(index);
      Found(spw_block_delete(file_, nullptr, name.data(), name.size(), SPW_BLOCK_VERSION_ANY,
                             nullptr),
            "spw_block_delete");
    }

   private:
    spw_file* const file_;
    const BlockSet& set_;
    std::vector<uint64_t> offsets_;
    std::vector<int32_t> statuses_;
  };

  void PutAll(spw_txn* txn, const BlockBatch& batch) {
    if (batch.count() == 1) {
      SPW_CHECKED(spw_block_put, file_, txn, batch.names.data(), batch.names.size(),
                  batch.data.data(), batch.data.size(), SPW_BLOCK_VERSION_ANY, nullptr);
      return;
    }
    SPW_CHECKED(spw_block_put_batch, file_, txn, batch.names.data(), batch.names.size(),
                batch.name_offsets.data(), batch.data.data(), batch.data.size(),
                batch.data_offsets.data(), batch.count(), nullptr, nullptr);
  }

  template <class Change>
  void Commit(Change change) {
    spw_txn* txn = nullptr;
    SPW_CHECKED(spw_txn_begin, file_, 0U, &txn);
    change(txn);
    SPW_CHECKED(spw_txn_commit, txn,
                durability_ == Durability::kEachBatch ? SPW_FLUSH_DEVICE : SPW_COMMIT_RELAXED);
    spw_txn_free(txn);
  }

  const Way way_;
  Durability durability_ = Durability::kAtEnd;
  spw_file* file_ = nullptr;
};

}  // namespace

void AddSpillwayBlocks(std::vector<BlockContestant>* all) {
  all->push_back(BlockContestant{
      .name = "spillway",
      .options = "spw_block_put_batch (one block: spw_block_put), spw_file_flush to the device per "
                 "group; deletes in a transaction; cache 1 GiB; reads: spw_block_read",
      .deletes = true,
      .live = true,
      .lists = true,
      .views = true,
      .make = [](const BlockSet& set) {
        return std::make_unique<SpillwayBlocks>(set, Way::kPlain);
      }});
  all->push_back(
      BlockContestant{.name = "spillway_txn",
                      .options = "as spillway, a transaction per group, committed to the device",
                      .reads = false,
                      .deletes = true,
                      .make = [](const BlockSet& set) {
                        return std::make_unique<SpillwayBlocks>(set, Way::kTransactions);
                      }});
}

}  // namespace spillway::bench
