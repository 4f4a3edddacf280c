// Average pooling by Arm Compute Library on OpenCL.
#include "armcl_opencl.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;

class Pool : public OpenClPooling {
 public:
  static constexpr nntest::ProgramTraits traits{"avgpool", "NCHW,NHWC,auto", "", describe_opencl, "float32,uint8"};

  static void check(const Question&) {}

  explicit Pool(const Question& question)
      : OpenClPooling(question, acl::PoolingType::AVG, question.parameter("CK_EXCLUDE_PADDING") != 0) {}
};

}  // namespace

NNTEST_ARMCL_OPENCL_PROGRAM(Pool)
