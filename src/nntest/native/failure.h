// How the driver's parts say no: a case that cannot be done is an answer, everything else is an error.
#pragma once

#include <stdexcept>
#include <string>

namespace nntest {

struct Unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace nntest
