#include "input_values.h"

#include <cstring>
#include <map>
#include <utility>

#include "buffer.h"
#include "bulk.h"

namespace nntest {

const float* first_values(const InputStream& stream, std::size_t count) {
  static std::map<std::pair<std::uint64_t, Fill>, Buffer> kept;
  Buffer& known = kept[{stream.start(), stream.fill()}];
  const std::size_t have = known.bytes() / sizeof(float);
  if (have < count || known.data() == nullptr) {
    Buffer longer(count * sizeof(float), 0);
    if (have > 0) std::memcpy(longer.data(), known.data(), known.bytes());
    generate(stream, longer.floats() + have, count - have, have);
    known = std::move(longer);
  }
  return known.floats();
}

}  // namespace nntest
