#include "raw_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "bulk.h"
#include "failure.h"

namespace nntest {

void write_floats(const std::string& path, const std::vector<float>& values) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) throw Failure(path + ": cannot be written: " + std::strerror(errno));
  const std::size_t written = std::fwrite(values.data(), sizeof(float), values.size(), file);
  const bool closed = std::fclose(file) == 0;
  if (written != values.size() || !closed) throw Failure(path + ": was written in part: " + std::strerror(errno));
}

std::string hash_of(const std::vector<float>& values) {
  const std::uint64_t hash = fingerprint(values.data(), values.size());
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

}  // namespace nntest
