// Reordering by oneDNN: NCHW to NHWC and back; for `auto`, NCHW to the layout of this processor's convolutions.
#include "onednn_program.h"

namespace {

using namespace nntest::onednn;
using nntest::Question;

class Reorder final : public Primitive {
 public:
  static constexpr nntest::ProgramTraits traits{"reorder", "NCHW,NHWC,auto", "", describe};

  static void check(const Question&) {}

  explicit Reorder(const Question& question) {
    using Tag = dnnl::memory::format_tag;
    const Desc input = plain_desc(question.tensor(NNTEST_INPUT)), output = plain_desc(question.tensor(NNTEST_OUTPUT));
    const Desc other(output.get_dims(), output.get_data_type(), question.channels_last() ? Tag::nchw : Tag::nhwc);
    const Desc target = question.free_layout() ? channel_blocked(output) : other;
    using ReorderDesc = dnnl::reorder::primitive_desc;
    const auto described = describe_primitive(
        [&] { return ReorderDesc(engine(), input, engine(), target, attributes(question)); });
    use(described, dnnl::reorder(described));
    bind(NNTEST_INPUT, DNNL_ARG_FROM, input, input);
    bind(NNTEST_OUTPUT, DNNL_ARG_TO, output, target);
  }
};

}  // namespace

NNTEST_PROGRAM(Reorder)
