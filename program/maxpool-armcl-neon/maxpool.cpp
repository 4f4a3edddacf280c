// Maximum pooling by Arm Compute Library on Neon.
#include "armcl_neon.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;

class Pool final : public NeonPooling {
 public:
  static constexpr nntest::ProgramTraits traits{"maxpool", "NCHW,NHWC,auto", "", describe_neon, "float32,uint8"};

  static void check(const Question&) {}

  explicit Pool(const Question& question)
      : NeonPooling(question, acl::PoolingType::MAX, true) {}
};

}  // namespace

NNTEST_PROGRAM(Pool)
