// Parking, waiting with a deadline and a cancel, operations, forks and worker threads.

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "internal/base/fork_guard.h"
#include "internal/base/wait_list.h"
#include "internal/base/worker.h"

namespace spillway::test {
namespace {

using base::Code;
using base::Deadline;
using base::Operation;

TEST(ParkerTest, AnUnparkBeforeTheParkIsNotLost) {
  base::Parker parker;
  parker.Unpark();
  parker.Park(Deadline::Never());
  parker.Park(Deadline::AfterMs(1));  // and counts once: this ends by its deadline
}

TEST(ParkerTest, AnotherThreadEndsAPark) {
  base::Parker parker;
  std::thread other([&] { parker.Unpark(); });
  parker.Park(Deadline::Never());
  other.join();
}

TEST(DeadlineTest, ZeroIsNowAndTheLargestIsNever) {
  EXPECT_TRUE(Deadline::AfterMs(0).no_wait());
  EXPECT_TRUE(Deadline::AfterMs(0).passed());
  EXPECT_TRUE(Deadline::AfterMs(INT64_MAX).never());
  EXPECT_FALSE(Deadline::AfterMs(INT64_MAX).passed());
  EXPECT_TRUE(Deadline::AfterMs(INT64_MAX / 2).never());
  EXPECT_FALSE(Deadline::AfterMs(3'600'000).passed());
}

TEST(WaitListTest, EndsByConditionDeadlineOrCancel) {
  base::Mutex mutex;
  base::WaitList list;
  bool done = false;
  const auto is_done = [&] { return done; };
  EXPECT_EQ(list.Wait(mutex, {Deadline::Now(), nullptr}, is_done).code(), Code::kWouldBlock);
  EXPECT_EQ(list.Wait(mutex, {Deadline::AfterMs(1), nullptr}, is_done).code(), Code::kTimeout);
  Operation cancelled;
  cancelled.Cancel();
  EXPECT_EQ(list.Wait(mutex, {Deadline::Never(), &cancelled}, is_done).code(), Code::kCancelled);

  Operation operation;
  std::thread canceller([&] { operation.Cancel(); });
  EXPECT_EQ(list.Wait(mutex, {Deadline::Never(), &operation}, is_done).code(), Code::kCancelled);
  canceller.join();

  std::thread finisher([&] {
    base::MutexLock lock(mutex);
    done = true;
    list.NotifyAll();
  });
  EXPECT_TRUE(list.Wait(mutex, {}, is_done).ok());
  finisher.join();
  EXPECT_TRUE(list.Wait(mutex, {Deadline::Now(), &cancelled}, is_done).ok()) << "done comes first";
}

TEST(OperationTest, OneCallAtATime) {
  Operation operation;
  EXPECT_TRUE(operation.Claim());
  EXPECT_FALSE(operation.Claim());
  operation.Unclaim();
  EXPECT_TRUE(operation.Claim());
}

TEST(ForkGuardTest, TheChildKnowsThatItIsOne) {
  const base::ForkGuard guard;
  EXPECT_FALSE(guard.forked());
  const pid_t child = fork();
  if (child == 0) {
    _exit(guard.forked() ? 7 : 8);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_FALSE(guard.forked());
}

TEST(WorkerTest, BlocksTheHostsSignalsAndLeavesTheCallersMaskAlone) {
  sigset_t inside;
  sigemptyset(&inside);
  base::Result<base::Worker> worker = base::Worker::Start(
      "a-name-that-is-too-long", [&] { pthread_sigmask(SIG_SETMASK, nullptr, &inside); });
  ASSERT_TRUE(worker.ok());
  worker.value().Join();
  EXPECT_EQ(sigismember(&inside, SIGTERM), 1);
  EXPECT_EQ(sigismember(&inside, SIGCHLD), 1);
  EXPECT_EQ(sigismember(&inside, SIGSEGV), 0);
  EXPECT_EQ(sigismember(&inside, SIGPROF), 0);
  sigset_t mine;
  pthread_sigmask(SIG_SETMASK, nullptr, &mine);
  EXPECT_EQ(sigismember(&mine, SIGTERM), 0);
}

}  // namespace
}  // namespace spillway::test
