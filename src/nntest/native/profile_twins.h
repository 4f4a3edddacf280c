// The account of programs whose library counts within sessions that are made for it, and in no others. The driver calls
// the two functions at the end around a block; between them calls go to twins of the sessions, which are gone afterwards.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "clock.h"
#include "json.h"

namespace nntest {

// Microseconds by kernel.
using Kernels = std::map<std::string, double>;

// A session that counts, as a library has it.
class CountingSession {
 public:
  virtual ~CountingSession() = default;

  virtual void run(const std::vector<const void*>& inputs, void* output) = 0;

  // The first runs are over, which are no part of the block.
  virtual void settled() {}

  // Of the last `runs` runs together; empty where the account has a hole. Nothing is run afterwards.
  virtual Kernels kernels(std::size_t runs) = 0;
};

class Twins {
 public:
  static Twins& get() {
    static Twins twins;
    return twins;
  }

  bool wanted() const { return wanted_; }

  // Run the twin of a session; `make` makes it. The call that makes it is one of those before the block, and settling is
  // all that it does: a session is counted from its first timed call on.
  template <class Make>
  void run(const void* usual, const std::vector<const void*>& inputs, void* output, Make&& make) {
    Twin& twin = twins_[usual];
    if (!twin.session) {
      twin.session = make();
      settle(*twin.session, inputs, output);
      return;
    }
    twin.started_s.push_back(session_now_s());
    twin.session->run(inputs, output);
  }

  void begin() {
    twins_.clear();
    wanted_ = true;
  }

  // What was run since a moment of the driver's clock, for one of `loops` calls, as JSON; empty where it is not known.
  std::string end(double since_s, long loops) {
    wanted_ = false;
    Kernels sums;
    bool whole = true;
    for (auto& [usual, twin] : twins_) {
      const auto timed = std::lower_bound(twin.started_s.begin(), twin.started_s.end(), since_s);
      const auto runs = static_cast<std::size_t>(twin.started_s.end() - timed);
      if (runs == 0) continue;
      const Kernels seen = twin.session->kernels(runs);
      whole = whole && !seen.empty();
      for (const auto& [kernel, microseconds] : seen) sums[kernel] += microseconds;
    }
    twins_.clear();
    if (!whole || sums.empty()) return "";
    JsonObject kernels;
    for (const auto& [kernel, microseconds] : sums) kernels.add(kernel, microseconds / static_cast<double>(loops));
    return JsonObject().add("kernels_us", kernels).raw("calls", "[]").text();
  }

 private:
  struct Twin {
    std::unique_ptr<CountingSession> session;
    std::vector<double> started_s;
  };

  // The driver's untimed calls are over once this is done, which takes as long as they do: these are in their place.
  static void settle(CountingSession& session, const std::vector<const void*>& inputs, void* output) {
    constexpr double kPrimeS = 3e-4;
    session.run(inputs, output);
    const double start = now_s();
    do {
      session.run(inputs, output);
    } while (now_s() - start < kPrimeS);
    session.settled();
  }

  bool wanted_ = false;
  std::map<const void*, Twin> twins_;
};

}  // namespace nntest

extern "C" {

__attribute__((used, visibility("default"))) inline void nntest_profile_begin() { nntest::Twins::get().begin(); }

// The text is valid until the next call.
__attribute__((used, visibility("default"))) inline const char* nntest_profile_end(double since_s, long loops) {
  static std::string account;
  account = nntest::Twins::get().end(since_s, loops);
  return account.c_str();
}

}  // extern "C"
