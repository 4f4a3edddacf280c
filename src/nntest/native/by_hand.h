// One case from CK_* variables, results as files: for use by hand, and on devices that have nothing but the binary.
#pragma once

#include "operator_library.h"
#include "prepared_case.h"

namespace nntest {

// Writes tmp-ck-timer.json and tmp-ck-output.bin into the current folder.
void run_by_hand(const OperatorLibrary& library, const std::string& species, const Conditions& conditions);

}  // namespace nntest
