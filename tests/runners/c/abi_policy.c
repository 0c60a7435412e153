/* The policy: what is told of it, and arguments that are wrong. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "scratch.h"

static counter *called, *freed;
static char told[64];

static void tell(void *context, airwasm_outcome *outcome) {
  (void)context;
  CHECK(outcome->bytes.len == 0 && outcome->handle == 0);
  snprintf(told, sizeof told, "%s", airwasm_error_name(outcome->error));
  airwasm_error_free(outcome->error), airwasm_bytes_free(&outcome->bytes);
  counter_raise(called);
}
static void count_free(void *context) { counter_raise(context); }
static airwasm_completion completion(void) { return (airwasm_completion){tell, freed, count_free}; }

static void hostile_i1_null(void) {
  called = counter_new(), freed = counter_new();
  airwasm_system *s = open_system(AIRWASM_THREAD);
  airwasm_handle h = 7;
  airwasm_bytes b = {(const uint8_t *)"x", 1, NULL};
  int before = counter_value(freed);
  WRONG("system", airwasm_policy_load(NULL, "x"));
  WRONG("system", airwasm_policy_load_async(NULL, "x", completion(), &h));
  CHECK(h == 0);
  WRONG("system", airwasm_policy_explain(NULL, "r", "clock", &b));
  CHECK(b.len == 0 && b.data && b.data[0] == 0 && !b.owner);
  WRONG("system", airwasm_policy_test(NULL, &b));
  WRONG("system", airwasm_check(NULL, 0, "clock"));
  WRONG("path", airwasm_policy_load(s, NULL));
  WRONG("path", airwasm_policy_load_async(s, NULL, completion(), &h));
  WRONG("completion", airwasm_policy_load_async(s, "x", (airwasm_completion){NULL, freed, count_free}, &h));
  WRONG("actor", airwasm_policy_explain(s, NULL, "clock", &b));
  WRONG("capability", airwasm_policy_explain(s, "r", NULL, &b));
  WRONG("text", airwasm_policy_explain(s, "r", "clock", NULL));
  WRONG("report", airwasm_policy_test(s, NULL));
  WRONG("capability", airwasm_check(s, 0, NULL));
  CHECK(counter_value(freed) == before + 3 && counter_value(called) == 0);
  airwasm_system_free(s);
}

static void hostile_i3_no_actor(void) {
  airwasm_system *s = open_system(AIRWASM_THREAD);
  airwasm_handle actor = spawn_guest(s, "echo"), component;
  EXPECT("OK", airwasm_load(s, guest_path("echo"), &component));
  EXPECT("INVALID_HANDLE", airwasm_check(s, 0, "clock"));
  EXPECT("INVALID_HANDLE", airwasm_check(s, component, "clock"));
  EXPECT("ACTOR_NOT_FOUND", airwasm_check(s, actor + 1000000, "clock"));
  airwasm_system_free(s);
}

static void hostile_i10_texts(void) {
  static const char *const bad[] = {"\xff", "ab\xc3", "\xed\xa0\x80", "\xc0\xaf"};
  airwasm_system *s = open_system(AIRWASM_THREAD), *none;
  airwasm_handle actor = spawn_guest(s, "echo");
  airwasm_bytes b;
  for (size_t n = 0; n < 4; n++) {
    airwasm_options options = AIRWASM_INIT(airwasm_options);
    WRONG("path", airwasm_policy_load(s, bad[n]));
    WRONG("path", airwasm_policy_load_async(s, bad[n], completion(), NULL));
    WRONG("actor", airwasm_policy_explain(s, bad[n], "clock", &b));
    WRONG("capability", airwasm_policy_explain(s, "r", bad[n], &b));
    WRONG("capability", airwasm_check(s, actor, bad[n]));
    options.policy = bad[n];
    WRONG("policy", airwasm_open(&options, &none));
  }
  WRONG("actor", airwasm_policy_explain(s, "No Id", "clock", &b));
  WRONG("capability", airwasm_policy_explain(s, "r", "fs.read /a/**", &b));
  WRONG("capability", airwasm_check(s, actor, "custom.billing"));
  EXPECT("POLICY_INVALID", airwasm_policy_load(s, ""));
  airwasm_system_free(s);
}

static void a_deny_says_its_rule_and_an_explanation_the_line(void) {
  airwasm_options options = AIRWASM_INIT(airwasm_options);
  airwasm_bytes b;
  options.policy = write_policy(readers);
  airwasm_system *s = open_with(&options);
  airwasm_handle reader = spawn_reader(s);
  EXPECT("OK", read_file(s, reader, "a"));
  airwasm_error *error = read_file(s, reader, "private");
  CHECK(strstr(airwasm_error_detail(error), "policy.yaml:5 fs.read") && !*airwasm_error_policy_line(error));
  CHECK(fails("DENIED", "\"rule\":\"", error));
  error = airwasm_check(s, reader, "custom.billing charge");
  CHECK(strcmp(airwasm_error_policy_line(error), "- custom.billing charge") == 0);
  CHECK(!strstr(airwasm_error_detail(error), "\"rule\"") && fails("DENIED", "custom.billing", error));
  EXPECT("OK", airwasm_grant(s, reader, "custom.billing charge", 0, NULL));
  EXPECT("OK", airwasm_check(s, reader, "custom.billing charge"));
  EXPECT("OK", airwasm_policy_explain(s, "r", to_read("a"), &b));
  CHECK(strncmp((const char *)b.data, "allow: ", 7) == 0 && says(&b, "policy.yaml:4 fs.read"));
  EXPECT("OK", airwasm_policy_explain(s, "r", to_read("private"), &b));
  CHECK(strncmp((const char *)b.data, "deny: ", 6) == 0 && says(&b, " beats "));
  EXPECT("OK", airwasm_policy_explain(s, "other", to_read("a"), &b));
  CHECK(says(&b, "deny: nothing allows default/other/0"));
  EXPECT("OK", airwasm_policy_explain(s, "r", "fs.read /b", &b));
  const char *line = strstr((const char *)b.data, ": - ");
  CHECK(line && strcmp(line, ": - fs.read /b") == 0 && says(&b, "policy.yaml:3"));
  EXPECT("OK", airwasm_policy_test(s, &b));
  CHECK(says(&b, "{\"failed\":[],\"passed\":2}"));
  airwasm_system_free(s);
}

static void a_policy_that_is_refused_leaves_the_one_before(void) {
  airwasm_options options = AIRWASM_INIT(airwasm_options);
  airwasm_system *s, *none;
  options.policy = write_policy(readers), s = open_with(&options);
  airwasm_handle reader = spawn_reader(s);
  write_policy("rules:\n  - actors: [r]\n    dney: []\n");
  CHECK(fails("POLICY_INVALID", "\"line\":4", airwasm_policy_load(s, policy)));
  CHECK(fails("POLICY_INVALID", "\"column\":5", airwasm_open(&options, &none)));
  CHECK(!none);
  write_policy("tests:\n  - { actor: r, allow: clock }\n");
  CHECK(fails("POLICY_TEST_FAILED", "policy.yaml:3", airwasm_policy_load(s, policy)));
  EXPECT("OK", read_file(s, reader, "a"));
  EXPECT("OK", airwasm_policy_load(s, write_policy("defaults:\n  deny: [\"fs.read $/**\"]\n")));
  EXPECT("DENIED", read_file(s, reader, "a"));
  airwasm_system_free(s);
}

static void a_sealed_policy_refuses_grants_from_code(void) {
  airwasm_system *s = open_system(AIRWASM_THREAD);
  airwasm_handle reader = spawn_reader(s);
  EXPECT("OK", airwasm_grant(s, reader, to_read("a"), 0, NULL));
  EXPECT("OK", read_file(s, reader, "a"));
  EXPECT("OK", airwasm_policy_load(s, write_policy("sealed: true\n")));
  EXPECT("DENIED", read_file(s, reader, "a"));
  CHECK(fails("DENIED", "\"rule\":\"sealed\"", airwasm_grant(s, reader, to_read("a"), 0, NULL)));
  airwasm_system_free(s);
}

/* Waits for the completion of what was just started, whichever way it comes. */
static void settled(airwasm_system *s, const char *name) {
  struct pollfd fd = {airwasm_completion_fd(s), POLLIN, 0};
  if (fd.fd >= 0 && CHECK(poll(&fd, 1, 20000) == 1)) airwasm_dispatch(s);
  CHECK(counter_wait(called, 1) && counter_wait(freed, 1) && strcmp(told, name) == 0);
  called = counter_new(), freed = counter_new();
}

static void a_policy_is_loaded_without_waiting(void) {
  called = counter_new(), freed = counter_new();
  for (uint32_t mode = AIRWASM_THREAD; mode <= AIRWASM_DISPATCH; mode++) {
    airwasm_system *s = open_system(mode);
    airwasm_bytes b;
    EXPECT("OK", airwasm_policy_load_async(s, write_policy(readers), completion(), NULL));
    settled(s, "OK");
    EXPECT("OK", airwasm_policy_test(s, &b));
    CHECK(says(&b, "\"passed\":2"));
    EXPECT("OK", airwasm_policy_load_async(s, "/no/such/policy.yaml", completion(), NULL));
    settled(s, "POLICY_INVALID");
    airwasm_system_free(s);
  }
}

static void on_event(void *context, const airwasm_event *event) {
  if (strcmp(event->kind, context) == 0) counter_raise(called);
}

static void a_policy_that_is_watched_is_loaded_again(void) {
  airwasm_options options = AIRWASM_INIT(airwasm_options);
  airwasm_handle subscription;
  options.policy = write_policy(readers), options.policy_watch_ms = 1;
  airwasm_system *s = open_with(&options);
  airwasm_handle reader = spawn_reader(s);
  called = counter_new();
  EXPECT("OK", airwasm_policy_load(s, policy));
  EXPECT("OK", airwasm_events(s, "policy.*", (airwasm_event_callback){on_event, "policy.loaded", NULL}, &subscription));
  EXPECT("DENIED", read_file(s, reader, "private"));
  write_policy("rules:\n  - actors: [r]\n    allow: [\"fs.read $/**\"]\n");
  CHECK(counter_wait(called, 1));
  EXPECT("OK", read_file(s, reader, "private"));
  EXPECT("OK", airwasm_unsubscribe(s, subscription));
  called = counter_new();
  EXPECT("OK", airwasm_events(s, "policy.*", (airwasm_event_callback){on_event, "policy.rejected", NULL}, NULL));
  write_policy("rules: nothing\n");
  CHECK(counter_wait(called, 1));
  EXPECT("OK", read_file(s, reader, "private"));
  airwasm_system_free(s);
}

static void everything_is_closed_after_close(void) {
  airwasm_system *s = open_system(AIRWASM_THREAD);
  airwasm_handle actor = spawn_guest(s, "echo");
  airwasm_bytes b;
  int before = counter_value(freed);
  EXPECT("OK", airwasm_close(s, 0, NULL));
  EXPECT("CLOSED", airwasm_policy_load(s, policy));
  EXPECT("CLOSED", airwasm_policy_load_async(s, policy, completion(), NULL));
  CHECK(counter_value(freed) == before + 1);
  EXPECT("CLOSED", airwasm_policy_explain(s, "r", "clock", &b));
  EXPECT("CLOSED", airwasm_policy_test(s, &b));
  EXPECT("CLOSED", airwasm_check(s, actor, "clock"));
  airwasm_system_free(s);
}

void abi_policy(void) {
  scratch_open();
  RUN(hostile_i1_null);
  RUN(hostile_i3_no_actor);
  RUN(hostile_i10_texts);
  RUN(a_deny_says_its_rule_and_an_explanation_the_line);
  RUN(a_policy_that_is_refused_leaves_the_one_before);
  RUN(a_sealed_policy_refuses_grants_from_code);
  RUN(a_policy_is_loaded_without_waiting);
  RUN(a_policy_that_is_watched_is_loaded_again);
  RUN(everything_is_closed_after_close);
  scratch_remove();
}
