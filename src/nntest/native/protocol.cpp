#include "protocol.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "failure.h"

namespace nntest {
namespace {

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%' && at + 2 < text.size()) {
      const char digits[3] = {text[at + 1], text[at + 2], '\0'};
      out += static_cast<char>(std::strtol(digits, nullptr, 16));
      at += 2;
    } else {
      out += text[at];
    }
  }
  return out;
}

void write_all(int file, const std::string& text) {
  for (std::size_t written = 0; written < text.size();) {
    const ssize_t count = write(file, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw Failure(std::string("answer: ") + std::strerror(errno));
    written += static_cast<std::size_t>(count);
  }
}

}  // namespace

std::int64_t parse_integer(const std::string& what, const std::string& text) {
  char* end = nullptr;
  errno = 0;
  const long long value = std::strtoll(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || errno != 0) {
    throw Failure(what + " is '" + text + "'; expected a whole number");
  }
  return value;
}

std::uint64_t parse_seed(const std::string& what, const std::string& text) {
  char* end = nullptr;
  errno = 0;
  const unsigned long long value = std::strtoull(text.c_str(), &end, 10);
  if (text.empty() || text[0] == '-' || *end != '\0' || errno != 0) {
    throw Failure(what + " is '" + text + "'; expected a whole number of at most 64 bits");
  }
  return value;
}

double parse_real(const std::string& what, const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') throw Failure(what + " is '" + text + "'; expected a number");
  return value;
}

std::vector<std::int64_t> parse_integers(const std::string& what, std::string_view text) {
  std::vector<std::int64_t> values;
  while (true) {
    const std::size_t comma = text.find(',');
    values.push_back(parse_integer(what, std::string(text.substr(0, comma))));
    if (comma == std::string_view::npos) return values;
    text.remove_prefix(comma + 1);
  }
}

Request::Request(std::string_view line) {
  bool first = true;
  while (!line.empty()) {
    const std::size_t space = line.find(' ');
    const std::string_view word = line.substr(0, space);
    if (first) {
      verb_ = std::string(word);
      first = false;
    } else if (!word.empty()) {
      const std::size_t equals = word.find('=');
      if (equals == std::string_view::npos) throw Failure("request: '" + std::string(word) + "'; expected key=value");
      values_[std::string(word.substr(0, equals))] = percent_decoded(word.substr(equals + 1));
    }
    if (space == std::string_view::npos) break;
    line.remove_prefix(space + 1);
  }
}

const std::string& Request::text(const std::string& key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) throw Failure(verb_ + ": " + key + " is missing");
  return found->second;
}

std::int64_t Request::integer(const std::string& key) const { return parse_integer(verb_ + ": " + key, text(key)); }

double Request::real(const std::string& key) const { return parse_real(verb_ + ": " + key, text(key)); }

std::string Request::text_or(const std::string& key, const std::string& otherwise) const {
  return has(key) ? text(key) : otherwise;
}

std::optional<std::string> Channel::read_line() {
  while (true) {
    const std::size_t end = pending_.find('\n');
    if (end != std::string::npos) {
      std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      if (is_for_us(line)) return line;
      continue;
    }
    char part[4096];
    const ssize_t count = read(in_, part, sizeof part);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    pending_.append(part, static_cast<std::size_t>(count));
  }
}

// Take the mark off a line that has one.
bool Channel::is_for_us(std::string& line) {
  if (line.empty() || line[0] != '@') return true;
  const std::size_t dot = line.find('.'), space = line.find(' ');
  if (dot == std::string::npos || space == std::string::npos || space < dot) throw Failure("request: '" + line + "'");
  const std::int64_t pid = parse_integer("request: process", line.substr(1, dot - 1));
  const std::int64_t number = parse_integer("request: number", line.substr(dot + 1, space - dot - 1));
  if (pid != getpid() || number <= last_number_) return false;
  last_number_ = number;
  line.erase(0, space + 1);
  return true;
}

void Channel::answer(const JsonObject& object, bool awaited) const {
  write_all(out_, object.text() + "\n");
  if (awaited && wake_ >= 0) write_all(wake_, "\n");
}

void hand_over(const std::string& path, std::int64_t inode, const std::string& lines) {
  const int pipe = open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (pipe < 0) return;
  struct stat found;
  if (fstat(pipe, &found) == 0 && S_ISFIFO(found.st_mode) && static_cast<std::int64_t>(found.st_ino) == inode) {
    // of at most PIPE_BUF bytes: never a part of them, never mixed with another's
    [[maybe_unused]] const ssize_t written = write(pipe, lines.data(), lines.size());
  }
  close(pipe);
}

}  // namespace nntest
