#include "internal/blockfile/runs.h"

#include <algorithm>

namespace spillway::blockfile {

std::vector<PageRun> Without(std::vector<PageRun>* runs, std::vector<PageRun>* others) {
  const auto before = [](const PageRun& a, const PageRun& b) { return a.first < b.first; };
  std::sort(runs->begin(), runs->end(), before);
  std::sort(others->begin(), others->end(), before);
  std::vector<PageRun> left;
  auto other = others->begin();
  for (PageRun run : *runs) {
    while (other != others->end() && other->end() <= run.first) {
      ++other;
    }
    for (auto each = other; each != others->end() && each->first < run.end(); ++each) {
      if (each->first > run.first) {
        left.push_back({run.first, each->first - run.first});
      }
      const uint64_t next = std::min(run.end(), std::max(run.first, each->end()));
      run = {next, run.end() - next};
    }
    if (run.pages > 0) {
      left.push_back(run);
    }
  }
  return left;
}

}  // namespace spillway::blockfile
