// The records that all contestants get: built once, before anything is timed.
//
// SPW_BENCH_RECORDS says how many (default 1,000,000), SPW_BENCH_FILES (paths, ':' between them)
// takes the lines of real files, again and again, instead of generated ones.
#pragma once

#include <xxhash.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::bench {

// Count, order, boundaries and every byte of records in one number.
class RecordHash {
 public:
  void Add(const void* bytes, size_t len) {
    const uint64_t hash = XXH3_64bits(bytes, len);
    ordered_ = std::rotl(ordered_ ^ hash, 23) * 0x9E3779B97F4A7C15;
    sum_ += hash;
    ++count_;
  }
  void Add(std::string_view record) { Add(record.data(), record.size()); }

  uint64_t count() const { return count_; }
  uint64_t sum() const { return sum_; }  // does not depend on the order: for several writers
  bool operator==(const RecordHash&) const = default;

 private:
  uint64_t ordered_ = 0;
  uint64_t sum_ = 0;
  uint64_t count_ = 0;
};

// Record i is data[offsets[i] .. offsets[i+1]), offsets[0] is 0. Borrowed from the corpus.
struct Batch {
  const char* data;
  const uint64_t* offsets;
  size_t count;
  uint64_t first_seq;  // position of the first record in the corpus

  uint64_t bytes() const { return offsets[count]; }
  std::string_view record(size_t i) const {
    return {data + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])};
  }
};

constexpr size_t kRecordBytesMax = size_t{1} << 20;  // lines of real files may be long

class Corpus {
 public:
  // As the environment says; made at the first call, which no other thread may overlap.
  static const Corpus& Get();

  static constexpr uint64_t kSeed = 20240117;
  static constexpr size_t kBatch = 5000;

  explicit Corpus(uint64_t records);
  Corpus(const Corpus&) = delete;
  Corpus& operator=(const Corpus&) = delete;

  uint64_t records() const { return starts_.size() - 1; }
  uint64_t bytes() const { return starts_.back(); }
  const RecordHash& hash() const { return hash_; }
  const std::string& source() const { return source_; }
  std::string_view record(uint64_t seq) const {
    return {text_.data() + starts_[seq], static_cast<size_t>(starts_[seq + 1] - starts_[seq])};
  }

  // All records in batches of `size`, the last one perhaps smaller. Made at the first call for a
  // size, which no other thread may overlap.
  std::span<const Batch> Batches(size_t size) const;

 private:
  struct Cut {
    std::vector<uint64_t> offsets;
    std::vector<Batch> batches;
  };

  std::string text_;
  std::vector<uint64_t> starts_;
  RecordHash hash_;
  std::string source_;
  mutable std::map<size_t, Cut> cuts_;
};

}  // namespace spillway::bench
