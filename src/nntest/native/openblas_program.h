// What the OpenBLAS programs share: threads, description, and the matrix product with the sizes as they come.
#pragma once

#include <cblas.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "nntest_program.h"

namespace nntest::openblas {

inline const char* describe() {
  static const std::string text = [] {
    const std::string config = scipy_openblas_get_config();
    const std::size_t begin = config.find_first_of("0123456789");
    const std::string version = config.substr(begin, config.find(' ', begin) - begin);
    const char* threading[] = {"none", "pthreads", "openmp"};
    char json[512];
    std::snprintf(json, sizeof json,
                  R"({"library":"openblas-cpu","version":"%s","build":"%s","threading":"%s","isa":"%s"})",
                  version.c_str(), config.c_str(), threading[scipy_openblas_get_parallel()],
                  scipy_openblas_get_corename());
    return std::string(json);
  }();
  return text.c_str();
}

inline void use_threads(const Question& question) { scipy_openblas_set_num_threads(question.threads()); }

inline blasint narrow(std::int64_t size) {
  const auto narrowed = static_cast<blasint>(size);
  if (narrowed != size) throw Unsupported("OpenBLAS here indexes with 32 bits; " + std::to_string(size) + " is larger");
  return narrowed;
}

// A row-major matrix within a buffer; `step` is the distance of its rows.
struct Matrix {
  const float* data;
  std::int64_t step;
  bool transposed = false;
};

// result (rows x columns) = alpha * left (rows x inner) * right (inner x columns) + beta * result
inline void multiply(std::int64_t rows, std::int64_t columns, std::int64_t inner, float alpha, const Matrix& left,
                     const Matrix& right, float beta, float* result, std::int64_t step) {
  scipy_cblas_sgemm(CblasRowMajor, left.transposed ? CblasTrans : CblasNoTrans,
                    right.transposed ? CblasTrans : CblasNoTrans, narrow(rows), narrow(columns), narrow(inner), alpha,
                    left.data, narrow(left.step), right.data, narrow(right.step), beta, result, narrow(step));
}

}  // namespace nntest::openblas
