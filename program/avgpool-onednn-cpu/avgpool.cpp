// Average pooling by oneDNN.
#include "onednn_pooling.h"

namespace {

using namespace nntest::onednn;
using nntest::Question;

class AvgPool final : public Pooling {
 public:
  static constexpr nntest::ProgramTraits traits{"avgpool", "NCHW,NHWC,auto", "", describe};

  static void check(const Question&) {}

  explicit AvgPool(const Question& question)
      : Pooling(question, question.parameter("CK_EXCLUDE_PADDING") != 0
                              ? dnnl::algorithm::pooling_avg_exclude_padding
                              : dnnl::algorithm::pooling_avg_include_padding) {}
};

}  // namespace

NNTEST_PROGRAM(AvgPool)
