// Concatenation along the channels by oneDNN.
#include "onednn_program.h"

namespace {

using namespace nntest::onednn;
using nntest::Question;

struct Part {
  nntest_role role;
  Desc plain;
};

std::vector<Part> parts_of(const Question& question) {
  std::vector<Part> parts;
  for (const nntest_role role : {NNTEST_INPUT, NNTEST_INPUT1, NNTEST_INPUT2, NNTEST_INPUT3}) {
    if (question.has(role)) parts.push_back({role, plain_desc(question.tensor(role))});
  }
  return parts;
}

// A block of channels must not straddle two inputs.
bool whole_blocks(const std::vector<Part>& parts) {
  return std::all_of(parts.begin(), parts.end(), [](const Part& part) {
    return part.plain.get_dims()[1] % channel_blocked(part.plain).get_inner_blks()[0] == 0;
  });
}

class Concat final : public Primitive {
 public:
  static constexpr nntest::ProgramTraits traits{"concat", "NCHW,NHWC,auto", "", describe};

  static void check(const Question&) {}

  explicit Concat(const Question& question) {
    constexpr int kChannels = 1;
    const std::vector<Part> parts = parts_of(question);
    const bool blocked = question.free_layout() && whole_blocks(parts);
    std::vector<Desc> natives;
    for (const Part& part : parts) natives.push_back(blocked ? channel_blocked(part.plain) : part.plain);
    const Desc output = plain_desc(question.tensor(NNTEST_OUTPUT));
    using ConcatDesc = dnnl::concat::primitive_desc;
    const auto described = describe_primitive([&] {
      return ConcatDesc(engine(), activation_desc(question, output), kChannels, natives, attributes(question));
    });
    use(described, dnnl::concat(described));
    for (std::size_t at = 0; at < parts.size(); ++at) {
      bind(parts[at].role, DNNL_ARG_MULTIPLE_SRC + static_cast<int>(at), parts[at].plain, natives[at]);
    }
    bind(NNTEST_OUTPUT, DNNL_ARG_DST, output, described.dst_desc());
  }
};

}  // namespace

NNTEST_PROGRAM(Concat)
