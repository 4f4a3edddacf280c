// What driver and emulator agree on: the option of prctl that asks for the instructions executed so far. No kernel has
// it, and answers that it is invalid; the second argument is the descriptor that takes the sum, eight bytes.
#pragma once

#include <cstdint>

namespace nntest {

constexpr std::uint64_t kCountRequest = 0x4e4e5443;

}  // namespace nntest
