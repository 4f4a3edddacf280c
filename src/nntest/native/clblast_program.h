// What the CLBlast programs share: description, status, and the tuner.
//
// CLBlast chooses work-group sizes and the like from a database by device. CK_LWS_TUNER_TYPE says what becomes of them,
// as it does for Arm Compute Library: NONE (or nothing) leaves the database's parameters; DEFAULT lets CLBlast's own
// tuner search better ones for the sizes of the case, which is set-up. What a search found is kept in the folder that
// NNTEST_TUNED names, so that all processes of a session run the same kernels.
#pragma once

#include <clblast.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "opencl_program.h"

namespace nntest::clblast {

using opencl::Device;
using Parameters = std::unordered_map<std::string, std::size_t>;

inline const char* describe() {
  static const std::string text = [] {
    JsonObject description;
    description.add("library", "clblast-opencl")
        .add("version", "")
        .add("build", "")
        .add("threading", "opencl")
        .add("isa", "");
    opencl::add_device(description);
    return description.text();
  }();
  return text.c_str();
}

inline void require(::clblast::StatusCode status, const char* what) {
  if (status == ::clblast::StatusCode::kSuccess) return;
  throw Failure(std::string("CLBlast: ") + what + " failed with status " + std::to_string(static_cast<int>(status)));
}

inline cl_command_queue* queue() {
  static cl_command_queue queue = Device::get().queue();
  return &queue;
}

// The parameters of some kernels, as the database has them or as they were tuned. They hold for a whole process: a case
// puts its own in force again before it runs, upon which CLBlast compiles anew; the driver's untimed calls pay for that.
class Tuning {
 public:
  using Search = ::clblast::StatusCode (*)(const std::vector<std::size_t>& sizes, double fraction, Parameters& found);

  // `family` and `sizes` name a search; `kernels` are those whose parameters it finds.
  Tuning(const char* family, std::vector<std::string> kernels, const std::vector<std::size_t>& sizes, double fraction,
         Search search)
      : kernels_(std::move(kernels)), tunes_(wanted()) {
    Parameters found;
    if (tunes_) found = known_or_searched(family, sizes, fraction, search);
    for (const std::string& kernel : kernels_) {
      Parameters parameters = database(kernel);
      for (auto& [name, value] : parameters) {
        const auto tuned = found.find(name);
        if (tuned != found.end()) value = tuned->second;
      }
      in_use_.push_back(parameters);
    }
  }

  ~Tuning() {
    if (in_force_ == this) in_force_ = nullptr;
  }
  Tuning(const Tuning&) = delete;
  Tuning& operator=(const Tuning&) = delete;

  void put_in_force() const {
    if (!tunes_ || in_force_ == this) return;
    for (std::size_t at = 0; at < kernels_.size(); ++at) {
      require(::clblast::OverrideParameters(Device::get().id(), kernels_[at], ::clblast::Precision::kSingle, in_use_[at]),
              "OverrideParameters");
    }
    in_force_ = this;
  }

  // "XgemmDirect(KWID=2,...)", names in order.
  std::string text() const {
    std::string text;
    for (std::size_t at = 0; at < kernels_.size(); ++at) {
      std::string list;
      for (const auto& [name, value] : std::map<std::string, std::size_t>(in_use_[at].begin(), in_use_[at].end())) {
        list += (list.empty() ? "" : ",") + name + "=" + std::to_string(value);
      }
      text += (text.empty() ? "" : " ") + kernels_[at] + "(" + list + ")";
    }
    return text + (tunes_ ? " tuned" : " database");
  }

  static Parameters database(const std::string& kernel) {
    Parameters parameters;
    require(::clblast::RetrieveParameters(Device::get().id(), kernel, ::clblast::Precision::kSingle, parameters),
            "RetrieveParameters");
    return parameters;
  }

 private:
  static bool wanted() {
    const char* type = std::getenv("CK_LWS_TUNER_TYPE");
    const std::string name = type == nullptr || *type == '\0' ? "NONE" : type;
    if (name == "NONE") return false;
    if (name == "DEFAULT") return true;
    throw Unsupported("CK_LWS_TUNER_TYPE " + name + "; CLBlast here knows NONE and DEFAULT");
  }

  static Parameters known_or_searched(const char* family, const std::vector<std::size_t>& sizes, double fraction,
                                      Search search) {
    const std::string file = file_of(family, sizes);
    Parameters found = read(file);
    if (!found.empty()) return found;
    require(search(sizes, fraction, found), "tuning");
    if (!file.empty()) write(file, found);
    return found;
  }

  // One for each device, driver, search and size; none where nothing is to be kept.
  static std::string file_of(const char* family, const std::vector<std::size_t>& sizes) {
    const char* folder = std::getenv("NNTEST_TUNED");
    if (folder == nullptr || *folder == '\0') return "";
    const Device& device = Device::get();
    const std::string who = device.info(CL_DEVICE_NAME) + "|" + device.platform_name() + "|" + device.info(CL_DRIVER_VERSION);
    std::string name = std::string(folder) + "/clblast-" + fingerprint(who) + "-" + family;
    for (const std::size_t size : sizes) name += "-" + std::to_string(size);
    return name;
  }

  // FNV-1a
  static std::string fingerprint(const std::string& text) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3u;
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
    return digits;
  }

  static Parameters read(const std::string& file) {
    Parameters found;
    std::ifstream lines(file);
    std::string name;
    std::size_t value = 0;
    while (lines >> name >> value) found[name] = value;
    return found;
  }

  // Another process may tune the same: the first whole file that is there counts for both from the next start on.
  static void write(const std::string& file, const Parameters& found) {
    const std::string temporary = file + "." + std::to_string(getpid());
    {
      std::ofstream out(temporary);
      for (const auto& [name, value] : found) out << name << ' ' << value << '\n';
      if (!out.flush()) return;  // a folder that cannot be written costs time, no more
    }
    std::rename(temporary.c_str(), file.c_str());
  }

  static inline const Tuning* in_force_ = nullptr;

  std::vector<std::string> kernels_;
  bool tunes_;
  std::vector<Parameters> in_use_;
};

// The tuners count on sizes that all their configurations divide, and write beyond the matrices where one does not.
inline std::size_t round_up(std::size_t size, std::size_t multiple) { return (size + multiple - 1) / multiple * multiple; }

// What share of its configurations a tuner tries, always the same ones: some twenty, which take half a minute where
// kernels are compiled in two seconds.
inline constexpr double kDirectShare = 0.002, kIndirectShare = 0.0002, kVectorShare = 0.1;

// The kernel for matrices as they are: C (m x n), inner length k.
inline Tuning direct_product(std::size_t m, std::size_t n, std::size_t k) {
  constexpr std::size_t kTile = 64;
  return Tuning("direct", {"XgemmDirect"}, {round_up(m, kTile), round_up(n, kTile), round_up(k, kTile)}, kDirectShare,
                [](const std::vector<std::size_t>& sizes, double share, Parameters& found) {
                  return ::clblast::TuneXgemmDirect<float>(queue(), sizes[0], sizes[1], sizes[2], share, found);
                });
}

// CLBlast's GEMM multiplies small matrices as they are, and copies larger ones into a better order before.
inline bool is_direct(std::size_t m, std::size_t n, std::size_t k) {
  const auto smallest = static_cast<double>(Tuning::database("GemmRoutine").at("XGEMM_MIN_INDIRECT_SIZE"));
  return static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) < smallest * smallest * smallest;
}

inline Tuning product(std::size_t m, std::size_t n, std::size_t k) {
  if (is_direct(m, n, k)) return direct_product(m, n, k);
  constexpr std::size_t kTile = 128;
  return Tuning("indirect", {"Xgemm"}, {round_up(m, kTile), round_up(n, kTile), round_up(k, kTile)}, kIndirectShare,
                [](const std::vector<std::size_t>& sizes, double share, Parameters& found) {
                  return ::clblast::TuneXgemm<float>(queue(), sizes[0], sizes[1], sizes[2], share, found);
                });
}

// Matrix (m x n) times vector, in three kernels of which CLBlast takes the one that fits.
inline Tuning vector_product(std::size_t m, std::size_t n) {
  constexpr std::size_t kTile = 1024;
  return Tuning("vector", {"Xgemv", "XgemvFast", "XgemvFastRot"}, {round_up(m, kTile), round_up(n, kTile)}, kVectorShare,
                [](const std::vector<std::size_t>& sizes, double share, Parameters& found) {
                  return ::clblast::TuneXgemv<float>(queue(), sizes[0], sizes[1], share, found);
                });
}

inline std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

}  // namespace nntest::clblast
