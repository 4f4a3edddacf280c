// An image as one row in NCHW order by oneDNN's reorder: a copy where it lies so already.
#include "onednn_program.h"

namespace {

using namespace nntest::onednn;
using nntest::Question;

class Flatten final : public Primitive {
 public:
  static constexpr nntest::ProgramTraits traits{"flatten", "NCHW,NHWC,auto", "", describe};

  static void check(const Question&) {}

  explicit Flatten(const Question& question) {
    const Desc input = plain_desc(question.tensor(NNTEST_INPUT));
    // In a network it comes from a pooling or a convolution, in their layout.
    const Desc native = question.free_layout() ? channel_blocked(input) : input;
    const Desc row = row_major(input.get_dims());
    using ReorderDesc = dnnl::reorder::primitive_desc;
    const auto described = describe_primitive(
        [&] { return ReorderDesc(engine(), native, engine(), row, attributes(question)); });
    use(described, dnnl::reorder(described));
    bind(NNTEST_INPUT, DNNL_ARG_FROM, input, native);
    bind(NNTEST_OUTPUT, DNNL_ARG_TO, row, row);
  }
};

}  // namespace

NNTEST_PROGRAM(Flatten)
