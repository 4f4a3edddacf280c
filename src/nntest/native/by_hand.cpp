#include "by_hand.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "failure.h"
#include "json.h"
#include "protocol.h"
#include "raw_file.h"
#include "shape.h"
#include "timing.h"

namespace nntest {
namespace {

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

Case case_from_environment(const std::string& species) {
  Case asked;
  asked.species = species;
  asked.layout = environment("CK_DATA_LAYOUT").value_or("auto");
  asked.post_ops = environment("CK_POST_OPS").value_or("");
  asked.cache = parse_cache_state(environment("CK_CACHE_STATE").value_or("warm"));
  asked.fill = parse_fill(environment("CK_DATA_FILL").value_or("normal"));
  asked.seed = parse_seed("CK_SEED", environment("CK_SEED").value_or("42"));
  asked.threads = static_cast<int>(parse_integer("CK_THREADS", environment("CK_THREADS").value_or("1")));
  describe_shape(asked, environment);
  return asked;
}

void add_shape(JsonObject& state, const char* prefix, const Dims& dims) {
  constexpr const char* kAxes[] = {"n", "c", "h", "w"};
  for (std::size_t axis = 0; axis < dims.size() && axis < 4; ++axis) {
    state.add(std::string(prefix) + kAxes[axis], dims[axis]);
  }
}

void write_text(const std::string& path, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) throw Failure(path + ": cannot be written: " + std::strerror(errno));
  std::fputs(text.c_str(), file);
  if (std::fclose(file) != 0) throw Failure(path + ": was written in part: " + std::strerror(errno));
}

}  // namespace

void run_by_hand(const OperatorLibrary& library, const std::string& species, const Conditions& conditions) {
  if (species.empty()) throw Failure("--species is missing; this operator does not say what it computes");
  const PreparedCase prepared(library, case_from_environment(species), conditions);
  const Output output = prepared.first_output();
  write_values("tmp-ck-output.bin", output.values, output.bytes);
  const WarmUp warmed = warm_up(prepared, WarmUpRules{});
  const Block block = run_block(prepared, warmed.loops);

  const SetupTimes& times = prepared.times();
  const double setup_s = times.create_s + times.prepare_weights_s;
  const double call_s = block.seconds / static_cast<double>(block.loops);
  JsonObject state;
  add_shape(state, "in_shape_", prepared.asked().tensors.at(NNTEST_INPUT));
  add_shape(state, "out_shape_", prepared.asked().tensors.at(NNTEST_OUTPUT));
  state.add("time_setup", setup_s)
      .add("time_test", call_s)
      .add("rnd_seed", prepared.asked().seed)
      .add("data_bits", 8 * sizeof(float))
      .add("implementation", prepared.implementation())
      .add("loops", block.loops)
      .add("settled", warmed.settled);
  const JsonObject timer = JsonObject()
                               .add("execution_time", setup_s + call_s)
                               .add("execution_time_kernel_0", setup_s)
                               .add("execution_time_kernel_1", call_s)
                               .add("run_time_state", state);
  write_text("tmp-ck-timer.json", timer.text() + "\n");
}

}  // namespace nntest
