// Matrix product by OpenBLAS: output = alpha * input * weights + beta * input1.
#include <algorithm>

#include "openblas_program.h"

namespace {

using namespace nntest::openblas;
using nntest::Native;
using nntest::Question;

class Gemm final : public nntest::Operator {
 public:
  static constexpr nntest::ProgramTraits traits{"gemm", "NCHW,auto", "", describe};

  static void check(const Question&) {}

  explicit Gemm(const Question& question)
      : natives_(nntest::plain_natives(question)),
        rows_(question.dims(NNTEST_OUTPUT)[0]),
        columns_(question.dims(NNTEST_OUTPUT)[1]),
        inner_(question.dims(NNTEST_INPUT)[1]),
        alpha_(static_cast<float>(question.parameter("CK_GEMM_ALPHA"))),
        beta_(static_cast<float>(question.parameter("CK_GEMM_BETA"))) {
    narrow(std::max({rows_, columns_, inner_}));
    use_threads(question);
  }

  std::vector<Native> natives() const override { return natives_; }

  void run(void* const* buffers) override {
    const auto* input = static_cast<const float*>(buffers[NNTEST_INPUT]);
    const auto* weights = static_cast<const float*>(buffers[NNTEST_WEIGHTS]);
    auto* output = static_cast<float*>(buffers[NNTEST_OUTPUT]);
    // sgemm adds to what stands in the output; the operand has a buffer of its own, so that every call does the same.
    if (beta_ != 0) std::copy_n(static_cast<const float*>(buffers[NNTEST_INPUT1]), rows_ * columns_, output);
    multiply(rows_, columns_, inner_, alpha_, {input, inner_}, {weights, columns_}, beta_, output, columns_);
  }

  const char* implementation() const override { return "sgemm"; }

 private:
  std::vector<Native> natives_;
  std::int64_t rows_, columns_, inner_;
  float alpha_, beta_;
};

}  // namespace

NNTEST_PROGRAM(Gemm)
