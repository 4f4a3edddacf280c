// One request a line: `verb key=value key=value`, values percent-encoded. One JSON object a line as the answer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json.h"

namespace nntest {

class Request {
 public:
  explicit Request(std::string_view line);

  const std::string& verb() const { return verb_; }
  bool has(const std::string& key) const { return values_.count(key) != 0; }
  // Throws Failure where the key is missing or no number.
  const std::string& text(const std::string& key) const;
  std::int64_t integer(const std::string& key) const;
  double real(const std::string& key) const;
  std::string text_or(const std::string& key, const std::string& otherwise) const;
  const std::map<std::string, std::string>& values() const { return values_; }

 private:
  std::string verb_;
  std::map<std::string, std::string> values_;
};

// Whole numbers joined by commas, as "1,3,224,224".
std::vector<std::int64_t> parse_integers(const std::string& what, std::string_view text);
std::int64_t parse_integer(const std::string& what, const std::string& text);
std::uint64_t parse_seed(const std::string& what, const std::string& text);  // all 64 bits
double parse_real(const std::string& what, const std::string& text);

// Lines from one descriptor, answers to another.
class Channel {
 public:
  // `wake` is the descriptor of one more pipe, or -1.
  Channel(int in, int out, int wake) : in_(in), out_(out), wake_(wake) {}

  // nullopt at the end of input. A line that begins with "@PID.NUMBER " may come twice, from the session and from a
  // driver in its place: those for another process, and those whose number is not above the last, are passed over.
  std::optional<std::string> read_line();
  // What is awaited wakes the reader, who sleeps at the pipe `wake` where there is one: to wake another core takes long.
  void answer(const JsonObject& object, bool awaited) const;

 private:
  int in_;
  int out_;
  int wake_;
  bool is_for_us(std::string& line);

  std::string pending_;
  std::int64_t last_number_ = 0;
};

// Write to the pipe of that inode at once or not at all: the session sends the same a little later in any case, and may
// have closed the pipe by now, so that another file is found at its path.
void hand_over(const std::string& path, std::int64_t inode, const std::string& lines);

}  // namespace nntest
