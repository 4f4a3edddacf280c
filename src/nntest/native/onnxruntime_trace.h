// ONNX Runtime's account of itself: a session that writes a trace, and what a trace says of kernels.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "failure.h"
#include "onnxruntime_session.h"
#include "profile_twins.h"

namespace nntest::onnxruntime {

// Where a session writes its trace: a file that has lost its name as soon as it exists, so that nothing is left behind.
class TraceFile {
 public:
  TraceFile() : folder_((std::filesystem::temp_directory_path() / "nntest-trace-XXXXXX").string()) {
    if (mkdtemp(folder_.data()) == nullptr) throw Failure("ONNX Runtime: no folder for a trace: " + folder_);
  }
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;
  ~TraceFile() {
    if (descriptor_ >= 0) close(descriptor_);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string prefix() const { return folder_ + "/trace"; }

  // To be called when the session is there.
  void hold() {
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator(folder_, gone)) {
      descriptor_ = open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    }
    std::filesystem::remove_all(folder_, gone);
    if (descriptor_ < 0) throw Failure("ONNX Runtime: it has begun no trace in " + folder_);
  }

  std::string content() const {
    std::string text(static_cast<std::size_t>(lseek(descriptor_, 0, SEEK_END)), '\0');
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t count = pread(descriptor_, text.data() + at, text.size() - at, static_cast<off_t>(at));
      if (count <= 0) throw Failure("ONNX Runtime: its trace could not be read");
      at += static_cast<std::size_t>(count);
    }
    return text;
  }

 private:
  std::string folder_;
  int descriptor_ = -1;
};

// The value of a key in one event of a trace: text without its quotes, or a number; empty where there is none.
inline std::string value_in(std::string_view event, const std::string& key) {
  const std::size_t found = event.find("\"" + key + "\"");
  if (found == std::string_view::npos) return "";
  const std::size_t begin = event.find_first_not_of(" :", found + key.size() + 2);
  if (begin == std::string_view::npos) return "";
  const bool text = event[begin] == '"';
  const std::size_t first = text ? begin + 1 : begin;
  return std::string(event.substr(first, event.find_first_of(text ? "\"" : ",} \n", first) - first));
}

// Microseconds by operator of the last `runs` of `all` runs in a trace. It has an event a line: one for each node, and
// behind those of a run one for the run. Empty where there are not as many runs: the library keeps a million events.
inline Kernels kernels_in(std::string_view trace, std::size_t all, std::size_t runs) {
  std::vector<Kernels> seen(1);
  for (std::size_t begin = 0; begin < trace.size();) {
    const std::size_t end = std::min(trace.find('\n', begin), trace.size());
    const std::string_view event = trace.substr(begin, end - begin);
    begin = end + 1;
    const std::string name = value_in(event, "name");
    const std::string_view ending = "_kernel_time";
    if (name == "model_run") {
      seen.emplace_back();
    } else if (name.size() >= ending.size() && name.substr(name.size() - ending.size()) == ending) {
      seen.back()[value_in(event, "op_name")] += std::atof(value_in(event, "dur").c_str());
    }
  }
  seen.pop_back();
  Kernels sums;
  if (seen.size() != all || runs > all) return sums;
  for (std::size_t run = all - runs; run < all; ++run) {
    for (const auto& [kernel, microseconds] : seen[run]) sums[kernel] += microseconds;
  }
  return sums;
}

// A session that writes a trace of all that it does.
class TracedSession final : public CountingSession {
 public:
  // `domain` stands before the operators' names; `make` makes a session whose trace has a name that begins as told.
  template <class Make>
  TracedSession(std::string domain, Make&& make) : domain_(std::move(domain)), session_(make(file_.prefix())) {
    file_.hold();
  }

  void run(const std::vector<const void*>& inputs, void* output) override {
    ++runs_;
    session_->run(inputs, output);
  }

  Kernels kernels(std::size_t runs) override {
    session_->end_trace();
    Kernels named;
    for (const auto& [kernel, microseconds] : kernels_in(file_.content(), runs_, runs)) {
      named[domain_ + kernel] = microseconds;
    }
    return named;
  }

 private:
  std::string domain_;
  TraceFile file_;
  std::unique_ptr<Session> session_;
  std::size_t runs_ = 0;
};

}  // namespace nntest::onnxruntime
