// Records in memory of their own that the budget does not limit.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "internal/memory/budget.h"

namespace spillway::hybrid {

// Charged as pinned for as long as they live.
template <class Records>
class Pinned {
 public:
  explicit Pinned(std::shared_ptr<memory::MemoryBudget> budget) : budget_(std::move(budget)) {}
  ~Pinned() { budget_->SubPinned(charged_); }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;

  // Once, when it is filled.
  void Charge() {
    charged_ = records.allocated_bytes();
    budget_->AddPinned(charged_);
  }

  Records records;

 private:
  const std::shared_ptr<memory::MemoryBudget> budget_;
  uint64_t charged_ = 0;
};

}  // namespace spillway::hybrid
