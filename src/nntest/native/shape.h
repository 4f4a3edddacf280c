// Tensors of a shape that is given as CK_* variables: one row per species. Only for use by hand; a served request
// brings its tensors along, computed by nntest.model.species, which this table agrees with by a test.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "case.h"

namespace nntest {

using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

// Fills tensors and complete parameters of `asked.species`. Throws Failure for nonsense.
void describe_shape(Case& asked, const Lookup& variable);

}  // namespace nntest
