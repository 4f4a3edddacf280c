#include "serve.h"

#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "bandwidth.h"
#include "cache.h"
#include "clock.h"
#include "failure.h"
#include "fma_kernel.h"
#include "profile.h"
#include "raw_file.h"
#include "timing.h"

namespace nntest {
namespace {

constexpr int kProtocolVersion = 5;

// Of a quantised case, each tensor's scale and zero point.
void read_quantisation(Case& asked, const Request& request) {
  for (const auto& [role, dims] : asked.tensors) {
    const std::string name = role_name(role);
    const auto zero_point = static_cast<std::int32_t>(request.integer("zero_point." + name));
    asked.quantisation[role] = {static_cast<float>(request.real("scale." + name)), zero_point};
  }
}

Case case_of(const Request& request) {
  const std::string dtype = request.text("dtype");
  if (dtype != "float32" && dtype != "uint8") {
    throw Unsupported("dtype " + dtype + "; this driver knows float32 and uint8");
  }
  Case asked;
  asked.species = request.text("species");
  asked.layout = request.text("layout");
  asked.post_ops = request.text("post_ops");
  asked.cache = parse_cache_state(request.text("cache"));
  asked.fill = parse_fill(request.text("data"));
  asked.seed = parse_seed("seed", request.text("seed"));
  asked.threads = static_cast<int>(request.integer("threads"));
  for (const auto& [key, value] : request.values()) {
    if (key.rfind("tensor.", 0) == 0) asked.tensors[parse_role(key.substr(7))] = parse_integers(key, value);
    if (key.rfind("parameter.", 0) == 0) asked.parameters[key.substr(10)] = value;
  }
  if (dtype == "uint8") read_quantisation(asked, request);
  return asked;
}

JsonObject layouts_of(const PreparedCase& prepared) {
  JsonObject layouts;
  for (const auto& [role, tag] : prepared.native_layouts()) layouts.add(role, tag);
  return layouts;
}

// The time in which a profile is taken, which ends with the block, also where that fails.
class ProfiledBlock {
 public:
  explicit ProfiledBlock(Profiler& profiler) : profiler_(profiler) { profiler_.begin(); }
  ProfiledBlock(const ProfiledBlock&) = delete;
  ProfiledBlock& operator=(const ProfiledBlock&) = delete;
  ~ProfiledBlock() {
    if (!ended_) profiler_.abandon();
  }

  std::string end(const Block& block) {
    ended_ = true;
    return profiler_.end(block);
  }

 private:
  Profiler& profiler_;
  bool ended_ = false;
};

class Server {
 public:
  Server(const OperatorLibrary& library, const Conditions& conditions) : library_(library), conditions_(conditions) {}

  JsonObject hello() const {
    return JsonObject()
        .add("ok", true)
        .add("protocol", kProtocolVersion)
        .add("pid", static_cast<long>(getpid()))
        .add("species", library_.species())
        .add("clock_read_s", clock_read_s())
        .add("eviction", eviction_method())
        .raw("describe", library_.api().describe());
  }

  // Whether a case has given no output, since it was set up, but the one that has passed.
  bool is_as_known(const Request& request) const {
    const auto found = outputs_.find(request.integer("key"));
    const std::set<std::string> known{request.text_or("known", "")};
    return found == outputs_.end() || found->second == known;
  }

  JsonObject handle(const Request& request) {
    if (request.verb() == "setup") return setup(request);
    if (request.verb() == "warm_up") return warm(request);
    if (request.verb() == "block") return block(request);
    if (request.verb() == "output") return output(request);
    if (request.verb() == "dump") return dump(request);
    if (request.verb() == "peak") return peak(request);
    if (request.verb() == "bandwidth") return bandwidth(request);
    if (request.verb() == "drop") {
      cases_.erase(request.integer("key"));
      return JsonObject().add("ok", true);
    }
    if (request.verb() == "ping") return JsonObject().add("ok", true);
    throw Failure("request: '" + request.verb() + "' is unknown");
  }

 private:
  JsonObject setup(const Request& request) {
    const std::int64_t key = request.integer("key");
    cases_.erase(key);
    calibrated_.erase(key);
    outputs_.erase(key);
    const auto [place, inserted] =
        cases_.emplace(key, std::make_unique<PreparedCase>(library_, case_of(request), conditions_));
    const PreparedCase& prepared = *place->second;
    const SetupTimes& times = prepared.times();
    JsonObject answer;
    answer.add("ok", true);
    if (request.has("path")) add_output(answer, request, prepared.first_output());
    return answer
        .add("create_s", times.create_s)
        .add("prepare_weights_s", times.prepare_weights_s)
        .add("reorder_in_s", times.reorder_in_s)
        .add("reorder_out_s", times.reorder_out_s)
        .add("first_run_s", times.first_run_s)
        .add("library_s", times.library_s)
        .add("implementation", prepared.implementation())
        .add("native_layouts", layouts_of(prepared))
        .add("memory_bytes", prepared.memory_bytes())
        .add("weights_bytes", prepared.weights_bytes())
        .add("cores", prepared.cores());
  }

  JsonObject warm(const Request& request) {
    WarmUpRules rules;
    rules.max_s = request.real("max_s");
    rules.tolerance = request.real("tolerance");
    rules.block_min_s = request.real("block_min_s");
    const WarmUp result = warm_up(prepared(request), rules);
    calibrated_[request.integer("key")] = result.loops;
    return JsonObject()
        .add("ok", true)
        .add("values_s", result.values_s)
        .add("settled", result.settled)
        .add("loops", result.loops)
        .add("spent_s", result.spent_s);
  }

  // A number, or the word for what the warm-up has found, which is not known yet where requests are sent ahead.
  long loops_of(const Request& request) const {
    if (request.text("loops") != "calibrated") return request.integer("loops");
    const auto found = calibrated_.find(request.integer("key"));
    if (found == calibrated_.end()) throw Failure("block: the loops are not calibrated; ask for a warm-up first");
    return found->second;
  }

  JsonObject block(const Request& request) {
    sched_yield();  // the driver that has handed over shares this core: it goes to sleep now, not within the block
    const long loops = loops_of(request);
    if (loops < 1) throw Failure("block: loops is " + std::to_string(loops) + "; expected at least 1");
    const PreparedCase& wanted = prepared(request);
    ProfiledBlock profiled(profiler_);
    const Block block = run_block(wanted, loops, &count_);
    const std::string account = profiled.end(block);
    JsonObject answer;
    answer.add("ok", true)
        .add("seconds", block.seconds)
        .add("loops", block.loops)
        .add("prime_calls", block.prime_calls)
        .add("prime_s", block.prime_s)
        .add("start_s", block.start_s)
        .add("involuntary_switches", block.watched.involuntary_switches)
        .add("minor_faults", block.watched.minor_faults)
        .add("major_faults", block.watched.major_faults);
    add_known(answer, "steal_s", block.watched.steal_s);
    add_known(answer, "core_ghz", block.core_ghz);
    if (block.instructions >= 0) answer.add("instructions", block.instructions);
    if (!account.empty()) answer.raw("profile", account);
    return answer;
  }

  JsonObject output(const Request& request) {
    const Output output = prepared(request).compute_output();
    JsonObject answer;
    answer.add("ok", true).add("library_s", output.library_s);
    add_output(answer, request, output);
    return answer;
  }

  // Its hash; the values go to a file unless the session knows that hash.
  void add_output(JsonObject& answer, const Request& request, const Output& output) {
    const std::string hash = hash_of(output.values, output.bytes);
    const bool wanted = hash != request.text("unless");
    if (wanted) write_values(request.text("path"), output.values, output.bytes);
    outputs_[request.integer("key")].insert(hash);
    answer.add("hash", hash).add("written", wanted);
  }

  JsonObject dump(const Request& request) {
    const std::vector<std::byte> values = prepared(request).generated(parse_role(request.text("role")));
    write_values(request.text("path"), values.data(), values.size());
    return JsonObject().add("ok", true);
  }

  JsonObject peak(const Request& request) {
    const auto asked = request.values().find("dtype");
    const FmaKernel kernel = asked == request.values().end() ? widest_kernel() : kernel_of(asked->second);
    const Peak peak = measure_kernel(kernel, conditions_.cores, static_cast<int>(request.integer("threads")),
                                     request.real("seconds"),
                                     request.has("slice_s") ? request.real("slice_s") : kSliceS);
    JsonObject answer;
    answer.add("ok", true)
        .add("gflops", peak.gflops)
        .add("gflops_median", peak.gflops_median)
        .add("isa", peak.isa)
        .add("lanes", peak.lanes)
        .add("threads", peak.threads);
    add_known(answer, "core_ghz", peak.core_ghz);
    return answer;
  }

  JsonObject bandwidth(const Request& request) {
    const Bandwidth found = measure_bandwidth(conditions_.cores, static_cast<int>(request.integer("threads")),
                                              static_cast<std::size_t>(request.integer("bytes")),
                                              request.real("seconds"));
    return JsonObject()
        .add("ok", true)
        .add("read_gb_s", found.read_gb_s)
        .add("copy_gb_s", found.copy_gb_s)
        .add("triad_gb_s", found.triad_gb_s)
        .add("isa", found.isa);
  }

  const PreparedCase& prepared(const Request& request) const {
    const auto found = cases_.find(request.integer("key"));
    if (found == cases_.end()) throw Failure(request.verb() + ": key " + request.text("key") + " is not set up");
    return *found->second;
  }

  // Unknown is null, never a number.
  static void add_known(JsonObject& answer, const char* key, double value) {
    if (value < 0) {
      answer.raw(key, "null");
    } else {
      answer.add(key, value);
    }
  }

  const OperatorLibrary& library_;
  const Conditions& conditions_;
  std::map<std::int64_t, std::unique_ptr<PreparedCase>> cases_;
  Profiler profiler_;
  InstructionCount count_;
  std::map<std::int64_t, std::set<std::string>> outputs_;  // their hashes, of the cases that are set up
  std::map<std::int64_t, long> calibrated_;
};

JsonObject refusal(const char* status, const std::string& reason) {
  return JsonObject().add("ok", false).add("status", status).add("reason", reason);
}

// What is to be written to the requests of another driver.
struct HandOver {
  std::string path;
  std::int64_t inode;
  std::string lines;
};

struct Answer {
  JsonObject object;
  bool awaited = true;
  std::optional<HandOver> then;
};

// A request may say that its answer is read together with a later one; a refusal is awaited always. It may say whose
// turn it is then, if all is well: an output that the session does not know it has to compare before.
Answer answer_to(Server& server, const std::string& line) {
  try {
    const Request request(line);
    Answer answer{server.handle(request), !request.has("quiet"), std::nullopt};
    if (request.has("then") && server.is_as_known(request)) {
      answer.then = {request.text("then"), request.integer("inode"), request.text("lines")};
    }
    return answer;
  } catch (const Unsupported& refused) {
    return {refusal("unsupported", refused.what()), true, std::nullopt};
  } catch (const std::bad_alloc&) {
    return {refusal("error", "memory: an allocation was refused by the system"), true, std::nullopt};
  } catch (const std::exception& failed) {
    return {refusal("error", failed.what()), true, std::nullopt};
  }
}

}  // namespace

void serve(const OperatorLibrary& library, const Conditions& conditions, Channel& channel) {
  Server server(library, conditions);
  channel.answer(server.hello(), true);
  while (const auto line = channel.read_line()) {
    const Answer answer = answer_to(server, *line);
    std::fflush(nullptr);  // what the library printed belongs to the request that made it print
    channel.answer(answer.object, answer.awaited);
    // after the answer: what is woken on this core would keep it waiting
    if (answer.then) hand_over(answer.then->path, answer.then->inode, answer.then->lines);
  }
}

}  // namespace nntest
