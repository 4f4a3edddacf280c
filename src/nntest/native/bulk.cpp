#include "bulk.h"

#include <cstring>

namespace nntest {
namespace {

void generate_uniform(InputStream stream, float* values, std::size_t count) {
  for (std::size_t index = 0; index < count; ++index) values[index] = stream.uniform(index);
}

std::uint64_t sum_of_mixed(const float* values, std::size_t count) {
  std::uint64_t sum = 0;
  for (std::size_t index = 0; index < count; ++index) {
    std::uint32_t bits;
    std::memcpy(&bits, &values[index], sizeof bits);
    sum += splitmix64((index + 1) * kGolden ^ bits);
  }
  return sum;
}

}  // namespace

void generate(InputStream stream, float* values, std::size_t count) {
  if (stream.fill() == Fill::kNormal) {
    generate_uniform(stream, values, count);
    return;
  }
  for (std::size_t index = 0; index < count; ++index) values[index] = stream(index);
}

std::uint64_t fingerprint(const float* values, std::size_t count) {
  // Each value is mixed with its place and the terms are added, so that no step waits for the one before.
  return splitmix64(count + 1) + sum_of_mixed(values, count);
}

}  // namespace nntest
