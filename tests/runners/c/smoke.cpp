// airwasm.hpp compiles without a warning and does what it says; also that no exception of a handler gets out.
#include <airwasm.hpp>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

int failures = 0;

#define CHECK(condition) check((condition), __LINE__, #condition)
void check(bool holds, int line, const char *what) {
  if (holds) return;
  std::printf("  smoke.cpp:%d: %s\n", line, what);
  ++failures;
}

template <class T>
T must(airwasm::Result<T> result) {
  if (!result) {
    std::printf("%s\n", std::string(result.error().message()).c_str());
    std::exit(2);
  }
  return *std::move(result);
}

void requests_and_grants(airwasm::System &system, const std::string &guests) {
  airwasm::Handle hello = must(system.spawn(airwasm::Spec(must(system.load(guests + "/hello.wasm")), "hello")));
  CHECK(must(system.request(hello, "world")).view() == "hello world");
  CHECK(must(system.actor_id(hello)).str() == "default/hello/0");
  CHECK(must(system.lookup("hello")) == hello);
  CHECK(!system.send(hello, "x"));

  airwasm::Handle reader = must(system.spawn(airwasm::Spec(must(system.load(guests + "/reader.wasm")), "reader")));
  airwasm::Result<airwasm::Bytes> denied = system.request(reader, "/no/such/file");
  CHECK(!denied && denied.error().code() == AIRWASM_E_DENIED && denied.error().name() == "DENIED");
  CHECK(denied.error().policy_line() == "- fs.read /no/such/file" && denied.error().actor() == "default/reader/0");
  airwasm::Handle grant = must(system.grant(reader, "fs.read /no/such/file"));
  CHECK(system.request(reader, "/no/such/file").error().code() == AIRWASM_E_FAILURE);
  CHECK(must(system.revoke(grant)) == 0);
  CHECK(must(system.grants(reader)).view().find("fs.read") == std::string_view::npos);
}

void services(airwasm::System &system) {
  airwasm::Spec spec;
  spec.name = "files", spec.grants = {"fs.list /"};
  airwasm::Handle files = must(system.spawn_files(spec)), processes = 0;
  CHECK(must(system.request(files, "{\"op\":\"list\",\"path\":\"/\"}")).view().find("entries") != std::string_view::npos);
  spec.name = "processes";
  bool over = false;
  must(system.spawn_processes_async(spec, [&](airwasm::Result<airwasm::Handle> made) {
    processes = must(std::move(made)), over = true;
  }));
  pollfd fd{system.completion_fd(), POLLIN, 0};
  while (!over && poll(&fd, 1, 20000) == 1) system.dispatch();
  const airwasm::Result<airwasm::Bytes> denied = system.request(processes, "{\"op\":\"run\",\"program\":\"/bin/true\"}");
  CHECK(denied.error().policy_line() == "- process.run /bin/true");
  CHECK(!system.stop(files) && !system.stop(processes));
}

void handlers(airwasm::System &system) {
  airwasm::Spec spec;
  spec.name = "host", spec.restart = AIRWASM_PERMANENT;
  airwasm::Handle host = must(system.spawn_host(spec, [](const airwasm::Message &message, airwasm::Reply &&reply) {
    if (message.payload == "throw") throw std::runtime_error("thrown on purpose");
    if (message.payload == "odd") throw 42;
    if (message.payload == "drop") return;
    if (message.payload == "fail") return reply.fail("code", "text");
    reply.send(std::string(message.payload) + " for " + std::string(message.to));
  }));
  CHECK(must(system.request(host, "x")).view() == "x for default/host/0");
  airwasm::Result<airwasm::Bytes> thrown = system.request(host, "throw");
  CHECK(thrown.error().code() == AIRWASM_E_HANDLER_RAISED);
  CHECK(thrown.error().message().find("thrown on purpose") != std::string_view::npos);
  CHECK(system.request(host, "odd").error().code() == AIRWASM_E_HANDLER_RAISED);
  CHECK(system.request(host, "drop").error().code() == AIRWASM_E_HANDLER_RAISED);
  CHECK(system.request(host, "fail").error().message().find("code: text") != std::string_view::npos);
  CHECK(must(system.request(host, "y")).view() == "y for default/host/0");
}

void completions(airwasm::System &system) {
  airwasm::Handle hello = must(system.lookup("hello"));
  int answers = 0;
  for (int n = 0; n < 100; n++) {
    must(system.request_async(hello, std::to_string(n), [&answers, n](airwasm::Result<airwasm::Bytes> reply) {
      CHECK(reply && reply->view() == "hello " + std::to_string(n));
      answers++;
    }));
  }
  pollfd fd{system.completion_fd(), POLLIN, 0};
  while (answers < 100 && poll(&fd, 1, 20000) == 1) system.dispatch();
  CHECK(answers == 100);
}

void supervision(airwasm::System &system, const std::string &guests) {
  const airwasm::Spec echo(must(system.load(guests + "/echo.wasm")), "tools/echo/1");
  airwasm::Spec shout;
  shout.name = "tools/shout/1";
  int raised = 0;
  airwasm::SupervisorSpec inner("tools/in/1", {airwasm::Child(shout, [raised](const auto &message, auto &&reply) mutable {
                                  if (message.payload == "raise" && !raised++) throw std::runtime_error("once");
                                  reply.send(std::string(message.payload) + "! " + std::string(message.topic));
                                })});
  inner.backoff.initial_ms = AIRWASM_ZERO;
  airwasm::SupervisorSpec top("tools/top/1", {echo, inner});
  top.strategy = AIRWASM_REST_FOR_ONE, top.intensity = 3, top.period_ms = 1000;
  // A spec is a value: it may be used again, as soon as its ids are free.
  for (int n = 0; n < 2; n++) {
    airwasm::Handle supervisor = must(system.supervisor(top));
    CHECK(system.supervisor(top).error().code() == AIRWASM_E_ALREADY_EXISTS);
    airwasm::Handle loud = must(system.lookup("tools/shout/1"));
    CHECK(must(system.request(loud, "x")).view() == "x! ");
    CHECK(system.request(loud, "raise").error().code() == AIRWASM_E_HANDLER_RAISED);
    CHECK(must(system.request(loud, "raise")).view() == "raise! ");
    CHECK(must(system.tree()).view().find("tools/shout/1") != std::string_view::npos);
    CHECK(must(system.list("tools/*/1")).view().find("default/") == std::string_view::npos);
    airwasm::Handle late = must(system.start_child(supervisor, airwasm::Spec(echo.component, "tools/late/1")));
    CHECK(must(system.children(supervisor)).view().find("tools/late/1") != std::string_view::npos);
    CHECK(!system.terminate_child(supervisor, late) && !system.restart_child(supervisor, late));
    CHECK(!system.terminate_child(supervisor, late) && !system.delete_child(supervisor, late));
    CHECK(system.delete_child(supervisor, late).code() == AIRWASM_E_ACTOR_STOPPED);
    CHECK(!system.stop(supervisor));
  }
}

void topics_and_timers(airwasm::System &system) {
  std::atomic<int> heard{0};
  airwasm::Spec spec;
  spec.name = "listener", spec.overflow = AIRWASM_OVERFLOW_DROP_OLDEST;
  airwasm::Handle listener = must(system.spawn_host(spec, [&](const airwasm::Message &message, airwasm::Reply &&reply) {
    reply.send(message.topic);
    heard++;
  }));
  airwasm::Handle news = must(system.subscribe(listener, "news.*"));
  CHECK(must(system.publish("news.tech", "x")) == 1 && must(system.publish("other", "x")) == 0);
  CHECK(!system.unsubscribe(news) && must(system.publish("news.tech", "x")) == 0);
  CHECK(!system.join(listener, "all") && must(system.broadcast("all", "x")) == 1);
  CHECK(must(system.members("all")) == std::vector<airwasm::Handle>{listener});
  CHECK(must(system.leave(listener, "all")) && !must(system.leave(listener, "all")));
  CHECK(must(system.members("all")).empty());
  airwasm::Handle timer = must(system.send_every(listener, "x", 1));
  must(system.send_after(listener, "x", 1));
  for (int n = 0; n < 2000 && heard < 5; n++) usleep(10000);
  CHECK(heard >= 5 && must(system.cancel_timer(timer)) && !must(system.cancel_timer(timer)));
  airwasm::Handle other = must(system.spawn_host(airwasm::Spec(), [](const auto &, auto &&) {}));
  CHECK(!system.link(listener, other) && !system.unlink(other, listener));
  CHECK(!system.stop(listener) && system.monitor(listener).error().code() == AIRWASM_E_ACTOR_STOPPED);
  CHECK(must(system.dead_letters()).view().front() == '[');
}

// A handler that asks itself and returns: its reply comes with the answer, so it has to say who asks.
void sends_and_askers(airwasm::System &system) {
  airwasm::Spec spec;
  spec.name = "asker";
  airwasm::Handle asker = 0;
  asker = must(system.spawn_host(spec, [&](const airwasm::Message &message, airwasm::Reply &&reply) {
    auto kept = std::make_shared<airwasm::Reply>(std::move(reply));
    const auto answered = [kept](airwasm::Result<airwasm::Bytes> answer) { kept->send(answer.error().name()); };
    must(system.request_async(asker, message.payload, answered, AIRWASM_UNLIMITED, std::string(message.to)));
  }));
  bool over = false, sent = false;
  must(system.request_async(asker, "x", [&](airwasm::Result<airwasm::Bytes> answer) {
    CHECK(answer && answer->view() == "CYCLE"), over = true;
  }));
  must(system.send_async(must(system.lookup("hello")), "x", [&](airwasm::Error error) { CHECK(!error), sent = true; }));
  pollfd fd{system.completion_fd(), POLLIN, 0};
  while (!(over && sent) && poll(&fd, 1, 20000) == 1) system.dispatch();
  CHECK(over && sent);
  CHECK(system.request(asker, "x", 0, "NO").error().code() == AIRWASM_E_INVALID_ARGUMENT);
}

// A handler that waits for its own end in all ways and returns: each is told the circle.
void waits_for_an_end_from_inside(airwasm::System &system) {
  const auto cycle = [](const airwasm::Error &error) { CHECK(error.code() == AIRWASM_E_CYCLE); };
  airwasm::Handle top = must(system.supervisor(airwasm::SupervisorSpec("above"))), inside = 0;
  std::shared_ptr<airwasm::Reply> kept;
  int left = 3;
  const auto told = [&](const airwasm::Error &error) {
    cycle(error);
    if (--left == 0) kept->send("told");
  };
  airwasm::Spec spec;
  spec.name = "inside";
  inside = must(system.start_child(top, airwasm::Child(spec, [&](const airwasm::Message &message, airwasm::Reply &&reply) {
    const std::string me(message.to);
    kept = std::make_shared<airwasm::Reply>(std::move(reply));
    must(system.monitor_async(top, [&](airwasm::Result<airwasm::Bytes> down) { told(down.error()); }, me));
    must(system.terminate_child_async(top, inside, [&](airwasm::Error error) { told(error); }, me));
    must(system.stop_async(inside, [&](airwasm::Error error) { told(error); }, 0, me));
  })));
  bool over = false, down = false;
  must(system.monitor_async(inside, [&](airwasm::Result<airwasm::Bytes> how) { down = static_cast<bool>(how); }));
  must(system.request_async(inside, "x", [&](airwasm::Result<airwasm::Bytes> answer) {
    CHECK(answer && answer->view() == "told"), over = true;
  }));
  pollfd fd{system.completion_fd(), POLLIN, 0};
  while (!(over && down) && poll(&fd, 1, 20000) == 1) system.dispatch();
  CHECK(over && down && !system.stop(top));
}

// A policy is loaded, explained and tested, refuses what it denies, and leaves a log that can be verified.
void policies(const std::string &guests) {
  char folder[] = "/tmp/airwasm-smoke-XXXXXX";
  CHECK(mkdtemp(folder) != nullptr);
  const std::string policy = std::string(folder) + "/policy.yaml", log = std::string(folder) + "/audit.log";
  std::ofstream(policy) << "version: 1\ndefaults:\n  deny: [\"fs.read /no/**\"]\ntests:\n  - { actor: r, deny: clock }\n";
  airwasm_options options = AIRWASM_INIT(airwasm_options);
  airwasm_audit_options audit = AIRWASM_INIT(airwasm_audit_options);
  options.policy = policy.c_str(), options.audit = log.c_str(), options.audit_options = &audit, audit.level = "all";
  {
    airwasm::System system = must(airwasm::System::open(options));
    airwasm::Spec spec(must(system.load(guests + "/reader.wasm")), "r");
    spec.grants = {"fs.read /**", "env LANG", "custom.billing charge"};
    spec.args = {"--all"}, spec.env = {"LANG=C=x", "SECRET=s"};
    airwasm::Handle reader = must(system.spawn(spec));
    const airwasm::Result<airwasm::Bytes> denied = system.request(reader, "/no/such");
    CHECK(denied.error().name() == "DENIED" && denied.error().detail().find("policy.yaml:3") != std::string_view::npos);
    CHECK(must(system.request(reader, "env LANG")).view() == "C=x");
    CHECK(system.request(reader, "env SECRET").error().name() == "FAILURE");
    CHECK(!system.check(reader, "custom.billing charge"));
    CHECK(system.check(reader, "custom.billing refund").policy_line() == "- custom.billing refund");
    CHECK(must(system.policy_explain("r", "fs.read /no/such")).view().substr(0, 5) == "deny:");
    CHECK(must(system.policy_test()).view() == "{\"failed\":[],\"passed\":1}");
    CHECK(!system.policy_load(policy) && system.policy_load(log).code() == AIRWASM_E_POLICY_INVALID);
    std::promise<std::string> told;
    must(system.policy_load_async("/no/such", [&](airwasm::Error error) { told.set_value(std::string(error.name())); }));
    CHECK(told.get_future().get() == "POLICY_INVALID");
    must(system.close());
  }
  CHECK(must(airwasm::System::audit_verify(log)).view().find("\"first_seq\":1,") != std::string_view::npos);
  CHECK(airwasm::System::audit_verify(policy).error().code() == AIRWASM_E_AUDIT_BROKEN);
  std::filesystem::remove_all(folder);
}

// Every outcome is of the type that its operation has.
void completions_of_supervision(airwasm::System &system) {
  const auto wait = [&](const bool &over) {
    pollfd fd{system.completion_fd(), POLLIN, 0};
    while (!over && poll(&fd, 1, 20000) == 1) system.dispatch();
    CHECK(over);
  };
  airwasm::Handle supervisor = 0, child = 0;
  bool over = false, down = false;
  must(system.supervisor_async(airwasm::SupervisorSpec("top"), [&](airwasm::Result<airwasm::Handle> made) {
    supervisor = must(std::move(made)), over = true;
  }));
  wait(over), over = false;
  airwasm::Spec spec;
  spec.name = "one";
  const airwasm::Child one(spec, [](const auto &, auto &&reply) { reply.send("1"); });
  must(system.start_child_async(supervisor, one, [&](airwasm::Result<airwasm::Handle> made) {
    child = must(std::move(made)), over = true;
  }));
  wait(over), over = false;
  must(system.monitor_async(child, [&](airwasm::Result<airwasm::Bytes> how) {
    CHECK(how && how->view().find("\"reason\":\"shutdown\"") != std::string_view::npos);
    down = true;
  }));
  must(system.terminate_child_async(supervisor, child, [&](airwasm::Error error) { CHECK(!error), over = true; }));
  wait(over), wait(down), over = false;
  must(system.restart_child_async(supervisor, child, [&](airwasm::Error error) { CHECK(!error), over = true; }));
  wait(over), over = false;
  must(system.restart_child_async(supervisor, child, [&](airwasm::Error error) {
    CHECK(error.code() == AIRWASM_E_INVALID_CHILD), over = true;
  }));
  wait(over), over = false;
  CHECK(!system.terminate_child(supervisor, child));
  must(system.delete_child_async(supervisor, child, [&](airwasm::Error error) { CHECK(!error), over = true; }));
  wait(over), over = false;
  must(system.delete_child_async(supervisor, child, [&](airwasm::Error error) {
    CHECK(error.code() == AIRWASM_E_ACTOR_STOPPED), over = true;
  }));
  wait(over), over = false;
  must(system.stop_async(supervisor, [&](airwasm::Error error) { CHECK(!error), over = true; }));
  wait(over);
}

// Past the C interface an exception would unwind through frames that know none: it ends the process there.
void hostile_i7_an_exception_ends_the_process(void) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    std::freopen("/dev/null", "w", stderr);
    airwasm::System system = must(airwasm::System::open());
    airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
    airwasm_handle actor = 0;
    const auto throws = [](void *, const airwasm_message *, airwasm_reply *) { throw std::runtime_error("out"); };
    airwasm_error_free(airwasm_spawn_host(system.get(), &spec, {throws, nullptr, nullptr}, &actor));
    (void)system.request(actor, "x");
    _exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

}  // namespace

int main(int argc, char **argv) {
  const std::string guests = argc > 1 ? argv[1] : "target/guests";
  airwasm_options options = AIRWASM_INIT(airwasm_options);
  options.completions = AIRWASM_DISPATCH;
  std::atomic<int> started{0};
  hostile_i7_an_exception_ends_the_process();
  airwasm::System system = must(airwasm::System::open(options));
  must(system.events("actor.started", [&](const airwasm::Event &event) { started += event.actor.empty() ? 0 : 1; }));
  requests_and_grants(system, guests);
  handlers(system);
  services(system);
  completions(system);
  supervision(system, guests);
  topics_and_timers(system);
  completions_of_supervision(system);
  sends_and_askers(system);
  waits_for_an_end_from_inside(system);
  policies(guests);
  CHECK(must(system.close()).view().find("\"killed\":0") != std::string_view::npos);
  CHECK(system.send(1, "x").code() == AIRWASM_E_INVALID_HANDLE);
  system = must(airwasm::System::open());
  CHECK(must(system.stats()).view().find("\"actors\":0") != std::string_view::npos);
  std::printf("c++ smoke: %s\n", failures ? "failed" : "ok");
  return failures != 0;
}
