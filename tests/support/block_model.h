// A block file's content as a map, and random changes that are made to both.
//
// A BlockModel is cheap to copy: states of the past are kept as copies, and compared by their sums.
// Changes are values (BlockOp), so that a test can make one to the file, to the map, or to both.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "internal/blockfile/block_file.h"
#include "tests/support/blocks.h"
#include "tests/support/prng.h"

namespace spillway::test {

struct ModelBlock {
  std::string payload;
  std::string tag;
  // What the file has told (LearnMeta); 0 and -1: nothing yet.
  uint64_t version = 0;
  int64_t created_ns = -1;
  int64_t modified_ns = -1;
};

class BlockModel {
 public:
  using Map = std::map<std::string, std::shared_ptr<const ModelBlock>>;

  const Map& blocks() const { return blocks_; }
  // Null: there is no such block.
  const ModelBlock* Find(const std::string& name) const;
  void Set(const std::string& name, ModelBlock block);
  void Erase(const std::string& name);
  // Of everything in it.
  uint64_t sum() const { return sum_; }
  uint64_t payload_bytes() const;

 private:
  static uint64_t SumOf(const std::string& name, const ModelBlock& block);
  Map blocks_;
  uint64_t sum_ = 0;
};

struct BlockOp {
  enum class Kind { kPut, kAppend, kPatch, kRemove, kRename, kSetTag, kStream };
  struct Item {
    std::string name;
    std::string payload;
    uint64_t expected = blockfile::kAnyVersion;
  };
  Kind kind = Kind::kPut;
  std::vector<Item> items;  // kPut; else the first has name, bytes or tag, and what is expected
  std::string to;           // kRename
  bool replace = false;
  uint64_t offset = 0;  // kPatch
  uint64_t piece = 1;   // kStream; bytes of each write

  const std::string& name() const { return items[0].name; }
  // What it changes, if it does.
  std::vector<std::string> names() const;
  std::string Describe() const;
};

// What random changes look like.
struct OpStyle {
  uint64_t names_few = 12;  // half of the changes are to these
  uint64_t names_many = 100;
  uint64_t large_one_in = 8;  // payloads of several chunks
  uint64_t bytes_most = 200'000;
  bool with_versions = true;  // conditions on versions; the model must know them
};

std::string RandomBytes(Prng* random, uint64_t size);
std::string RandomName(Prng* random, const OpStyle& style);
BlockOp RandomOp(Prng* random, const OpStyle& style, const BlockModel& model);

// Makes the change to the map if it can be made; says what the file has to answer.
base::Code ApplyTo(BlockModel* model, const BlockOp& op);
// Makes it to the file.
base::Status ApplyTo(Blocks* file, blockfile::Transaction* txn, const BlockOp& op);

// Takes versions and times of these names over from the file. kInternal: they are not what they
// should be (a version not above *version_most, times that run backwards or are forgotten).
base::Status LearnMeta(Blocks* file, blockfile::Transaction* txn,
                       const std::vector<std::string>& names, BlockModel* model,
                       uint64_t* version_most);

enum class Meta { kNo, kYes };
// All that the file holds.
base::Status ReadAll(Blocks* file, blockfile::Transaction* txn, Meta meta, BlockModel* found);
// In short what is different; empty: nothing.
std::string Difference(const BlockModel& wanted, const BlockModel& found);

}  // namespace spillway::test
