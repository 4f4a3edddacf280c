// Maximum pooling by oneDNN.
#include "onednn_pooling.h"

namespace {

using namespace nntest::onednn;
using nntest::Question;

class MaxPool final : public Pooling {
 public:
  static constexpr nntest::ProgramTraits traits{"maxpool", "NCHW,NHWC,auto", "", describe};

  static void check(const Question&) {}

  explicit MaxPool(const Question& question) : Pooling(question, dnnl::algorithm::pooling_max) {}
};

}  // namespace

NNTEST_PROGRAM(MaxPool)
