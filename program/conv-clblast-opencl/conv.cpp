// Convolution by CLBlast: CONVGEMM, a matrix product over unfolded windows, and GER, which adds the bias to every pixel.
#include "clblast_program.h"

namespace {

using namespace nntest::clblast;
using nntest::Question;
using nntest::Unsupported;
using nntest::Window;

class Conv final : public nntest::opencl::DeviceOperator {
 public:
  static constexpr nntest::ProgramTraits traits{"conv", "NCHW,auto", "", describe};

  static void check(const Question& question) {
    const Window window = Window::of(question, "CK_CONV");
    const auto groups = question.parameter("CK_CONV_GROUPS");
    if (groups != 1) throw Unsupported("CLBlast: groups " + std::to_string(groups) + "; it has 1");
    const Shape shape(question);
    // CLBlast pads both sides alike and lets the last window decide how much of it is seen.
    const auto reached = [](std::int64_t in, std::int64_t pad, std::int64_t kernel, std::int64_t dilation,
                            std::int64_t stride) { return (in + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1; };
    if (reached(shape.in_h, window.top, window.kernel_h, window.dilation_h, window.stride_h) != shape.out_h ||
        reached(shape.in_w, window.left, window.kernel_w, window.dilation_w, window.stride_w) != shape.out_w) {
      throw Unsupported("CLBlast: padding that differs between the sides; it has one for both");
    }
  }

  explicit Conv(const Question& question)
      : DeviceOperator(question),
        window_(Window::of(question, "CK_CONV")),
        shape_(question),
        tuning_(direct_product(size(shape_.pixels()), size(shape_.out_c),
                               size(shape_.in_c * window_.kernel_h * window_.kernel_w))),
        ones_(std::vector<float>(size(shape_.pixels()), 1.0f)),
        implementation_("convgemm+ger " + tuning_.text()) {
    compile();
  }

  const char* implementation() const override { return implementation_.c_str(); }

 private:
  struct Shape {
    explicit Shape(const Question& question) {
      const auto input = question.dims(NNTEST_INPUT), output = question.dims(NNTEST_OUTPUT);
      batch = input[0], in_c = input[1], in_h = input[2], in_w = input[3];
      out_c = output[1], out_h = output[2], out_w = output[3];
    }
    std::int64_t pixels() const { return out_h * out_w; }
    std::int64_t batch, in_c, in_h, in_w, out_c, out_h, out_w;
  };

  void compute() override {
    tuning_.put_in_force();
    cl_mem output = memory(NNTEST_OUTPUT);
    require(clblast::Convgemm<float>(
                clblast::KernelMode::kCrossCorrelation, size(shape_.in_c), size(shape_.in_h), size(shape_.in_w),
                size(window_.kernel_h), size(window_.kernel_w), size(window_.top), size(window_.left),
                size(window_.stride_h), size(window_.stride_w), size(window_.dilation_h), size(window_.dilation_w),
                size(shape_.out_c), size(shape_.batch), memory(NNTEST_INPUT), 0, memory(NNTEST_WEIGHTS), 0, output, 0,
                queue()),
            "Convgemm");
    const std::size_t channels = size(shape_.out_c), pixels = size(shape_.pixels());
    for (std::size_t image = 0; image < size(shape_.batch); ++image) {
      require(clblast::Ger<float>(clblast::Layout::kRowMajor, channels, pixels, 1.0f, memory(NNTEST_BIAS), 0, 1,
                                  ones_.get(), 0, 1, output, image * channels * pixels, pixels, queue()),
              "Ger");
    }
  }

  Window window_;
  Shape shape_;
  Tuning tuning_;
  nntest::opencl::Constant ones_;
  std::string implementation_;
};

}  // namespace

NNTEST_PROGRAM(Conv)
