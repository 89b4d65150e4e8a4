#include "tests/bench/blocks/block_store.h"

#include "tests/bench/files.h"

namespace spillway::bench {

void BlockSession::ReadBatch(const BlockBatch& wanted, std::span<char> buffer,
                             std::span<size_t> ends) {
  size_t used = 0;
  for (size_t i = 0; i < wanted.count(); ++i) {
    const size_t bytes = Read(wanted.indexes[i], buffer.subspan(used));
    if (bytes == kNoBlock) {
      Die("no block " + std::string(wanted.name(i)));
    }
    used += bytes;
    ends[i] = used;
  }
}

char BlockSession::View(size_t) { Die("this contestant has no views"); }
void BlockSession::Put(size_t, std::string_view) { Die("this session only reads"); }
void BlockSession::Delete(size_t) { Die("this session only reads"); }
void BlockStore::Delete(const BlockBatch&) { Die("this contestant deletes nothing"); }
void BlockStore::List(std::string_view, NameList*) { Die("this contestant lists nothing"); }

const std::vector<BlockContestant>& BlockContestants() {
  static const std::vector<BlockContestant> all = [] {
    std::vector<BlockContestant> list;
    AddRawBlocks(&list);
#if SPW_BENCH_BLOCK_FILE
    AddSpillwayBlocks(&list);
#endif
    AddSqliteBlocks(&list);
#if SPW_BENCH_LMDB
    AddLmdbBlocks(&list);
#endif
#if SPW_BENCH_LEVELDB
    AddLevelDbBlocks(&list);
#endif
#if SPW_BENCH_ROCKSDB
    AddRocksDbBlocks(&list);
#endif
    AddFolderBlocks(&list);
    return list;
  }();
  return all;
}

const BlockContestant* FindBlockContestant(std::string_view name) {
  for (const BlockContestant& contestant : BlockContestants()) {
    if (contestant.name == name) {
      return &contestant;
    }
  }
  return nullptr;
}

}  // namespace spillway::bench
