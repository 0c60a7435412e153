/* Who waits for whom: sends that wait for room, circles of askers, and waits for an end from inside. */
#define _XOPEN_SOURCE 700
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "check.h"

static airwasm_system *s;
static counter *told, *freed;
static char last[256];

static void tell(void *context, airwasm_outcome *outcome) {
  (void)context;
  snprintf(last, sizeof last, "%s %s", airwasm_error_name(outcome->error), (const char *)outcome->bytes.data);
  airwasm_error_free(outcome->error), airwasm_bytes_free(&outcome->bytes);
  counter_raise(told);
}
static void count_free(void *context) { counter_raise(context); }
static airwasm_completion completion(void) { return (airwasm_completion){tell, freed, count_free}; }

static void begin(uint32_t mode) { s = open_system(mode), told = counter_new(), freed = counter_new(); }

/* Waits for the next completion, whichever way it comes. */
#define IS_TOLD(what) told_is((what), __LINE__)
static void told_is(const char *what, int line) {
  struct pollfd fd = {airwasm_completion_fd(s), POLLIN, 0};
  while (fd.fd >= 0 && counter_value(told) == 0 && poll(&fd, 1, 20000) == 1) airwasm_dispatch(s);
  CHECK(counter_wait(told, 1) && counter_wait(freed, 1) && counter_value(told) == 1);
  check(strcmp(last, what) == 0, __FILE__, line, last);
  told = counter_new(), freed = counter_new();
}

static airwasm_handle host(const char *name, airwasm_handler handler) {
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_handle actor = 0;
  spec.name = name;
  EXPECT("OK", airwasm_spawn_host(s, &spec, handler, &actor));
  return actor;
}

/* The answer, or the name of the error. */
static bool answers(airwasm_handle actor, const char *question, const char *expected) {
  airwasm_bytes reply;
  airwasm_error *error = airwasm_request(s, actor, question, strlen(question), NULL, &reply);
  const char *got = error ? airwasm_error_name(error) : (const char *)reply.data;
  bool same = strcmp(got, expected) == 0;
  if (!same) printf("  %s: %s instead of %s\n", question, got, expected);
  airwasm_error_free(error), airwasm_bytes_free(&reply);
  return same;
}

/* Keeps each reply for the test. */
typedef struct {
  counter *seen;
  airwasm_reply *reply;
} keeper;
static void keep(void *context, const airwasm_message *message, airwasm_reply *reply) {
  (void)message;
  ((keeper *)context)->reply = reply;
  counter_raise(((keeper *)context)->seen);
}

/* The thread that answers is the one that sends: it would wait for itself if a send blocked it. */
static void a_send_waits_for_room(uint32_t mode) {
  begin(mode);
  keeper k = {counter_new(), NULL};
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_limits limits = AIRWASM_INIT(airwasm_limits);
  airwasm_handle actor, request = 0;
  limits.mailbox_messages = 1, spec.limits = &limits, spec.overflow = AIRWASM_OVERFLOW_BLOCK;
  EXPECT("OK", airwasm_spawn_host(s, &spec, (airwasm_handler){keep, &k, NULL}, &actor));
  EXPECT("OK", airwasm_send_async(s, actor, "1", 1, NULL, completion(), NULL));
  IS_TOLD("OK ");
  CHECK(counter_wait(k.seen, 1));
  EXPECT("OK", airwasm_send_async(s, actor, "2", 1, NULL, completion(), NULL));
  IS_TOLD("OK ");
  EXPECT("OK", airwasm_send_async(s, actor, "3", 1, NULL, completion(), &request));
  CHECK(request != 0 && airwasm_dispatch(s) == 0 && counter_value(told) == 0);
  for (int n = 2; n <= 3; n++) {
    airwasm_reply_send(k.reply, NULL, 0);
    CHECK(counter_wait(k.seen, n));
  }
  IS_TOLD("OK ");
  EXPECT("OK", airwasm_send(s, actor, "4", 1, NULL));
  /* The wait can be given up, and ends with the actor. */
  EXPECT("OK", airwasm_send_async(s, actor, "5", 1, NULL, completion(), &request));
  EXPECT("OK", airwasm_cancel(s, request));
  IS_TOLD("CANCELLED ");
  EXPECT("OK", airwasm_send_async(s, actor, "6", 1, NULL, completion(), NULL));
  EXPECT("OK", airwasm_kill(s, actor));
  airwasm_reply_send(k.reply, NULL, 0);
  IS_TOLD("ACTOR_STOPPED ");
  airwasm_system_free(s);
}

static void a_send_waits_for_room_on_a_thread(void) { a_send_waits_for_room(AIRWASM_THREAD); }
static void a_send_waits_for_room_by_dispatch(void) { a_send_waits_for_room(AIRWASM_DISPATCH); }

static void a_send_without_room_is_refused_at_once(void) {
  begin(AIRWASM_THREAD);
  keeper k = {counter_new(), NULL};
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_limits limits = AIRWASM_INIT(airwasm_limits);
  airwasm_handle actor;
  limits.mailbox_messages = 1, spec.limits = &limits;
  EXPECT("OK", airwasm_spawn_host(s, &spec, (airwasm_handler){keep, &k, NULL}, &actor));
  EXPECT("OK", airwasm_send(s, actor, "1", 1, NULL));
  CHECK(counter_wait(k.seen, 1));
  EXPECT("OK", airwasm_send(s, actor, "2", 1, NULL));
  EXPECT("OK", airwasm_send_async(s, actor, "3", 1, NULL, completion(), NULL));
  IS_TOLD("MAILBOX_FULL ");
  airwasm_reply_send(k.reply, NULL, 0);
  CHECK(counter_wait(k.seen, 2));
  airwasm_reply_send(k.reply, NULL, 0);
  airwasm_system_free(s);
}

/* Answers with what its target answers, and has returned from its handler meanwhile. */
static void pass_on(void *context, airwasm_outcome *outcome) {
  const char *name = airwasm_error_name(outcome->error);
  if (outcome->error) {
    airwasm_reply_send(context, name, strlen(name));
  } else {
    airwasm_reply_send(context, outcome->bytes.data, outcome->bytes.len);
  }
  airwasm_error_free(outcome->error), airwasm_bytes_free(&outcome->bytes);
}
static void ask_on(void *context, const airwasm_message *message, airwasm_reply *reply) {
  airwasm_request_options options = AIRWASM_INIT(airwasm_request_options);
  options.asked_by = message->to, options.timeout_ms = AIRWASM_UNLIMITED;
  airwasm_completion done = {pass_on, reply, NULL};
  EXPECT("OK", airwasm_request_async(s, *(airwasm_handle *)context, message->payload, message->payload_len, &options, done, NULL));
}

/* A circle that was not known would wait for ever here. */
static void askers_in_a_circle(void) {
  begin(AIRWASM_THREAD);
  airwasm_handle to_self, to_two, to_one, to_echo = spawn_guest(s, "echo");
  to_self = host("self", (airwasm_handler){ask_on, &to_self, NULL});
  airwasm_handle one = host("one", (airwasm_handler){ask_on, &to_two, NULL});
  airwasm_handle two = to_two = host("two", (airwasm_handler){ask_on, &to_one, NULL});
  to_one = one;
  CHECK(answers(to_self, "x", "CYCLE") && answers(one, "x", "CYCLE") && answers(two, "x", "CYCLE"));
  /* A chain is no circle, and a wait that is over no part of one. */
  to_one = to_echo;
  CHECK(answers(one, "x", "x") && answers(two, "x", "x"));
  to_one = one, to_two = to_echo;
  CHECK(answers(two, "x", "x"));
  airwasm_system_free(s);
}

static void an_asker_is_an_id(void) {
  begin(AIRWASM_THREAD);
  keeper k = {counter_new(), NULL};
  airwasm_handle kept = host("kept", (airwasm_handler){keep, &k, NULL}), echo = spawn_guest(s, "echo");
  airwasm_request_options options = AIRWASM_INIT(airwasm_request_options);
  airwasm_error *error;
  options.asked_by = "NO";
  WRONG("asked_by", airwasm_request(s, echo, "x", 1, &options, NULL));
  options.asked_by = "";
  WRONG("asked_by", airwasm_request(s, echo, "x", 1, &options, NULL));
  options.asked_by = "\xff";
  WRONG("asked_by", airwasm_request(s, echo, "x", 1, &options, NULL));
  WRONG("asked_by", airwasm_request_async(s, echo, "x", 1, &options, completion(), NULL));
  CHECK(counter_wait(freed, 1) && counter_value(told) == 0);
  options.asked_by = "default/nobody/0";
  EXPECT("OK", airwasm_request(s, echo, "x", 1, &options, NULL));
  /* A thread of the program's own that waits for an actor: the circle is named. */
  EXPECT("OK", airwasm_send(s, kept, "x", 1, NULL));
  CHECK(counter_wait(k.seen, 1));
  options.asked_by = "default/kept/0";
  EXPECT("OK", airwasm_request(s, echo, "x", 1, &options, NULL));
  error = airwasm_request(s, kept, "x", 1, &options, NULL);
  CHECK(airwasm_error_code(error) == AIRWASM_E_WOULD_DEADLOCK || airwasm_error_code(error) == AIRWASM_E_CYCLE);
  CHECK(strstr(airwasm_error_message(error), "default/kept/0"));
  airwasm_error_free(error);
  /* A struct of an older header had no such field: what lies behind its end is not looked at. */
  options.struct_size = offsetof(airwasm_request_options, asked_by), options.asked_by = (const char *)1;
  EXPECT("OK", airwasm_request(s, echo, "x", 1, &options, NULL));
  airwasm_reply_send(k.reply, NULL, 0);
  airwasm_system_free(s);
}

static airwasm_handle supervisor, child;

/* Does as it is told, to itself or the supervisor above it, and answers how that went. */
static void end_from_inside(void *context, const airwasm_message *message, airwasm_reply *reply) {
  const char *what = (const char *)message->payload;
  airwasm_bytes down = {0};
  airwasm_error *error = NULL;
  (void)context;
  if (strcmp(what, "stop") == 0) error = airwasm_stop(s, child, 0);
  if (strcmp(what, "stop above") == 0) error = airwasm_stop(s, supervisor, 0);
  if (strcmp(what, "terminate") == 0) error = airwasm_terminate_child(s, supervisor, child);
  if (strcmp(what, "delete") == 0) {
    error = airwasm_terminate_child(s, supervisor, child);
    /* It still runs: whether that or the circle is seen first, it is no wait. */
    airwasm_error *refused = airwasm_delete_child(s, supervisor, child);
    CHECK(airwasm_error_code(refused) == AIRWASM_E_INVALID_CHILD || airwasm_error_code(refused) == AIRWASM_E_CYCLE);
    airwasm_error_free(refused);
  }
  if (strcmp(what, "monitor") == 0) error = airwasm_monitor(s, child, &down);
  if (strcmp(what, "monitor above") == 0) error = airwasm_monitor(s, supervisor, &down);
  airwasm_reply_send(reply, airwasm_error_name(error), strlen(airwasm_error_name(error)));
  airwasm_error_free(error), airwasm_bytes_free(&down);
}

/* What was asked for has begun all the same: the child ends. */
static void waits_for_an_end_from_inside(void) {
  static const char *const ends[] = {"stop", "terminate", "delete", "stop above"};
  begin(AIRWASM_THREAD);
  for (size_t n = 0; n < sizeof ends / sizeof *ends; n++) {
    airwasm_supervisor_spec top = AIRWASM_INIT(airwasm_supervisor_spec);
    airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
    airwasm_child function = AIRWASM_INIT(airwasm_child);
    top.name = "top", spec.name = "inside", function.actor = &spec;
    function.handler = (airwasm_handler){end_from_inside, NULL, NULL};
    EXPECT("OK", airwasm_supervisor(s, &top, &supervisor));
    EXPECT("OK", airwasm_start_child(s, supervisor, &function, &child));
    CHECK(answers(child, "monitor", "CYCLE") && answers(child, "monitor above", "CYCLE"));
    EXPECT("OK", airwasm_monitor_async(s, child, NULL, completion(), NULL));
    CHECK(answers(child, ends[n], "CYCLE"));
    IS_TOLD("OK {\"error\":null,\"id\":\"default/inside/0\",\"reason\":\"shutdown\",\"restarting\":false}");
    airwasm_error_free(airwasm_stop(s, supervisor, 0));
  }
  airwasm_system_free(s);
}

/* How one wait of a handler that has returned ended, and how many are to come. */
typedef struct {
  airwasm_reply *reply;
  int left;
  char text[256];
} waits;

static void told_inside(void *context, airwasm_outcome *outcome) {
  waits *all = context;
  strcat(strcat(all->text, airwasm_error_name(outcome->error)), " ");
  airwasm_error_free(outcome->error), airwasm_bytes_free(&outcome->bytes);
  if (--all->left == 0) airwasm_reply_send(all->reply, all->text, strlen(all->text));
}

/* Waits for all ends that need its own, and keeps its reply until it was told. */
static void wait_inside(void *context, const airwasm_message *message, airwasm_reply *reply) {
  airwasm_wait_options options = AIRWASM_INIT(airwasm_wait_options);
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_child other = AIRWASM_INIT(airwasm_child);
  airwasm_completion done = {told_inside, context, NULL};
  ((waits *)context)->reply = reply;
  options.asked_by = message->to;
  spec.name = "other", other.actor = &spec, other.handler = (airwasm_handler){end_from_inside, NULL, NULL};
  EXPECT("OK", airwasm_monitor_async(s, child, &options, done, NULL));
  EXPECT("OK", airwasm_monitor_async(s, supervisor, &options, done, NULL));
  EXPECT("OK", airwasm_terminate_child_async(s, supervisor, child, &options, done, NULL));
  EXPECT("OK", airwasm_delete_child_async(s, supervisor, child, &options, done, NULL));
  EXPECT("OK", airwasm_restart_child_async(s, supervisor, child, &options, done, NULL));
  EXPECT("OK", airwasm_start_child_async(s, supervisor, &other, &options, done, NULL));
  EXPECT("OK", airwasm_stop_async(s, child, 0, &options, done, NULL));
}

static void waits_for_an_end_behind_a_handler(uint32_t mode) {
  static waits all;
  begin(mode);
  all.left = 7, all.text[0] = 0;
  airwasm_supervisor_spec top = AIRWASM_INIT(airwasm_supervisor_spec);
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_child function = AIRWASM_INIT(airwasm_child);
  top.name = "top", top.strategy = AIRWASM_ONE_FOR_ALL, spec.name = "inside", spec.shutdown_ms = AIRWASM_UNLIMITED;
  function.actor = &spec, function.handler = (airwasm_handler){wait_inside, &all, NULL};
  EXPECT("OK", airwasm_supervisor(s, &top, &supervisor));
  EXPECT("OK", airwasm_start_child(s, supervisor, &function, &child));
  EXPECT("OK", airwasm_request_async(s, child, "x", 1, NULL, completion(), NULL));
  IS_TOLD("OK CYCLE CYCLE CYCLE CYCLE CYCLE CYCLE CYCLE ");
  /* What was asked for happens all the same. */
  EXPECT("OK", airwasm_stop(s, supervisor, 0));
  airwasm_system_free(s);
}

static void waits_for_an_end_behind_a_handler_on_a_thread(void) { waits_for_an_end_behind_a_handler(AIRWASM_THREAD); }
static void waits_for_an_end_behind_a_handler_by_dispatch(void) { waits_for_an_end_behind_a_handler(AIRWASM_DISPATCH); }

/* The test sends on behalf of one whose handler has returned and keeps its reply. */
static void a_send_for_room_behind_a_handler(void) {
  begin(AIRWASM_DISPATCH);
  keeper k = {counter_new(), NULL};
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_limits limits = AIRWASM_INIT(airwasm_limits);
  airwasm_send_options options = AIRWASM_INIT(airwasm_send_options);
  limits.mailbox_messages = 1, spec.limits = &limits, spec.overflow = AIRWASM_OVERFLOW_BLOCK, spec.name = "full";
  EXPECT("OK", airwasm_spawn_host(s, &spec, (airwasm_handler){keep, &k, NULL}, &child));
  EXPECT("OK", airwasm_send(s, child, "in hand", 7, NULL));
  CHECK(counter_wait(k.seen, 1));
  options.asked_by = "default/full/0";
  EXPECT("OK", airwasm_send_async(s, child, "queued", 6, &options, completion(), NULL));
  IS_TOLD("OK ");
  EXPECT("OK", airwasm_send_async(s, child, "too much", 8, &options, completion(), NULL));
  IS_TOLD("CYCLE ");
  for (int n = 1; n <= 2; n++) {
    CHECK(counter_wait(k.seen, n));
    airwasm_reply_send(k.reply, NULL, 0);
  }
  EXPECT("OK", airwasm_stop(s, child, 0));
  CHECK(counter_value(k.seen) == 2);
  airwasm_system_free(s);
}

static void a_waiter_is_an_id(void) {
  begin(AIRWASM_THREAD);
  airwasm_handle actor = host("actor", (airwasm_handler){end_from_inside, NULL, NULL});
  airwasm_wait_options options = AIRWASM_INIT(airwasm_wait_options);
  airwasm_send_options sends = AIRWASM_INIT(airwasm_send_options);
  options.asked_by = sends.asked_by = "NO";
  WRONG("asked_by", airwasm_stop_async(s, actor, 0, &options, completion(), NULL));
  WRONG("asked_by", airwasm_monitor_async(s, actor, &options, completion(), NULL));
  WRONG("asked_by", airwasm_terminate_child_async(s, actor, actor, &options, completion(), NULL));
  WRONG("asked_by", airwasm_send_async(s, actor, "x", 1, &sends, completion(), NULL));
  CHECK(counter_wait(freed, 4) && counter_value(told) == 0);
  options.struct_size = 0;
  WRONG("options", airwasm_monitor_async(s, actor, &options, completion(), NULL));
  /* Nothing was begun; and what lies behind the end of a shorter struct is not looked at. */
  sends.struct_size = offsetof(airwasm_send_options, asked_by), sends.asked_by = (const char *)1;
  EXPECT("OK", airwasm_send(s, actor, "x", 1, &sends));
  CHECK(answers(actor, "?", "OK"));
  airwasm_system_free(s);
}

void abi_waiting(void) {
  RUN(a_send_waits_for_room_on_a_thread);
  RUN(a_send_waits_for_room_by_dispatch);
  RUN(a_send_without_room_is_refused_at_once);
  RUN(askers_in_a_circle);
  RUN(an_asker_is_an_id);
  RUN(waits_for_an_end_from_inside);
  RUN(waits_for_an_end_behind_a_handler_on_a_thread);
  RUN(waits_for_an_end_behind_a_handler_by_dispatch);
  RUN(a_send_for_room_behind_a_handler);
  RUN(a_waiter_is_an_id);
}
