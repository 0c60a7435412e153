// airwasm for C++17: airwasm.h with owners. Header-only; nothing in it throws.
//
// What can go wrong returns an Error, which is true if something did, or a Result, which is true if it holds a value:
//
//     airwasm::Result<airwasm::System> system = airwasm::System::open();
//     if (!system) return fail(system.error().message());
//
// Systems, bytes, errors and replies are owned and move; actors, components and grants are plain handles. See
// airwasm.h for what each operation does.
#ifndef AIRWASM_HPP
#define AIRWASM_HPP

#include <airwasm.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace airwasm {

using Handle = airwasm_handle;

// What went wrong; false is success. The views live as long as it.
class [[nodiscard]] Error {
 public:
  Error() = default;
  explicit Error(airwasm_error *error) noexcept : error_(error) {}
  explicit operator bool() const noexcept { return error_ != nullptr; }
  std::uint32_t code() const noexcept { return airwasm_error_code(error_.get()); }
  std::string_view name() const noexcept { return airwasm_error_name(error_.get()); }
  std::string_view message() const noexcept { return airwasm_error_message(error_.get()); }
  std::string_view actor() const noexcept { return airwasm_error_actor(error_.get()); }
  std::string_view detail() const noexcept { return airwasm_error_detail(error_.get()); }
  std::string_view policy_line() const noexcept { return airwasm_error_policy_line(error_.get()); }

 private:
  struct Free {
    void operator()(airwasm_error *error) const noexcept { airwasm_error_free(error); }
  };
  std::unique_ptr<airwasm_error, Free> error_;
};

// A value, or the error why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) noexcept : error_(std::move(error)) {}
  explicit operator bool() const noexcept { return value_.has_value(); }
  const Error &error() const noexcept { return error_; }
  T &operator*() & noexcept { return *value_; }
  T &&operator*() && noexcept { return *std::move(value_); }
  T *operator->() noexcept { return &*value_; }

 private:
  std::optional<T> value_;
  Error error_;
};

// Bytes that the library made.
class Bytes {
 public:
  Bytes() noexcept : bytes_{} {}
  explicit Bytes(airwasm_bytes bytes) noexcept : bytes_(bytes) {}
  Bytes(Bytes &&other) noexcept : bytes_(std::exchange(other.bytes_, airwasm_bytes{})) {}
  Bytes &operator=(Bytes &&other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Bytes() { airwasm_bytes_free(&bytes_); }
  const std::uint8_t *data() const noexcept { return bytes_.data; }
  std::size_t size() const noexcept { return bytes_.len; }
  std::string_view view() const noexcept { return {reinterpret_cast<const char *>(bytes_.data), bytes_.len}; }
  std::string str() const { return std::string(view()); }

 private:
  airwasm_bytes bytes_;
};

// A message as a handler sees it; the views live for its call.
struct Message {
  std::string_view sender, to, content_type, payload;
};

// An event as a callback sees it; the views live for its call.
struct Event {
  std::uint64_t seq;
  std::int64_t time_unix_ms;
  std::string_view kind, actor, detail;
};

// The duty to answer one message, from any thread. Dropped, it is HANDLER_RAISED.
class Reply {
 public:
  explicit Reply(airwasm_reply *reply) noexcept : reply_(reply) {}
  void send(std::string_view bytes) noexcept { airwasm_reply_send(reply_.release(), bytes.data(), bytes.size()); }
  void fail(const std::string &text) noexcept { airwasm_reply_fail(reply_.release(), text.c_str()); }
  void fail(const std::string &code, const std::string &text) noexcept {
    airwasm_reply_fail_code(reply_.release(), code.c_str(), text.c_str());
  }
  void raise(const std::string &text) noexcept { airwasm_reply_raise(reply_.release(), text.c_str()); }

 private:
  struct Free {
    void operator()(airwasm_reply *reply) const noexcept { airwasm_reply_free(reply); }
  };
  std::unique_ptr<airwasm_reply, Free> reply_;
};

// An exception that leaves a handler is HANDLER_RAISED with its text; one that leaves the others ends the program.
using Handler = std::function<void(const Message &, Reply &&)>;
using EventCallback = std::function<void(const Event &)>;
using Completion = std::function<void(Result<Bytes>)>;

// How an actor is spawned; what is not set is the core's default.
struct Spec {
  Handle component = 0;
  std::string name;
  std::vector<std::string> grants;
  std::string config;
  std::uint32_t restart = 0;
  std::uint64_t shutdown_ms = 0;
  airwasm_budget budget = AIRWASM_INIT(airwasm_budget);
  airwasm_limits limits = AIRWASM_INIT(airwasm_limits);

  Spec() = default;
  explicit Spec(Handle of, std::string called = {}) : component(of), name(std::move(called)) {}
};

namespace detail {

template <class F>
void free_function(void *context) noexcept {
  delete static_cast<F *>(context);
}

inline std::string_view view(const char *text) noexcept { return text ? std::string_view(text) : std::string_view(); }

inline void handle(void *context, const airwasm_message *message, airwasm_reply *given) noexcept {
  const std::string_view payload(reinterpret_cast<const char *>(message->payload), message->payload_len);
  const Message view_of{message->sender, message->to, view(message->content_type), payload};
  Reply reply(given);
#ifdef __cpp_exceptions
  try {
    (*static_cast<Handler *>(context))(view_of, std::move(reply));
  } catch (const std::exception &why) {
    reply.raise(why.what());
  } catch (...) {
    reply.raise("the handler threw what is no std::exception");
  }
#else
  (*static_cast<Handler *>(context))(view_of, std::move(reply));
#endif
}

inline void tell(void *context, const airwasm_event *event) noexcept {
  (*static_cast<EventCallback *>(context))({event->seq, event->time_unix_ms, event->kind, event->actor, event->detail});
}

inline void complete(void *context, airwasm_outcome *outcome) noexcept {
  Error error(outcome->error);
  Bytes bytes(outcome->bytes);
  auto &completion = *static_cast<Completion *>(context);
  error ? completion(std::move(error)) : completion(std::move(bytes));
}

}  // namespace detail

// One world of components, actors and grants. Destroyed without close, it is killed.
class System {
 public:
  static Result<System> open() noexcept { return open(nullptr); }
  static Result<System> open(const airwasm_options &options) noexcept { return open(&options); }

  airwasm_system *get() const noexcept { return system_.get(); }
  Result<Bytes> close(std::uint64_t deadline_ms = 0) noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_close(get(), deadline_ms, out); });
  }

  Result<Handle> load(const std::string &path) noexcept {
    return handle([&](Handle *out) { return airwasm_load(get(), path.c_str(), out); });
  }
  Result<Handle> load_bytes(std::string_view data) noexcept {
    return handle([&](Handle *out) { return airwasm_load_bytes(get(), data.data(), data.size(), out); });
  }
  Result<Bytes> inspect(Handle component) noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_inspect(get(), component, out); });
  }
  Error unload(Handle component) noexcept { return Error(airwasm_unload(get(), component)); }

  Result<Handle> spawn(const Spec &spec) {
    return with(spec, [&](const airwasm_actor_spec *c, Handle *out) { return airwasm_spawn(get(), c, out); });
  }
  Result<Handle> spawn_host(const Spec &spec, Handler handler) {
    const airwasm_handler c{detail::handle, new Handler(std::move(handler)), detail::free_function<Handler>};
    return with(spec, [&](const airwasm_actor_spec *s, Handle *out) { return airwasm_spawn_host(get(), s, c, out); });
  }
  Error stop(Handle actor, std::uint64_t deadline_ms = 0) noexcept {
    return Error(airwasm_stop(get(), actor, deadline_ms));
  }
  Error kill(Handle actor) noexcept { return Error(airwasm_kill(get(), actor)); }
  Result<Handle> lookup(const std::string &id) noexcept {
    return handle([&](Handle *out) { return airwasm_lookup(get(), id.c_str(), out); });
  }
  Result<Bytes> actor_id(Handle actor) noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_actor_id(get(), actor, out); });
  }
  Result<Bytes> status(Handle actor) noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_status(get(), actor, out); });
  }
  Result<Bytes> list() noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_list(get(), out); });
  }
  Result<Bytes> stats() noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_stats(get(), out); });
  }

  Error send(Handle actor, std::string_view payload) noexcept {
    return Error(airwasm_send(get(), actor, payload.data(), payload.size(), nullptr));
  }
  Result<Bytes> request(Handle actor, std::string_view payload, std::uint64_t timeout_ms = 0) noexcept {
    const airwasm_request_options options = within(timeout_ms);
    return bytes([&](airwasm_bytes *out) {
      return airwasm_request(get(), actor, payload.data(), payload.size(), &options, out);
    });
  }
  // The handle is for cancel, or 0 if the answer is on its way already.
  Result<Handle> request_async(Handle actor, std::string_view payload, Completion completion,
                               std::uint64_t timeout_ms = 0) {
    const airwasm_request_options options = within(timeout_ms);
    const airwasm_completion c{detail::complete, new Completion(std::move(completion)),
                               detail::free_function<Completion>};
    return handle([&](Handle *out) {
      return airwasm_request_async(get(), actor, payload.data(), payload.size(), &options, c, out);
    });
  }
  Error cancel(Handle request) noexcept { return Error(airwasm_cancel(get(), request)); }
  int completion_fd() const noexcept { return airwasm_completion_fd(get()); }
  std::size_t dispatch() noexcept { return airwasm_dispatch(get()); }

  Result<Handle> grant(Handle actor, const std::string &capability, std::uint64_t ttl_ms = 0) noexcept {
    return handle([&](Handle *out) { return airwasm_grant(get(), actor, capability.c_str(), ttl_ms, out); });
  }
  Result<std::uint64_t> revoke(Handle grant) noexcept {
    return handle([&](std::uint64_t *out) { return airwasm_revoke(get(), grant, out); });
  }
  Result<Bytes> grants(Handle actor) noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_grants(get(), actor, out); });
  }

  Result<Handle> events(const std::string &kinds, EventCallback callback) {
    const airwasm_event_callback c{detail::tell, new EventCallback(std::move(callback)),
                                   detail::free_function<EventCallback>};
    return handle([&](Handle *out) { return airwasm_events(get(), kinds.c_str(), c, out); });
  }
  Error unsubscribe(Handle subscription) noexcept { return Error(airwasm_unsubscribe(get(), subscription)); }

 private:
  struct Free {
    void operator()(airwasm_system *system) const noexcept { airwasm_system_free(system); }
  };

  explicit System(airwasm_system *system) noexcept : system_(system) {}

  static Result<System> open(const airwasm_options *options) noexcept {
    airwasm_system *system = nullptr;
    if (Error error{airwasm_open(options, &system)}) return error;
    return System(system);
  }

  static airwasm_request_options within(std::uint64_t timeout_ms) noexcept {
    airwasm_request_options options = AIRWASM_INIT(airwasm_request_options);
    options.timeout_ms = timeout_ms;
    return options;
  }

  template <class Call>
  static Result<Bytes> bytes(Call call) noexcept {
    airwasm_bytes out{};
    if (Error error{call(&out)}) return error;
    return Bytes(out);
  }

  template <class Call>
  static Result<Handle> handle(Call call) noexcept {
    Handle out = 0;
    if (Error error{call(&out)}) return error;
    return out;
  }

  template <class Call>
  static Result<Handle> with(const Spec &spec, Call call) {
    std::vector<const char *> grants;
    for (const std::string &grant : spec.grants) grants.push_back(grant.c_str());
    airwasm_actor_spec c = AIRWASM_INIT(airwasm_actor_spec);
    c.restart = spec.restart, c.component = spec.component, c.shutdown_ms = spec.shutdown_ms;
    c.name = spec.name.empty() ? nullptr : spec.name.c_str();
    c.config = spec.config.empty() ? nullptr : spec.config.c_str();
    c.grants = grants.data(), c.grants_len = grants.size();
    c.limits = &spec.limits, c.budget = &spec.budget;
    return handle([&](Handle *out) { return call(&c, out); });
  }

  std::unique_ptr<airwasm_system, Free> system_;
};

}  // namespace airwasm

#endif  // AIRWASM_HPP
