// nntest-driver --operator X.so                      one case from CK_* variables, results as files
// nntest-driver --operator X.so --serve --in 3 --out 4    requests and answers as lines

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

#include "by_hand.h"
#include "failure.h"
#include "float_mode.h"
#include "operator_library.h"
#include "protocol.h"
#include "reserve.h"
#include "serve.h"
#include "threads.h"

namespace {

constexpr const char* kUsage =
    "usage: nntest-driver --operator FILE [--species NAME] [--cores 0,1] [--heap-offset BYTES]\n"
    "                     [--memory BYTES]"
    "                     [--serve --in FD --out FD [--wake FD] [--parent PID]]\n"
    "Without --serve, CK_* variables say the case; tmp-ck-timer.json and tmp-ck-output.bin are written.\n";

struct Options {
  std::string operator_file;
  std::string species;
  nntest::Conditions conditions;
  std::size_t memory_bytes = 0;  // to take in advance
  bool serve = false;
  int in = -1;
  int out = -1;
  int wake = -1;
  long parent = 0;
};

Options parse_options(int count, char** arguments) {
  Options options;
  for (int at = 1; at < count; ++at) {
    const std::string name = arguments[at];
    if (name == "--serve") {
      options.serve = true;
      continue;
    }
    if (at + 1 >= count) throw nntest::Failure(name + ": expected a value after it\n" + kUsage);
    const std::string value = arguments[++at];
    if (name == "--operator") {
      options.operator_file = value;
    } else if (name == "--species") {
      options.species = value;
    } else if (name == "--cores") {
      options.conditions.cores = nntest::parse_cores(value);
    } else if (name == "--heap-offset") {
      options.conditions.heap_offset = static_cast<std::uint64_t>(nntest::parse_integer(name, value));
    } else if (name == "--memory") {
      options.memory_bytes = static_cast<std::size_t>(nntest::parse_integer(name, value));
    } else if (name == "--in") {
      options.in = static_cast<int>(nntest::parse_integer(name, value));
    } else if (name == "--out") {
      options.out = static_cast<int>(nntest::parse_integer(name, value));
    } else if (name == "--wake") {
      options.wake = static_cast<int>(nntest::parse_integer(name, value));
    } else if (name == "--parent") {
      options.parent = static_cast<long>(nntest::parse_integer(name, value));
    } else {
      throw nntest::Failure(name + ": unknown option\n" + kUsage);
    }
  }
  if (options.operator_file.empty()) throw nntest::Failure(std::string("--operator is missing\n") + kUsage);
  if (options.serve && (options.in < 0 || options.out < 0)) {
    throw nntest::Failure(std::string("--serve: expected --in and --out\n") + kUsage);
  }
  return options;
}

// The driver that is handed over to may have died.
void ignore_broken_pipes() { signal(SIGPIPE, SIG_IGN); }

// A session that is killed must not leave a process behind that burns the core of the next one.
void die_with(long parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (parent != 0 && getppid() != static_cast<pid_t>(parent)) std::_Exit(1);  // it died before prctl
}

// Where the heap begins decides how the library's own buffers fall onto pages and cache sets; never freed.
void shift_heap(std::uint64_t bytes) {
  if (bytes == 0) return;
  void* volatile block = std::malloc(static_cast<std::size_t>(bytes));
  if (block != nullptr) std::memset(block, 0, 1);
}

int run(const Options& options) {
  using namespace nntest;
  if (options.serve) {
    die_with(options.parent);
    ignore_broken_pipes();
  }
  shift_heap(options.conditions.heap_offset);
  restrict_to(options.conditions.cores);  // before the library counts its cores
  flush_denormals();                      // before the library makes its threads
  reserve_memory(options.memory_bytes);
  const OperatorLibrary library(options.operator_file);
  if (options.serve) {
    Channel channel(options.in, options.out, options.wake);
    serve(library, options.conditions, channel);
  } else {
    run_by_hand(library, options.species.empty() ? library.species() : options.species, options.conditions);
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(parse_options(count, arguments));
  } catch (const nntest::Unsupported& refused) {
    std::fprintf(stderr, "nntest-driver: unsupported: %s\n", refused.what());
    return 4;
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "nntest-driver: %s\n", failed.what());
    return 1;
  }
}
