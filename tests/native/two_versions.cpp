// Loads several operators into one process, runs the case of the CK_* variables in each, says what they call themselves
// and how many threads there are in the end: two_versions local|namespaces OPERATOR FOLDER [OPERATOR FOLDER ...]
#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iterator>
#include <memory>
#include <vector>

#include "by_hand.h"

namespace {
bool namespaces = false;
}

// The driver's own way of loading (RTLD_LOCAL), or a namespace of its own for each operator: its own copy of every
// library down to the C library.
extern "C" void* dlopen(const char* file, int mode) noexcept {
  return dlmopen(namespaces ? LM_ID_NEWLM : LM_ID_BASE, file, mode);
}

int main(int count, char** words) {
  namespaces = std::strcmp(words[1], "namespaces") == 0;
  try {
    std::vector<std::unique_ptr<nntest::OperatorLibrary>> loaded;
    for (int at = 2; at < count; at += 2) loaded.push_back(std::make_unique<nntest::OperatorLibrary>(words[at]));
    for (int at = 2; at < count; at += 2) {
      const nntest::OperatorLibrary& one = *loaded[static_cast<std::size_t>(at / 2 - 1)];
      std::puts(one.api().describe());
      if (chdir(words[at + 1]) != 0) return 1;
      nntest::run_by_hand(one, one.species(), nntest::Conditions{});
    }
    const auto tasks = std::filesystem::directory_iterator("/proc/self/task");
    std::printf("%td threads\n", std::distance(begin(tasks), end(tasks)));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
