// Our private copy of SQLite, set up once: memory from base/allocation, one thread per connection
// at a time, no memory maps. Every byte it takes counts where the library's own bytes count, and
// tests can make any of its allocations fail. Thread-safe. Never shut down: other stores of the
// process may be using it.
#pragma once

#include "internal/base/status.h"

namespace spillway::cold {

// Call before anything else of SQLite. After kNoMemory it can be called again.
base::Status StartSqlite();

}  // namespace spillway::cold
