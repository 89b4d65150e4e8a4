#include "tests/support/tier_records.h"

#include <algorithm>
#include <cstring>

#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using ::testing::AssertionFailure;
using ::testing::AssertionResult;
using ::testing::AssertionSuccess;

uint64_t SeedOf(uint32_t stream, uint64_t seq, uint64_t salt) {
  return Prng(salt * 1'000'003 + stream).Next() ^ seq * 0x9e3779b97f4a7c15;
}

}  // namespace

std::string PayloadOf(uint32_t stream, uint64_t seq, uint64_t salt, uint64_t bytes_max) {
  Prng random(SeedOf(stream, seq, salt));
  const uint64_t limit = random.OneIn(8) ? bytes_max : std::min<uint64_t>(bytes_max, 40);
  std::string bytes(random.Below(limit + 1), '\0');
  for (size_t i = 0; i < bytes.size(); i += 8) {
    const uint64_t word = random.Next();
    std::memcpy(&bytes[i], &word, std::min<size_t>(8, bytes.size() - i));
  }
  return bytes;
}

int64_t TimeOf(uint32_t stream, uint64_t seq, uint64_t salt) {
  return static_cast<int64_t>(SeedOf(stream, seq, salt + 1));
}

record::ColumnBuffer TierModel::Next(uint32_t stream, uint64_t count) const {
  const TierStream& state = streams.at(stream);
  record::ColumnBuffer buffer;
  buffer.Reset(state.end_seq, state.has_times);
  for (uint64_t seq = state.end_seq; seq < state.end_seq + count; ++seq) {
    const std::string payload = PayloadOf(stream, seq, salt, bytes_max);
    buffer.Append({reinterpret_cast<const uint8_t*>(payload.data()), payload.size()},
                  TimeOf(stream, seq, salt));
  }
  return buffer;
}

AssertionResult HoldsRecords(cold::ColdTier* tier, const TierModel& model, uint32_t stream,
                             uint64_t begin_seq, uint64_t end_seq, uint64_t step_bytes) {
  const bool has_times = model.streams.at(stream).has_times;
  record::ColumnBuffer buffer;
  for (uint64_t seq = begin_seq; seq < end_seq;) {
    const base::Status status = tier->Read(stream, seq, end_seq, step_bytes, &buffer);
    if (!status.ok()) {
      return AssertionFailure() << "stream " << stream << " seq " << seq << ": code "
                                << static_cast<int>(status.code()) << " " << status.message();
    }
    const record::Columns columns = buffer.columns();
    if (columns.first_seq > seq || columns.end_seq() <= seq ||
        (columns.times != nullptr) != has_times) {
      return AssertionFailure() << "stream " << stream << " seq " << seq << ": got ["
                                << columns.first_seq << ", " << columns.end_seq() << ")";
    }
    for (; seq < std::min(end_seq, columns.end_seq()); ++seq) {
      const uint64_t i = seq - columns.first_seq;
      const std::string payload = PayloadOf(stream, seq, model.salt, model.bytes_max);
      const std::span<const uint8_t> got = columns.payload(i);
      if (!std::equal(got.begin(), got.end(), payload.begin(), payload.end(),
                      [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); }) ||
          (has_times && columns.times[i] != TimeOf(stream, seq, model.salt))) {
        return AssertionFailure() << "stream " << stream << " seq " << seq << ": wrong record";
      }
    }
  }
  return AssertionSuccess();
}

AssertionResult Equals(cold::ColdTier* tier, const TierModel& model,
                       const std::vector<cold::StreamState>& found) {
  if (found.size() != model.streams.size()) {
    return AssertionFailure() << found.size() << " streams, want " << model.streams.size();
  }
  for (const cold::StreamState& state : found) {
    const auto wanted = model.streams.find(state.id);
    if (wanted == model.streams.end() || wanted->second.name != state.name ||
        wanted->second.has_times != state.has_times ||
        wanted->second.begin_seq != state.begin_seq || wanted->second.end_seq != state.end_seq) {
      return AssertionFailure() << "stream " << state.id << " is [" << state.begin_seq << ", "
                                << state.end_seq << ") and not as the model has it";
    }
    const AssertionResult same =
        HoldsRecords(tier, model, state.id, state.begin_seq, state.end_seq, 4000);
    if (!same) {
      return same;
    }
  }
  return AssertionSuccess();
}

}  // namespace spillway::test
