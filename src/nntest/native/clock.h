// The one clock of all timed blocks.
#pragma once

#include <ctime>

namespace nntest {

// Not slewed by NTP, and not the TSC itself: its frequency differs between machines, and an emulator has none.
inline double now_s() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC_RAW, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// The clock that Python's time.monotonic reads; only ever used to place blocks on the session's time axis.
inline double session_now_s() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Seconds of one clock read: the fastest of several batches, so that an interruption does not count.
double clock_read_s();

}  // namespace nntest
