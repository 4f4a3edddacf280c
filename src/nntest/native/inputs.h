// Input values from a counter: value = f(seed, tensor, index). nntest.measure.inputs computes the same bits.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

#include "failure.h"

namespace nntest {

enum class Fill { kNormal, kRelu, kInt, kZeros };

inline Fill parse_fill(std::string_view name) {
  if (name == "normal") return Fill::kNormal;
  if (name == "relu") return Fill::kRelu;
  if (name == "int") return Fill::kInt;
  if (name == "zeros") return Fill::kZeros;
  throw Failure("data: '" + std::string(name) + "' is unknown; expected normal, relu, int or zeros");
}

// `data` says how activations are filled; weights and bias stay normal, unless every sum is to be exact.
inline Fill fill_of(bool is_activation, Fill data) {
  return is_activation || data == Fill::kInt ? data : Fill::kNormal;
}

// Finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection of 64 bits that mixes a counter.
constexpr std::uint64_t splitmix64(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xBF58476D1CE4E5B9u;
  x ^= x >> 27;
  x *= 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

inline constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15u;

// All values of one tensor; index runs over the logical row-major order, so that values do not depend on the layout.
class InputStream {
 public:
  InputStream(std::uint64_t seed, std::uint64_t role, Fill fill)
      : start_(splitmix64(seed * kGolden + role)), fill_(fill) {}

  std::uint64_t start() const { return start_; }
  Fill fill() const { return fill_; }

  // Before the fill: 24 bits spread over [-1, 1). They fit into 32 bits, which every processor converts in vectors.
  float uniform(std::uint64_t index) const {
    const auto bits = static_cast<std::int32_t>(splitmix64(start_ + (index + 1) * kGolden) >> 40);
    return static_cast<float>(bits) * 0x1p-23f - 1.0f;
  }

  float operator()(std::uint64_t index) const {
    const float value = uniform(index);
    switch (fill_) {
      case Fill::kRelu: return value > 0.0f ? value : 0.0f;
      case Fill::kInt: return std::floor(value * 8.0f);
      case Fill::kZeros: return 0.0f;
      case Fill::kNormal: break;
    }
    return value;
  }

 private:
  std::uint64_t start_;
  Fill fill_;
};

// Steps of a quantised tensor within one unit of its stream; those of a bias are products of input and weights.
inline float steps_of(bool is_bias, Fill data) {
  const float steps = data == Fill::kInt ? 1.0f : 128.0f;
  return is_bias ? steps * steps : steps;
}

// A value of a stream as it is stored, without regard to the range of a type; exact, since steps are powers of 2.
inline std::int32_t quantised(float value, float steps, std::int32_t zero_point) {
  return static_cast<std::int32_t>(std::floor(value * steps)) + zero_point;
}

}  // namespace nntest
