#include "tests/bench/refuse_direct.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <thread>

#include "tests/bench/files.h"

namespace spillway::bench {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

constexpr uint32_t LowHalf(size_t argument) {
  return static_cast<uint32_t>(offsetof(seccomp_data, args) + argument * sizeof(uint64_t));
}

constexpr uint32_t Refuse(int error) { return SECCOMP_RET_ERRNO | static_cast<uint32_t>(error); }

// The flags of openat and of fcntl(F_SETFL) are the third argument. openat2 has its flags in
// memory, where a filter cannot look, so it is missing as from an older kernel.
void InstallFilter() {
  std::array program = {
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 0, 9),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat2, 8, 0),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 3, 0),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fcntl, 0, 5),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LowHalf(1)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_SETFL, 0, 3),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LowHalf(2)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_DIRECT, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, Refuse(EINVAL)),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      sock_filter BPF_STMT(BPF_RET | BPF_K, Refuse(ENOSYS)),
  };
  const sock_fprog filter = {.len = program.size(), .filter = program.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0) {
    DieErrno("seccomp, to refuse O_DIRECT");
  }
}

// Whether it works, with the call that the library makes: a second descriptor of an open file.
void CheckFilter() {
  const TempFolder folder;
  const std::string path = folder.path() + "/file";
  Fd file;
  file.Open(path, O_RDWR | O_CREAT);
  const std::string again = "/proc/self/fd/" + std::to_string(file.get());
  const int direct = open(again.c_str(), O_WRONLY | O_DIRECT);
  if (direct >= 0 || errno != EINVAL) {
    Die("O_DIRECT is not refused");
  }
}

}  // namespace

void RunRefusingDirect(const std::function<void()>& body) {
  std::thread([&body] {
    InstallFilter();
    CheckFilter();
    body();
  }).join();
}

}  // namespace spillway::bench
