// W1 to W4, and what their runs have in common.
#pragma once

#include "tests/bench/ingest.h"
#include "tests/bench/report.h"

namespace spillway::bench {

void CountIngest(benchmark::State& state, const IngestPlan& plan, IngestResult* result);

// Each registers its runs.
void RegisterIngest();
void RegisterCapped();
void RegisterScans();
void RegisterPoints();

}  // namespace spillway::bench
