// Average pooling by Arm Compute Library on Neon.
#include "armcl_neon.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;

class Pool final : public NeonPooling {
 public:
  static constexpr nntest::ProgramTraits traits{"avgpool", "NCHW,NHWC,auto", "", describe_neon, "float32,uint8"};

  static void check(const Question&) {}

  explicit Pool(const Question& question)
      : NeonPooling(question, acl::PoolingType::AVG, question.parameter("CK_EXCLUDE_PADDING") != 0) {}
};

}  // namespace

NNTEST_PROGRAM(Pool)
