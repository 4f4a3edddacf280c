#include "operator_library.h"

#include <dlfcn.h>

#include <cstddef>

#include "clock.h"
#include "failure.h"

namespace nntest {
namespace {

// A library answers in its own words; an empty reason would leave the reader alone.
std::string text_of(const nntest_message& message) {
  return message.text[0] == '\0' ? "no reason given" : std::string(message.text);
}

}  // namespace

OperatorLibrary::OperatorLibrary(const std::string& path) {
  // dlopen takes a name without a slash from the system's folders only.
  const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw Failure(std::string("operator: ") + dlerror());
  void* symbol = dlsym(handle, "nntest_operator");
  if (symbol == nullptr) throw Failure("operator: " + path + ": nntest_operator() is not exported");
  api_ = reinterpret_cast<const nntest_operator_api* (*)()>(symbol)();
  if (api_ == nullptr || api_->abi_version != NNTEST_ABI_VERSION ||
      api_->size < offsetof(nntest_operator_api, species)) {
    throw Failure("operator: " + path + ": another version of the operator interface; expected version " +
                  std::to_string(NNTEST_ABI_VERSION) + "; build it again");
  }
}

std::string OperatorLibrary::species() const {
  const bool known = api_->size > offsetof(nntest_operator_api, species);
  return known && api_->species != nullptr ? api_->species() : "";
}

OperatorInstance::OperatorInstance(const OperatorLibrary& library, const nntest_request* request)
    : api_(library.api()) {
  message_.size = sizeof message_;
  char layouts[NNTEST_TEXT] = "", fusions[NNTEST_TEXT] = "";
  const double asked = now_s();
  const nntest_status answer = api_.query(request, layouts, fusions, &message_);
  query_s_ = now_s() - asked;
  if (answer == NNTEST_UNSUPPORTED) throw Unsupported(text_of(message_));
  if (answer != NNTEST_OK) fail("query");

  const double start = now_s();
  const nntest_status status = api_.create(request, &op_, &message_);
  create_s_ = now_s() - start;
  if (status == NNTEST_UNSUPPORTED) throw Unsupported(text_of(message_));  // known only once it was tried
  if (status != NNTEST_OK || op_ == nullptr) fail("create");
}

OperatorInstance::~OperatorInstance() {
  if (op_ != nullptr) api_.destroy(op_);
}

std::vector<nntest_native> OperatorInstance::natives() const {
  std::vector<nntest_native> natives(NNTEST_MAX_TENSORS);
  for (auto& native : natives) native.size = sizeof native;
  std::int32_t count = 0;
  if (api_.natives(op_, natives.data(), &count, &message_) != NNTEST_OK) fail("natives");
  if (count < 0 || count > NNTEST_MAX_TENSORS) throw Failure("natives: impossible count " + std::to_string(count));
  natives.resize(static_cast<std::size_t>(count));
  return natives;
}

void OperatorInstance::reorder_in(int role, const void* plain, void* native) const {
  if (api_.reorder_in(op_, role, plain, native, &message_) != NNTEST_OK) fail("reorder_in");
}

void OperatorInstance::reorder_out(int role, const void* native, void* plain) const {
  if (api_.reorder_out(op_, role, native, plain, &message_) != NNTEST_OK) fail("reorder_out");
}

std::int64_t OperatorInstance::prepare_batch(void* const* buffers) const {
  const bool known = api_.size > offsetof(nntest_operator_api, run_batch);
  if (!known || api_.prepare_batch == nullptr || api_.run_batch == nullptr) return 1;
  std::int64_t calls = 1;
  if (api_.prepare_batch(op_, buffers, &calls, &message_) != NNTEST_OK) fail("prepare_batch");
  if (calls < 1) throw Failure("prepare_batch: impossible number of calls " + std::to_string(calls));
  return calls;
}

void OperatorInstance::fail(const char* function) const {
  throw Failure(std::string(function) + ": " + text_of(message_));
}

}  // namespace nntest
