// What the block workloads need of a contestant, be it a limit, a peer or Spillway.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/blocks/block_set.h"
#include "tests/bench/durability.h"

namespace spillway::bench {

constexpr size_t kNoBlock = SIZE_MAX;

// One thread's view of single blocks, which are named by their index in the set. Outlived by its
// store. Reads copy into caller memory; verified by whatever the contestant verifies.
class BlockSession {
 public:
  BlockSession() = default;
  virtual ~BlockSession() = default;
  BlockSession(const BlockSession&) = delete;
  BlockSession& operator=(const BlockSession&) = delete;

  // The length, or kNoBlock.
  virtual size_t Read(size_t index, std::span<char> buffer) = 0;
  // One after another into `buffer`; block i ends at ends[i]. They must be there. By default one
  // by one.
  virtual void ReadBatch(const BlockBatch& wanted, std::span<char> buffer, std::span<size_t> ends);
  // Finds the block, which must be there, and looks at its first byte where it stands. Only where
  // the contestant says `views`.
  virtual char View(size_t index);
  // Only where the contestant says `live`, and not durable before Close.
  virtual void Put(size_t index, std::string_view payload);
  virtual void Delete(size_t index);
};

// kSnapshot: reads only, all as of one moment where that is cheaper. kLive: reads what is there
// now, and may put and delete.
enum class SessionKind { kSnapshot, kLive };

// Counts names and notices when they do not come in order.
class NameList {
 public:
  void Add(std::string_view name) {
    in_order_ = in_order_ && (count_ == 0 || last_ < name);
    last_.assign(name);
    ++count_;
  }
  uint64_t count() const { return count_; }
  bool in_order() const { return in_order_; }

 private:
  std::string last_;
  uint64_t count_ = 0;
  bool in_order_ = true;
};

// Life: Open (creates what is not there), any calls, Close; and again, on the same object: limits
// keep where blocks lie in memory only. One thread at a time, but sessions of different threads
// where the contestant says `live`. Errors end the process.
class BlockStore {
 public:
  explicit BlockStore(const BlockSet& set) : set_(set) {}
  virtual ~BlockStore() = default;
  BlockStore(const BlockStore&) = delete;
  BlockStore& operator=(const BlockStore&) = delete;

  // kAtEnd or kEachBatch.
  virtual void Open(const std::string& folder, Durability durability) = 0;
  // Creates the blocks or replaces what they hold, in one group.
  virtual void Put(const BlockBatch& batch) = 0;
  // In one group; they must be there. Only where the contestant says `deletes`.
  virtual void Delete(const BlockBatch& batch);
  virtual std::unique_ptr<BlockSession> StartSession(SessionKind kind) = 0;
  // Only where the contestant says `lists`.
  virtual void List(std::string_view prefix, NameList* names);
  // Everything is durable. Sessions must have ended.
  virtual void Close() = 0;

  // The contestant's own account of what it wrote since Open.
  virtual std::optional<uint64_t> bytes_written() const { return std::nullopt; }

 protected:
  const BlockSet& set() const { return set_; }

 private:
  const BlockSet& set_;
};

struct BlockContestant {
  std::string name;
  std::string options;  // as it is tuned, for the report
  bool updates = true;
  bool reads = true;
  bool grows = true;  // takes blocks that it did not have
  bool deletes = false;
  bool live = false;
  bool lists = false;
  bool views = false;
  bool slow = false;  // takes a sync for each block: does less of the same
  std::function<std::unique_ptr<BlockStore>(const BlockSet&)> make;
};

// All that were built, in the order of the report. The first is the limit that ratios refer to.
const std::vector<BlockContestant>& BlockContestants();
const BlockContestant* FindBlockContestant(std::string_view name);

// One per file that implements contestants; each adds its own.
void AddRawBlocks(std::vector<BlockContestant>* all);
void AddSpillwayBlocks(std::vector<BlockContestant>* all);
void AddSqliteBlocks(std::vector<BlockContestant>* all);
void AddLmdbBlocks(std::vector<BlockContestant>* all);
void AddLevelDbBlocks(std::vector<BlockContestant>* all);
void AddRocksDbBlocks(std::vector<BlockContestant>* all);
void AddFolderBlocks(std::vector<BlockContestant>* all);

}  // namespace spillway::bench
