// Sets of pages as sorted runs.
#pragma once

#include <vector>

#include "internal/blockfile/space_map.h"

namespace spillway::blockfile {

// The pages of `runs` that `others` does not have. Sorts both; neither may have a page twice.
std::vector<PageRun> Without(std::vector<PageRun>* runs, std::vector<PageRun>* others);

}  // namespace spillway::blockfile
