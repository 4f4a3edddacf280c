// Which thread runs on which core: set, and read back.
#pragma once

#include <sched.h>

#include <string_view>
#include <vector>

namespace nntest {

// "0,2,5" -> {0, 2, 5}
std::vector<int> parse_cores(std::string_view text);

// Allow the calling thread (and those that it will create) these cores only.
void restrict_to(const std::vector<int>& cores);

// Pin the calling thread to cores[0] and the other threads of this process, which the library made during its first
// run, one to each further core; a thread that the library has bound to a core of its own from the list keeps it.
// Returns each thread's core as the kernel reports it, the calling thread first; -1 where it may use several.
std::vector<int> pin_threads(const std::vector<int>& cores);

}  // namespace nntest
