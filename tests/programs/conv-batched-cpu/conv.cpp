// Computes several times in one entry; with BATCH_IS_WRONG that leaves another output than a single call.
#include "../tiny_conv.h"

namespace {

class Conv final : public nntest::BatchedOperator {
 public:
  static constexpr nntest::ProgramTraits traits = nntest::TinyConv::traits;

  static void check(const nntest::Question&) {}

  explicit Conv(const nntest::Question& question) : single_(question) {}

  std::vector<nntest::Native> natives() const override { return single_.natives(); }
  void run(void* const* buffers) override { single_.run(buffers); }
  const char* implementation() const override { return single_.implementation(); }

  std::int64_t prepare_batch(void* const*) override { return 8; }

  void run_batch(void* const* buffers) override {
    for (int call = 0; call < 8; ++call) run(buffers);
#if defined(BATCH_IS_WRONG)
    static_cast<float*>(buffers[NNTEST_OUTPUT])[0] += 1;
#endif
  }

 private:
  nntest::TinyConv single_;
};

}  // namespace

NNTEST_PROGRAM(Conv)
