// RocksDB: one entry per record, keys are big-endian 64-bit integers; by write batches, or by
// sorted files that are made outside of it and then taken in.
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/write_batch.h>

#include <cstring>

#include "tests/bench/key.h"
#include "tests/bench/rocksdb_peer.h"
#include "tests/bench/store.h"

namespace spillway::bench {
namespace {

using bench::AsSlice;
rocksdb::Slice AsSlice(const Key& key) { return {key.data(), key.size()}; }

class RocksDbStore final : public Store {
 public:
  enum class Way { kBatches, kSortedFile };
  RocksDbStore(Way way, Durability durability) : way_(way), durability_(durability) {}

  void Create(const std::string& folder) override {
    Open(folder);
    created_ = true;
    if (way_ == Way::kSortedFile) {
      file_path_ = folder + "/sorted.sst";
      file_ = std::make_unique<rocksdb::SstFileWriter>(rocksdb::EnvOptions(), RocksDbOptions());
      Check(file_->Open(file_path_), "SstFileWriter::Open");
    }
  }

  void Add(const Batch& batch) override {
    if (way_ == Way::kSortedFile) {
      for (size_t i = 0; i < batch.count; ++i) {
        const Key key(batch.first_seq + i);
        Check(file_->Put(AsSlice(key), AsSlice(batch.record(i))), "SstFileWriter::Put");
      }
      return;
    }
    rocksdb::WriteBatch writes(batch.bytes() + batch.count * 16);
    for (size_t i = 0; i < batch.count; ++i) {
      const Key key(batch.first_seq + i);
      Check(writes.Put(AsSlice(key), AsSlice(batch.record(i))), "Put");
    }
    rocksdb::WriteOptions options;
    options.sync = durability_ == Durability::kEachBatch;
    options.disableWAL = durability_ == Durability::kAtEnd;
    Check(db_->Write(options, &writes), "Write");
  }

  void Close() override {
    if (created_) {
      if (way_ == Way::kSortedFile) {
        Check(file_->Finish(), "SstFileWriter::Finish");
        rocksdb::IngestExternalFileOptions options;
        options.move_files = true;
        Check(db_->IngestExternalFile({file_path_}, options), "IngestExternalFile");
        file_.reset();
      } else if (durability_ == Durability::kAtEnd) {
        Check(db_->Flush(rocksdb::FlushOptions()), "Flush");
      }
    }
    created_ = false;
    Check(db_->Close(), "Close");
    db_.reset();
  }

  void Open(const std::string& folder) override { db_ = OpenRocksDb(folder); }

  void Scan(RecordHash* hash) override {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    options.readahead_size = size_t{2} << 20;
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options));
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      hash->Add(it->value().data(), it->value().size());
    }
    Check(it->status(), "Iterator");
  }

  size_t Read(uint64_t seq, std::span<char> buffer) override {
    const Key key(seq);
    rocksdb::PinnableSlice value;
    Check(db_->Get(rocksdb::ReadOptions(), db_->DefaultColumnFamily(), AsSlice(key), &value),
          "Get");
    std::memcpy(buffer.data(), value.data(), value.size());
    return value.size();
  }

  void Gather(std::span<const uint64_t> seqs, RecordHash* hash) override {
    const std::vector<Key> keys(seqs.begin(), seqs.end());
    std::vector<rocksdb::Slice> slices;
    slices.reserve(keys.size());
    for (const Key& key : keys) {
      slices.push_back(AsSlice(key));
    }
    std::vector<rocksdb::PinnableSlice> values(keys.size());
    std::vector<rocksdb::Status> statuses(keys.size());
    db_->MultiGet(rocksdb::ReadOptions(), db_->DefaultColumnFamily(), keys.size(), slices.data(),
                  values.data(), statuses.data());
    copies_.clear();
    for (size_t i = 0; i < keys.size(); ++i) {
      Check(statuses[i], "MultiGet");
      copies_.insert(copies_.end(), values[i].data(), values[i].data() + values[i].size());
      if (hash != nullptr) {
        hash->Add(values[i].data(), values[i].size());
      }
    }
  }

 private:
  const Way way_;
  const Durability durability_;
  std::unique_ptr<rocksdb::DB> db_;
  std::unique_ptr<rocksdb::SstFileWriter> file_;
  std::string file_path_;
  bool created_ = false;
  std::vector<char> copies_;
};

constexpr const char* kCommon =
    "no compression, 4 write buffers of 64 MiB, 2 background jobs, block cache 1 GiB, ";

}  // namespace

void AddRocksDb(std::vector<Contestant>* all) {
  const auto add = [all](const char* name, RocksDbStore::Way way, Durability durability,
                         const char* options) {
    const bool batches = way == RocksDbStore::Way::kBatches;
    all->push_back(Contestant{
        .name = name,
        .durability = durability,
        .options = std::string(kCommon) + options,
        .reads = batches && durability == Durability::kAtEnd,
        .concurrent = batches,
        .make = [=](const Budget&) { return std::make_unique<RocksDbStore>(way, durability); }});
  };
  add("rocksdb", RocksDbStore::Way::kBatches, Durability::kAtEnd, "disableWAL, Flush at the end");
  add("rocksdb_sorted", RocksDbStore::Way::kSortedFile, Durability::kAtEnd,
      "SstFileWriter, IngestExternalFile at the end");
  add("rocksdb", RocksDbStore::Way::kBatches, Durability::kEachBatch, "WAL, sync=true");
}

}  // namespace spillway::bench
