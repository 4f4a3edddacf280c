// Matrix product by CLBlast: output = alpha * input * weights + beta * input1.
#include "clblast_program.h"

namespace {

using namespace nntest::clblast;
using nntest::Question;

class Gemm final : public nntest::opencl::DeviceOperator {
 public:
  static constexpr nntest::ProgramTraits traits{"gemm", "NCHW,auto", "", describe};

  static void check(const Question&) {}

  explicit Gemm(const Question& question)
      : DeviceOperator(question),
        rows_(size(question.dims(NNTEST_OUTPUT)[0])),
        columns_(size(question.dims(NNTEST_OUTPUT)[1])),
        inner_(size(question.dims(NNTEST_INPUT)[1])),
        alpha_(static_cast<float>(question.parameter("CK_GEMM_ALPHA"))),
        beta_(static_cast<float>(question.parameter("CK_GEMM_BETA"))),
        tuning_(product(columns_, rows_, inner_)),  // CLBlast turns row-major products around
        implementation_("gemm " + tuning_.text()) {
    compile();
  }

  const char* implementation() const override { return implementation_.c_str(); }

 private:
  void compute() override {
    tuning_.put_in_force();
    cl_mem output = memory(NNTEST_OUTPUT);
    // GEMM adds to what stands in the output; the operand has memory of its own, so that every call does the same.
    if (beta_ != 0) {
      require(clblast::Copy<float>(rows_ * columns_, memory(NNTEST_INPUT1), 0, 1, output, 0, 1, queue()), "Copy");
    }
    require(clblast::Gemm<float>(clblast::Layout::kRowMajor, clblast::Transpose::kNo, clblast::Transpose::kNo, rows_,
                                 columns_, inner_, alpha_, memory(NNTEST_INPUT), 0, inner_, memory(NNTEST_WEIGHTS), 0,
                                 columns_, beta_, output, 0, columns_, queue()),
            "Gemm");
  }

  std::size_t rows_, columns_, inner_;
  float alpha_, beta_;
  Tuning tuning_;
  std::string implementation_;
};

}  // namespace

NNTEST_PROGRAM(Gemm)
