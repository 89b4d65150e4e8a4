#include "tests/bench/blocks/block_set.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <numeric>

#include "tests/support/prng.h"

namespace spillway::bench {
namespace {

constexpr size_t kTextOffsets = size_t{1} << 20;
constexpr size_t kPayloadBytesMax = size_t{1} << 20;

const std::vector<uint64_t>& Text() {
  static const std::vector<uint64_t> text = [] {
    test::Prng random(kBlockSeed);
    std::vector<uint64_t> words((kTextOffsets + kPayloadBytesMax) / sizeof(uint64_t));
    for (uint64_t& word : words) {
      word = random.Next();
    }
    return words;
  }();
  return text;
}

const char* TextOf(uint64_t index, uint64_t version) {
  const uint64_t offset = test::Prng(index * 1'000'003 + version).Below(kTextOffsets);
  return reinterpret_cast<const char*>(Text().data()) + offset;
}

}  // namespace

BlockSet::BlockSet(const Shape& shape) : shape_(shape) {
  names_.reserve(shape.count * kNameBytes);
  std::array<char, kNameBytes + 1> name;
  for (size_t i = 0; i < shape.count; ++i) {
    std::snprintf(name.data(), name.size(), "f%02u/b%07u", static_cast<unsigned>(i % 100),
                  static_cast<unsigned>(i % 10'000'000));
    names_.append(name.data(), kNameBytes);
  }
}

size_t BlockSet::bytes(size_t index) const {
  const size_t spread = shape_.bytes_max - shape_.bytes_min;
  return spread == 0 ? shape_.bytes_min
                     : shape_.bytes_min + test::Prng(kBlockSeed ^ index).Below(spread + 1);
}

void BlockSet::Write(size_t index, uint64_t version, char* to) const {
  const std::array<uint64_t, 2> header = {index, version};
  static_assert(sizeof(header) == kHeaderBytes);
  std::memcpy(to, header.data(), kHeaderBytes);
  std::memcpy(to + kHeaderBytes, TextOf(index, version), bytes(index) - kHeaderBytes);
}

bool BlockSet::Holds(size_t index, uint64_t version, std::string_view payload) const {
  const std::array<uint64_t, 2> header = {index, version};
  return payload.size() == bytes(index) &&
         std::memcmp(payload.data(), header.data(), kHeaderBytes) == 0 &&
         std::memcmp(payload.data() + kHeaderBytes, TextOf(index, version),
                     payload.size() - kHeaderBytes) == 0;
}

bool BlockSet::HoldsAny(size_t index, std::string_view payload) const {
  if (payload.size() < kHeaderBytes) {
    return false;
  }
  uint64_t version = 0;
  std::memcpy(&version, payload.data() + sizeof(uint64_t), sizeof(version));
  return Holds(index, version, payload);
}

BlockBatch MakeNames(const BlockSet& set, std::span<const uint32_t> indexes) {
  BlockBatch batch;
  batch.indexes.assign(indexes.begin(), indexes.end());
  batch.name_offsets.push_back(0);
  for (const uint32_t index : indexes) {
    batch.names += set.name(index);
    batch.name_offsets.push_back(batch.names.size());
  }
  return batch;
}

BlockBatch MakeBatch(const BlockSet& set, std::span<const uint32_t> indexes, uint64_t version) {
  BlockBatch batch = MakeNames(set, indexes);
  batch.data_offsets.push_back(0);
  for (const uint32_t index : indexes) {
    batch.data_offsets.push_back(batch.data_offsets.back() + set.bytes(index));
  }
  batch.data.resize(batch.data_offsets.back());
  for (size_t i = 0; i < indexes.size(); ++i) {
    set.Write(indexes[i], version, batch.data.data() + batch.data_offsets[i]);
  }
  return batch;
}

std::vector<BlockBatch> MakeGroups(const BlockSet& set, std::span<const uint32_t> indexes,
                                   size_t groups, uint64_t version) {
  const size_t size = (indexes.size() + groups - 1) / groups;
  std::vector<BlockBatch> batches;
  for (size_t begin = 0; begin < indexes.size(); begin += size) {
    const size_t count = std::min(size, indexes.size() - begin);
    batches.push_back(MakeBatch(set, indexes.subspan(begin, count), version));
  }
  return batches;
}

std::vector<uint32_t> Shuffled(size_t first, size_t count, uint64_t seed) {
  std::vector<uint32_t> indexes(count);
  std::iota(indexes.begin(), indexes.end(), static_cast<uint32_t>(first));
  test::Prng random(seed);
  for (size_t i = count; i > 1; --i) {  // not std::shuffle, which may differ between libraries
    std::swap(indexes[i - 1], indexes[random.Below(i)]);
  }
  return indexes;
}

}  // namespace spillway::bench
