// Cuts the power in random histories: each is a life on a recording disk, cut at random moments,
// and now and then the power fails again while what is left is opened.
//
// A History is made of a seed and a number of steps, and has `disk()`. `Recovers(disk, folder,
// history, position)` opens what is in `folder` through `disk` and compares it with what the
// history had promised when the power failed at `position` of its log; found by the History's
// namespace.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/power_cut.h"
#include "tests/support/prng.h"
#include "tests/support/sim_disk.h"
#include "tests/support/temp_folder.h"

namespace spillway::test {

// How often the power fails.
struct Cuts {
  uint64_t histories;
  uint64_t steps;         // of a history
  uint64_t images;        // of a history
  uint64_t second_in;     // one image in so many is opened on a recording disk, to be cut again
  uint64_t second_times;  // so often, in as many parts of what the open wrote
};

struct CutCounts {
  uint64_t images = 0;
  uint64_t second_images = 0;
};

// What the recovery of an image wrote to `disk` is cut in turn.
template <class History>
void CutRecovery(const History& history, const SimDisk& disk, size_t position,
                 PowerCut::Garbage garbage, uint64_t times, Prng* random, CutCounts* counts) {
  PowerCut cut(disk, garbage);
  TempFolder image;
  for (uint64_t i = 0; i < times; ++i) {
    // Random moments, one in each part of the log.
    const size_t part = disk.log_size() / times;
    cut.AdvanceTo(part * i + random->Below(part + 1));
    const uint64_t seed = random->Next();
    ASSERT_NO_FATAL_FAILURE(cut.WriteImage(seed, image.path()));
    ++counts->second_images;
    SimDisk plain(image.path(), seed, SimDisk::Record::kNo);
    ASSERT_TRUE(Recovers(&plain, image.path(), history, position))
        << "recovery cut, at " << position << ", second image " << seed;
  }
}

template <class History>
void CutHistory(const History& history, const Cuts& cuts, PowerCut::Garbage garbage, Prng* random,
                CutCounts* counts) {
  std::vector<size_t> positions;
  for (uint64_t i = 0; i < cuts.images; ++i) {
    positions.push_back(random->Below(history.disk().log_size() + 1));
  }
  std::sort(positions.begin(), positions.end());
  PowerCut cut(history.disk(), garbage);
  TempFolder image;
  for (const size_t position : positions) {
    const uint64_t seed = random->Next();
    SCOPED_TRACE("image " + std::to_string(seed));
    cut.AdvanceTo(position);
    ASSERT_NO_FATAL_FAILURE(cut.WriteImage(seed, image.path()));
    ++counts->images;
    const bool again = random->OneIn(cuts.second_in);
    SimDisk disk(image.path(), seed, again ? SimDisk::Record::kYes : SimDisk::Record::kNo);
    ASSERT_TRUE(Recovers(&disk, image.path(), history, position))
        << "cut at " << position << " of " << history.disk().log_size();
    if (again) {
      ASSERT_NO_FATAL_FAILURE(
          CutRecovery(history, disk, position, garbage, cuts.second_times, random, counts));
    }
  }
}

template <class History>
void CutHistories(const char* test, uint64_t default_seed, const Cuts& cuts,
                  PowerCut::Garbage garbage) {
  Prng random(TestSeed(test, default_seed));
  CutCounts counts;
  for (uint64_t i = 0; i < cuts.histories; ++i) {
    const uint64_t seed = random.Next();
    SCOPED_TRACE("history " + std::to_string(i) + ", seed " + std::to_string(seed));
    const History history(seed, cuts.steps);
    if (::testing::Test::HasFatalFailure()) {
      return;
    }
    Prng moments(seed);
    CutHistory(history, cuts, garbage, &moments, &counts);
    if (::testing::Test::HasFatalFailure()) {
      return;
    }
  }
  std::printf("%llu images, %llu of interrupted recoveries\n",
              static_cast<unsigned long long>(counts.images),
              static_cast<unsigned long long>(counts.second_images));
}

}  // namespace spillway::test
