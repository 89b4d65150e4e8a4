#include "tests/bench/corpus.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "tests/bench/files.h"
#include "tests/support/log_generator.h"

namespace spillway::bench {
namespace {

std::vector<std::string> SplitPaths(std::string_view text) {
  std::vector<std::string> paths;
  while (!text.empty()) {
    const size_t colon = std::min(text.find(':'), text.size());
    if (colon > 0) {
      paths.emplace_back(text.substr(0, colon));
    }
    text.remove_prefix(std::min(colon + 1, text.size()));
  }
  return paths;
}

}  // namespace

const Corpus& Corpus::Get() {
  static const Corpus corpus(NumberFromEnv("SPW_BENCH_RECORDS", 1'000'000));
  return corpus;
}

Corpus::Corpus(uint64_t records) {
  std::unique_ptr<testing::LineSource> lines;
  const char* files = std::getenv("SPW_BENCH_FILES");
  if (files != nullptr && *files != '\0') {
    std::string error;
    lines = testing::FileLines::Open(SplitPaths(files), &error);
    if (!lines) {
      Die("SPW_BENCH_FILES: " + error);
    }
    source_ = files;
  } else {
    lines = std::make_unique<testing::LogGenerator>(kSeed);
    source_ = "generated, seed " + std::to_string(kSeed);
  }
  text_.reserve(records * 208);
  starts_.reserve(records + 1);
  starts_.push_back(0);
  for (uint64_t i = 0; i < records; ++i) {
    const std::string_view line = lines->Next();
    if (line.size() > kRecordBytesMax) {
      Die("a line of " + std::to_string(line.size()) + " bytes is too long for the point reads");
    }
    text_ += line;
    starts_.push_back(text_.size());
    hash_.Add(line);
  }
}

std::span<const Batch> Corpus::Batches(size_t size) const {
  Cut& cut = cuts_[size];
  if (!cut.batches.empty()) {
    return cut.batches;
  }
  const uint64_t batches = (records() + size - 1) / size;
  cut.offsets.reserve(records() + batches);  // never reallocated: the batches point into it
  cut.batches.reserve(batches);
  for (uint64_t first = 0; first < records(); first += size) {
    const size_t count = static_cast<size_t>(std::min<uint64_t>(size, records() - first));
    const uint64_t* offsets = cut.offsets.data() + cut.offsets.size();
    for (size_t i = 0; i <= count; ++i) {
      cut.offsets.push_back(starts_[first + i] - starts_[first]);
    }
    cut.batches.push_back(Batch{.data = text_.data() + starts_[first],
                                .offsets = offsets,
                                .count = count,
                                .first_seq = first});
  }
  return cut.batches;
}

}  // namespace spillway::bench
