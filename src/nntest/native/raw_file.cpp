#include "raw_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "bulk.h"
#include "failure.h"

namespace nntest {
namespace {

bool write_all(int file, const char* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t written = write(file, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    count -= static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace

void write_values(const std::string& path, const void* values, std::size_t bytes) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) throw Failure(path + ": cannot be written: " + std::strerror(errno));
  // Cut afterwards, not before: a file in memory that is written again and again keeps its pages.
  const bool whole = write_all(file, static_cast<const char*>(values), bytes) &&
                     ftruncate(file, static_cast<off_t>(bytes)) == 0;
  const int reason = errno;
  close(file);
  if (!whole) throw Failure(path + ": was written in part: " + std::strerror(reason));
}

std::string hash_of(const void* values, std::size_t bytes) {
  const std::uint64_t hash = fingerprint(values, bytes);
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

}  // namespace nntest
