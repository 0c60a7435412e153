// airwasm.hpp compiles without a warning and does what it says; also that no exception of a handler gets out.
#include <airwasm.hpp>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

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
  completions(system);
  CHECK(must(system.close()).view().find("\"killed\":0") != std::string_view::npos);
  CHECK(system.send(1, "x").code() == AIRWASM_E_INVALID_HANDLE);
  system = must(airwasm::System::open());
  CHECK(must(system.stats()).view().find("\"actors\":0") != std::string_view::npos);
  std::printf("c++ smoke: %s\n", failures ? "failed" : "ok");
  return failures != 0;
}
