#include "tests/bench/spillway_store.h"

#include <algorithm>

#include "tests/bench/files.h"
#include "tests/bench/spillway_call.h"

namespace spillway::bench {
namespace {

int64_t Limit(uint64_t value) {
  return value == kUnlimited ? SPW_UNLIMITED : static_cast<int64_t>(value);
}

constexpr std::string_view kStream = "raw";

}  // namespace

void SpillwayStore::OpenAt(const std::string& folder, int64_t open_mode) {
  Options options;
  options.Set(SPW_OPT_BUDGET_BYTES, Limit(budget_.bytes));
  options.Set(SPW_OPT_BUDGET_RECORDS, Limit(budget_.records));
  if (durability_ == Durability::kMemory) {
    SPW_CHECKED(spw_store_open, nullptr, 0, options.get(), nullptr, &store_);
  } else {
    options.Set(SPW_OPT_COLD_TIER, tier_);
    options.Set(SPW_OPT_OPEN, open_mode);
    const std::string path = folder + "/store";
    SPW_CHECKED(spw_store_open, path.data(), path.size(), options.get(), nullptr, &store_);
  }
  SPW_CHECKED(spw_store_stream, store_, kStream.data(), kStream.size(), nullptr, SPW_STREAM_CREATE,
              &stream_);
}

void SpillwayStore::Create(const std::string& folder) { OpenAt(folder, SPW_OPEN_NEW); }

void SpillwayStore::Open(const std::string& folder) { OpenAt(folder, SPW_OPEN_EXISTING); }

void SpillwayStore::Add(const Batch& batch) {
  SPW_CHECKED(spw_store_add, store_, stream_, batch.data, batch.bytes(), batch.offsets, batch.count,
              nullptr, SPW_WAIT_DEFAULT, nullptr, nullptr);
  if (durability_ == Durability::kEachBatch) {
    SPW_CHECKED(spw_store_flush, store_, SPW_FLUSH_DEVICE, SPW_WAIT_FOREVER, nullptr);
  }
}

void SpillwayStore::Close() {
  if (!filled_) {
    filled_stats_ = Stats();
    filled_ = true;
  }
  SPW_CHECKED(spw_store_close, store_, 0U, SPW_WAIT_FOREVER, nullptr);
  spw_store_free(store_);
  store_ = nullptr;
}

void SpillwayStore::Scan(RecordHash* hash) {
  spw_scan scan = {};
  scan.struct_size = sizeof(scan);
  scan.stream = stream_;
  scan.end_seq = SPW_SEQ_NONE;
  spw_cursor* cursor = nullptr;
  SPW_CHECKED(spw_cursor_open, store_, &scan, nullptr, &cursor);
  spw_view view = {};
  view.struct_size = sizeof(view);
  for (;;) {
    SPW_CHECKED(spw_cursor_next, cursor, kScanBatch, SPW_NO_LIMIT, SPW_WAIT_DEFAULT, nullptr,
                &view);
    if (view.count == 0) {
      break;
    }
    for (uint64_t i = 0; i < view.count; ++i) {
      hash->Add(view.data + view.begin[i], view.end[i] - view.begin[i]);
    }
  }
  spw_cursor_free(cursor);
}

size_t SpillwayStore::Read(uint64_t seq, std::span<char> buffer) {
  uint64_t len = 0;
  SPW_CHECKED(spw_store_read, store_, stream_, seq, buffer.data(), buffer.size(), &len, nullptr);
  return len;
}

void SpillwayStore::Gather(std::span<const uint64_t> seqs, RecordHash* hash) {
  spw_batch* batch = nullptr;
  SPW_CHECKED(spw_store_gather, store_, stream_, seqs.data(), seqs.size(), &batch);
  if (hash != nullptr) {
    spw_view view = {};
    view.struct_size = sizeof(view);
    SPW_CHECKED(spw_batch_view, batch, &view);
    for (uint64_t i = 0; i < view.count; ++i) {
      hash->Add(view.data + view.begin[i], view.end[i] - view.begin[i]);
    }
  }
  spw_batch_free(batch);
}

spw_stats SpillwayStore::Stats() const {
  spw_stats stats = {};
  stats.struct_size = sizeof(stats);
  SPW_CHECKED(spw_store_stats, store_, &stats);
  return stats;
}

std::optional<Account> SpillwayStore::account() const {
  const spw_stats stats = filled_ ? filled_stats_ : Stats();
  return Account{
      .records_peak = stats.records_resident_peak,
      .bytes_peak = stats.bytes_resident_peak,
      .wait_seconds = static_cast<double>(stats.wait_ns_total + stats.paced_ns_total) / 1e9};
}

void AddSpillway(std::vector<Contestant>* all) {
  const auto add = [all](const char* name, int64_t tier, Durability durability,
                         const char* options) {
    all->push_back(Contestant{.name = name,
                              .durability = durability,
                              .options = options,
                              .reads = durability != Durability::kEachBatch,
                              .concurrent = true,
                              .capped = durability == Durability::kAtEnd,
                              .make = [=](const Budget& budget) {
                                return std::make_unique<SpillwayStore>(tier, durability, budget);
                              }});
  };
  add("spillway_memory", 0, Durability::kMemory, "path NULL");
  add("spillway", SPW_TIER_BLOCK_FILE, Durability::kAtEnd, "defaults");
  add("spillway", SPW_TIER_BLOCK_FILE, Durability::kEachBatch,
      "spw_store_flush(SPW_FLUSH_DEVICE) after each batch");
  add("spillway_sqlite", SPW_TIER_SQLITE, Durability::kAtEnd,
      "cold tier SQLite, otherwise defaults");
  add("spillway_sqlite", SPW_TIER_SQLITE, Durability::kEachBatch,
      "cold tier SQLite, spw_store_flush(SPW_FLUSH_DEVICE) after each batch");
}

}  // namespace spillway::bench
