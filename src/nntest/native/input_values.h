// Values of the streams that were asked for so far: what a case does not have to compute, because another had it.
#pragma once

#include <cstddef>

#include "inputs.h"

namespace nntest {

// The first `count` values of a stream, in logical order. A value depends on its stream and its place alone, so that
// tensors of all sizes share what was made for the longest. Valid until more of the same stream is asked for.
const float* first_values(const InputStream& stream, std::size_t count);

}  // namespace nntest
