// Tensors as raw files, and their fingerprints.
#pragma once

#include <cstddef>
#include <string>

namespace nntest {

void write_values(const std::string& path, const void* values, std::size_t bytes);

// 16 hexadecimal digits over the bits of all values: equal outputs need to be checked only once.
std::string hash_of(const void* values, std::size_t bytes);

}  // namespace nntest
