// What a failure says, also when there is no memory to say it.
#include "internal/base/status.h"

#include <cerrno>
#include <new>
#include <string>

#include "gtest/gtest.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Status;

TEST(StatusTest, AFailureStaysWhatItIsWithoutMemoryForItsMessage) {
  const Status said = Status::Os(Code::kIo, EIO, [] { return std::string("sync x: no"); });
  EXPECT_EQ(said.code(), Code::kIo);
  EXPECT_EQ(said.os_code(), EIO);
  EXPECT_EQ(said.message(), "sync x: no");
  const Status unsaid = Status::Os(Code::kIo, EIO, []() -> std::string { throw std::bad_alloc(); });
  EXPECT_EQ(unsaid.code(), Code::kIo);
  EXPECT_EQ(unsaid.os_code(), EIO);
  EXPECT_EQ(unsaid.message(), "");
}

TEST(StatusTest, CopiesCannotFail) {
  static_assert(noexcept(Status(std::declval<const Status&>())));
  const Status first(Code::kCorrupt, "page 7");
  const Status second = first;  // NOLINT(performance-unnecessary-copy-initialization)
  EXPECT_EQ(second.message().data(), first.message().data());
}

}  // namespace
}  // namespace spillway::test
