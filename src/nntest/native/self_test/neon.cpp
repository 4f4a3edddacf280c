// Self-test of a target for 64-bit Arm: vectors, threads and the C library work; prints the processor's extensions.
#include <arm_neon.h>
#include <sys/auxv.h>

#include <asm/hwcap.h>
#include <cmath>
#include <cstdio>
#include <thread>

int main() {
  float values[4] = {1, 2, 3, 4};
  float32x4_t vector = vld1q_f32(values);
  vector = vfmaq_f32(vector, vector, vector);
  vst1q_f32(values, vector);
  float sine = 0;
  std::thread([&sine, &values] { sine = std::sin(values[0]); }).join();
  if (values[0] != 2 || values[3] != 20 || std::fabs(sine - 0.9092974f) > 1e-6f) {
    std::fprintf(stderr, "wrong: %g %g %g\n", values[0], values[3], sine);
    return 1;
  }
  const unsigned long first = getauxval(AT_HWCAP), second = getauxval(AT_HWCAP2);
  const struct {
    const char* name;
    bool there;
  } extensions[] = {
      {"asimd", (first & HWCAP_ASIMD) != 0},      {"asimdhp", (first & HWCAP_ASIMDHP) != 0},
      {"asimddp", (first & HWCAP_ASIMDDP) != 0},  {"asimdfhm", (first & HWCAP_ASIMDFHM) != 0},
      {"i8mm", (second & HWCAP2_I8MM) != 0},      {"bf16", (second & HWCAP2_BF16) != 0},
      {"sve", (first & HWCAP_SVE) != 0},          {"sve2", (second & HWCAP2_SVE2) != 0},
  };
  for (const auto& extension : extensions) {
    if (extension.there) std::printf("%s ", extension.name);
  }
  std::printf("\n");
  return 0;
}
