#include "tests/support/log_generator.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace spillway::testing {
namespace {

constexpr std::array<std::string_view, 8> kLevels = {"INFO ", "INFO ", "INFO ", "INFO ",
                                                     "DEBUG", "DEBUG", "WARN ", "ERROR"};
constexpr std::array<std::string_view, 8> kModules = {
    "gateway.http", "gateway.auth", "orders.queue", "orders.store",
    "cache.remote", "cache.local",  "disk.monitor", "net.resolver"};
constexpr std::array<std::string_view, 8> kMessages = {"request served",
                                                       "connection reset by peer",
                                                       "retry scheduled after timeout",
                                                       "token refreshed",
                                                       "batch written",
                                                       "lookup failed, using the last answer",
                                                       "queue drained",
                                                       "slow call"};
constexpr std::array<std::string_view, 8> kKeys = {
    " id=", " user=", " bytes=", " took_us=", " path=/v1/", " attempt=", " node=", " trace="};

constexpr uint64_t kMicrosPerSecond = 1'000'000;

void AppendDigits(uint64_t value, int width, std::string* out) {
  char digits[20];
  for (int i = width - 1; i >= 0; --i) {
    digits[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  out->append(digits, static_cast<size_t>(width));
}

void AppendHex(uint64_t value, std::string* out) {
  char digits[16];
  for (char& digit : digits) {
    digit = "0123456789abcdef"[value & 15];
    value >>= 4;
  }
  out->append(digits, sizeof(digits));
}

}  // namespace

LogGenerator::LogGenerator(uint64_t seed) : state_(seed), time_us_(0) {
  line_.reserve(kLineBytesMax + 64);
}

uint64_t LogGenerator::Random() {  // splitmix64
  state_ += 0x9E3779B97F4A7C15;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

// The high half of a product instead of a remainder: no division. bound < 2^32.
uint64_t LogGenerator::Below(uint64_t bound) { return ((Random() >> 32) * bound) >> 32; }

void LogGenerator::AppendPrefix() {
  time_us_ += Below(2000);
  const uint64_t seconds = time_us_ / kMicrosPerSecond;
  line_ += "2024-01-";
  AppendDigits(1 + seconds / 86400 % 31, 2, &line_);
  line_ += 'T';
  AppendDigits(seconds / 3600 % 24, 2, &line_);
  line_ += ':';
  AppendDigits(seconds / 60 % 60, 2, &line_);
  line_ += ':';
  AppendDigits(seconds % 60, 2, &line_);
  line_ += '.';
  AppendDigits(time_us_ % kMicrosPerSecond, 6, &line_);
  const uint64_t bits = Random();
  line_ += "Z ";
  line_ += kLevels[bits & 7];
  line_ += " [worker-";
  AppendDigits((bits >> 3) & 31, 2, &line_);
  line_ += "] ";
  line_ += kModules[(bits >> 8) & 7];
  line_ += ": ";
  line_ += kMessages[(bits >> 11) & 7];
}

void LogGenerator::AppendField() {
  const uint64_t bits = Random();
  line_ += kKeys[bits & 7];
  if ((bits & 8) != 0) {
    AppendHex(bits >> 4, &line_);
  } else {
    AppendDigits((bits >> 4) % 100'000, 5, &line_);
  }
}

std::string_view LogGenerator::Next() {
  // Half the lines uniform in 80 to 240 (mean 160), half in 80 to 400 (mean 240): together 200.
  const uint64_t spread = (Random() >> 63) != 0 ? 160 : kLineBytesMax - kLineBytesMin;
  const size_t length = kLineBytesMin + Below(spread + 1);
  line_.clear();
  AppendPrefix();
  while (line_.size() < length) {
    AppendField();
  }
  return std::string_view(line_).substr(0, length);
}

bool FileLines::Append(const std::string& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                       &std::fclose);
  if (!file) {
    return false;
  }
  auto text = std::make_unique<std::string>();
  std::array<char, 1 << 16> chunk;
  size_t got = 0;
  while ((got = std::fread(chunk.data(), 1, chunk.size(), file.get())) > 0) {
    text->append(chunk.data(), got);
  }
  if (std::ferror(file.get()) != 0) {  // a folder opens, but cannot be read
    return false;
  }
  size_t begin = 0;
  while (begin < text->size()) {
    const size_t newline = text->find('\n', begin);
    const size_t end = newline == std::string::npos ? text->size() : newline;
    lines_.push_back(std::string_view(*text).substr(begin, end - begin));
    begin = end + 1;
  }
  texts_.push_back(std::move(text));
  return true;
}

std::unique_ptr<FileLines> FileLines::Open(const std::vector<std::string>& paths,
                                           std::string* error) {
  std::unique_ptr<FileLines> lines(new FileLines());
  for (const std::string& path : paths) {
    if (!lines->Append(path)) {
      *error = path + ": " + std::strerror(errno);
      return nullptr;
    }
  }
  if (lines->lines_.empty()) {
    *error = "no line in the given files";
    return nullptr;
  }
  return lines;
}

std::string_view FileLines::Next() {
  const std::string_view line = lines_[next_];
  next_ = next_ + 1 == lines_.size() ? 0 : next_ + 1;
  return line;
}

}  // namespace spillway::testing
