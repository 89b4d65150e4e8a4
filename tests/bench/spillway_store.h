// Spillway as a contestant, through its public header only.
#pragma once

#include <spillway.h>

#include <string>

#include "tests/bench/store.h"

namespace spillway::bench {

class SpillwayStore final : public Store {
 public:
  SpillwayStore(int64_t tier, Durability durability, const Budget& budget)
      : tier_(tier), durability_(durability), budget_(budget) {}
  ~SpillwayStore() override { spw_store_free(store_); }

  void Create(const std::string& folder) override;
  // Any number of threads.
  void Add(const Batch& batch) override;
  void Close() override;
  void Open(const std::string& folder) override;
  void Scan(RecordHash* hash) override;
  size_t Read(uint64_t seq, std::span<char> buffer) override;
  void Gather(std::span<const uint64_t> seqs, RecordHash* hash) override;
  // Of the store since it was created, until it was closed for the first time.
  std::optional<Account> account() const override;

  // Of the open store now.
  spw_stats Stats() const;

 private:
  void OpenAt(const std::string& folder, int64_t open_mode);

  const int64_t tier_;  // SPW_TIER_*
  const Durability durability_;
  const Budget budget_;
  spw_store* store_ = nullptr;
  uint32_t stream_ = 0;
  bool filled_ = false;
  spw_stats filled_stats_ = {};  // as of the first Close
};

}  // namespace spillway::bench
