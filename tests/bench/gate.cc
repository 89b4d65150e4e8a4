// spw_gate [--dir=FOLDER]: measures what the project promises of its main job, prints a line for
// each promise, PASS or FAIL, and ends with 1 if one failed.
//
// Peers take part where they are installed. SPW_GATE_RECORDS (default 3,000,000) and
// SPW_GATE_ROUNDS (default 5) make it quick; the promises are about the defaults. In each round all
// contestants run once, in an order that turns; a ratio is the median of the rounds' ratios.
#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "tests/bench/files.h"
#include "tests/bench/ingest.h"
#include "tests/bench/judge.h"
#include "tests/bench/spillway_store.h"
#include "tests/bench/sqlite_store.h"

namespace spillway::bench {
namespace {

constexpr double kCopyShareMin = 0.50;
constexpr double kSqliteRateMin = 15;
constexpr double kSqliteTimeMax = 1.1;
constexpr double kDirectTimeMax = 2.0;
constexpr double kPeerTimeMin = 2.0;
constexpr double kAppendTimeMax = 1.4;
constexpr double kSmallBatchMillisMax = 4.0;  // p99.9
constexpr size_t kSmallBatch = 500;
constexpr size_t kLargeTransaction = 20;  // batches

// Those after kJudged run in the first round only: they are notes, not promises.
enum Runner {
  kCopy,
  kMemory,
  kMemoryBacked,
  kCapped,          // on the default tier
  kDirect,          // a file with O_DIRECT, the device's limit
  kCappedSmall,     // in batches of 500
  kCappedNoDirect,  // where O_DIRECT is refused
  kAppendNoDirect,  // a plain file, there
  kCappedRows,      // on the SQLite tier
  kSqlite,
  kLmdb,
  kLevelDb,
  kRocksDb,
  kJudged,
  kSqliteFull = kJudged,
  kSqliteLarge,
  kSqliteBulk,
  kRocksDbSorted,
  kRunners
};

constexpr std::array<const char*, kRunners> kNames = {"memcpy",
                                                      "memory",
                                                      "memory backed",
                                                      "Spillway",
                                                      "O_DIRECT file",
                                                      "Spillway, small batches",
                                                      "Spillway, no O_DIRECT",
                                                      "append, no O_DIRECT",
                                                      "Spillway's rows",
                                                      "SQLite",
                                                      "LMDB",
                                                      "LevelDB",
                                                      "RocksDB",
                                                      "SQLite FULL",
                                                      "SQLite, large transactions",
                                                      "SQLite, blobs in bulk",
                                                      "RocksDB, sorted file"};
constexpr std::array kPeers = {kSqlite, kLmdb, kLevelDb, kRocksDb};

struct Round {
  IngestResult results[kRunners];
};

// The cap is a third of the records, as 1,000,000 is of 3,000,000; the hard limit 130 % of it.
uint64_t Cap() { return Corpus::Get().records() / 3; }
uint64_t HardLimit() { return Cap() * 13 / 10; }

Contestant SqliteRows(Durability durability, size_t batches_per_transaction) {
  return Contestant{
      .name = "sqlite", .durability = durability, .options = {}, .make = [=](const Budget&) {
        return std::make_unique<SqliteRowStore>(SqliteWay::kTier, durability,
                                                batches_per_transaction);
      }};
}

// Null for a peer that is not installed.
const Contestant* FindPeer(std::string_view name, Durability durability) {
  for (const Contestant& contestant : Contestants()) {
    if (contestant.name == name && contestant.durability == durability) {
      return &contestant;
    }
  }
  return nullptr;
}

const Contestant& Find(std::string_view name, Durability durability) {
  const Contestant* const found = FindPeer(name, durability);
  if (found == nullptr) {
    Die("no contestant " + std::string(name));
  }
  return *found;
}

// Nothing for a peer that is not installed.
IngestResult RunPeer(std::string_view name) {
  const Contestant* const peer = FindPeer(name, Durability::kAtEnd);
  if (peer != nullptr) {
    return Ingest(*peer, {});
  }
  IngestResult nothing;
  nothing.faithful = true;
  return nothing;
}

IngestResult RunOne(Runner runner) {
  const IngestPlan capped = {.budget = {.records = Cap()}};
  switch (runner) {
    case kCopy:
      return Ingest(Find("memcpy", Durability::kMemory), {});
    case kMemory:  // memory as the machine has it: the promise knows no preparation
      return Ingest(Find("spillway_memory", Durability::kMemory),
                    {.budget = {}, .back_memory = false});
    case kMemoryBacked:
      return Ingest(Find("spillway_memory", Durability::kMemory), {});
    case kCapped:
      return Ingest(Find("spillway", Durability::kAtEnd), capped);
    case kDirect:
      return Ingest(Find("file_direct", Durability::kAtEnd), {});
    case kCappedSmall:
      return Ingest(Find("spillway", Durability::kAtEnd),
                    {.budget = capped.budget, .batch = kSmallBatch});
    case kCappedNoDirect:
      return Ingest(Find("spillway", Durability::kAtEnd),
                    {.budget = capped.budget, .refuse_direct = true});
    case kAppendNoDirect:
      return Ingest(Find("file", Durability::kAtEnd), {.budget = {}, .refuse_direct = true});
    case kCappedRows:
      return Ingest(Find("spillway_sqlite", Durability::kAtEnd), capped);
    case kSqlite:
      return Ingest(SqliteRows(Durability::kAtEnd, 1), {});
    case kSqliteFull:
      return Ingest(SqliteRows(Durability::kEachBatch, 1), {});
    case kSqliteLarge:
      return Ingest(SqliteRows(Durability::kAtEnd, kLargeTransaction), {});
    case kLmdb:
      return RunPeer("lmdb");
    case kLevelDb:
      return RunPeer("leveldb");
    case kRocksDb:
      return RunPeer("rocksdb");
    case kRocksDbSorted:
      return RunPeer("rocksdb_sorted");
    case kSqliteBulk:
      return RunPeer("sqlite_blob_bulk");
    case kRunners:
      break;
  }
  Die("no such runner");
}

std::vector<Round> RunRounds(size_t count) {
  std::vector<Round> rounds(count);
  for (size_t r = 0; r < count; ++r) {
    for (size_t i = 0; i < kJudged; ++i) {
      const size_t runner = (r + i) % kJudged;
      rounds[r].results[runner] = RunOne(static_cast<Runner>(runner));
    }
    for (size_t runner = kJudged; r == 0 && runner < kRunners; ++runner) {
      rounds[r].results[runner] = RunOne(static_cast<Runner>(runner));
    }
    std::printf("round %zu, s:", r + 1);
    for (size_t runner = 0; runner < (r == 0 ? kRunners : kJudged); ++runner) {
      std::printf("%s %s %.3f", runner == 0 ? "" : ",", kNames[runner],
                  rounds[r].results[runner].usage.seconds);
    }
    std::printf("\n");
    std::fflush(stdout);
  }
  return rounds;
}

template <class Value>
double MedianOf(const std::vector<Round>& rounds, Value value) {
  std::vector<double> values;
  values.reserve(rounds.size());
  for (const Round& round : rounds) {
    values.push_back(value(round.results));
  }
  return Median(values);
}

double MedianRate(const std::vector<Round>& rounds, Runner runner) {
  return MedianOf(rounds, [runner](const IngestResult* results) {
    return static_cast<double>(Corpus::Get().records()) / results[runner].usage.seconds / 1e6;
  });
}

double MedianCpu(const std::vector<Round>& rounds, Runner runner) {
  return MedianOf(
      rounds, [runner](const IngestResult* results) { return results[runner].usage.cpu_seconds; });
}

double MedianRss(const std::vector<Round>& rounds, Runner runner) {
  return MedianOf(rounds, [runner](const IngestResult* results) {
    return static_cast<double>(results[runner].usage.rss_peak_bytes) / 1e6;
  });
}

// How many times longer `slow` takes than `fast`.
double MedianRatio(const std::vector<Round>& rounds, Runner slow, Runner fast) {
  return MedianOf(rounds, [=](const IngestResult* results) {
    return results[slow].usage.seconds / results[fast].usage.seconds;
  });
}

void JudgeMemory(const std::vector<Round>& rounds, Report* report) {
  const double share = 1 / MedianRatio(rounds, kMemory, kCopy);
  report->Judge(share >= kCopyShareMin,
                Format("uncapped add at least %.0f %% of memcpy: %.1f %% (%.1f of %.1f Mrec/s)",
                       kCopyShareMin * 100, share * 100, MedianRate(rounds, kMemory),
                       MedianRate(rounds, kCopy)));
  Report::Note(
      Format("not judged, with memory that was touched and given back just before: %.1f %%",
             100 / MedianRatio(rounds, kMemoryBacked, kCopy)));
  Report::Note(Format("CPU seconds: memcpy %.3f, Spillway %.3f, with touched memory %.3f",
                      MedianCpu(rounds, kCopy), MedianCpu(rounds, kMemory),
                      MedianCpu(rounds, kMemoryBacked)));
  const auto huge_pages = [&](Runner runner) {
    return MedianOf(rounds, [runner](const IngestResult* results) {
      return static_cast<double>(results[runner].huge_page_bytes) / 1e6;
    });
  };
  Report::Note(
      Format("transparent huge pages: %s; AnonHugePages, MB: memcpy %.0f, Spillway %.0f; "
             "payload %.0f MB",
             HugePageMode().c_str(), huge_pages(kCopy), huge_pages(kMemory),
             static_cast<double>(Corpus::Get().bytes()) / 1e6));
  const double times = MedianRatio(rounds, kSqlite, kMemory);
  report->Judge(times >= kSqliteRateMin,
                Format("uncapped add at least %.0f times the rows of SQLite: %.1f (%.2f Mrec/s)",
                       kSqliteRateMin, times, MedianRate(rounds, kSqlite)));
  Report::Note(Format("SQLite: %s; transactions of %zu rows; close included",
                      Describe(SqlitePragmas(SqliteWay::kTier, Durability::kAtEnd)).c_str(),
                      Corpus::kBatch));
}

void JudgeCapped(const std::vector<Round>& rounds, Report* report) {
  const auto judge = [&](const char* what, Runner runner, double most, const char* peer_name,
                         Runner peer) {
    const double times = MedianRatio(rounds, runner, peer);
    report->Judge(
        times <= most,
        Format("%s, with close, at most %.1f times %s: %.2f (%.2f against %.2f Mrec/s)", what, most,
               peer_name, times, MedianRate(rounds, runner), MedianRate(rounds, peer)));
  };
  judge("capped", kCapped, kDirectTimeMax, "a file with O_DIRECT", kDirect);
  judge("capped, as rows of SQLite", kCappedRows, kSqliteTimeMax, "rows straight into SQLite",
        kSqlite);
  const auto first_round = [&](Runner runner) { return rounds[0].results[runner].usage.seconds; };
  Report::Note(
      Format("SQLite, first round only, s: as judged %.2f, synchronous=FULL %.2f, "
             "transactions of %zu rows %.2f",
             first_round(kSqlite), first_round(kSqliteFull), kLargeTransaction * Corpus::kBatch,
             first_round(kSqliteLarge)));
  Report::Note(Format("CPU seconds: Spillway %.2f, SQLite %.2f; peak RSS, MB: %.0f, %.0f",
                      MedianCpu(rounds, kCapped), MedianCpu(rounds, kSqlite),
                      MedianRss(rounds, kCapped), MedianRss(rounds, kSqlite)));
  uint64_t peak = 0;
  bool faithful = true;
  for (const Round& round : rounds) {
    for (const Runner runner : {kCapped, kCappedSmall, kCappedNoDirect, kCappedRows}) {
      peak = std::max(peak, round.results[runner].account->records_peak);
    }
    for (size_t runner = 0; runner < kJudged; ++runner) {
      faithful = faithful && round.results[runner].faithful;
    }
  }
  report->Judge(peak <= HardLimit(),
                Format("records resident never above %" PRIu64 ": %" PRIu64, HardLimit(), peak));
  report->Judge(faithful, "all records read back in order with equal hash in every run");
}

bool Installed(const std::vector<Round>& rounds, Runner runner) {
  return rounds[0].results[runner].usage.seconds > 0;
}

void JudgePeers(const std::vector<Round>& rounds, Report* report) {
  for (const Runner peer : kPeers) {
    if (!Installed(rounds, peer)) {
      Report::Note(Format("%s is not installed and takes no part", kNames[peer]));
      continue;
    }
    const double times = MedianRatio(rounds, peer, kCapped);
    report->Judge(times >= kPeerTimeMin,
                  Format("capped, with close, at least %.1f times as fast as %s: %.2f "
                         "(%.2f against %.2f Mrec/s)",
                         kPeerTimeMin, kNames[peer], times, MedianRate(rounds, kCapped),
                         MedianRate(rounds, peer)));
  }
  for (const Runner load : {kSqliteBulk, kRocksDbSorted}) {
    if (Installed(rounds, load)) {
      Report::Note(Format(
          "not judged, first round only: %s, where nothing can be read before the end: %.3f s "
          "against %.3f",
          kNames[load], rounds[0].results[load].usage.seconds,
          rounds[0].results[kCapped].usage.seconds));
    }
  }
}

// Where the system refuses to go around the page cache, a copy and write-back are everybody's.
void JudgeNoDirect(const std::vector<Round>& rounds, Report* report) {
  const double append = MedianRatio(rounds, kCappedNoDirect, kAppendNoDirect);
  report->Judge(append <= kAppendTimeMax,
                Format("capped, with close, where O_DIRECT is refused, at most %.1f times a plain "
                       "append: %.2f (%.2f against %.2f Mrec/s)",
                       kAppendTimeMax, append, MedianRate(rounds, kCappedNoDirect),
                       MedianRate(rounds, kAppendNoDirect)));
}

void JudgeLatency(const std::vector<Round>& rounds, Report* report) {
  const auto latency = [&](Runner runner, double fraction) {
    return MedianOf(rounds, [=](const IngestResult* results) {
      return Latencies(results[runner].latencies).Millis(fraction);
    });
  };
  const double small = latency(kCappedSmall, 0.999);
  report->Judge(small <= kSmallBatchMillisMax,
                Format("capped, %zu batches of %zu: p99.9 at most %.1f ms: %.3f",
                       rounds[0].results[kCappedSmall].latencies.count(), kSmallBatch,
                       kSmallBatchMillisMax, small));
  for (const Runner runner :
       {kCappedSmall, kCapped, kCappedNoDirect, kCappedRows, kSqlite, kLmdb, kLevelDb, kRocksDb}) {
    if (Installed(rounds, runner)) {
      Report::Note(Format("batch latency of %s, ms: p50 %.3f, p99 %.3f, p99.9 %.3f, max %.3f",
                          kNames[runner], latency(runner, 0.5), latency(runner, 0.99),
                          latency(runner, 0.999), latency(runner, 1)));
    }
  }
}

// Not timed: reading back before close, too, and a thread that looks at the store all the time.
void JudgeFaithfulness(Report* report) {
  const TempFolder folder;
  SpillwayStore store(SPW_TIER_BLOCK_FILE, Durability::kAtEnd, {.records = Cap()});
  store.Create(folder.path());
  uint64_t seen = 0;
  {
    std::jthread watcher([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        seen = std::max(seen, store.Stats().records_resident);
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
    });
    for (const Batch& batch : Corpus::Get().Batches(Corpus::kBatch)) {
      store.Add(batch);
    }
  }
  RecordHash before;
  store.Scan(&before);
  const spw_stats stats = store.Stats();
  store.Close();
  RecordHash after;
  store.Open(folder.path());
  store.Scan(&after);
  store.Close();
  report->Judge(before == Corpus::Get().hash(),
                Format("capped: equal hash before reopen (%" PRIu64 " spills)", stats.spills));
  report->Judge(after == Corpus::Get().hash(), "capped: equal hash after reopen");
  report->Judge(seen <= HardLimit() && stats.records_resident_peak <= HardLimit(),
                Format("capped: at most %" PRIu64 " records resident at any sample", seen));
}

int Main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    constexpr std::string_view kFlag = "--dir=";
    if (!std::string_view(argv[i]).starts_with(kFlag)) {
      Die("usage: spw_gate [--dir=FOLDER]");
    }
    SetBaseFolder(argv[i] + kFlag.size());
  }
  const uint64_t records = NumberFromEnv("SPW_GATE_RECORDS", 3'000'000);
  setenv("SPW_BENCH_RECORDS", std::to_string(records).c_str(), 1);
  const size_t rounds_wanted = NumberFromEnv("SPW_GATE_ROUNDS", 5);
  std::printf("gate: %" PRIu64 " records, %s, batches of %zu, %zu rounds, %s on %s\n",
              Corpus::Get().records(), Corpus::Get().source().c_str(), Corpus::kBatch,
              rounds_wanted, BaseFolder().c_str(), FileSystemName(BaseFolder()).c_str());
  const std::vector<Round> rounds = RunRounds(rounds_wanted);
  Report report;
  JudgeMemory(rounds, &report);
  JudgeCapped(rounds, &report);
  JudgePeers(rounds, &report);
  JudgeNoDirect(rounds, &report);
  JudgeLatency(rounds, &report);
  JudgeFaithfulness(&report);
  return report.failed() ? 1 : 0;
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) { return spillway::bench::Main(argc, argv); }
