// Tensors as raw float32 files, and their fingerprints.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nntest {

void write_floats(const std::string& path, const std::vector<float>& values);

// 16 hexadecimal digits over the bits of all values: equal outputs need to be checked only once.
std::string hash_of(const std::vector<float>& values);

}  // namespace nntest
