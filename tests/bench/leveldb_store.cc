// LevelDB: one entry per record, keys are big-endian 64-bit integers.
#include <leveldb/write_batch.h>

#include <cstring>

#include "tests/bench/key.h"
#include "tests/bench/leveldb_peer.h"
#include "tests/bench/store.h"

namespace spillway::bench {
namespace {

class LevelDbStore final : public Store {
 public:
  explicit LevelDbStore(Durability durability) : durability_(durability) {}

  void Create(const std::string& folder) override {
    created_ = true;
    Open(folder);
  }

  void Add(const Batch& batch) override {
    leveldb::WriteBatch writes;
    for (size_t i = 0; i < batch.count; ++i) {
      const Key key(batch.first_seq + i);
      const std::string_view record = batch.record(i);
      writes.Put(leveldb::Slice(key.data(), key.size()),
                 leveldb::Slice(record.data(), record.size()));
    }
    Check(db_->Write(HowToWrite(durability_), &writes), "Write");
  }

  void Close() override {
    db_.Close(created_ && durability_ == Durability::kAtEnd);
    created_ = false;
  }

  void Open(const std::string& folder) override { db_.Open(folder); }

  void Scan(RecordHash* hash) override {
    leveldb::ReadOptions options;
    options.fill_cache = false;
    const std::unique_ptr<leveldb::Iterator> it(db_->NewIterator(options));
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      hash->Add(it->value().data(), it->value().size());
    }
    Check(it->status(), "Iterator");
  }

  size_t Read(uint64_t seq, std::span<char> buffer) override {
    const Key key(seq);
    Check(db_->Get(leveldb::ReadOptions(), leveldb::Slice(key.data(), key.size()), &value_), "Get");
    std::memcpy(buffer.data(), value_.data(), value_.size());
    return value_.size();
  }

 private:
  const Durability durability_;
  LevelDb db_;
  bool created_ = false;
  std::string value_;
};

}  // namespace

void AddLevelDb(std::vector<Contestant>* all) {
  for (const Durability durability : {Durability::kAtEnd, Durability::kEachBatch}) {
    const bool at_end = durability == Durability::kAtEnd;
    all->push_back(Contestant{
        .name = "leveldb",
        .durability = durability,
        .options = std::string("no compression, write buffer and files 64 MiB, block cache 1 "
                               "GiB, one WriteBatch per batch, ") +
                   (at_end ? "sync=false, fdatasync of all files at the end" : "sync=true"),
        .reads = at_end,
        .concurrent = true,
        .make = [=](const Budget&) { return std::make_unique<LevelDbStore>(durability); }});
  }
}

}  // namespace spillway::bench
