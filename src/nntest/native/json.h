// Writes the JSON of answers and timer files: objects, arrays, strings, numbers; nothing is read.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace nntest {

inline std::string json_quote(std::string_view text) {
  std::string out = "\"";
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += character;
    } else if (byte < 0x20 || byte >= 0x7f) {
      // Texts of libraries come in any encoding; Latin-1 escapes keep every answer valid JSON, one line each.
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", byte);
      out += escape;
    } else {
      out += character;
    }
  }
  return out + '"';
}

inline std::string json_number(double value) {
  if (!std::isfinite(value)) return "null";
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

// An object under construction; keys keep their order.
class JsonObject {
 public:
  JsonObject& raw(std::string_view key, std::string_view json) {
    body_ += body_.empty() ? "" : ",";
    body_ += json_quote(key);
    body_ += ':';
    body_ += json;
    return *this;
  }
  JsonObject& add(std::string_view key, std::string_view text) { return raw(key, json_quote(text)); }
  JsonObject& add(std::string_view key, const char* text) { return raw(key, json_quote(text)); }
  JsonObject& add(std::string_view key, const JsonObject& object) { return raw(key, object.text()); }

  template <class Number, std::enable_if_t<std::is_arithmetic_v<Number>, int> = 0>
  JsonObject& add(std::string_view key, Number value) {
    return raw(key, element(value));
  }

  template <class Number>
  JsonObject& add(std::string_view key, const std::vector<Number>& values) {
    std::string list;
    for (const Number value : values) {
      list += list.empty() ? "" : ",";
      list += element(value);
    }
    return raw(key, "[" + list + "]");
  }

  std::string text() const { return "{" + body_ + "}"; }

 private:
  template <class Number>
  static std::string element(Number value) {
    if constexpr (std::is_same_v<Number, bool>) {
      return value ? "true" : "false";
    } else if constexpr (std::is_integral_v<Number>) {
      return std::to_string(value);
    } else {
      return json_number(value);
    }
  }

  std::string body_;
};

}  // namespace nntest
