// Tensors as raw float32 files, and their fingerprints.
#pragma once

#include <cstddef>
#include <string>

namespace nntest {

void write_floats(const std::string& path, const float* values, std::size_t count);

// 16 hexadecimal digits over the bits of all values: equal outputs need to be checked only once.
std::string hash_of(const float* values, std::size_t count);

}  // namespace nntest
