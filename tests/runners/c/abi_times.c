/* Every time that is asked for: 0 is the core's default, AIRWASM_ZERO is no time, AIRWASM_UNLIMITED never ends. */
#include <stdio.h>
#include <string.h>

#include "check.h"

static airwasm_system *s;
static airwasm_handle component;

/* Completions and events are told here, one after the other; the last one is kept. */
static counter *called;
static char told[4096];

static void tell(void *context, airwasm_outcome *outcome) {
  (void)context;
  snprintf(told, sizeof told, "%s", airwasm_error_name(outcome->error));
  airwasm_error_free(outcome->error), airwasm_bytes_free(&outcome->bytes);
  counter_raise(called);
}
static airwasm_completion completion(void) {
  called = counter_new();
  return (airwasm_completion){tell, NULL, NULL};
}

static airwasm_handle echo(void) {
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_handle actor = 0;
  spec.component = component;
  EXPECT("OK", airwasm_spawn(s, &spec, &actor));
  return actor;
}

/* A guest with this spec starts, answers and stops. */
static void serves(const airwasm_actor_spec *spec) {
  airwasm_handle actor = 0;
  EXPECT("OK", airwasm_spawn(s, spec, &actor));
  EXPECT("OK", airwasm_request(s, actor, "x", 1, NULL, NULL));
  EXPECT("OK", airwasm_stop(s, actor, 0));
}

static void times_of_a_guest(void) {
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_budget budget = AIRWASM_INIT(airwasm_budget);
  const struct {
    const char *which;
    uint64_t *field;
  } times[] = {{"cpu_ms", &budget.cpu_ms},
               {"wall_ms", &budget.wall_ms},
               {"shutdown_ms", &spec.shutdown_ms},
               {"health_interval_ms", &spec.health_interval_ms},
               {"error_period_ms", &spec.error_period_ms}};
  spec.component = component, spec.budget = &budget, spec.errors_max = 1;
  for (size_t n = 0; n < sizeof times / sizeof *times; n++) {
    airwasm_handle none = 7;
    *times[n].field = AIRWASM_ZERO;
    WRONG(times[n].which, airwasm_spawn(s, &spec, &none));
    CHECK(none == 0);
    *times[n].field = AIRWASM_UNLIMITED;
    serves(&spec);
    *times[n].field = 0;
    serves(&spec);
  }
}

/* Crashes when it is told to; answers otherwise. */
static void crash_or_answer(void *context, const airwasm_message *message, airwasm_reply *reply) {
  (void)context;
  if (message->payload_len) {
    airwasm_reply_raise(reply, "on purpose");
  } else {
    airwasm_reply_send(reply, "", 0);
  }
}

/* A supervisor with one function as its child. */
static void supervisor(const char *name, uint64_t period_ms, uint64_t initial_ms, uint64_t max_ms) {
  airwasm_actor_spec function = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_child child = AIRWASM_INIT(airwasm_child);
  airwasm_backoff backoff = AIRWASM_INIT(airwasm_backoff);
  airwasm_supervisor_spec top = AIRWASM_INIT(airwasm_supervisor_spec);
  const airwasm_child *all[] = {&child};
  airwasm_handle made = 0;
  function.name = "child", child.actor = &function, child.handler.call = crash_or_answer;
  backoff.initial_ms = initial_ms, backoff.max_ms = max_ms, backoff.jitter = (double)AIRWASM_ZERO;
  top.name = "top", top.children = all, top.children_len = 1, top.backoff = &backoff, top.period_ms = period_ms;
  EXPECT(name, airwasm_supervisor(s, &top, &made));
  CHECK((made != 0) == (strcmp(name, "OK") == 0));
}

static void stop_top(void) {
  airwasm_handle top = 0;
  EXPECT("OK", airwasm_lookup(s, "top", &top));
  EXPECT("OK", airwasm_stop(s, top, 0));
}

static void see(void *context, const airwasm_event *event) {
  (void)context;
  snprintf(told, sizeof told, "%s", event->detail);
  counter_raise(called);
}

/* A crash says after how many milliseconds the child comes back. */
static void comes_back_after(uint64_t initial_ms, const char *restart_in_ms) {
  airwasm_event_callback callback = {see, NULL, NULL};
  airwasm_handle child = 0, events = 0;
  char part[64];
  called = counter_new();
  supervisor("OK", 0, initial_ms, 0);
  EXPECT("OK", airwasm_events(s, "actor.crashed", callback, &events));
  EXPECT("OK", airwasm_lookup(s, "child", &child));
  EXPECT("HANDLER_RAISED", airwasm_request(s, child, "x", 1, NULL, NULL));
  CHECK(counter_wait(called, 1));
  snprintf(part, sizeof part, "\"restart_in_ms\":%s", restart_in_ms);
  const char *found = strstr(told, part);
  check(found && strchr(",}", found[strlen(part)]), __FILE__, __LINE__, told);
  EXPECT("OK", airwasm_unsubscribe(s, events));
  stop_top();
}

static void times_of_a_supervisor(void) {
  supervisor("INVALID_CHILD", AIRWASM_ZERO, 0, 0);
  supervisor("INVALID_CHILD", 0, 0, AIRWASM_ZERO);
  supervisor("INVALID_CHILD", 0, AIRWASM_UNLIMITED, 1);
  supervisor("OK", AIRWASM_UNLIMITED, AIRWASM_ZERO, AIRWASM_ZERO);
  stop_top();
  supervisor("OK", 0, AIRWASM_UNLIMITED, AIRWASM_UNLIMITED);
  stop_top();
  comes_back_after(0, "100");
  comes_back_after(AIRWASM_ZERO, "0");
  comes_back_after(AIRWASM_UNLIMITED, "18446744073709551615");
}

static void the_time_of_a_request(void) {
  airwasm_request_options options = AIRWASM_INIT(airwasm_request_options);
  airwasm_handle actor = echo(), request = 7;
  static const uint64_t good[] = {0, AIRWASM_UNLIMITED};
  options.timeout_ms = AIRWASM_ZERO;
  WRONG("timeout_ms", airwasm_request(s, actor, "x", 1, &options, NULL));
  EXPECT("OK", airwasm_request_async(s, actor, "x", 1, &options, completion(), &request));
  CHECK(counter_wait(called, 1) && strcmp(told, "INVALID_ARGUMENT") == 0);
  for (size_t n = 0; n < 2; n++) {
    options.timeout_ms = good[n];
    EXPECT("OK", airwasm_request(s, actor, "x", 1, &options, NULL));
    EXPECT("OK", airwasm_request_async(s, actor, "x", 1, &options, completion(), NULL));
    CHECK(counter_wait(called, 1) && strcmp(told, "OK") == 0);
  }
}

static void the_deadline_of_a_stop(void) {
  static const uint64_t good[] = {0, AIRWASM_UNLIMITED};
  for (size_t n = 0; n < 2; n++) {
    airwasm_handle one = echo(), other = echo();
    WRONG("deadline_ms", airwasm_stop(s, one, AIRWASM_ZERO));
    EXPECT("OK", airwasm_stop_async(s, one, AIRWASM_ZERO, NULL, completion(), NULL));
    CHECK(counter_wait(called, 1) && strcmp(told, "INVALID_ARGUMENT") == 0);
    EXPECT("OK", airwasm_request(s, one, "x", 1, NULL, NULL));
    EXPECT("OK", airwasm_stop(s, one, good[n]));
    EXPECT("OK", airwasm_stop_async(s, other, good[n], NULL, completion(), NULL));
    CHECK(counter_wait(called, 1) && strcmp(told, "OK") == 0);
  }
}

static void the_deadline_of_a_close(void) {
  static const uint64_t good[] = {0, AIRWASM_UNLIMITED};
  for (size_t n = 0; n < 2; n++) {
    airwasm_system *other = open_system(AIRWASM_THREAD);
    airwasm_bytes report;
    spawn_guest(other, "echo");
    WRONG("deadline_ms", airwasm_close(other, AIRWASM_ZERO, &report));
    EXPECT("OK", airwasm_close_async(other, AIRWASM_ZERO, completion(), NULL));
    CHECK(counter_wait(called, 1) && strcmp(told, "INVALID_ARGUMENT") == 0);
    EXPECT("OK", airwasm_close(other, good[n], &report));
    CHECK(strstr((const char *)report.data, "\"stopped\":1") != NULL);
    airwasm_bytes_free(&report);
    EXPECT("OK", airwasm_close_async(other, good[n], completion(), NULL));
    CHECK(counter_wait(called, 1) && strcmp(told, "OK") == 0);
    airwasm_system_free(other);
  }
}

static void count(void *context, const airwasm_message *message, airwasm_reply *reply) {
  (void)message;
  counter_raise(context);
  airwasm_reply_send(reply, "", 0);
}

static void the_times_of_timers(void) {
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_handler handler = {count, counter_new(), NULL};
  airwasm_handle actor = 0, after = 0, every = 0;
  int cancelled = 0;
  EXPECT("OK", airwasm_spawn_host(s, &spec, handler, &actor));
  /* No time is at once, and no default is longer. */
  EXPECT("OK", airwasm_send_after(s, actor, "x", 1, 0, NULL, NULL));
  CHECK(counter_wait(handler.context, 1));
  EXPECT("OK", airwasm_send_after(s, actor, "x", 1, AIRWASM_ZERO, NULL, NULL));
  CHECK(counter_wait(handler.context, 2));
  WRONG("period_ms", airwasm_send_every(s, actor, "x", 1, 0, NULL, &every));
  WRONG("period_ms", airwasm_send_every(s, actor, "x", 1, AIRWASM_ZERO, NULL, &every));
  CHECK(every == 0);
  EXPECT("OK", airwasm_send_after(s, actor, "x", 1, AIRWASM_UNLIMITED, NULL, &after));
  EXPECT("OK", airwasm_send_every(s, actor, "x", 1, AIRWASM_UNLIMITED, NULL, &every));
  EXPECT("OK", airwasm_request(s, actor, "x", 1, NULL, NULL));
  EXPECT("OK", airwasm_cancel_timer(s, after, &cancelled));
  CHECK(cancelled == 1);
  EXPECT("OK", airwasm_cancel_timer(s, every, &cancelled));
  CHECK(cancelled == 1 && counter_value(handler.context) == 3);
}

static void the_time_of_a_grant(void) {
  static const uint64_t good[] = {0, AIRWASM_UNLIMITED};
  airwasm_handle actor = echo(), grant = 7;
  airwasm_bytes grants;
  WRONG("ttl_ms", airwasm_grant(s, actor, "message.send x", AIRWASM_ZERO, &grant));
  CHECK(grant == 0);
  for (size_t n = 0; n < 2; n++) {
    EXPECT("OK", airwasm_grant(s, actor, "message.send x", good[n], &grant));
    EXPECT("OK", airwasm_grants(s, actor, &grants));
    CHECK(strstr((const char *)grants.data, "message.send") != NULL);
    airwasm_bytes_free(&grants);
    EXPECT("OK", airwasm_revoke(s, grant, NULL));
  }
}

void abi_times(void) {
  s = open_system(AIRWASM_THREAD);
  EXPECT("OK", airwasm_load(s, guest_path("echo"), &component));
  RUN(times_of_a_guest);
  RUN(times_of_a_supervisor);
  RUN(the_time_of_a_request);
  RUN(the_deadline_of_a_stop);
  RUN(the_deadline_of_a_close);
  RUN(the_times_of_timers);
  RUN(the_time_of_a_grant);
  airwasm_system_free(s);
}
