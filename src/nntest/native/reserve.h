// Memory that a process takes in one piece when it starts, so that the system's work on fresh pages, a millisecond for
// each 4 MB, does not come between the measurements of its neighbours.
#pragma once

#include <cstddef>

namespace nntest {

// Take `bytes` of zeroed pages; where the system refuses them, buffers get their own later.
void reserve_memory(std::size_t bytes);

// A zeroed piece of the reserve, of whole pages and never handed out again; none when too little is left.
void* take_reserved(std::size_t bytes);

}  // namespace nntest
