// Serves requests until their end: several prepared cases of one operator, each known by a key.
#pragma once

#include "operator_library.h"
#include "prepared_case.h"
#include "protocol.h"

namespace nntest {

void serve(const OperatorLibrary& library, const Conditions& conditions, Channel& channel);

}  // namespace nntest
