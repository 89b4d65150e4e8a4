#include "internal/hybrid/record_verifier.h"

#include <algorithm>
#include <utility>

#include "internal/hybrid/store.h"

namespace spillway::hybrid {

using base::Code;
using base::Status;

static constexpr uint64_t kBytesAtOnce = uint64_t{1} << 20;

Status RecordVerifier::Run(const std::vector<const Stream*>& streams) {
  std::vector<uint64_t> ends;
  for (const Stream* const stream : streams) {
    ends.push_back(stream->spilled_seq());
    total_ += ends.back() - std::min(ends.back(), stream->begin_seq());
  }
  Advance(0);
  for (size_t i = 0; i < streams.size(); ++i) {
    ++report_->streams;
    SPW_RETURN_IF_ERROR(VerifyStream(*streams[i], ends[i]));
  }
  return {};
}

Status RecordVerifier::VerifyStream(const Stream& stream, uint64_t end_seq) {
  uint64_t at_once = kBytesAtOnce;
  uint64_t seq = stream.begin_seq();
  while (seq < end_seq) {
    SPW_RETURN_IF_ERROR(rate_.Await(report_->bytes));
    const Status status = tier_->Read(stream.id(), seq, end_seq, at_once, &records_);
    // What is trimmed meanwhile is not looked at any more.
    if (const uint64_t begin = std::min(stream.begin_seq(), end_seq); begin > seq) {
      Advance(begin - seq);
      seq = begin;
      continue;
    }
    if (!status.ok()) {
      SPW_RETURN_IF_ERROR(Skip(stream, status, end_seq, &seq));
      at_once = 1;  // a large read behind damage would meet it again
      continue;
    }
    const record::Columns all = records_.columns();
    const record::Columns read = all.Slice(seq, std::min(end_seq, all.end_seq()));
    report_->bytes += read.payload_bytes();
    report_->records += read.count;
    seq += read.count;
    Advance(read.count);
    at_once = std::min(at_once * 8, kBytesAtOnce);
  }
  return {};
}

// Goes on behind what cannot be read.
Status RecordVerifier::Skip(const Stream& stream, Status why, uint64_t end_seq, uint64_t* seq) {
  if (why.code() != Code::kCorrupt && why.code() != Code::kIo) {
    return why;
  }
  const uint64_t end = tier_->EndOfDamage(stream.id(), *seq, end_seq);
  if (stream.begin_seq() > *seq) {
    return {};  // the caller sees that, and goes on from there
  }
  Note({why.code(), stream.id(), *seq, end, std::string(why.message())});
  report_->records += end - *seq;
  report_->records_damaged += end - *seq;
  Advance(end - *seq);
  *seq = end;
  return {};
}

void RecordVerifier::Note(DamagedRange range) {
  const bool goes_on = report_->ranges_found > 0 && last_.stream == range.stream &&
                       last_.end_seq == range.begin_seq && last_.code == range.code;
  last_ = {
      range.code, range.stream, goes_on ? last_.begin_seq : range.begin_seq, range.end_seq, {}};
  if (!goes_on) {
    ++report_->ranges_found;
  }
  const bool kept = report_->ranges_found <= RecordReport::kRangesMost;
  if (kept && goes_on) {
    report_->ranges.back().end_seq = range.end_seq;
  } else if (kept) {
    report_->ranges.push_back(std::move(range));
  }
}

void RecordVerifier::Advance(uint64_t records) {
  done_ += records;
  if (operation_ != nullptr) {
    operation_->SetProgress(done_, total_);
  }
}

Status Store::Verify(const Stream* stream, uint64_t bytes_per_second, base::Operation* operation,
                     RecordReport* report) {
  if (in_memory_) {
    return {Code::kUnsupported, "a store in memory only has nothing to verify"};
  }
  std::vector<const Stream*> which;
  if (stream != nullptr) {
    which.push_back(stream);
  } else {
    streams_.ForEach([&](const Stream* each) { which.push_back(each); });
  }
  return RecordVerifier(tier_.get(), &gate_, bytes_per_second, operation, report).Run(which);
}

}  // namespace spillway::hybrid
