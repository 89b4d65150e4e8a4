// Filled stores for the reading workloads: made at the first use, shared by all later ones, removed
// when the process ends.
#pragma once

#include <memory>

#include "tests/bench/files.h"
#include "tests/bench/store.h"

namespace spillway::bench {

class Prepared {
 public:
  static Prepared& Get(const Contestant& contestant);

  explicit Prepared(const Contestant& contestant);

  // The filled store, ready to read, for a contestant in memory; it stays open.
  Store& in_memory() { return *store_; }
  // A store that was not opened yet, for `folder`, for all others.
  std::unique_ptr<Store> MakeStore() const { return contestant_.make(Budget{}); }
  const std::string& folder() const { return folder_.path(); }

 private:
  const Contestant& contestant_;
  TempFolder folder_;
  std::unique_ptr<Store> store_;
};

}  // namespace spillway::bench
