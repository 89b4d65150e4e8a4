// RocksDB: an entry per block, keyed by its name; a WriteBatch per group, through its log.
#include <rocksdb/write_batch.h>

#include <cstring>

#include "tests/bench/blocks/block_store.h"
#include "tests/bench/rocksdb_peer.h"

namespace spillway::bench {
namespace {

class RocksDbBlocks final : public BlockStore {
 public:
  using BlockStore::BlockStore;

  void Open(const std::string& folder, Durability durability) override {
    durability_ = durability;
    db_ = OpenRocksDb(folder);
  }

  void Put(const BlockBatch& batch) override {
    rocksdb::WriteBatch writes(batch.data.size() + batch.names.size() + batch.count() * 16);
    for (size_t i = 0; i < batch.count(); ++i) {
      Check(writes.Put(AsSlice(batch.name(i)), AsSlice(batch.payload(i))), "Put");
    }
    Check(db_->Write(HowToWrite(), &writes), "Write");
  }

  void Delete(const BlockBatch& batch) override {
    rocksdb::WriteBatch writes;
    for (size_t i = 0; i < batch.count(); ++i) {
      Check(writes.Delete(AsSlice(batch.name(i))), "Delete");
    }
    Check(db_->Write(HowToWrite(), &writes), "Write");
  }

  std::unique_ptr<BlockSession> StartSession(SessionKind) override {
    return std::make_unique<Session>(this);
  }

  void List(std::string_view prefix, NameList* names) override {
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
    for (it->Seek(AsSlice(prefix)); it->Valid() && it->key().starts_with(AsSlice(prefix));
         it->Next()) {
      names->Add({it->key().data(), it->key().size()});
    }
    Check(it->status(), "Iterator");
  }

  void Close() override {
    if (durability_ == Durability::kAtEnd) {
      Check(db_->SyncWAL(), "SyncWAL");
    }
    Check(db_->Close(), "Close");
    db_.reset();
  }

 private:
  class Session final : public BlockSession {
   public:
    explicit Session(RocksDbBlocks* store) : store_(store) {}

    size_t Read(size_t index, std::span<char> buffer) override {
      const rocksdb::Status status = Get(index);
      if (status.IsNotFound()) {
        return kNoBlock;
      }
      Check(status, "Get");
      std::memcpy(buffer.data(), value_.data(), value_.size());
      return value_.size();
    }

    char View(size_t index) override {
      Check(Get(index), "Get");
      return *value_.data();
    }

    void ReadBatch(const BlockBatch& wanted, std::span<char> buffer,
                   std::span<size_t> ends) override {
      const size_t count = wanted.count();
      keys_.clear();
      for (size_t i = 0; i < count; ++i) {
        keys_.push_back(AsSlice(wanted.name(i)));
      }
      std::vector<rocksdb::PinnableSlice> values(count);
      std::vector<rocksdb::Status> statuses(count);
      store_->db_->MultiGet(rocksdb::ReadOptions(), store_->db_->DefaultColumnFamily(), count,
                            keys_.data(), values.data(), statuses.data());
      size_t used = 0;
      for (size_t i = 0; i < count; ++i) {
        Check(statuses[i], "MultiGet");
        std::memcpy(buffer.data() + used, values[i].data(), values[i].size());
        used += values[i].size();
        ends[i] = used;
      }
    }

    void Put(size_t index, std::string_view payload) override {
      Check(store_->db_->Put(store_->HowToWrite(), AsSlice(store_->set().name(index)),
                             AsSlice(payload)),
            "Put");
    }
    void Delete(size_t index) override {
      Check(store_->db_->Delete(store_->HowToWrite(), AsSlice(store_->set().name(index))),
            "Delete");
    }

   private:
    rocksdb::Status Get(size_t index) {
      value_.Reset();
      return store_->db_->Get(rocksdb::ReadOptions(), store_->db_->DefaultColumnFamily(),
                              AsSlice(store_->set().name(index)), &value_);
    }

    RocksDbBlocks* const store_;
    rocksdb::PinnableSlice value_;
    std::vector<rocksdb::Slice> keys_;
  };

  rocksdb::WriteOptions HowToWrite() const {
    rocksdb::WriteOptions options;
    options.sync = durability_ == Durability::kEachBatch;
    return options;
  }

  Durability durability_ = Durability::kAtEnd;
  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace

void AddRocksDbBlocks(std::vector<BlockContestant>* all) {
  all->push_back(BlockContestant{
      .name = "rocksdb",
      .options = "no compression, 4 write buffers of 64 MiB, 2 background jobs, block cache 1 GiB, "
                 "a WriteBatch per group, sync=true; where only Close has to be durable: "
                 "sync=false and SyncWAL",
      .deletes = true,
      .live = true,
      .lists = true,
      .views = true,
      .make = [](const BlockSet& set) { return std::make_unique<RocksDbBlocks>(set); }});
}

}  // namespace spillway::bench
