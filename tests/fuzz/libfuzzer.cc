// One target as libFuzzer wants it: SPW_FUZZ_TARGET is its name, SPW_FUZZ_FILE that it is the one
// of whole files.
#include <algorithm>
#include <cstring>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  spillway::fuzz::SPW_FUZZ_TARGET({data, size});
  return 0;
}

#ifdef SPW_FUZZ_FILE
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t size_most);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t size_most,
                                          unsigned seed) {
  std::string file(reinterpret_cast<const char*>(data), size);
  spillway::fuzz::MutateFile(&file, seed, LLVMFuzzerMutate);
  const size_t mutated = std::min(file.size(), size_most);
  std::memcpy(data, file.data(), mutated);
  return mutated;
}
#endif
