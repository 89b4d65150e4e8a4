// A machine whose file systems refuse O_DIRECT, as some do (and network and FUSE file systems
// often).
#pragma once

#include <functional>

namespace spillway::bench {

// Runs `body` in a thread of its own for which, and for the threads it starts, the kernel answers
// EINVAL to every open with O_DIRECT, as such a file system does. Nothing of what runs there knows.
// Ends the process if the kernel cannot do that.
void RunRefusingDirect(const std::function<void()>& body);

}  // namespace spillway::bench
