// The C++ side of a program: derive from nntest::Operator, end the file with NNTEST_PROGRAM(...), and the C interface
// of nntest_operator.h is there. Exceptions become answers; none crosses into the driver.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "failure.h"
#include "nntest_operator.h"

#if defined(NNTEST_SLOWDOWN_PERCENT)
#include "clock.h"
#endif

namespace nntest {

// What the case asks, as a program reads it.
class Question {
 public:
  explicit Question(const nntest_request* request) : request_(*request) {}

  std::string species() const { return request_.species; }
  std::string layout() const { return request_.layout; }
  std::string post_ops() const { return request_.post_ops; }
  // The fused operations one by one, in order.
  std::vector<std::string> post_op_list() const {
    std::vector<std::string> operations;
    const std::string all = post_ops();
    for (std::size_t begin = 0, end = 0; end < all.size(); begin = end + 1) {
      end = std::min(all.find('+', begin), all.size());
      operations.push_back(all.substr(begin, end - begin));
    }
    return operations;
  }
  // That of the activations; a quantised case has biases of int32.
  std::string dtype() const { return has(NNTEST_OUTPUT) && tensor(NNTEST_OUTPUT).dtype == NNTEST_U8 ? "uint8" : "float32"; }
  int threads() const { return request_.threads; }
  bool warm() const { return request_.cache == nullptr || std::strcmp(request_.cache, "warm") == 0; }
  bool free_layout() const { return layout() == "auto"; }  // the library may choose its own
  bool channels_last() const { return layout() == "NHWC"; }

  bool has(nntest_role role) const { return find(role) != nullptr; }
  const nntest_tensor& tensor(nntest_role role) const {
    const nntest_tensor* found = find(role);
    if (found == nullptr) throw Failure("a tensor is missing: role " + std::to_string(role));
    return *found;
  }
  std::vector<std::int64_t> dims(nntest_role role) const {
    const nntest_tensor& found = tensor(role);
    return {found.dims, found.dims + found.rank};
  }
  std::int64_t elements(nntest_role role) const {
    std::int64_t count = 1;
    for (const std::int64_t dim : dims(role)) count *= dim;
    return count;
  }
  const std::vector<nntest_role> roles() const {
    std::vector<nntest_role> roles;
    for (int at = 0; at < request_.tensor_count; ++at) {
      roles.push_back(static_cast<nntest_role>(request_.tensors[at].role));
    }
    return roles;
  }

  std::int64_t parameter(const std::string& name) const {
    for (int at = 0; at < request_.parameter_count; ++at) {
      if (name == request_.parameters[at].name) return std::atoll(request_.parameters[at].value);
    }
    throw Failure(name + " is missing");
  }

 private:
  const nntest_tensor* find(nntest_role role) const {
    for (int at = 0; at < request_.tensor_count; ++at) {
      if (request_.tensors[at].role == role) return &request_.tensors[at];
    }
    return nullptr;
  }

  const nntest_request& request_;
};

// Kernel, stride, padding and dilation of a sliding window, from the parameters with one prefix (CK_CONV, CK_POOL).
struct Window {
  std::int64_t kernel_h, kernel_w, stride_h, stride_w, top, left, bottom, right, dilation_h, dilation_w;

  static Window of(const Question& question, const std::string& prefix, bool dilates = true) {
    const auto read = [&](const char* name) { return question.parameter(prefix + name); };
    return {read("_KERNEL_H"),
            read("_KERNEL_W"),
            read("_STRIDE_H"),
            read("_STRIDE_W"),
            read("_PAD_T"),
            read("_PAD_L"),
            read("_PAD_B"),
            read("_PAD_R"),
            dilates ? read("_DILATION_H") : 1,
            dilates ? read("_DILATION_W") : 1};
  }
};

// Dimensions of an image with its channels innermost, and the axis that each axis was: on the way there and back.
inline std::vector<std::int64_t> nhwc(const std::vector<std::int64_t>& nchw) {
  return {nchw[0], nchw[2], nchw[3], nchw[1]};
}
inline const std::vector<std::int64_t> kInwards{0, 2, 3, 1}, kOutwards{0, 3, 1, 2};

// The form that the operator wants for one tensor.
struct Native {
  nntest_role role;
  std::int64_t bytes;
  bool plain;
  std::string tag;
};

class Operator {
 public:
  virtual ~Operator() = default;

  virtual std::vector<Native> natives() const = 0;
  virtual void reorder_in(nntest_role, const void* /*plain*/, void* /*native*/) {
    throw Failure("reorder_in: all tensors are plain");
  }
  virtual void reorder_out(nntest_role, const void* /*native*/, void* /*plain*/) {
    throw Failure("reorder_out: all tensors are plain");
  }
  virtual void run(void* const* buffers) = 0;
  virtual const char* implementation() const = 0;
};

// An operator of a library that is entered through a session: several computations can be done within one entry.
class BatchedOperator : public Operator {
 public:
  // How many, ready to be run on these buffers; 1 where the entry does not count.
  virtual std::int64_t prepare_batch(void* const* buffers) = 0;
  virtual void run_batch(void* const* buffers) = 0;
};

// All tensors of the case as it describes them.
inline std::vector<Native> plain_natives(const Question& question) {
  std::vector<Native> natives;
  for (const nntest_role role : question.roles()) {
    const bool parameters = role == NNTEST_WEIGHTS || role == NNTEST_BIAS;
    const char* activations = question.channels_last() ? "nhwc" : "nchw";
    const auto bytes = question.elements(role) * (question.tensor(role).dtype == NNTEST_U8 ? 1 : 4);
    constexpr const char* kRowMajor[] = {"", "a", "ab", "abc", "abcd", "abcde", "abcdef"};
    const std::size_t rank = question.dims(role).size();
    natives.push_back({role, bytes, true, rank != 4 ? kRowMajor[rank] : parameters ? "oihw" : activations});
  }
  return natives;
}

// What a program says about itself before any case.
struct ProgramTraits {
  const char* species;
  const char* layouts;  // comma list
  const char* fusions;  // comma list
  const char* (*describe)();
  const char* dtypes = "float32";  // comma list; of float32 and uint8
};

inline void require_layout(const Question& question, const ProgramTraits& traits) {
  const std::string known = std::string(",") + traits.layouts + ",";
  if (known.find("," + question.layout() + ",") == std::string::npos) {
    throw Unsupported("layout " + question.layout() + "; this operator knows " + traits.layouts);
  }
  const std::string fusions = std::string(",") + traits.fusions + ",";
  if (!question.post_ops().empty() && fusions.find("," + question.post_ops() + ",") == std::string::npos) {
    throw Unsupported("post_ops " + question.post_ops() + " cannot be fused here");
  }
  const std::string dtypes = std::string(",") + traits.dtypes + ",";
  if (dtypes.find("," + question.dtype() + ",") == std::string::npos) {
    throw Unsupported("dtype " + question.dtype() + "; this operator knows " + traits.dtypes);
  }
  if (question.species() != traits.species) {
    throw Failure("species " + question.species() + "; this operator computes " + traits.species);
  }
}

// The C functions of the program whose operator class is Op: constructed from a Question, with a static
// `check(const Question&)` that throws Unsupported for what it cannot do, and a static `traits`.
template <class Op>
struct CInterface {
  static nntest_status query(const nntest_request* request, char* layouts, char* fusions, nntest_message* message) {
    return guarded(message, [&] {
      if (layouts != nullptr) copy_text(layouts, NNTEST_TEXT, Op::traits.layouts);
      if (fusions != nullptr) copy_text(fusions, NNTEST_TEXT, Op::traits.fusions);
      const Question question(request);
      require_layout(question, Op::traits);
      Op::check(question);
    });
  }

  static nntest_status create(const nntest_request* request, nntest_op** op, nntest_message* message) {
    return guarded(message, [&] {
      const Question question(request);
      require_layout(question, Op::traits);
      Op::check(question);
      *op = reinterpret_cast<nntest_op*>(static_cast<Operator*>(new Op(question)));
    });
  }

  static nntest_status natives(nntest_op* op, nntest_native* natives, std::int32_t* count, nntest_message* message) {
    return guarded(message, [&] {
      const std::vector<Native> wanted = self(op).natives();
      if (wanted.size() > NNTEST_MAX_TENSORS) throw Failure("natives: too many tensors");
      for (std::size_t at = 0; at < wanted.size(); ++at) {
        natives[at].role = wanted[at].role;
        natives[at].bytes = wanted[at].bytes;
        natives[at].plain = wanted[at].plain ? 1 : 0;
        copy_text(natives[at].layout_tag, sizeof natives[at].layout_tag, wanted[at].tag.c_str());
      }
      *count = static_cast<std::int32_t>(wanted.size());
    });
  }

  static nntest_status reorder_in(nntest_op* op, std::int32_t role, const void* plain, void* native,
                                  nntest_message* message) {
    return guarded(message, [&] { self(op).reorder_in(static_cast<nntest_role>(role), plain, native); });
  }

  static nntest_status reorder_out(nntest_op* op, std::int32_t role, const void* native, void* plain,
                                   nntest_message* message) {
    return guarded(message, [&] { self(op).reorder_out(static_cast<nntest_role>(role), native, plain); });
  }

  static nntest_status run(nntest_op* op, void* const* buffers, nntest_message* message) {
    return timed(message, [&] { self(op).run(buffers); });
  }

  static nntest_status prepare_batch(nntest_op* op, void* const* buffers, std::int64_t* calls,
                                     nntest_message* message) {
    return guarded(message, [&] { *calls = static_cast<BatchedOperator&>(self(op)).prepare_batch(buffers); });
  }

  static nntest_status run_batch(nntest_op* op, void* const* buffers, nntest_message* message) {
    return timed(message, [&] { static_cast<BatchedOperator&>(self(op)).run_batch(buffers); });
  }

  static const char* implementation(nntest_op* op) { return self(op).implementation(); }
  static void destroy(nntest_op* op) { delete &self(op); }
  static const char* species() { return Op::traits.species; }

  static const nntest_operator_api* table() {
    static const nntest_operator_api api = {sizeof(nntest_operator_api),
                                            NNTEST_ABI_VERSION,
                                            Op::traits.describe,
                                            query,
                                            create,
                                            natives,
                                            reorder_in,
                                            reorder_out,
                                            run,
                                            implementation,
                                            destroy,
                                            species,
                                            kBatched ? prepare_batch : nullptr,
                                            kBatched ? run_batch : nullptr};
    return &api;
  }

 private:
  static constexpr bool kBatched = std::is_base_of_v<BatchedOperator, Op>;

  static Operator& self(nntest_op* op) { return *reinterpret_cast<Operator*>(op); }

  template <class Action>
  static nntest_status timed(nntest_message* message, Action&& action) {
#if defined(NNTEST_SLOWDOWN_PERCENT)
    // A test build: each call takes this share longer, so that a comparison has a known difference to find.
    const double start = now_s();
    const nntest_status status = guarded(message, action);
    const double end = start + (now_s() - start) * (1 + NNTEST_SLOWDOWN_PERCENT / 100.0);
    while (now_s() < end) {
    }
    return status;
#else
    return guarded(message, action);
#endif
  }

  static void copy_text(char* target, std::size_t size, const char* text) { std::snprintf(target, size, "%s", text); }

  template <class Action>
  static nntest_status guarded(nntest_message* message, Action&& action) {
    try {
      action();
      return NNTEST_OK;
    } catch (const Unsupported& refused) {
      copy_text(message->text, sizeof message->text, refused.what());
      return NNTEST_UNSUPPORTED;
    } catch (const std::exception& failed) {
      copy_text(message->text, sizeof message->text, failed.what());
      return NNTEST_ERROR;
    } catch (...) {
      copy_text(message->text, sizeof message->text, "an exception of an unknown type");
      return NNTEST_ERROR;
    }
  }
};

}  // namespace nntest

#define NNTEST_PROGRAM(Op) \
  extern "C" const nntest_operator_api* nntest_operator(void) { return nntest::CInterface<Op>::table(); }
