#include "tests/bench/blocks/reads.h"

#include <algorithm>

#include "tests/bench/blocks/contents.h"
#include "tests/bench/judge.h"
#include "tests/support/prng.h"

namespace spillway::bench {
namespace {

constexpr size_t kPasses = 15;
// A batch fills so much memory: enough to share what a call costs, and still cached.
constexpr size_t kBatchBytes = size_t{1} << 20;

std::vector<uint32_t> Wanted(size_t blocks, size_t pass) {
  test::Prng random(kBlockSeed + pass);
  std::vector<uint32_t> indexes(kReadsPerPass);
  for (uint32_t& index : indexes) {
    index = static_cast<uint32_t>(random.Below(blocks));
  }
  return indexes;
}

}  // namespace

ReadBench::ReadBench(const BlockContestant& contestant, const ReadPlan& plan)
    : set_({.count = plan.blocks, .bytes_min = plan.bytes_min, .bytes_max = plan.bytes_max}),
      store_(contestant.make(set_)),
      buffer_(std::max(kBatchBytes, plan.bytes_max)) {
  Preload(store_.get(), set_, set_.count(), folder_.path());
  store_->Open(folder_.path(), Durability::kEachBatch);  // may have a log to replay
  store_->Close();
}

void ReadBench::ReadOne(BlockSession* session, uint32_t index, ReadWay way) {
  if (way == ReadWay::kView) {
    buffer_[0] = session->View(index);
  } else if (session->Read(index, buffer_) == kNoBlock) {
    Die("a block is missing");
  }
}

double ReadBench::Pass(BlockSession* session, size_t pass, ReadWay way) {
  const std::vector<uint32_t> wanted = Wanted(set_.count(), pass);
  if (way != ReadWay::kBatch) {
    const Stopwatch watch;
    for (const uint32_t index : wanted) {
      ReadOne(session, index, way);
    }
    return watch.seconds();
  }
  std::vector<BlockBatch> batches;
  const size_t size = std::clamp<size_t>(kBatchBytes / set_.bytes_max(), 1, wanted.size());
  for (size_t begin = 0; begin < wanted.size(); begin += size) {
    const size_t count = std::min(size, wanted.size() - begin);
    batches.push_back(MakeNames(set_, std::span(wanted).subspan(begin, count)));
  }
  std::vector<size_t> ends(size);
  const Stopwatch watch;
  for (const BlockBatch& batch : batches) {
    session->ReadBatch(batch, buffer_, ends);
  }
  return watch.seconds();
}

ReadResult ReadBench::Run(ReadWay way) {
  WarmFolder(folder_.path());
  store_->Open(folder_.path(), Durability::kEachBatch);
  ReadResult result;
  result.faithful = HoldsExactly(store_.get(), set_, Versions(set_.count(), 0));
  {
    const std::unique_ptr<BlockSession> session = store_->StartSession(SessionKind::kSnapshot);
    Pass(session.get(), kPasses, way);  // what the first read of a kind has to set up
    std::vector<double> seconds;
    const Meter meter(Trim::kNo);
    for (size_t pass = 0; pass < kPasses; ++pass) {
      seconds.push_back(Pass(session.get(), pass, way));
    }
    result.usage = meter.Stop();
    result.pass_seconds = Median(seconds);
    if (way != ReadWay::kBatch) {
      for (const uint32_t index : Wanted(set_.count(), kPasses + 1)) {
        const auto start = std::chrono::steady_clock::now();
        ReadOne(session.get(), index, way);
        result.latencies.Add(std::chrono::steady_clock::now() - start);
      }
    }
  }
  store_->Close();
  return result;
}

}  // namespace spillway::bench
