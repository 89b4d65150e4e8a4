// W6: random reads of whole blocks into caller memory, warm, one by one and many by a call; views
// of them; and opening and listing a store of many blocks.
//
// SPW_BENCH_BLOBS (default 10,000; the workload has 100,000) says how many blocks of about 10 KB,
// SPW_BENCH_LISTED (default 1,000,000) how many are listed.
#include <array>
#include <map>

#include "tests/bench/block_workloads.h"
#include "tests/bench/blocks/listing.h"
#include "tests/bench/blocks/reads.h"
#include "tests/bench/report.h"

namespace spillway::bench {
namespace {

struct Form {
  const char* name;
  ReadPlan plan;
};

const std::array<Form, 3>& Forms() {
  static const std::array<Form, 3> forms = {{
      {"4k", {.blocks = 1000, .bytes_min = 4096, .bytes_max = 4096}},
      {"64k", {.blocks = 1000, .bytes_min = 65536, .bytes_max = 65536}},
      {"10k_blobs",
       {.blocks = NumberFromEnv("SPW_BENCH_BLOBS", 10'000), .bytes_min = 8000, .bytes_max = 12000}},
  }};
  return forms;
}

// Filled at the first use and shared by all repetitions; removed when the process ends.
ReadBench& Filled(const BlockContestant& contestant, const Form& form) {
  static std::map<std::pair<std::string, std::string>, std::unique_ptr<ReadBench>> all;
  std::unique_ptr<ReadBench>& bench = all[{contestant.name, form.name}];
  if (!bench) {
    bench = std::make_unique<ReadBench>(contestant, form.plan);
  }
  return *bench;
}

void RunReads(const BlockContestant& contestant, const Form& form, ReadWay way,
              benchmark::State& state) {
  ReadResult result = Filled(contestant, form).Run(way);
  CountRate(state, kReadsPerPass, result.pass_seconds);
  CountUsage(state, result.usage);
  if (way != ReadWay::kBatch) {
    state.counters["read_p50_us"] = result.latencies.Micros(0.5);
    state.counters["read_p99_us"] = result.latencies.Micros(0.99);
    state.counters["read_max_us"] = result.latencies.Micros(1);
  }
  if (!result.faithful) {
    state.SkipWithError("a block does not hold what it should");
  }
}

void RunListing(const BlockContestant& contestant, benchmark::State& state) {
  static std::map<std::string, std::unique_ptr<ListingBench>> all;
  std::unique_ptr<ListingBench>& bench = all[contestant.name];
  if (!bench) {
    bench =
        std::make_unique<ListingBench>(contestant, NumberFromEnv("SPW_BENCH_LISTED", 1'000'000));
  }
  const Listing listing = bench->Run();
  CountRate(state, listing.names, static_cast<double>(listing.names) / listing.names_per_second);
  state.counters["open_ms"] = listing.open_seconds * 1e3;
  state.counters["open_rss_MB"] = static_cast<double>(listing.open_resident_bytes) / 1e6;
  state.counters["open_anonymous_MB"] = static_cast<double>(listing.open_anonymous_bytes) / 1e6;
  if (listing.names != bench->names() || !listing.in_order) {
    state.SkipWithError("not all names, or not in order");
  }
}

void RegisterOne(const BlockContestant& contestant, const Form& form, ReadWay way,
                 const std::string& suffix) {
  Register("W6_reads/" + contestant.name + "/" + form.name + suffix,
           [&contestant, &form, way](benchmark::State& state) {
             RunReads(contestant, form, way, state);
           });
}

}  // namespace

void RegisterReads() {
  for (const BlockContestant& contestant : BlockContestants()) {
    for (const Form& form : Forms()) {
      if (contestant.reads) {
        RegisterOne(contestant, form, ReadWay::kSingle, "/read");
        RegisterOne(contestant, form, ReadWay::kBatch, "/batch");
      }
      if (contestant.views) {
        RegisterOne(contestant, form, ReadWay::kView, "/view");
      }
    }
    if (contestant.lists) {
      Register("W6_open/" + contestant.name + "/list",
               [&contestant](benchmark::State& state) { RunListing(contestant, state); });
    }
  }
}

}  // namespace spillway::bench
