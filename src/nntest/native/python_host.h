// Python's C interface, as much of it as we call: functions of its stable interface, declared here and taken from the
// interpreter that this process is (measure/hosted/host.py). For libraries whose wheels can be entered in no other way.
#pragma once

#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "clock.h"
#include "failure.h"

extern "C" {
struct _object;  // PyObject
}

namespace nntest::python {

using Handle = _object*;

// The functions that are called, by their names.
class Interface {
 public:
  static const Interface& get() {
    static const Interface interface;
    return interface;
  }

  Handle (*import)(const char* module);
  Handle (*attribute)(Handle object, const char* name);
  Handle (*call)(Handle function, const char* format, ...);
  Handle (*call_bare)(Handle function, Handle arguments);
  Handle (*text)(Handle object);
  const char* (*utf8)(Handle text, std::intptr_t* size);
  long long (*integer)(Handle object);
  Handle (*item)(Handle sequence, std::intptr_t at);
  void (*fetch_error)(Handle* type, Handle* value, Handle* trace);
  Handle (*has_error)();
  void (*release)(Handle object);

 private:
  Interface() {
    find(import, "PyImport_ImportModule");
    find(attribute, "PyObject_GetAttrString");
    find(call, "PyObject_CallFunction");
    find(call_bare, "PyObject_CallObject");
    find(text, "PyObject_Str");
    find(utf8, "PyUnicode_AsUTF8AndSize");
    find(integer, "PyLong_AsLongLong");
    find(item, "PySequence_GetItem");
    find(fetch_error, "PyErr_Fetch");
    find(has_error, "PyErr_Occurred");
    find(release, "Py_DecRef");
  }

  template <class Function>
  static void find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
    if (function == nullptr) {
      throw Failure(std::string("Python: ") + name + " was not found; this driver runs inside measure/hosted/host.py");
    }
  }
};

// A reference that is ours.
class Object {
 public:
  Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  Object(Object&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Object& operator=(Object&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Object() {
    if (handle_ != nullptr) Interface::get().release(handle_);
  }

  explicit operator bool() const { return handle_ != nullptr; }

  static Object module(const char* name) { return taken(Interface::get().import(name)); }

  Object attribute(const char* name) const { return taken(Interface::get().attribute(handle_, name)); }
  Object item(std::intptr_t at) const { return taken(Interface::get().item(handle_, at)); }

  // `format` tells the types of the arguments, as for Py_BuildValue.
  template <class... Arguments>
  Object call(const char* name, const char* format, Arguments... arguments) const {
    return taken(Interface::get().call(attribute(name).handle_, format, arguments...));
  }

  // Without arguments, and as fast as it gets.
  void operator()() const {
    Handle answer = Interface::get().call_bare(handle_, nullptr);
    if (answer == nullptr) fail();
    Interface::get().release(answer);
  }

  std::int64_t integer() const {
    const long long value = Interface::get().integer(handle_);
    if (Interface::get().has_error() != nullptr) fail();
    return value;
  }

  std::string text() const {
    const Object text = taken(Interface::get().text(handle_));
    std::intptr_t size = 0;
    const char* const bytes = Interface::get().utf8(text.handle_, &size);
    if (bytes == nullptr) fail();
    return {bytes, static_cast<std::size_t>(size)};
  }

 private:
  static Object taken(Handle handle) {
    if (handle == nullptr) fail();
    Object object;
    object.handle_ = handle;
    return object;
  }

  // The exception that Python has raised becomes one of ours. A module says what its library cannot do by a
  // NotImplementedError.
  [[noreturn]] static void fail() {
    Object type, value, trace;
    Interface::get().fetch_error(&type.handle_, &value.handle_, &trace.handle_);
    const std::string what = value.handle_ == nullptr ? "an exception without a text" : value.text();
    const std::string kind = type.handle_ == nullptr ? "" : type.attribute("__name__").text();
    if (kind == "NotImplementedError") throw Unsupported(what);
    throw Failure("Python: " + (kind.empty() ? "" : kind + ": ") + what);
  }

  Handle handle_ = nullptr;
};

// Seconds that a call takes which does nothing, what each entry costs beside the computation: the fastest of several
// batches, so that an interruption does not count.
template <class Function>
double seconds_of_call(const Function& function) {
  constexpr int kCalls = 200, kBatches = 15;
  double best = 1;
  for (int batch = 0; batch < kBatches; ++batch) {
    const double start = now_s();
    for (int call = 0; call < kCalls; ++call) function();
    best = std::min(best, (now_s() - start) / kCalls);
  }
  return best;
}

}  // namespace nntest::python
