#include "tests/bench/durability.h"

namespace spillway::bench {

const char* DurabilityName(Durability durability) {
  switch (durability) {
    case Durability::kMemory:
      return "memory";
    case Durability::kAtEnd:
      return "D0";
    case Durability::kEachBatch:
      return "D1";
  }
  return "?";
}

}  // namespace spillway::bench
