// What the workloads need of a contestant, be it a limit, a peer or Spillway.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tests/bench/corpus.h"
#include "tests/bench/durability.h"

namespace spillway::bench {

constexpr uint64_t kUnlimited = UINT64_MAX;

// Caps for contestants that have them; the others bound their memory in their own way.
struct Budget {
  uint64_t records = kUnlimited;
  uint64_t bytes = kUnlimited;
};

// What the contestant says of itself: the most that was in memory, and how long its adds waited for
// room there.
struct Account {
  uint64_t records_peak = 0;
  uint64_t bytes_peak = 0;
  double wait_seconds = 0;
};

// Life: Create, Add..., [Scan], Close, Open, Scan or Read or Gather, Close. A store in memory only
// keeps its records until Close. Errors end the process. One thread at a time, but Add where the
// contestant says `concurrent`.
class Store {
 public:
  Store() = default;
  virtual ~Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // In an empty folder. Not timed: whatever can be prepared is prepared here.
  virtual void Create(const std::string& folder) = 0;
  virtual void Add(const Batch& batch) = 0;
  virtual void Close() = 0;

  // What Create and Close left in the folder, for reading.
  virtual void Open(const std::string& folder) = 0;
  // All records in order, a thousand at a time where there is a choice.
  virtual void Scan(RecordHash* hash) = 0;
  // Copies one record and returns its length.
  virtual size_t Read(uint64_t seq, std::span<char> buffer) = 0;
  // Makes copies of many records; adds them to `hash` unless it is null. By default one by one.
  virtual void Gather(std::span<const uint64_t> seqs, RecordHash* hash);

  virtual std::optional<Account> account() const { return std::nullopt; }

 private:
  std::vector<char> gathered_;
};

constexpr size_t kScanBatch = 1000;

struct Contestant {
  std::string name;
  Durability durability = Durability::kAtEnd;
  std::string options;  // as it is tuned, for the report
  bool reads = false;   // also takes part in scans and point reads
  bool concurrent = false;
  bool capped = false;  // obeys a Budget
  std::function<std::unique_ptr<Store>(const Budget&)> make;
};

// All that were built, in the order of the report.
const std::vector<Contestant>& Contestants();

// One per file that implements contestants; each adds its own.
void AddMemoryLimits(std::vector<Contestant>* all);
void AddFileLimits(std::vector<Contestant>* all);
void AddSpillway(std::vector<Contestant>* all);
void AddSqlite(std::vector<Contestant>* all);
void AddLmdb(std::vector<Contestant>* all);
void AddLevelDb(std::vector<Contestant>* all);
void AddRocksDb(std::vector<Contestant>* all);

}  // namespace spillway::bench
