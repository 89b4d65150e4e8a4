// Names and counters that all workloads share, so that one script can compare them.
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <string>

#include "tests/bench/ingest.h"

namespace spillway::bench {

// One timed pass per repetition; the body sets the time itself.
void Register(const std::string& name, std::function<void(benchmark::State&)> body);

void CountRate(benchmark::State& state, uint64_t records, double seconds);
void CountUsage(benchmark::State& state, const Usage& usage);
void CountIngest(benchmark::State& state, IngestResult* result);

// The workloads; each registers its runs.
void RegisterIngest();
void RegisterCapped();
void RegisterScans();
void RegisterPoints();

}  // namespace spillway::bench
