#include "threads.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <string>

#include "failure.h"

namespace nntest {
namespace {

cpu_set_t mask_of(const std::vector<int>& cores) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  for (const int core : cores) CPU_SET(core, &mask);
  return mask;
}

void set_affinity(pid_t thread, const std::vector<int>& cores) {
  const cpu_set_t mask = mask_of(cores);
  if (sched_setaffinity(thread, sizeof mask, &mask) != 0 && errno != ESRCH) {
    throw Failure("threads: core " + std::to_string(cores.front()) + " was refused: " + std::strerror(errno));
  }
}

// The thread's only core, or -1.
int core_of(pid_t thread) {
  cpu_set_t mask;
  if (sched_getaffinity(thread, sizeof mask, &mask) != 0 || CPU_COUNT(&mask) != 1) return -1;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &mask)) return core;
  }
  return -1;
}

// Nanoseconds that a thread has computed; 0 where the system does not tell.
std::uint64_t computed_ns(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/schedstat");
  std::uint64_t nanoseconds = 0;
  file >> nanoseconds;
  return nanoseconds;
}

// Asking how many there are is much cheaper than listing them; a folder has a link for each of its folders and two more.
bool is_alone() {
  struct stat folder;
  return stat("/proc/self/task", &folder) == 0 && folder.st_nlink == 3;
}

// The busiest first: libraries have threads beside their workers, which only wait.
std::vector<pid_t> other_threads() {
  std::vector<pid_t> threads;
  if (is_alone()) return threads;
  const auto self = static_cast<pid_t>(syscall(SYS_gettid));
  DIR* folder = opendir("/proc/self/task");
  if (folder == nullptr) return threads;
  while (const dirent* entry = readdir(folder)) {
    const auto thread = static_cast<pid_t>(std::atol(entry->d_name));
    if (thread > 0 && thread != self) threads.push_back(thread);
  }
  closedir(folder);
  std::sort(threads.begin(), threads.end());
  std::map<pid_t, std::uint64_t> computed;
  for (const pid_t thread : threads) computed[thread] = computed_ns(thread);
  std::stable_sort(threads.begin(), threads.end(), [&](pid_t a, pid_t b) { return computed[a] > computed[b]; });
  return threads;
}

}  // namespace

std::vector<int> parse_cores(std::string_view text) {
  std::vector<int> cores;
  const std::string list(text);
  const char* at = list.c_str();
  while (*at != '\0') {
    char* end = nullptr;
    const long core = std::strtol(at, &end, 10);
    if (end == at || core < 0 || core >= CPU_SETSIZE || (*end != ',' && *end != '\0')) {
      throw Failure("cores: '" + list + "'; expected numbers joined by commas, such as 0,1");
    }
    cores.push_back(static_cast<int>(core));
    at = *end == ',' ? end + 1 : end;
  }
  return cores;
}

void restrict_to(const std::vector<int>& cores) {
  if (!cores.empty()) set_affinity(0, cores);
}

std::vector<int> pin_threads(const std::vector<int>& cores) {
  if (cores.empty()) return {};
  if (core_of(0) != cores.front()) set_affinity(0, {cores.front()});
  const std::vector<pid_t> others = other_threads();
  std::vector<int> free(cores.begin() + 1, cores.end());
  std::vector<pid_t> unbound;
  for (const pid_t thread : others) {
    const auto own = std::find(free.begin(), free.end(), core_of(thread));
    if (own == free.end()) {
      unbound.push_back(thread);
    } else {
      free.erase(own);
    }
  }
  for (std::size_t index = 0; index < unbound.size() && index < free.size(); ++index) {
    set_affinity(unbound[index], {free[index]});
  }
  std::vector<int> verified{core_of(0)};
  for (const pid_t thread : others) verified.push_back(core_of(thread));
  return verified;
}

}  // namespace nntest
