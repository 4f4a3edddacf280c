// ONNX models as bytes: just enough of the protocol buffers to write a small graph, and to take one apart that ONNX
// Runtime has optimised. The numbers are those of the fields in onnx.proto, which never change.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "failure.h"

namespace nntest::onnx {

// A message under construction.
class Message {
 public:
  Message& integer(int field, std::int64_t value) {
    tag(field, 0);
    varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  Message& real(int field, float value) {
    tag(field, 5);
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    bytes_.append(raw, sizeof raw);
    return *this;
  }
  Message& text(int field, std::string_view value) {
    tag(field, 2);
    varint(value.size());
    bytes_.append(value);
    return *this;
  }
  Message& message(int field, const Message& value) { return text(field, value.bytes_); }

  const std::string& bytes() const { return bytes_; }

 private:
  void tag(int field, unsigned wire) { varint(static_cast<unsigned>(field) << 3 | wire); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }

  std::string bytes_;
};

// One field of a message that was read; `bytes` for texts, messages and packed numbers.
struct Field {
  int number;
  std::uint64_t value;
  std::string_view bytes;
};

inline std::vector<Field> fields_of(std::string_view bytes) {
  std::vector<Field> fields;
  std::size_t at = 0;
  const auto varint = [&] {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at >= bytes.size()) throw Failure("onnx: the model ends within a number");
      const auto byte = static_cast<unsigned char>(bytes[at++]);
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < bytes.size()) {
    const std::uint64_t tag = varint();
    Field field{static_cast<int>(tag >> 3), 0, {}};
    const unsigned wire = tag & 7u;
    if (wire == 0) {
      field.value = varint();
    } else {
      if (wire != 1 && wire != 2 && wire != 5) throw Failure("onnx: the model has a field of an unknown kind");
      const std::size_t size = wire == 2 ? varint() : wire == 1 ? 8 : 4;
      if (size > bytes.size() - at) throw Failure("onnx: the model ends within a field");
      field.bytes = bytes.substr(at, size);
      at += size;
    }
    fields.push_back(field);
  }
  return fields;
}

inline std::string_view text_of(const std::vector<Field>& fields, int number) {
  for (const Field& field : fields) {
    if (field.number == number) return field.bytes;
  }
  return {};
}

inline std::vector<std::string> texts_of(const std::vector<Field>& fields, int number) {
  std::vector<std::string> texts;
  for (const Field& field : fields) {
    if (field.number == number) texts.emplace_back(field.bytes);
  }
  return texts;
}

inline void copy_field(const Field& field, Message& to) {
  if (field.bytes.data() == nullptr) {
    to.integer(field.number, static_cast<std::int64_t>(field.value));
  } else {
    to.text(field.number, field.bytes);
  }
}

using Dims = std::vector<std::int64_t>;

inline Message value_info(std::string_view name, const Dims& dims) {
  Message shape;
  for (const std::int64_t dim : dims) shape.message(1, Message().integer(1, dim));
  const Message tensor = Message().integer(1, 1).message(2, shape);
  return Message().text(1, name).message(2, Message().message(1, tensor));
}

inline Message tensor(std::string_view name, const Dims& dims, std::string_view floats) {
  Message tensor;
  for (const std::int64_t dim : dims) tensor.integer(1, dim);
  return tensor.integer(2, 1).text(8, name).text(9, floats);
}

// A node with its attributes; fluent, because nodes differ in what they have.
class Node {
 public:
  Node(std::string_view kind, const std::vector<std::string>& inputs, std::string_view output) {
    for (const std::string& input : inputs) message_.text(1, input);
    message_.text(2, output).text(4, kind);
  }
  Node& integer(std::string_view name, std::int64_t value) {
    return attribute(Message().text(1, name).integer(3, value).integer(20, 2));
  }
  Node& real(std::string_view name, float value) {
    return attribute(Message().text(1, name).real(2, value).integer(20, 1));
  }
  Node& integers(std::string_view name, const Dims& values) {
    Message words;
    words.text(1, name);
    for (const std::int64_t value : values) words.integer(8, value);
    return attribute(words.integer(20, 7));
  }
  const Message& message() const { return message_; }

 private:
  Node& attribute(const Message& words) {
    message_.message(5, words);
    return *this;
  }

  Message message_;
};

// Nodes and constants of a graph with named inputs and outputs.
struct Graph {
  Message body;

  Graph& add(const Node& node) { return body.message(1, node.message()), *this; }
  Graph& constant(const Message& tensor) { return body.message(5, tensor), *this; }
  Graph& input(std::string_view name, const Dims& dims) { return body.message(11, value_info(name, dims)), *this; }
  Graph& output(std::string_view name, const Dims& dims) { return body.message(12, value_info(name, dims)), *this; }

  // The operators of ONNX in version 13, which every ONNX Runtime from 1.8 on knows, and those of its own.
  std::string model() const {
    constexpr int kFormat = 7, kOperators = 13;
    Message graph;
    graph.text(2, "nntest");
    Message model = Message().integer(1, kFormat).text(2, "nntest");
    model.text(7, graph.bytes() + body.bytes()).message(8, Message().text(1, "").integer(2, kOperators));
    for (const char* domain : {"com.microsoft", "com.microsoft.nchwc"}) {
      model.message(8, Message().text(1, domain).integer(2, 1));
    }
    return model.bytes();
  }
};

// A node of a model that was read; `bytes` is all of it.
struct ReadNode {
  std::string kind;
  std::vector<std::string> inputs, outputs;
  std::string bytes;
};

struct ReadTensor {
  std::string name;
  Dims dims;
  std::string floats;
};

struct ReadGraph {
  std::vector<ReadNode> nodes;
  std::vector<ReadTensor> constants;
};

inline ReadTensor read_tensor(std::string_view bytes) {
  ReadTensor tensor;
  for (const Field& field : fields_of(bytes)) {
    if (field.number == 1 && field.bytes.data() == nullptr) tensor.dims.push_back(static_cast<std::int64_t>(field.value));
    if (field.number == 1 && field.bytes.data() != nullptr) {  // packed
      const std::string_view packed = field.bytes;
      for (std::size_t at = 0; at < packed.size();) {
        std::uint64_t value = 0;
        for (unsigned shift = 0; at < packed.size(); shift += 7) {
          const auto byte = static_cast<unsigned char>(packed[at++]);
          value |= std::uint64_t{byte & 0x7fu} << shift;
          if (byte < 0x80) break;
        }
        tensor.dims.push_back(static_cast<std::int64_t>(value));
      }
    }
    if (field.number == 8) tensor.name = field.bytes;
    if (field.number == 9 || field.number == 4) tensor.floats = field.bytes;  // raw, or a packed list of floats
  }
  return tensor;
}

inline ReadGraph read_model(std::string_view model) {
  ReadGraph graph;
  for (const Field& field : fields_of(text_of(fields_of(model), 7))) {
    if (field.number == 1) {
      const std::vector<Field> node = fields_of(field.bytes);
      graph.nodes.push_back({std::string(text_of(node, 4)), texts_of(node, 1), texts_of(node, 2), std::string(field.bytes)});
    }
    if (field.number == 5) graph.constants.push_back(read_tensor(field.bytes));
  }
  return graph;
}

// The node again with other names for what it reads and writes.
inline Message renamed(const ReadNode& node, const std::vector<std::string>& inputs, const std::string& output) {
  Message copy;
  for (const std::string& input : inputs) copy.text(1, input);
  copy.text(2, output);
  for (const Field& field : fields_of(node.bytes)) {
    if (field.number > 3) copy_field(field, copy);
  }
  return copy;
}

}  // namespace nntest::onnx
