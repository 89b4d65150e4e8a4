#include "internal/hybrid/residency.h"

#include <algorithm>
#include <span>
#include <tuple>

namespace spillway::hybrid {

class Residency::Coldest {
 public:
  explicit Coldest(ptrdiff_t most) : most_(most) {}

  void Visit(Stream* stream) {
    stream->VisitClean([&](uint64_t first_seq, uint64_t last_use) {
      ++seen_;
      const Victim victim{stream, first_seq, last_use};
      if (count_ == most_ && !Colder(victim, victims_[0])) {
        return;
      }
      if (count_ == most_) {
        std::pop_heap(victims_.begin(), victims_.begin() + count_, Colder);
        --count_;
      }
      victims_[static_cast<size_t>(count_++)] = victim;
      std::push_heap(victims_.begin(), victims_.begin() + count_, Colder);
    });
  }

  uint64_t seen() const { return seen_; }
  // Of those `most`, the last one first.
  std::span<const Victim> Sorted() {
    std::sort(victims_.begin(), victims_.begin() + count_,
              [](const Victim& a, const Victim& b) { return Colder(b, a); });
    return {victims_.data(), static_cast<size_t>(count_)};
  }

 private:
  // Among equals the older ones go first, as they would without any reads.
  static bool Colder(const Victim& a, const Victim& b) {
    return std::tuple(a.last_use, a.first_seq, a.stream->id()) <
           std::tuple(b.last_use, b.first_seq, b.stream->id());
  }

  const ptrdiff_t most_;
  std::array<Victim, kVictimsMost> victims_ = {};  // a heap, its warmest in front
  ptrdiff_t count_ = 0;
  uint64_t seen_ = 0;
};

bool Residency::Evict(const Victim& victim) {
  if (!victim.stream->Evict(victim.first_seq, victim.last_use)) {
    return false;
  }
  evictions_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool Residency::Pop(Victim* victim) {
  base::MutexLock lock(mu_);
  if (count_ == 0) {
    return false;
  }
  *victim = victims_[--count_];
  return true;
}

// The coldest quarter of what is clean, so that what becomes clean meanwhile is soon compared too.
bool Residency::Refill() {
  Coldest coldest(ptrdiff_t{kVictimsMost});
  streams_->ForEach([&](Stream* stream) { coldest.Visit(stream); });
  const std::span<const Victim> found = coldest.Sorted();
  const size_t wanted = std::min<size_t>(found.size(), (coldest.seen() + 3) / 4);
  base::MutexLock lock(mu_);
  std::copy(found.end() - static_cast<ptrdiff_t>(wanted), found.end(), victims_.begin());
  count_ = wanted;
  return wanted > 0;
}

bool Residency::EvictOne(Stream* only) {
  for (;;) {
    Victim victim{};
    if (only != nullptr) {
      Coldest coldest(1);
      coldest.Visit(only);
      if (coldest.seen() == 0) {
        return false;
      }
      victim = coldest.Sorted().front();
    } else if (!Pop(&victim)) {
      if (!Refill()) {
        return false;
      }
      continue;
    }
    if (Evict(victim)) {  // else others were quicker, or it was used
      return true;
    }
  }
}

void Residency::EvictAll() {
  streams_->ForEach([&](Stream* stream) {
    const uint64_t end_seq = stream->tail_seq();
    while (const size_t count = stream->EvictSome(end_seq)) {
      evictions_.fetch_add(count, std::memory_order_relaxed);
    }
  });
}

void Residency::EvictWhileNeeded() {
  while (budget_->should_evict() && EvictOne(nullptr)) {
  }
}

}  // namespace spillway::hybrid
