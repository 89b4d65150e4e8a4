// A cold tier in memory that does as it is told: its commits fail, or wait at some point on their
// way until they are let on. It knows what it has, so that a gap or a record out of place is
// noticed.
//
// Thread-safe. Unlike a real tier it lets several commits in at once.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "internal/cold/cold_tier.h"

namespace spillway::test {

class FakeTier final : public cold::ColdTier {
 public:
  struct Committed {
    cold::Durability durability;
    std::vector<uint32_t> streams;  // of its pieces
    uint64_t records = 0;
  };

  // The next commits end so, in this order; later ones well. A status of kOk: std::bad_alloc is
  // thrown.
  void Fail(base::Status status);
  // All do, until Heal.
  void FailAlways(base::Status status);
  void Heal();
  // The next reads.
  void FailRead(base::Status status);

  // From now on commits wait at this point.
  enum class Stop {
    kBeforeWrite,  // nothing is there yet
    kBeforeFlush,  // written: can be read, and a power cut would take it
    kAfterFlush,   // on the device, and nobody knows
  };
  void Hold(Stop stop = Stop::kBeforeWrite);
  // Waits until so many are there that were not let on yet.
  void AwaitHeld(uint64_t commits);
  // Lets the first so many on.
  void LetOn(uint64_t commits);
  // Lets all on, and whoever comes.
  void Release();

  // Commits that went well, in order.
  std::vector<Committed> commits() const;
  uint64_t end_seq(uint32_t stream) const;
  uint64_t flushed_seq(uint32_t stream) const;  // up to there it is on the device
  uint64_t begin_seq(uint32_t stream) const;
  std::string payload(uint32_t stream, uint64_t seq) const;
  // Why a commit was not as it must be; empty: all were.
  std::string complaint() const;

  std::vector<cold::StreamState> Streams() const override { return {}; }
  base::Status Commit(const cold::Changes& changes, cold::Durability durability) override;
  base::Status Read(uint32_t stream, uint64_t seq, uint64_t end_seq, uint64_t max_payload_bytes,
                    record::ColumnBuffer* out) override;
  uint64_t EndOfDamage(uint32_t, uint64_t seq, uint64_t) override { return seq + 1; }
  base::Status Reclaim(bool* more) override {
    *more = false;
    return {};
  }
  cold::TierStats stats() const override { return {}; }
  base::Status Close(cold::CloseMode) override { return {}; }

 private:
  struct Content {
    uint64_t begin_seq = 0;
    uint64_t flushed_seq = 0;
    std::vector<std::string> payloads;  // by sequence number, with those that are dropped
  };

  void Complain(uint32_t stream, const char* what);
  void Apply(const cold::Changes& changes);
  void WaitAt(Stop stop, std::unique_lock<std::mutex>* lock);

  mutable std::mutex mutex_;
  std::condition_variable moved_;
  std::optional<base::Status> always_;
  std::deque<base::Status> failures_;
  std::deque<base::Status> read_failures_;
  std::optional<Stop> held_at_;
  uint64_t held_ = 0;
  uint64_t tickets_ = 0;
  std::map<uint32_t, Content> streams_;
  std::vector<Committed> commits_;
  std::string complaint_;
};

}  // namespace spillway::test
