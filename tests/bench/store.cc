#include "tests/bench/store.h"

namespace spillway::bench {

void Store::Gather(std::span<const uint64_t> seqs, RecordHash* hash) {
  gathered_.resize(std::max(gathered_.size(), seqs.size() * 512 + kRecordBytesMax));
  size_t used = 0;
  for (const uint64_t seq : seqs) {
    if (gathered_.size() - used < kRecordBytesMax) {
      gathered_.resize(gathered_.size() * 2);
    }
    const size_t len = Read(seq, std::span(gathered_).subspan(used));
    if (hash != nullptr) {
      hash->Add(gathered_.data() + used, len);
    }
    used += len;
  }
}

const std::vector<Contestant>& Contestants() {
  static const std::vector<Contestant> all = [] {
    std::vector<Contestant> list;
    AddMemoryLimits(&list);
    AddFileLimits(&list);
    AddSpillway(&list);
    AddSqlite(&list);
#if SPW_BENCH_LMDB
    AddLmdb(&list);
#endif
#if SPW_BENCH_LEVELDB
    AddLevelDb(&list);
#endif
#if SPW_BENCH_ROCKSDB
    AddRocksDb(&list);
#endif
    return list;
  }();
  return all;
}

}  // namespace spillway::bench
