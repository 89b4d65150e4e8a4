// W5 and W6; each registers its runs.
#pragma once

namespace spillway::bench {

void RegisterUpdates();
void RegisterNeutral();
void RegisterReads();

}  // namespace spillway::bench
