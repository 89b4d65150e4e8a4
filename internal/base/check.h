// SPW_CHECK: our own broken invariant, where going on would damage data; stays on in release. It
// throws, so that the host gets SPW_INTERNAL and lives. SPW_DCHECK: the rest; debug and sanitizer
// builds only, where it aborts.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#define SPW_STRINGIFY_(x) #x
#define SPW_STRINGIFY(x) SPW_STRINGIFY_(x)

#define SPW_CHECK(condition)                                                                 \
  do {                                                                                       \
    if (!(condition)) [[unlikely]] {                                                         \
      throw std::logic_error(__FILE__                                                        \
                             ":" SPW_STRINGIFY(__LINE__) ": broken invariant: " #condition); \
    }                                                                                        \
  } while (false)

#ifdef SPW_DEBUG_CHECKS
#define SPW_DCHECK(condition)                                                                 \
  do {                                                                                        \
    if (!(condition)) [[unlikely]] {                                                          \
      std::fputs(__FILE__ ":" SPW_STRINGIFY(__LINE__) ": broken invariant: " #condition "\n", \
                 stderr);                                                                     \
      std::abort();                                                                           \
    }                                                                                         \
  } while (false)
#else
#define SPW_DCHECK(condition) static_cast<void>(sizeof(!(condition)))
#endif
