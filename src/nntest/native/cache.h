// Puts memory out of every cache of the machine, line by line.
#pragma once

#include <cstddef>
#include <cstdint>

#include "buffer.h"

namespace nntest {

// What evict() does here: "clflushopt", "clflush", "dc civac" or "stream".
const char* eviction_method();

// Write back and invalidate the lines of [data, data + bytes). Returns when the lines are out.
void evict(const void* data, std::size_t bytes);

}  // namespace nntest
