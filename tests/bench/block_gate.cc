// spw_block_gate [--dir=FOLDER]: measures what the project promises of the block file, prints a
// line for each promise, PASS or FAIL, and ends with 1 if one failed.
//
// SPW_BLOCK_GATE_ROUNDS (default 7) makes it quick. In each round all contestants run once in each
// form, in an order that turns; a ratio is the median of the rounds' ratios. Times beside raw are
// those of all 500 updates with the last sync; beside peers the share of each in the close is
// added, where some of them do what others do at once. Before each run, memory is touched and given
// back: a virtual machine may have returned its free memory to the host.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string_view>

#include "tests/bench/blocks/listing.h"
#include "tests/bench/blocks/updates.h"
#include "tests/bench/files.h"
#include "tests/bench/judge.h"

namespace spillway::bench {
namespace {

constexpr double kGroupedTimeMax = 0.60;  // of raw; these and more stand in the README
constexpr double kLargeTimeMax = 0.95;
constexpr double kEachTimeMax = 1.5;
constexpr double kWrittenPerPayloadMax = 1.2;
constexpr uint64_t kWrittenBytesMax = 64 << 10;  // and so many more
constexpr size_t kListedBlocks = 1'000'000;
constexpr double kOpenSecondsMax = 0.010;
constexpr uint64_t kOpenBytesMax = 16'000'000;
constexpr double kNamesPerSecondMin = 1e6;

enum Form { kGroup, kGroups, kEach, kLargeGroup, kLargeGroups, kForms };
struct FormText {
  const char* name;
  UpdatePlan plan;
};
constexpr std::array<FormText, kForms> kFormTexts = {{
    {"4 KiB, one group", {.bytes = 4096, .groups = 1}},
    {"4 KiB, 10 groups", {.bytes = 4096, .groups = 10}},
    {"4 KiB, each", {.bytes = 4096, .groups = kUpdates}},
    {"64 KiB, one group", {.bytes = 65536, .groups = 1}},
    {"64 KiB, 10 groups", {.bytes = 65536, .groups = 10}},
}};

const std::array<std::string_view, 2> kOurs = {"spillway", "spillway_txn"};
const std::array<std::string_view, 5> kPeers = {"sqlite", "lmdb", "leveldb", "rocksdb", "files"};

template <class Names>
bool IsOneOf(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool TakesPart(const BlockContestant& contestant, Form form) {
  const bool large = form == kLargeGroup || form == kLargeGroups;
  if (!IsOneOf(kPeers, contestant.name)) {
    return form != kLargeGroups || IsOneOf(kOurs, contestant.name);  // only bytes are judged
  }
  // No promise compares large blocks with peers, or the folder where it syncs after each.
  return !large && (form != kEach || contestant.name != "files");
}

// [form][contestant] has a result for each round.
class Rounds {
 public:
  void Run(size_t rounds) {
    const std::vector<BlockContestant>& all = BlockContestants();
    for (size_t r = 0; r < rounds; ++r) {
      for (size_t form = 0; form < kForms; ++form) {
        for (size_t i = 0; i < all.size(); ++i) {
          const BlockContestant& contestant = all[(r + i) % all.size()];
          if (TakesPart(contestant, static_cast<Form>(form))) {
            results_[form][contestant.name].push_back(Update(contestant, kFormTexts[form].plan));
          }
        }
      }
      std::printf("round %zu, ms:", r + 1);
      for (size_t form = 0; form < kLargeGroups; ++form) {
        std::printf(" %s %s %.2f%s", kFormTexts[form].name, "raw",
                    results_[form]["raw"].back().put_seconds * 1e3,
                    form + 1 < kLargeGroups ? "," : "\n");
      }
      std::fflush(stdout);
    }
  }

  const std::map<std::string, std::vector<UpdateResult>, std::less<>>& of(Form form) const {
    return results_[form];
  }

  double MedianMillis(Form form, std::string_view name) const {
    return MedianOf(form, name, [](const UpdateResult& result) { return result.put_seconds; }) *
           1e3;
  }
  double MedianCloseMillis(Form form, std::string_view name) const {
    return MedianOf(form, name, [](const UpdateResult& result) { return result.close_seconds; }) *
           1e3;
  }

  // How many times as long as `base` it takes.
  enum class Close { kWithout, kWith };
  double MedianRatio(Form form, std::string_view name, std::string_view base,
                     Close close = Close::kWithout) const {
    const std::vector<UpdateResult>& over = results_[form].find(name)->second;
    const std::vector<UpdateResult>& under = results_[form].find(base)->second;
    const auto seconds = [&](const UpdateResult& result) {
      const double share = result.close_seconds / static_cast<double>(result.rounds);
      return result.put_seconds + (close == Close::kWith ? share : 0);
    };
    std::vector<double> ratios;
    for (size_t r = 0; r < over.size(); ++r) {
      ratios.push_back(seconds(over[r]) / seconds(under[r]));
    }
    return Median(ratios);
  }

 private:
  template <class Value>
  double MedianOf(Form form, std::string_view name, Value value) const {
    std::vector<double> values;
    for (const UpdateResult& result : results_[form].find(name)->second) {
      values.push_back(value(result));
    }
    return Median(values);
  }

  std::array<std::map<std::string, std::vector<UpdateResult>, std::less<>>, kForms> results_;
};

void Print(const Rounds& rounds) {
  for (size_t form = 0; form < kForms; ++form) {
    if (rounds.of(static_cast<Form>(form)).empty()) {
      continue;
    }
    std::printf("%s: median ms, ratio to raw, close ms, bytes written per payload\n",
                kFormTexts[form].name);
    for (const auto& [name, results] : rounds.of(static_cast<Form>(form))) {
      const auto in = static_cast<Form>(form);
      const bool has_raw = rounds.of(in).count("raw") > 0;
      std::printf("  %-14s %9.2f  %6.2f  %8.2f  %6.2f\n", name.c_str(),
                  rounds.MedianMillis(in, name),
                  has_raw ? rounds.MedianRatio(in, name, "raw") : 0.0,
                  rounds.MedianCloseMillis(in, name), results.front().written_per_payload());
    }
  }
  std::fflush(stdout);
}

// The folder of files is left out where the promise names databases only.
void JudgeTime(const Rounds& rounds, Form form, std::string_view ours, double max, bool peers,
               Report* report) {
  const std::string what = std::string(ours) + ", " + kFormTexts[form].name;
  const double ratio = rounds.MedianRatio(form, ours, "raw");
  report->Judge(ratio <= max, Format("%s: at most %.2f of raw in place: %.2f (%.2f of %.2f ms)",
                                     what.c_str(), max, ratio, rounds.MedianMillis(form, ours),
                                     rounds.MedianMillis(form, "raw")));
  if (rounds.of(form).count("raw_cow") > 0) {
    Report::Note(Format("of raw copy-on-write: %.2f, into space written before: %.2f",
                        rounds.MedianRatio(form, ours, "raw_cow"),
                        rounds.MedianRatio(form, ours, "raw_cow_used")));
  }
  for (const std::string_view peer : kPeers) {
    if (peers && rounds.of(form).count(peer) > 0) {
      const double share = rounds.MedianRatio(form, ours, peer, Rounds::Close::kWith);
      report->Judge(share < 1, Format("%s: faster than %s: %.2f of its time", what.c_str(),
                                      std::string(peer).c_str(), share));
    }
  }
}

void JudgeBytes(const Rounds& rounds, Report* report) {
  for (const Form form : {kGroup, kGroups, kLargeGroup, kLargeGroups}) {
    for (const std::string_view ours : kOurs) {
      uint64_t written = 0;
      uint64_t payload = 0;
      for (const UpdateResult& result : rounds.of(form).find(ours)->second) {
        written = std::max(written, result.usage.called_bytes);
        payload = result.payload_bytes;
      }
      const double max = kWrittenPerPayloadMax * static_cast<double>(payload) +
                         static_cast<double>(kWrittenBytesMax);
      report->Judge(static_cast<double>(written) <= max,
                    Format("%s, %s: with close at most %.1f of the payload + 64 KiB written: %.3f",
                           std::string(ours).c_str(), kFormTexts[form].name, kWrittenPerPayloadMax,
                           static_cast<double>(written) / static_cast<double>(payload)));
    }
  }
}

void JudgeListing(Report* report) {
  const ListingBench bench(*FindBlockContestant("spillway"), kListedBlocks);
  std::vector<double> seconds;
  std::vector<double> bytes;
  std::vector<double> rates;
  bool complete = true;
  for (size_t i = 0; i < 5; ++i) {
    const Listing listing = bench.Run();
    seconds.push_back(listing.open_seconds);
    bytes.push_back(static_cast<double>(listing.open_resident_bytes));
    rates.push_back(listing.names_per_second);
    complete = complete && listing.in_order && listing.names == bench.names();
  }
  report->Judge(Median(seconds) < kOpenSecondsMax,
                Format("a file of %zu blocks opens in under %.0f ms: %.2f", kListedBlocks,
                       kOpenSecondsMax * 1e3, Median(seconds) * 1e3));
  report->Judge(Median(bytes) < static_cast<double>(kOpenBytesMax),
                Format("and with under %.0f MB of memory: %.1f",
                       static_cast<double>(kOpenBytesMax) / 1e6, Median(bytes) / 1e6));
  report->Judge(Median(rates) > kNamesPerSecondMin,
                Format("and lists a prefix at more than %.1f M names/s: %.2f",
                       kNamesPerSecondMin / 1e6, Median(rates) / 1e6));
  report->Judge(complete, "and lists all of them in order");
}

void JudgeFaithfulness(const Rounds& rounds, Report* report) {
  bool faithful = true;
  for (size_t form = 0; form < kForms; ++form) {
    for (const auto& [name, results] : rounds.of(static_cast<Form>(form))) {
      for (const UpdateResult& result : results) {
        faithful = faithful && result.faithful;
      }
    }
  }
  report->Judge(faithful, "every block held what it should in every run, after close and open");
}

int Main(int argc, char** argv) {
  ListIfAsked(argc, argv);
  for (int i = 1; i < argc; ++i) {
    constexpr std::string_view kFlag = "--dir=";
    if (!std::string_view(argv[i]).starts_with(kFlag)) {
      Die("usage: spw_block_gate [--dir=FOLDER]");
    }
    SetBaseFolder(argv[i] + kFlag.size());
  }
  const size_t count = NumberFromEnv("SPW_BLOCK_GATE_ROUNDS", 7);
  std::printf("block gate: %zu of %zu blocks updated, seed %llu, %zu rounds, %s on %s\n", kUpdates,
              kUpdateBlocks, static_cast<unsigned long long>(kBlockSeed), count,
              BaseFolder().c_str(), FileSystemName(BaseFolder()).c_str());
  std::array<double, 1> load = {};
  if (getloadavg(load.data(), 1) == 1) {  // others' work makes a sync wait for the scheduler
    std::printf("load average before: %.1f\n", load[0]);
  }
  Rounds rounds;
  rounds.Run(count);
  Print(rounds);
  Report report;
  JudgeFaithfulness(rounds, &report);
  if (FindBlockContestant("spillway") == nullptr) {
    report.Judge(false, "the block file was not built in (SPW_BENCH_BLOCK_FILE): nothing is shown");
    return 1;
  }
  for (const std::string_view ours : kOurs) {
    JudgeTime(rounds, kGroup, ours, kGroupedTimeMax, true, &report);
    JudgeTime(rounds, kGroups, ours, kGroupedTimeMax, true, &report);
    JudgeTime(rounds, kLargeGroup, ours, kLargeTimeMax, false, &report);
    JudgeTime(rounds, kEach, ours, kEachTimeMax, true, &report);
  }
  JudgeBytes(rounds, &report);
  JudgeListing(&report);
  return report.failed() ? 1 : 0;
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) { return spillway::bench::Main(argc, argv); }
