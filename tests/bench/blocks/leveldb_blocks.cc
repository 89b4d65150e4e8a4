// LevelDB: an entry per block, keyed by its name; a WriteBatch per group.
#include <leveldb/write_batch.h>

#include <cstring>

#include "tests/bench/blocks/block_store.h"
#include "tests/bench/leveldb_peer.h"

namespace spillway::bench {
namespace {

leveldb::Slice AsSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

class LevelDbBlocks final : public BlockStore {
 public:
  using BlockStore::BlockStore;

  void Open(const std::string& folder, Durability durability) override {
    durability_ = durability;
    db_.Open(folder);
  }

  void Put(const BlockBatch& batch) override {
    leveldb::WriteBatch writes;
    for (size_t i = 0; i < batch.count(); ++i) {
      writes.Put(AsSlice(batch.name(i)), AsSlice(batch.payload(i)));
    }
    Check(db_->Write(HowToWrite(durability_), &writes), "Write");
  }

  void Delete(const BlockBatch& batch) override {
    leveldb::WriteBatch writes;
    for (size_t i = 0; i < batch.count(); ++i) {
      writes.Delete(AsSlice(batch.name(i)));
    }
    Check(db_->Write(HowToWrite(durability_), &writes), "Write");
  }

  std::unique_ptr<BlockSession> StartSession(SessionKind) override {
    return std::make_unique<Session>(this);
  }

  void List(std::string_view prefix, NameList* names) override {
    const std::unique_ptr<leveldb::Iterator> it(db_->NewIterator(leveldb::ReadOptions()));
    for (it->Seek(AsSlice(prefix)); it->Valid() && it->key().starts_with(AsSlice(prefix));
         it->Next()) {
      names->Add({it->key().data(), it->key().size()});
    }
    Check(it->status(), "Iterator");
  }

  void Close() override { db_.Close(durability_ == Durability::kAtEnd); }

 private:
  class Session final : public BlockSession {
   public:
    explicit Session(LevelDbBlocks* store) : store_(store) {}
    size_t Read(size_t index, std::span<char> buffer) override {
      const leveldb::Status status =
          store_->db_->Get(leveldb::ReadOptions(), AsSlice(store_->set().name(index)), &value_);
      if (status.IsNotFound()) {
        return kNoBlock;
      }
      Check(status, "Get");
      std::memcpy(buffer.data(), value_.data(), value_.size());
      return value_.size();
    }
    void Put(size_t index, std::string_view payload) override {
      Check(store_->db_->Put(HowToWrite(store_->durability_), AsSlice(store_->set().name(index)),
                             AsSlice(payload)),
            "Put");
    }
    void Delete(size_t index) override {
      Check(
          store_->db_->Delete(HowToWrite(store_->durability_), AsSlice(store_->set().name(index))),
          "Delete");
    }

   private:
    LevelDbBlocks* const store_;
    std::string value_;
  };

  Durability durability_ = Durability::kAtEnd;
  LevelDb db_;
};

}  // namespace

void AddLevelDbBlocks(std::vector<BlockContestant>* all) {
  all->push_back(BlockContestant{
      .name = "leveldb",
      .options = "no compression, write buffer and files 64 MiB, block cache 1 GiB, a WriteBatch "
                 "per group, sync=true; where only Close has to be durable: sync=false, fdatasync "
                 "of all files at the end",
      .deletes = true,
      .live = true,
      .lists = true,
      .make = [](const BlockSet& set) { return std::make_unique<LevelDbBlocks>(set); }});
}

}  // namespace spillway::bench
