#include "internal/cold/sqlite_format.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include "internal/base/utf8.h"

namespace spillway::cold {
namespace {

static_assert(std::endian::native == std::endian::little);  // FORMAT.md: hashed integers are so

// Different seeds, so that a row of one kind can never pass for another kind.
constexpr uint64_t kStoreSeed = 1;
constexpr uint64_t kStreamSeed = 2;
constexpr uint64_t kRunSeed = 3;

void Put(std::string* bytes, uint64_t value) {
  bytes->append(reinterpret_cast<const char*>(&value), sizeof value);
}
void Put(std::string* bytes, const StoreId& id) {
  bytes->append(reinterpret_cast<const char*>(id.data()), id.size());
}
uint64_t Hash(const std::string& bytes, uint64_t seed) {
  return base::Hash64({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, seed);
}

template <class T>
std::span<const uint8_t> AsBytes(const T* values, uint64_t count) {
  return {reinterpret_cast<const uint8_t*>(values), count * sizeof(T)};
}

}  // namespace

std::string RecordsTableName(uint32_t stream) { return "s" + std::to_string(stream); }

std::string RecordsTable(uint32_t stream) {
  return "CREATE TABLE " + RecordsTableName(stream) +
         "(seq INTEGER PRIMARY KEY, time INTEGER, payload BLOB)";
}

std::string FoldName(std::string_view name) {
  std::string folded(name);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return folded;
}

bool IsReservedName(std::string_view name) {
  const std::string folded = FoldName(name);
  if (folded.starts_with("spillway_") || folded.starts_with("sqlite_")) {
    return true;
  }
  return folded.size() > 1 && folded[0] == 's' &&
         std::all_of(folded.begin() + 1, folded.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool CanNameView(std::string_view name) {
  return !name.empty() && name.find('\0') == std::string_view::npos && base::IsUtf8(name) &&
         !IsReservedName(name);
}

std::string StreamView(const StreamState& stream) {
  std::string text = "CREATE VIEW \"";
  for (const char c : stream.name) {
    text.append(c == '"' ? 2 : 1, c);
  }
  return text + "\" AS SELECT seq, time, payload FROM " + RecordsTableName(stream.id) +
         " WHERE seq >= (SELECT begin_seq FROM spillway_streams WHERE id = " +
         std::to_string(stream.id) + ")";
}

uint64_t ChecksumOf(const StoreRow& row) {
  std::string bytes;
  Put(&bytes, row.store_id);
  Put(&bytes, kFormatVersion);
  Put(&bytes, row.clean ? 1 : 0);
  Put(&bytes, row.commits);
  return Hash(bytes, kStoreSeed);
}

uint64_t ChecksumOf(const StoreId& store_id, const StreamState& stream) {
  std::string bytes;
  Put(&bytes, store_id);
  Put(&bytes, stream.id);
  Put(&bytes, stream.has_times ? 1 : 0);
  Put(&bytes, stream.begin_seq);
  Put(&bytes, stream.end_seq);
  bytes += stream.name;
  return Hash(bytes, kStreamSeed);
}

uint64_t RunHasher::ChecksumOf(uint32_t stream, const record::Columns& run) {
  lengths_.resize(run.count);
  for (uint64_t i = 0; i < run.count; ++i) {
    lengths_[i] = run.begin[i + 1] - run.begin[i];
  }
  const uint64_t place[] = {stream, run.first_seq, run.count, run.times == nullptr ? 0u : 1u};
  hasher_.Reset(kRunSeed);
  hasher_.Update(store_id_).Update(AsBytes(place, std::size(place)));
  hasher_.Update(AsBytes(lengths_.data(), run.count));
  if (run.times != nullptr) {
    hasher_.Update(AsBytes(run.times, run.count));
  }
  if (run.payload_bytes() != 0) {
    hasher_.Update({run.data + run.begin[0], run.payload_bytes()});
  }
  return hasher_.Digest();
}

uint64_t RunLength(const record::Columns& columns, uint64_t first, uint64_t run_bytes) {
  const uint64_t limit = columns.begin[first] + run_bytes;
  const uint64_t last = std::min(columns.count, first + kRunCountMax);
  // The first end beyond the limit; the records before it fit.
  const uint64_t* ends = columns.begin + first + 1;
  const uint64_t* beyond = std::upper_bound(ends, columns.begin + last + 1, limit);
  return std::max<uint64_t>(1, static_cast<uint64_t>(beyond - ends));
}

}  // namespace spillway::cold
