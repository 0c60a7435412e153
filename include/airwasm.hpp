// airwasm for C++17: airwasm.h with owners. Header-only; nothing in it throws.
//
// What can go wrong returns an Error, which is true if something did, or a Result, which is true if it holds a value:
//
//     airwasm::Result<airwasm::System> system = airwasm::System::open();
//     if (!system) return fail(system.error().message());
//
// Systems, bytes, errors and replies are owned and move; actors, components, grants, subscriptions and timers are plain
// handles. Specs are values: one may be used for many calls, and owns what a tree in C would point to. See airwasm.h
// for what each operation does.
#ifndef AIRWASM_HPP
#define AIRWASM_HPP

#include <airwasm.h>

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
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
  std::string_view sender, to, content_type, payload, topic;
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
using HandleCompletion = std::function<void(Result<Handle>)>;
using ErrorCompletion = std::function<void(Error)>;

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
  bool significant = false;
  std::uint32_t overflow = 0;
  std::uint64_t health_interval_ms = 0, health_missed = 0, errors_max = 0, error_period_ms = 0;
  std::vector<std::string> args;
  // "NAME=value".
  std::vector<std::string> env;
  // Where its wasi:http/incoming-handler is asked.
  std::string http_listen;

  Spec() = default;
  explicit Spec(Handle of, std::string called = {}) : component(of), name(std::move(called)) {}
};

struct SupervisorSpec;
namespace detail {
class Tree;
}

// One child of a supervisor: a guest, a function, or a supervisor.
class Child {
 public:
  Child(Spec guest) : actor_(std::move(guest)) {}
  Child(Spec actor, Handler handler) : actor_(std::move(actor)), handler_(std::move(handler)) {}
  Child(SupervisorSpec supervisor);

 private:
  friend class detail::Tree;
  Spec actor_;
  Handler handler_;
  std::shared_ptr<const SupervisorSpec> supervisor_;
};

// How a supervisor is made; what is not set is the core's default.
struct SupervisorSpec {
  std::string name;
  std::vector<Child> children;
  std::uint32_t strategy = 0, give_up = 0, auto_shutdown = 0, restart = 0;
  std::uint64_t intensity = 0, period_ms = 0;
  airwasm_backoff backoff = AIRWASM_INIT(airwasm_backoff);

  SupervisorSpec() = default;
  explicit SupervisorSpec(std::string called, std::vector<Child> all = {})
      : name(std::move(called)), children(std::move(all)) {}
};

inline Child::Child(SupervisorSpec supervisor)
    : supervisor_(std::make_shared<const SupervisorSpec>(std::move(supervisor))) {}

namespace detail {

template <class F>
void free_function(void *context) noexcept {
  delete static_cast<F *>(context);
}

inline std::string_view view(const char *text) noexcept { return text ? std::string_view(text) : std::string_view(); }

inline void handle(void *context, const airwasm_message *message, airwasm_reply *given) noexcept {
  const std::string_view payload(reinterpret_cast<const char *>(message->payload), message->payload_len);
  const Message view_of{message->sender, message->to, view(message->content_type), payload, view(message->topic)};
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

// The handles in a JSON array, in which they are texts of digits.
inline std::vector<Handle> handles(const char *at) {
  std::vector<Handle> all;
  while (*at) {
    char *end = nullptr;
    if (*at >= '0' && *at <= '9') all.push_back(std::strtoull(at, &end, 10));
    at = end ? end : at + 1;
  }
  return all;
}

template <class Done>
void complete(void *context, airwasm_outcome *outcome) noexcept {
  Error error(outcome->error);
  Bytes bytes(outcome->bytes);
  Done &done = *static_cast<Done *>(context);
  if constexpr (std::is_same_v<Done, ErrorCompletion>) {
    done(std::move(error));
  } else if (error) {
    done(std::move(error));
  } else if constexpr (std::is_same_v<Done, HandleCompletion>) {
    done(outcome->handle);
  } else {
    done(std::move(bytes));
  }
}

// The C structs of specs, which live as long as it and the specs do. The handlers are its own until a call takes them
// over.
class Tree {
 public:
  const airwasm_actor_spec *actor(const Spec &spec) {
    const std::vector<const char *> &grants = texts(spec.grants), &args = texts(spec.args), &env = texts(spec.env);
    airwasm_actor_spec &c = actors_.emplace_back(AIRWASM_INIT(airwasm_actor_spec));
    c.restart = spec.restart, c.component = spec.component, c.shutdown_ms = spec.shutdown_ms;
    c.name = spec.name.empty() ? nullptr : spec.name.c_str();
    c.config = spec.config.empty() ? nullptr : spec.config.c_str();
    c.grants = grants.data(), c.grants_len = grants.size();
    c.args = args.data(), c.args_len = args.size(), c.env = env.data(), c.env_len = env.size();
    c.limits = &spec.limits, c.budget = &spec.budget;
    c.significant = spec.significant, c.overflow = spec.overflow;
    c.health_interval_ms = spec.health_interval_ms, c.health_missed = spec.health_missed;
    c.errors_max = spec.errors_max, c.error_period_ms = spec.error_period_ms;
    c.http_listen = spec.http_listen.empty() ? nullptr : spec.http_listen.c_str();
    return &c;
  }

  const airwasm_child *child(const Child &child) {
    airwasm_child &c = children_.emplace_back(AIRWASM_INIT(airwasm_child));
    if (child.supervisor_) {
      c.supervisor = supervisor(*child.supervisor_);
      return &c;
    }
    c.actor = actor(child.actor_);
    if (child.handler_) {
      handlers_.push_back(std::make_unique<Handler>(child.handler_));
      c.handler = {handle, handlers_.back().get(), free_function<Handler>};
    }
    return &c;
  }

  const airwasm_supervisor_spec *supervisor(const SupervisorSpec &spec) {
    std::vector<const airwasm_child *> children;
    for (const Child &one : spec.children) children.push_back(child(one));
    const std::vector<const airwasm_child *> &kept = lists_.emplace_back(std::move(children));
    airwasm_supervisor_spec &c = supervisors_.emplace_back(AIRWASM_INIT(airwasm_supervisor_spec));
    c.name = spec.name.c_str(), c.children = kept.data(), c.children_len = kept.size();
    c.strategy = spec.strategy, c.give_up = spec.give_up, c.auto_shutdown = spec.auto_shutdown;
    c.restart = spec.restart, c.intensity = spec.intensity, c.period_ms = spec.period_ms;
    c.backoff = &spec.backoff;
    return &c;
  }

  // From here on the handlers are the call's that comes now.
  void release() noexcept {
    for (std::unique_ptr<Handler> &handler : handlers_) (void)handler.release();
  }

 private:
  const std::vector<const char *> &texts(const std::vector<std::string> &all) {
    std::vector<const char *> &kept = texts_.emplace_back();
    for (const std::string &one : all) kept.push_back(one.c_str());
    return kept;
  }

  std::deque<std::vector<const char *>> texts_;
  std::deque<std::vector<const airwasm_child *>> lists_;
  std::deque<airwasm_actor_spec> actors_;
  std::deque<airwasm_child> children_;
  std::deque<airwasm_supervisor_spec> supervisors_;
  std::deque<std::unique_ptr<Handler>> handlers_;
};

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

  // What an _async method returns is for cancel, or 0 if the outcome is on its way already. asked_by: see
  // airwasm_wait_options.
  Result<Handle> close_async(Completion done, std::uint64_t deadline_ms = 0) {
    return async(std::move(done), [&](const airwasm_completion &c, Handle *out) {
      return airwasm_close_async(get(), deadline_ms, c, out);
    });
  }
  Error cancel(Handle request) noexcept { return Error(airwasm_cancel(get(), request)); }
  int completion_fd() const noexcept { return airwasm_completion_fd(get()); }
  std::size_t dispatch() noexcept { return airwasm_dispatch(get()); }

  Result<Handle> load(const std::string &path) noexcept {
    return handle([&](Handle *out) { return airwasm_load(get(), path.c_str(), out); });
  }
  Result<Handle> load_async(const std::string &path, HandleCompletion done) {
    return async(std::move(done), [&](const airwasm_completion &c, Handle *out) {
      return airwasm_load_async(get(), path.c_str(), c, out);
    });
  }
  Result<Handle> load_bytes(std::string_view data) noexcept {
    return handle([&](Handle *out) { return airwasm_load_bytes(get(), data.data(), data.size(), out); });
  }
  Result<Handle> load_bytes_async(std::string_view data, HandleCompletion done) {
    return async(std::move(done), [&](const airwasm_completion &c, Handle *out) {
      return airwasm_load_bytes_async(get(), data.data(), data.size(), c, out);
    });
  }
  Result<Bytes> inspect(Handle component) noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_inspect(get(), component, out); });
  }
  Result<Bytes> types(Handle component, const char *language) noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_types(get(), component, language, out); });
  }
  Error unload(Handle component) noexcept { return Error(airwasm_unload(get(), component)); }

  Result<Handle> spawn(const Spec &spec) {
    detail::Tree tree;
    const airwasm_actor_spec *c = tree.actor(spec);
    return handle([&](Handle *out) { return airwasm_spawn(get(), c, out); });
  }
  Result<Handle> spawn_async(const Spec &spec, HandleCompletion done) {
    detail::Tree tree;
    const airwasm_actor_spec *s = tree.actor(spec);
    return async(std::move(done), [&](const airwasm_completion &c, Handle *out) {
      return airwasm_spawn_async(get(), s, c, out);
    });
  }
  Result<Handle> spawn_host(const Spec &spec, Handler handler) {
    detail::Tree tree;
    const airwasm_actor_spec *s = tree.actor(spec);
    const airwasm_handler c{detail::handle, new Handler(std::move(handler)), detail::free_function<Handler>};
    return handle([&](Handle *out) { return airwasm_spawn_host(get(), s, c, out); });
  }
  Result<Handle> spawn_files(const Spec &spec) {
    detail::Tree tree;
    const airwasm_actor_spec *c = tree.actor(spec);
    return handle([&](Handle *out) { return airwasm_spawn_files(get(), c, out); });
  }
  Result<Handle> spawn_files_async(const Spec &spec, HandleCompletion done) {
    detail::Tree tree;
    const airwasm_actor_spec *s = tree.actor(spec);
    return async(std::move(done), [&](const airwasm_completion &c, Handle *out) {
      return airwasm_spawn_files_async(get(), s, c, out);
    });
  }
  Result<Handle> spawn_processes(const Spec &spec) {
    detail::Tree tree;
    const airwasm_actor_spec *c = tree.actor(spec);
    return handle([&](Handle *out) { return airwasm_spawn_processes(get(), c, out); });
  }
  Result<Handle> spawn_processes_async(const Spec &spec, HandleCompletion done) {
    detail::Tree tree;
    const airwasm_actor_spec *s = tree.actor(spec);
    return async(std::move(done), [&](const airwasm_completion &c, Handle *out) {
      return airwasm_spawn_processes_async(get(), s, c, out);
    });
  }
  Error stop(Handle actor, std::uint64_t deadline_ms = 0) noexcept {
    return Error(airwasm_stop(get(), actor, deadline_ms));
  }
  Result<Handle> stop_async(Handle actor, ErrorCompletion done, std::uint64_t deadline_ms = 0,
                            const std::string &asked_by = {}) {
    return behind(std::move(done), asked_by,
                  [&](auto... last) { return airwasm_stop_async(get(), actor, deadline_ms, last...); });
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
    return bytes([&](airwasm_bytes *out) { return airwasm_list(get(), nullptr, out); });
  }
  Result<Bytes> list(const std::string &pattern) noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_list(get(), pattern.c_str(), out); });
  }
  Result<Bytes> stats() noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_stats(get(), out); });
  }

  Result<Handle> supervisor(const SupervisorSpec &spec) {
    detail::Tree tree;
    const airwasm_supervisor_spec *c = tree.supervisor(spec);
    tree.release();
    return handle([&](Handle *out) { return airwasm_supervisor(get(), c, out); });
  }
  Result<Handle> supervisor_async(const SupervisorSpec &spec, HandleCompletion done) {
    detail::Tree tree;
    const airwasm_supervisor_spec *s = tree.supervisor(spec);
    return async(std::move(done), [&](const airwasm_completion &c, Handle *out) {
      tree.release();
      return airwasm_supervisor_async(get(), s, c, out);
    });
  }
  Result<Bytes> children(Handle supervisor) noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_children(get(), supervisor, out); });
  }
  Result<Handle> start_child(Handle supervisor, const Child &child) {
    detail::Tree tree;
    const airwasm_child *c = tree.child(child);
    tree.release();
    return handle([&](Handle *out) { return airwasm_start_child(get(), supervisor, c, out); });
  }
  Result<Handle> start_child_async(Handle supervisor, const Child &child, HandleCompletion done,
                                   const std::string &asked_by = {}) {
    detail::Tree tree;
    const airwasm_child *s = tree.child(child);
    tree.release();
    return behind(std::move(done), asked_by,
                  [&](auto... last) { return airwasm_start_child_async(get(), supervisor, s, last...); });
  }
  Error terminate_child(Handle supervisor, Handle child) noexcept {
    return Error(airwasm_terminate_child(get(), supervisor, child));
  }
  Result<Handle> terminate_child_async(Handle supervisor, Handle child, ErrorCompletion done,
                                       const std::string &asked_by = {}) {
    return behind(std::move(done), asked_by,
                  [&](auto... last) { return airwasm_terminate_child_async(get(), supervisor, child, last...); });
  }
  Error restart_child(Handle supervisor, Handle child) noexcept {
    return Error(airwasm_restart_child(get(), supervisor, child));
  }
  Result<Handle> restart_child_async(Handle supervisor, Handle child, ErrorCompletion done,
                                     const std::string &asked_by = {}) {
    return behind(std::move(done), asked_by,
                  [&](auto... last) { return airwasm_restart_child_async(get(), supervisor, child, last...); });
  }
  Error delete_child(Handle supervisor, Handle child) noexcept {
    return Error(airwasm_delete_child(get(), supervisor, child));
  }
  Result<Handle> delete_child_async(Handle supervisor, Handle child, ErrorCompletion done,
                                    const std::string &asked_by = {}) {
    return behind(std::move(done), asked_by,
                  [&](auto... last) { return airwasm_delete_child_async(get(), supervisor, child, last...); });
  }
  Result<Bytes> tree() noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_tree(get(), out); });
  }

  Result<Bytes> monitor(Handle actor) noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_monitor(get(), actor, out); });
  }
  Result<Handle> monitor_async(Handle actor, Completion done, const std::string &asked_by = {}) {
    return behind(std::move(done), asked_by, [&](auto... last) { return airwasm_monitor_async(get(), actor, last...); });
  }
  Error link(Handle one, Handle other) noexcept { return Error(airwasm_link(get(), one, other)); }
  Error unlink(Handle one, Handle other) noexcept { return Error(airwasm_unlink(get(), one, other)); }

  Error send(Handle actor, std::string_view payload) noexcept {
    return Error(airwasm_send(get(), actor, payload.data(), payload.size(), nullptr));
  }
  Result<Handle> send_async(Handle actor, std::string_view payload, ErrorCompletion done,
                            const std::string &asked_by = {}) {
    airwasm_send_options options = AIRWASM_INIT(airwasm_send_options);
    options.asked_by = text(asked_by);
    return async(std::move(done), [&](const airwasm_completion &c, Handle *out) {
      return airwasm_send_async(get(), actor, payload.data(), payload.size(), &options, c, out);
    });
  }
  Result<Bytes> request(Handle actor, std::string_view payload, std::uint64_t timeout_ms = 0,
                        const std::string &asked_by = {}) noexcept {
    const airwasm_request_options options = within(timeout_ms, asked_by);
    return bytes([&](airwasm_bytes *out) {
      return airwasm_request(get(), actor, payload.data(), payload.size(), &options, out);
    });
  }
  Result<Handle> request_async(Handle actor, std::string_view payload, Completion done, std::uint64_t timeout_ms = 0,
                               const std::string &asked_by = {}) {
    const airwasm_request_options options = within(timeout_ms, asked_by);
    return async(std::move(done), [&](const airwasm_completion &c, Handle *out) {
      return airwasm_request_async(get(), actor, payload.data(), payload.size(), &options, c, out);
    });
  }

  Result<Handle> subscribe(Handle actor, const std::string &pattern) noexcept {
    return handle([&](Handle *out) { return airwasm_subscribe(get(), actor, pattern.c_str(), out); });
  }
  Result<std::uint64_t> publish(const std::string &topic, std::string_view payload) noexcept {
    return handle([&](std::uint64_t *out) {
      return airwasm_publish(get(), topic.c_str(), payload.data(), payload.size(), nullptr, out);
    });
  }
  Error join(Handle actor, const std::string &group) noexcept {
    return Error(airwasm_join(get(), actor, group.c_str()));
  }
  Result<bool> leave(Handle actor, const std::string &group) noexcept {
    return flag([&](int *out) { return airwasm_leave(get(), actor, group.c_str(), out); });
  }
  Result<std::vector<Handle>> members(const std::string &group) {
    airwasm_bytes out{};
    if (Error error{airwasm_members(get(), group.c_str(), &out)}) return error;
    const Bytes list(out);
    return detail::handles(reinterpret_cast<const char *>(list.data()));
  }
  Result<std::uint64_t> broadcast(const std::string &group, std::string_view payload) noexcept {
    return handle([&](std::uint64_t *out) {
      return airwasm_broadcast(get(), group.c_str(), payload.data(), payload.size(), nullptr, out);
    });
  }
  Result<Bytes> dead_letters() noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_dead_letters(get(), out); });
  }

  Result<Handle> send_after(Handle actor, std::string_view payload, std::uint64_t delay_ms) noexcept {
    return handle([&](Handle *out) {
      return airwasm_send_after(get(), actor, payload.data(), payload.size(), delay_ms, nullptr, out);
    });
  }
  Result<Handle> send_every(Handle actor, std::string_view payload, std::uint64_t period_ms) noexcept {
    return handle([&](Handle *out) {
      return airwasm_send_every(get(), actor, payload.data(), payload.size(), period_ms, nullptr, out);
    });
  }
  Result<bool> cancel_timer(Handle timer) noexcept {
    return flag([&](int *out) { return airwasm_cancel_timer(get(), timer, out); });
  }

  Error region_create(const std::string &name, std::uint64_t size) noexcept {
    return Error(airwasm_region_create(get(), name.c_str(), size));
  }
  Result<Bytes> region_read(const std::string &name, std::uint64_t offset, std::uint64_t size) noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_region_read(get(), name.c_str(), offset, size, out); });
  }
  Error region_read_into(const std::string &name, std::uint64_t offset, void *data, std::size_t size) noexcept {
    return Error(airwasm_region_read_into(get(), name.c_str(), offset, data, size));
  }
  Error region_write(const std::string &name, std::uint64_t offset, std::string_view data) noexcept {
    return Error(airwasm_region_write(get(), name.c_str(), offset, data.data(), data.size()));
  }
  Error region_remove(const std::string &name) noexcept {
    return Error(airwasm_region_remove(get(), name.c_str()));
  }
  Result<Bytes> regions() noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_regions(get(), out); });
  }

  Result<Handle> grant(Handle actor, const std::string &capability, std::uint64_t ttl_ms = 0) noexcept {
    return handle([&](Handle *out) { return airwasm_grant(get(), actor, capability.c_str(), ttl_ms, out); });
  }
  Result<std::uint64_t> revoke(Handle grant) noexcept {
    return handle([&](std::uint64_t *out) { return airwasm_revoke(get(), grant, out); });
  }
  Result<Bytes> grants(Handle actor) noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_grants(get(), actor, out); });
  }
  Error check(Handle actor, const std::string &capability) noexcept {
    return Error(airwasm_check(get(), actor, capability.c_str()));
  }

  Error policy_load(const std::string &path) noexcept { return Error(airwasm_policy_load(get(), path.c_str())); }
  Result<Handle> policy_load_async(const std::string &path, ErrorCompletion done) {
    return async(std::move(done), [&](const airwasm_completion &c, Handle *out) {
      return airwasm_policy_load_async(get(), path.c_str(), c, out);
    });
  }
  Result<Bytes> policy_explain(const std::string &actor, const std::string &capability) noexcept {
    return bytes([&](airwasm_bytes *out) {
      return airwasm_policy_explain(get(), actor.c_str(), capability.c_str(), out);
    });
  }
  Result<Bytes> policy_test() noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_policy_test(get(), out); });
  }

  static Result<Bytes> audit_verify(const std::string &path) noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_audit_verify(path.c_str(), out); });
  }

  // An empty value is one; what is not there is found = false.
  Result<Bytes> kv_get(const std::string &name_space, const std::string &key, bool *found = nullptr) noexcept {
    int there = 0;
    Result<Bytes> value = bytes([&](airwasm_bytes *out) {
      return airwasm_kv_get(get(), name_space.c_str(), key.c_str(), &there, out);
    });
    if (found) *found = there != 0;
    return value;
  }
  Result<Handle> kv_get_async(const std::string &name_space, const std::string &key, Completion done) {
    return async(std::move(done), [&](const airwasm_completion &c, Handle *out) {
      return airwasm_kv_get_async(get(), name_space.c_str(), key.c_str(), c, out);
    });
  }
  Error kv_set(const std::string &name_space, const std::string &key, std::string_view value) noexcept {
    return Error(airwasm_kv_set(get(), name_space.c_str(), key.c_str(), value.data(), value.size()));
  }
  Result<Handle> kv_set_async(const std::string &name_space, const std::string &key, std::string_view value,
                              ErrorCompletion done) {
    return async(std::move(done), [&](const airwasm_completion &c, Handle *out) {
      return airwasm_kv_set_async(get(), name_space.c_str(), key.c_str(), value.data(), value.size(), c, out);
    });
  }
  Result<bool> kv_delete(const std::string &name_space, const std::string &key) noexcept {
    return flag([&](int *out) { return airwasm_kv_delete(get(), name_space.c_str(), key.c_str(), out); });
  }
  Result<Handle> kv_delete_async(const std::string &name_space, const std::string &key, HandleCompletion done) {
    return async(std::move(done), [&](const airwasm_completion &c, Handle *out) {
      return airwasm_kv_delete_async(get(), name_space.c_str(), key.c_str(), c, out);
    });
  }
  Result<Bytes> kv_list(const std::string &name_space, std::uint64_t cursor = 0) noexcept {
    return bytes([&](airwasm_bytes *out) { return airwasm_kv_list(get(), name_space.c_str(), cursor, out); });
  }
  Result<Handle> kv_list_async(const std::string &name_space, Completion done, std::uint64_t cursor = 0) {
    return async(std::move(done), [&](const airwasm_completion &c, Handle *out) {
      return airwasm_kv_list_async(get(), name_space.c_str(), cursor, c, out);
    });
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

  static airwasm_request_options within(std::uint64_t timeout_ms, const std::string &asked_by) noexcept {
    airwasm_request_options options = AIRWASM_INIT(airwasm_request_options);
    options.timeout_ms = timeout_ms, options.asked_by = text(asked_by);
    return options;
  }

  static const char *text(const std::string &given) noexcept { return given.empty() ? nullptr : given.c_str(); }

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
  static Result<bool> flag(Call call) noexcept {
    int out = 0;
    if (Error error{call(&out)}) return error;
    return out != 0;
  }

  template <class Done, class Call>
  static Result<Handle> async(Done done, Call call) {
    const airwasm_completion c{detail::complete<Done>, new Done(std::move(done)), detail::free_function<Done>};
    return handle([&](Handle *out) { return call(c, out); });
  }

  template <class Done, class Call>
  static Result<Handle> behind(Done done, const std::string &asked_by, Call call) {
    airwasm_wait_options options = AIRWASM_INIT(airwasm_wait_options);
    options.asked_by = text(asked_by);
    return async(std::move(done), [&](const airwasm_completion &c, Handle *out) { return call(&options, c, out); });
  }

  std::unique_ptr<airwasm_system, Free> system_;
};

}  // namespace airwasm

#endif  // AIRWASM_HPP
