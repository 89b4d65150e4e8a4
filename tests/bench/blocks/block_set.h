// The blocks that all contestants hold: their names, and what each holds in which version.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::bench {

constexpr uint64_t kBlockSeed = 20240311;  // of all contents and orders

// Block i is named "f<i % 100>/b<i>", so a prefix "f07/" selects one in a hundred. Its payload
// says index and version, and goes on with a piece of one random text that both of them choose: it
// cannot be compressed, is made with a memcpy, and is checked with a memcmp. Immutable.
class BlockSet {
 public:
  struct Shape {
    size_t count;
    size_t bytes_min;  // at least kHeaderBytes
    size_t bytes_max;
  };
  static constexpr size_t kHeaderBytes = 16;
  static constexpr size_t kNameBytes = 12;

  explicit BlockSet(const Shape& shape);
  BlockSet(const BlockSet&) = delete;
  BlockSet& operator=(const BlockSet&) = delete;

  size_t count() const { return shape_.count; }
  size_t bytes_max() const { return shape_.bytes_max; }
  size_t bytes(size_t index) const;
  std::string_view name(size_t index) const {
    return {names_.data() + index * kNameBytes, kNameBytes};
  }

  // Writes bytes(index) bytes.
  void Write(size_t index, uint64_t version, char* to) const;
  bool Holds(size_t index, uint64_t version, std::string_view payload) const;
  // In whatever version it says.
  bool HoldsAny(size_t index, std::string_view payload) const;

 private:
  const Shape shape_;
  std::string names_;
};

// Some blocks of a set in one order, with what is to be written into them or without: block i is
// names[name_offsets[i] .. name_offsets[i+1]) and gets data[data_offsets[i] .. data_offsets[i+1]).
struct BlockBatch {
  std::vector<uint32_t> indexes;
  std::string names;
  std::vector<uint64_t> name_offsets;
  std::vector<char> data;
  std::vector<uint64_t> data_offsets;

  size_t count() const { return indexes.size(); }
  std::string_view name(size_t i) const {
    return std::string_view(names).substr(name_offsets[i], name_offsets[i + 1] - name_offsets[i]);
  }
  std::string_view payload(size_t i) const {
    return {data.data() + data_offsets[i],
            static_cast<size_t>(data_offsets[i + 1] - data_offsets[i])};
  }
};

BlockBatch MakeNames(const BlockSet& set, std::span<const uint32_t> indexes);
BlockBatch MakeBatch(const BlockSet& set, std::span<const uint32_t> indexes, uint64_t version);

// `indexes` cut into `groups` batches of equal size.
std::vector<BlockBatch> MakeGroups(const BlockSet& set, std::span<const uint32_t> indexes,
                                   size_t groups, uint64_t version);

// first .. first + count - 1 in random order.
std::vector<uint32_t> Shuffled(size_t first, size_t count, uint64_t seed);

}  // namespace spillway::bench
