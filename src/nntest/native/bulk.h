// Loops over the values of whole tensors: most of what the driver does between two measurements.
#pragma once

#include <cstddef>
#include <cstdint>

#include "inputs.h"

namespace nntest {

// `count` values of a stream from index `first` on, in logical order.
void generate(InputStream stream, float* values, std::size_t count, std::size_t first = 0);

// A hash of all bits and their places.
std::uint64_t fingerprint(const void* values, std::size_t size);

}  // namespace nntest
