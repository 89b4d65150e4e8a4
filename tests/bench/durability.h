// When what a contestant was given is safe from a power cut.
#pragma once

namespace spillway::bench {

enum class Durability {
  kMemory,     // nothing is written
  kAtEnd,      // D0: durable once, when Close returns
  kEachBatch,  // D1: durable when the call that added or changed it returns
};

const char* DurabilityName(Durability durability);

}  // namespace spillway::bench
