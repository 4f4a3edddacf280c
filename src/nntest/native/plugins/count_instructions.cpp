// A plugin of qemu's user emulation that counts the instructions of the emulated program, all threads together.
//
// The driver asks for the sum with a system call that no kernel knows (see instructions.cpp): it gets eight bytes
// through a pipe, whose descriptors the emulated program and the emulator share. Nothing of the program is altered.
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "../count_request.h"

// What is used of qemu's interface for plugins: its header is in no package. A plugin tells the version that it was
// written for, and qemu refuses one that it does not know; what is used is alike in all that NNTest asks for.
extern "C" {
struct qemu_plugin_tb;  // a translated block of instructions
struct qemu_info_t {
  const char* target_name;
  struct {
    int min;
    int cur;
  } version;
  bool system_emulation;  // followed by what is of no use here
};
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
using Translated = void (*)(std::uint64_t plugin, qemu_plugin_tb* block);
using Executed = void (*)(unsigned thread, void* data);
using Called = void (*)(std::uint64_t plugin, unsigned thread, std::int64_t number, std::uint64_t, std::uint64_t,
                        std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t);
void qemu_plugin_register_vcpu_tb_trans_cb(std::uint64_t plugin, Translated callback);
void qemu_plugin_register_vcpu_tb_exec_cb(qemu_plugin_tb* block, Executed callback, qemu_plugin_cb_flags flags,
                                          void* data);
void qemu_plugin_register_vcpu_syscall_cb(std::uint64_t plugin, Called callback);
std::size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb* block);

#define EXPORTED __attribute__((visibility("default")))
EXPORTED int qemu_plugin_version = NNTEST_PLUGIN_API;
EXPORTED int qemu_plugin_install(std::uint64_t plugin, const qemu_info_t* info, int count, char** arguments);
}

namespace {

constexpr std::size_t kCacheLine = 64;
constexpr unsigned kThreads = 1024;
constexpr std::int64_t kPrctlOfArm64 = 167;

// A line for each thread, which alone writes it; those beyond share the last one.
struct alignas(kCacheLine) Count {
  std::atomic<std::uint64_t> value{0};
};
Count counts[kThreads + 1];

void executed(unsigned thread, void* data) {
  const auto more = reinterpret_cast<std::uintptr_t>(data);
  if (thread >= kThreads) {
    counts[kThreads].value.fetch_add(more, std::memory_order_relaxed);
    return;
  }
  std::atomic<std::uint64_t>& value = counts[thread].value;
  value.store(value.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

void translated(std::uint64_t, qemu_plugin_tb* block) {
  const std::size_t instructions = qemu_plugin_tb_n_insns(block);
  qemu_plugin_register_vcpu_tb_exec_cb(block, executed, QEMU_PLUGIN_CB_NO_REGS, reinterpret_cast<void*>(instructions));
}

void called(std::uint64_t, unsigned, std::int64_t number, std::uint64_t what, std::uint64_t pipe, std::uint64_t,
            std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  if (number != kPrctlOfArm64 || what != nntest::kCountRequest) return;
  std::uint64_t sum = 0;
  for (const Count& count : counts) sum += count.value.load(std::memory_order_relaxed);
  // A pipe that takes nothing leaves the driver without an answer, which it says.
  [[maybe_unused]] const ssize_t written = write(static_cast<int>(pipe), &sum, sizeof sum);
}

}  // namespace

int qemu_plugin_install(std::uint64_t plugin, const qemu_info_t* info, int, char**) {
  if (info->system_emulation || std::strcmp(info->target_name, "aarch64") != 0) {
    std::fprintf(stderr, "count_instructions: made for user emulation of aarch64, not for %s\n", info->target_name);
    return -1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(plugin, translated);
  qemu_plugin_register_vcpu_syscall_cb(plugin, called);
  return 0;
}
