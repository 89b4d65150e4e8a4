// Files and folders of this machine behind the io seam: see file.h for the contract.
//
// PosixFileSystem() has no state and lives for ever. Thread-safe. What the seam promises beyond the
// system calls: a descriptor is never 0, 1 or 2 (a host that closed its standard streams would
// print into the store), is not inherited by exec, and is closed exactly once, whatever close()
// says.
#pragma once

#include "internal/io/file.h"

namespace spillway::io {

// The status for a failed system call: `operation` and `path` name it, `os_code` is its errno.
// Also used by code that meets errno behind the seam's back, such as SQLite's locks.
base::Status OsError(const char* operation, const std::string& path, int os_code);

// "Input/output error" for EIO; thread-safe.
std::string OsErrorText(int os_code);

}  // namespace spillway::io
