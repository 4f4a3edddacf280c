// What the oneDNN programs share: engine and stream, descriptors of plain and native tensors, reorders, execution.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nntest_program.h"
#include "oneapi/dnnl/dnnl.hpp"

namespace nntest::onednn {

using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;

inline const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

inline dnnl::stream& stream() {
  static dnnl::stream in_order(engine());
  return in_order;
}

inline const char* isa_name() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41: return "sse41";
    case dnnl::cpu_isa::avx: return "avx";
    case dnnl::cpu_isa::avx2: return "avx2";
    case dnnl::cpu_isa::avx2_vnni: return "avx2_vnni";
    case dnnl::cpu_isa::avx2_vnni_2: return "avx2_vnni_2";
    case dnnl::cpu_isa::avx512_core: return "avx512_core";
    case dnnl::cpu_isa::avx512_core_vnni: return "avx512_core_vnni";
    case dnnl::cpu_isa::avx512_core_bf16: return "avx512_core_bf16";
    case dnnl::cpu_isa::avx512_core_fp16: return "avx512_core_fp16";
    case dnnl::cpu_isa::avx512_core_amx: return "avx512_core_amx";
    case dnnl::cpu_isa::avx512_core_amx_fp16: return "avx512_core_amx_fp16";
    default: return "";
  }
}

inline const char* describe() {
  static const std::string text = [] {
    const dnnl_version_t* version = dnnl_version();
    const bool openmp = version->cpu_runtime == DNNL_RUNTIME_OMP;
    char json[256];
    std::snprintf(json, sizeof json,
                  R"({"library":"onednn-cpu","version":"%d.%d.%d","build":"%.40s","threading":"%s","isa":"%s"})",
                  version->major, version->minor, version->patch, version->hash, openmp ? "openmp" : "other",
                  isa_name());
    return std::string(json);
  }();
  return text.c_str();
}

// oneDNN's own notation: dimensions as letters, outermost first, capitals where blocked, then the blocks ("aBcd16b").
inline std::string layout_tag(const Desc& desc) {
  if (desc.get_format_kind() != dnnl::memory::format_kind::blocked) return "opaque";
  const auto blocks = desc.get_inner_blks(), blocked = desc.get_inner_idxs(), strides = desc.get_strides();
  std::vector<int> order(strides.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return strides[static_cast<std::size_t>(a)] > strides[static_cast<std::size_t>(b)];
  });
  std::string tag;
  for (const int axis : order) {
    const bool capital = std::find(blocked.begin(), blocked.end(), axis) != blocked.end();
    tag += static_cast<char>((capital ? 'A' : 'a') + axis);
  }
  for (std::size_t at = 0; at < blocks.size(); ++at) {
    tag += std::to_string(blocks[at]) + static_cast<char>('a' + blocked[at]);
  }
  return tag;
}

inline Desc plain_desc(const nntest_tensor& tensor) {
  return {Dims(tensor.dims, tensor.dims + tensor.rank), dnnl::memory::data_type::f32,
          Dims(tensor.strides, tensor.strides + tensor.rank)};
}

// Row-major with other dimensions than the tensor's own (groups split off, axes flattened).
inline Desc row_major(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (std::size_t axis = dims.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * dims[axis];
  return {dims, dnnl::memory::data_type::f32, strides};
}

// The library chooses the layout.
inline Desc any_layout(const Desc& plain) {
  return {plain.get_dims(), plain.get_data_type(), dnnl::memory::format_tag::any};
}

// Activations stay as the case lays them out, unless it leaves that to the library.
inline Desc activation_desc(const Question& question, const Desc& plain) {
  return question.free_layout() ? any_layout(plain) : plain;
}

// The layout in which convolutions of this processor hand images on: as many channels in a block as lanes in a vector.
inline Desc channel_blocked(const Desc& plain) {
  using Tag = dnnl::memory::format_tag;
  const bool wide = std::string(isa_name()).rfind("avx512", 0) == 0;
  return {plain.get_dims(), plain.get_data_type(), wide ? Tag::nChw16c : Tag::nChw8c};
}

// What programs fuse that give `attributes` their output and call `bind_fused`. A sum adds a tensor of its own, in the
// output's layout: oneDNN's sum in place would add to what the previous call has left in the output.
inline constexpr const char* kFusions = "relu,sum,sum+relu";

// The buffer for intermediate results is the driver's, so that it is counted and evicted like the others.
inline dnnl::primitive_attr attributes(const Question& question, const Desc& output = {}) {
  dnnl::post_ops fused;
  for (const std::string& operation : question.post_op_list()) {
    if (operation == "relu") fused.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    if (operation == "sum") fused.append_binary(dnnl::algorithm::binary_add, any_layout(output));
  }
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attributes.set_post_ops(fused);
  return attributes;
}

// Make a primitive descriptor; "no implementation" is an answer.
template <class Make>
auto describe_primitive(Make&& make) {
  try {
    return make();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_unimplemented) throw Unsupported("oneDNN has no implementation for this case");
    throw Failure(std::string("oneDNN: ") + error.what());
  }
}

// A primitive with its tensors. A program's constructor makes the primitive descriptor and binds each role.
class Primitive : public Operator {
 public:
  std::vector<Native> natives() const override {
    std::vector<Native> natives;
    for (const Slot& slot : slots_) {
      if (slot.part) continue;
      natives.push_back({slot.role, static_cast<std::int64_t>(slot.native.get_size()), slot.native == slot.plain,
                         slot.role == NNTEST_WORKSPACE ? "" : layout_tag(slot.native)});
    }
    return natives;
  }

  void reorder_in(nntest_role role, const void* plain, void* native) override {
    const Slot& slot = slot_of(role);
    reorder(slot.plain, const_cast<void*>(plain), slot.native, native);
  }

  void reorder_out(nntest_role role, const void* native, void* plain) override {
    const Slot& slot = slot_of(role);
    reorder(slot.native, const_cast<void*>(native), slot.plain, plain);
  }

  void run(void* const* buffers) override {
    for (Slot& slot : slots_) {
      void* buffer = buffers[slot.role];
      if (slot.data == buffer) continue;
      slot.memory.set_data_handle(static_cast<char*>(buffer) + slot.offset);
      slot.data = buffer;
    }
    // The C function, because the C++ one builds its list of arguments anew, on the heap, in every call.
    const dnnl_status_t status =
        dnnl_primitive_execute(primitive_.get(), stream().get(), static_cast<int>(arguments_.size()), arguments_.data());
    if (status != dnnl_success) throw Failure("oneDNN: execute failed with status " + std::to_string(status));
    stream().wait();
  }

  const char* implementation() const override { return implementation_.c_str(); }

 protected:
  template <class PrimitiveDesc>
  void use(const PrimitiveDesc& described, const dnnl::primitive& primitive) {
    primitive_ = primitive;
    implementation_ = described.impl_info_str();
    const Desc scratchpad = described.scratchpad_desc();
    if (scratchpad.get_size() > 0) bind(NNTEST_WORKSPACE, DNNL_ARG_SCRATCHPAD, scratchpad, scratchpad);
  }

  void bind(nntest_role role, int argument, const Desc& plain, const Desc& native) {
    add_slot({role, plain, native, dnnl::memory(native, engine(), DNNL_MEMORY_NONE), nullptr, 0, false}, argument);
  }

  // What a fused sum adds, in the layout that the library has chosen for it.
  template <class PrimitiveDesc>
  void bind_fused(const Question& question, const Desc& plain, const PrimitiveDesc& described) {
    int position = 0;
    for (const std::string& operation : question.post_op_list()) {
      const int argument = DNNL_ARG_ATTR_MULTIPLE_POST_OP(position++) | DNNL_ARG_SRC_1;
      if (operation != "sum") continue;
      bind(NNTEST_INPUT1, argument, plain, described.query_md(dnnl::query::exec_arg_md, argument));
    }
  }

  // An argument that lies within the buffer of a role, for a program that says itself what that buffer is.
  void bind_part(nntest_role role, int argument, const Desc& desc, std::size_t offset_bytes) {
    const dnnl::memory memory(desc, engine(), DNNL_MEMORY_NONE);
    add_slot({role, desc, desc, memory, nullptr, offset_bytes, true}, argument);
  }

 private:
  struct Slot {
    nntest_role role;
    Desc plain, native;
    dnnl::memory memory;
    void* data;
    std::size_t offset;
    bool part;
  };

  void add_slot(Slot slot, int argument) {
    slots_.push_back(std::move(slot));
    arguments_.push_back({argument, slots_.back().memory.get()});
  }

  const Slot& slot_of(nntest_role role) const {
    for (const Slot& slot : slots_) {
      if (slot.role == role) return slot;
    }
    throw Failure("reorder: this tensor has no slot: role " + std::to_string(role));
  }

  static void reorder(const Desc& from, void* source, const Desc& to, void* target) {
    const dnnl::memory in(from, engine(), source), out(to, engine(), target);
    dnnl::reorder(in, out).execute(stream(), const_cast<dnnl::memory&>(in), const_cast<dnnl::memory&>(out));
    stream().wait();
  }

  dnnl::primitive primitive_;
  std::string implementation_;
  std::vector<Slot> slots_;
  std::vector<dnnl_exec_arg_t> arguments_;
};

}  // namespace nntest::onednn
