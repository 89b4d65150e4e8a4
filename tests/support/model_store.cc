#include "tests/support/model_store.h"

#include <algorithm>
#include <cstring>

namespace spillway::test {

using ::testing::AssertionFailure;
using ::testing::AssertionResult;
using ::testing::AssertionSuccess;

Records RandomRecords(Prng* random, uint64_t count, uint64_t bytes_max) {
  Records records(count);
  for (Record& record : records) {
    const uint64_t most = random->OneIn(3) ? bytes_max : bytes_max / 10;
    record.payload.resize(random->OneIn(10) ? 0 : random->Below(most + 1));
    for (size_t at = 0; at < record.payload.size(); at += sizeof(uint64_t)) {
      const uint64_t bits = random->Next();
      std::memcpy(record.payload.data() + at, &bits,
                  std::min(sizeof bits, record.payload.size() - at));
    }
    record.time = static_cast<int64_t>(random->Next());
  }
  return records;
}

void ModelStream::Add(const Records& batch) {
  records.insert(records.end(), batch.begin(), batch.end());
  if (!batch.empty()) {
    batch_ends.push_back(tail_seq());
  }
}

void ModelStream::TrimTo(uint64_t seq) {
  if (seq > begin_seq) {
    begin_seq = seq;
    trims.push_back({begin_seq, tail_seq()});
  }
}

void ModelStream::Flushed(int32_t level) {
  kernel = {begin_seq, tail_seq()};
  if (level == SPW_FLUSH_DEVICE) {
    device = kernel;
  }
}

AssertionResult ModelStream::MayBecome(const Promise& promise, uint64_t begin,
                                       uint64_t tail) const {
  const auto failure = [&](const char* what) {
    return AssertionFailure() << what << ": found " << begin << " to " << tail << ", was "
                              << begin_seq << " to " << tail_seq() << ", promised "
                              << promise.begin_seq << " to " << promise.tail_seq;
  };
  if (begin > tail || tail > tail_seq()) {
    return failure("more than was added");
  }
  if (tail < promise.tail_seq || begin < promise.begin_seq) {
    return failure("less than was promised");
  }
  const auto begins_here = [&](const Promise& trim) { return trim.begin_seq == begin; };
  if (begin != promise.begin_seq && std::none_of(trims.begin(), trims.end(), begins_here)) {
    return failure("begins where nothing was trimmed");
  }
  for (const Promise& trim : trims) {
    if (tail > trim.tail_seq && begin < trim.begin_seq) {
      return failure("has what came after a trim, and what was trimmed");
    }
  }
  if (tail != begin && !std::binary_search(batch_ends.begin(), batch_ends.end(), tail)) {
    return failure("ends within a batch");
  }
  return AssertionSuccess();
}

void ModelStream::Become(uint64_t begin, uint64_t tail) {
  begin_seq = begin;
  records.resize(tail);
  std::erase_if(batch_ends, [&](uint64_t seq) { return seq > tail; });
  std::erase_if(trims, [&](const Promise& trim) { return trim.begin_seq > begin; });
  kernel = device = {begin, tail};
}

AssertionResult Equals(const ModelStream& model, uint64_t first_seq, const Records& found) {
  if (first_seq + found.size() > model.tail_seq()) {
    return AssertionFailure() << "records up to " << first_seq + found.size() << " of "
                              << model.tail_seq();
  }
  for (size_t i = 0; i < found.size(); ++i) {
    const Record& wanted = model.records[first_seq + i];
    if (found[i].payload != wanted.payload ||
        found[i].time != (model.has_times ? wanted.time : 0)) {
      return AssertionFailure() << "record " << first_seq + i << " of " << model.tail_seq()
                                << " differs: " << found[i].payload.size() << " bytes, wanted "
                                << wanted.payload.size();
    }
  }
  return AssertionSuccess();
}

AssertionResult Holds(TestStore* store, uint32_t stream, const ModelStream& model) {
  const auto cursor = store->Cursor(stream, 0, SPW_SEQ_NONE);
  if (cursor == nullptr) {
    return AssertionFailure() << "no cursor";
  }
  if (cursor->begin_seq() != model.begin_seq || cursor->end_seq() != model.tail_seq()) {
    return AssertionFailure() << "holds " << cursor->begin_seq() << " to " << cursor->end_seq()
                              << ", not " << model.begin_seq << " to " << model.tail_seq();
  }
  uint64_t position = model.begin_seq;
  for (;;) {
    uint64_t first = 0;
    Records found;
    const spw_status status = cursor->Next(SPW_NO_LIMIT, SPW_NO_LIMIT, &first, &found);
    if (status != SPW_OK) {
      return AssertionFailure() << spw_status_name(status) << " at " << position;
    }
    if (first != position) {
      return AssertionFailure() << "record " << first << " where " << position << " is next";
    }
    if (found.empty()) {
      break;
    }
    if (AssertionResult result = Equals(model, first, found); !result) {
      return result;
    }
    position += found.size();
  }
  if (position != model.tail_seq()) {
    return AssertionFailure() << "ends at " << position << ", not " << model.tail_seq();
  }
  return AssertionSuccess();
}

AssertionResult Recovered(TestStore* store, int32_t level, ModelStore* model) {
  std::map<std::string, uint32_t> ids;
  for (const uint32_t id : store->Streams()) {
    ids[store->NameOf(id)] = id;
  }
  for (auto& [name, stream] : *model) {
    const auto found = ids.find(name);
    const ModelStream::Promise promise =
        level == 0                  ? ModelStream::Promise{stream.begin_seq, stream.tail_seq()}
        : level == SPW_FLUSH_KERNEL ? stream.kernel
                                    : stream.device;
    spw_stream_stats stats = {};
    if (found != ids.end()) {
      stats = store->StreamStats(found->second);
    }
    if (AssertionResult result = stream.MayBecome(promise, stats.begin_seq, stats.tail_seq);
        !result) {
      return result << ", stream '" << name << "'";
    }
    stream.Become(stats.begin_seq, stats.tail_seq);
    if (found == ids.end()) {
      continue;
    }
    if (((stats.flags & SPW_STREAM_HAS_TIMES) != 0) != stream.has_times) {
      return AssertionFailure() << "stream '" << name << "' has times, or has none";
    }
    if (AssertionResult result = Holds(store, found->second, stream); !result) {
      return result << ", stream '" << name << "'";
    }
    ids.erase(found);
  }
  if (!ids.empty()) {
    return AssertionFailure() << "a stream '" << ids.begin()->first << "' that nobody made";
  }
  return AssertionSuccess();
}

}  // namespace spillway::test
