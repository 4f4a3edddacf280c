#include "raw_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "failure.h"
#include "inputs.h"

namespace nntest {

void write_floats(const std::string& path, const std::vector<float>& values) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) throw Failure(path + ": cannot be written: " + std::strerror(errno));
  const std::size_t written = std::fwrite(values.data(), sizeof(float), values.size(), file);
  const bool closed = std::fclose(file) == 0;
  if (written != values.size() || !closed) throw Failure(path + ": was written in part: " + std::strerror(errno));
}

std::string hash_of(const std::vector<float>& values) {
  // Each value is mixed with its place, and the terms are added: no step waits for the one before.
  std::uint64_t hash = splitmix64(values.size() + 1);
  std::uint64_t place = 0;
  for (const float value : values) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    place += kGolden;
    hash += splitmix64(place ^ bits);
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

}  // namespace nntest
