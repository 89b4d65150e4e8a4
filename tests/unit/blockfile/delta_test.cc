// The delta beside a map of lists.
#include "internal/blockfile/delta.h"

#include <algorithm>
#include <map>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/prng.h"

namespace spillway::test {
namespace {

using blockfile::Delta;
using blockfile::Version;

// Commits of each name, newest first.
using Naive = std::map<std::string, std::vector<uint64_t>>;

std::vector<uint64_t> ChainOf(const Version* version) {
  std::vector<uint64_t> commits;
  for (; version != nullptr; version = version->older) {
    commits.push_back(version->commit);
  }
  return commits;
}

void ExpectSame(const Delta& delta, const Naive& naive) {
  auto each = delta.names().begin();
  for (const auto& [name, commits] : naive) {
    ASSERT_TRUE(each != delta.names().end());
    ASSERT_EQ(std::string_view(each->first), name);
    ASSERT_EQ(ChainOf(each->second), commits);
    ASSERT_EQ(std::string_view(*each->second->name), name);
    ++each;
  }
  ASSERT_TRUE(each == delta.names().end());
}

Version* Make(Delta* delta, const std::string& name, uint64_t commit) {
  Version* const version = delta->Make(name);
  version->commit = commit;
  version->bytes.assign(commit % 700, static_cast<uint8_t>(commit));
  return version;
}

TEST(DeltaTest, HoldsTheVersionsThatWereLinkedAndNotDropped) {
  Prng random(TestSeed("HoldsTheVersionsThatWereLinked", 1));
  Delta delta;
  Naive naive;
  for (uint64_t commit = 1; commit < 4000; ++commit) {
    const std::string name = "name " + std::to_string(random.Below(30));
    std::vector<uint64_t>& commits = naive[name];
    Version* const newest = delta.Newest(name);
    ASSERT_EQ(newest == nullptr, commits.empty());
    switch (random.Below(6)) {
      case 0:
      case 1:
        delta.Link(Make(&delta, name, commit));
        commits.insert(commits.begin(), commit);
        break;
      case 2:
        if (newest != nullptr) {
          delta.LinkInPlace(Make(&delta, name, commit));
          commits.front() = commit;
        }
        break;
      case 3:
        if (newest != nullptr && newest->older != nullptr) {
          delta.DropOlder(newest);
          commits.erase(commits.begin() + 1);
        }
        break;
      case 4: {  // one that is never seen
        delta.Discard(Make(&delta, name, commit));
        const auto found = delta.names().find(std::string_view(name));
        delta.Prune(found, [](const Version&) { return true; });
        break;
      }
      default: {
        const uint64_t at = random.Below(commit);
        const Version* const seen = Delta::VisibleAt(newest, at);
        const auto wanted =
            std::find_if(commits.begin(), commits.end(), [&](uint64_t each) { return each <= at; });
        ASSERT_EQ(seen == nullptr, wanted == commits.end());
        ASSERT_TRUE(seen == nullptr || seen->commit == *wanted);
      }
    }
    if (commits.empty()) {
      naive.erase(name);
    }
    if (random.OneIn(100)) {
      const uint64_t limit = random.Below(commit);
      const auto wanted = [&](uint64_t each) { return each > limit || each % 7 == 0; };
      for (auto each = delta.names().begin(); each != delta.names().end();) {
        each = delta.Prune(each, [&](const Version& version) { return wanted(version.commit); });
      }
      for (auto each = naive.begin(); each != naive.end();) {
        std::erase_if(each->second, [&](uint64_t commit_of) { return !wanted(commit_of); });
        each = each->second.empty() ? naive.erase(each) : std::next(each);
      }
    }
    ExpectSame(delta, naive);
    if (HasFatalFailure()) {
      return;
    }
  }
}

}  // namespace
}  // namespace spillway::test
