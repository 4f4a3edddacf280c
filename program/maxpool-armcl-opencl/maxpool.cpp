// Maximum pooling by Arm Compute Library on OpenCL.
#include "armcl_opencl.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;

class Pool : public OpenClPooling {
 public:
  static constexpr nntest::ProgramTraits traits{"maxpool", "NCHW,NHWC,auto", "", describe_opencl, "float32,uint8"};

  static void check(const Question&) {}

  explicit Pool(const Question& question)
      : OpenClPooling(question, acl::PoolingType::MAX, true) {}
};

}  // namespace

NNTEST_ARMCL_OPENCL_PROGRAM(Pool)
