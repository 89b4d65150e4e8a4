// Names and counters that all workloads share, so that one script can compare them; and the main
// function of the programs that run them.
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <string>

#include "tests/bench/measure.h"

namespace spillway::bench {

// As often as the command line says.
constexpr int kRepetitionsAsTold = 0;

// One timed pass per repetition; the body sets the time itself.
void Register(const std::string& name, std::function<void(benchmark::State&)> body,
              int repetitions = kRepetitionsAsTold);

void CountRate(benchmark::State& state, uint64_t records, double seconds);
void CountUsage(benchmark::State& state, const Usage& usage);

// Stands in the JSON file and on the terminal.
void AddContext(const std::string& key, const std::string& value);

// [--dir=FOLDER] [Google Benchmark's own flags]. `prepare` says what is going to be run, and
// registers it. Returns the exit code.
int RunBenchmarks(int argc, char** argv, void (*prepare)());

}  // namespace spillway::bench
