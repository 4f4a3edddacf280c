// Fully connected layer by CLBlast: a matrix-vector product for one image, a matrix product for a batch.
#include "clblast_program.h"

namespace {

using namespace nntest::clblast;
using nntest::Question;

class FullyConnected final : public nntest::opencl::DeviceOperator {
 public:
  static constexpr nntest::ProgramTraits traits{"fullyconnected", "NCHW,auto", "", describe};

  static void check(const Question&) {}

  explicit FullyConnected(const Question& question)
      : DeviceOperator(question),
        batch_(size(question.dims(NNTEST_INPUT)[0])),
        inner_(size(question.elements(NNTEST_INPUT)) / batch_),
        outer_(size(question.elements(NNTEST_BIAS))),
        tuning_(batch_ == 1 ? vector_product(outer_, inner_) : product(outer_, batch_, inner_)),
        implementation_((batch_ == 1 ? "copy+gemv " : "copy+gemm ") + tuning_.text()) {
    compile();
  }

  const char* implementation() const override { return implementation_.c_str(); }

 private:
  void compute() override {
    tuning_.put_in_force();
    cl_mem output = memory(NNTEST_OUTPUT);
    for (std::size_t image = 0; image < batch_; ++image) {
      require(clblast::Copy<float>(outer_, memory(NNTEST_BIAS), 0, 1, output, image * outer_, 1, queue()), "Copy");
    }
    if (batch_ == 1) {
      require(clblast::Gemv<float>(clblast::Layout::kRowMajor, clblast::Transpose::kNo, outer_, inner_, 1.0f,
                                   memory(NNTEST_WEIGHTS), 0, inner_, memory(NNTEST_INPUT), 0, 1, 1.0f, output, 0, 1,
                                   queue()),
              "Gemv");
    } else {
      require(clblast::Gemm<float>(clblast::Layout::kRowMajor, clblast::Transpose::kNo, clblast::Transpose::kYes, batch_,
                                   outer_, inner_, 1.0f, memory(NNTEST_INPUT), 0, inner_, memory(NNTEST_WEIGHTS), 0,
                                   inner_, 1.0f, output, 0, outer_, queue()),
              "Gemm");
    }
  }

  std::size_t batch_, inner_, outer_;
  Tuning tuning_;
  std::string implementation_;
};

}  // namespace

NNTEST_PROGRAM(FullyConnected)
