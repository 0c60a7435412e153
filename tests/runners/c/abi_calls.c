/* Callbacks: how often they are called, where, and when their context is freed. */
#define _XOPEN_SOURCE 700
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* What the callbacks of one test have seen. */
typedef struct {
  airwasm_system *system;
  counter *called, *freed;
  pthread_t starter;
  bool inside, was_inside, on_starter, freed_early;
  char name[32], text[128];
  airwasm_handle handle;
} seen;

static seen seen_new(uint32_t completions) {
  return (seen){.system = open_system(completions), .called = counter_new(), .freed = counter_new(), .starter = pthread_self()};
}

static void on_completion(void *context, airwasm_outcome *outcome) {
  seen *s = context;
  s->was_inside |= s->inside;
  s->on_starter = pthread_equal(pthread_self(), s->starter);
  s->freed_early |= counter_value(s->freed) > 0;
  s->handle = outcome->handle;
  CHECK(outcome->struct_size == sizeof *outcome && outcome->bytes.data);
  snprintf(s->name, sizeof s->name, "%s", airwasm_error_name(outcome->error));
  snprintf(s->text, sizeof s->text, "%s", (const char *)outcome->bytes.data);
  airwasm_error_free(outcome->error), airwasm_bytes_free(&outcome->bytes);
  counter_raise(s->called);
}
static void on_free(void *context) { counter_raise(((seen *)context)->freed); }
static airwasm_completion completion(seen *s) { return (airwasm_completion){on_completion, s, on_free}; }

static bool readable(airwasm_system *system, int timeout_ms) {
  struct pollfd fd = {airwasm_completion_fd(system), POLLIN, 0};
  return poll(&fd, 1, timeout_ms) == 1;
}

/* Waits for one completion, whichever way it comes, and checks that it came once and was freed after. */
static void settled(seen *s, const char *name, const char *text) {
  while (airwasm_completion_fd(s->system) >= 0 && counter_value(s->called) == 0) {
    if (!CHECK(readable(s->system, 20000))) return;
    airwasm_dispatch(s->system);
  }
  CHECK(counter_wait(s->called, 1) && counter_wait(s->freed, 1));
  CHECK(counter_value(s->called) == 1 && counter_value(s->freed) == 1 && !s->freed_early);
  CHECK(strcmp(s->name, name) == 0 && (!text || strcmp(s->text, text) == 0));
  s->called = counter_new(), s->freed = counter_new();
}

/* The handles of supervisors and children come by the outcome; the end of a life comes as bytes. */
static void supervision_async(seen *s, airwasm_handle component) {
  airwasm_supervisor_spec top = AIRWASM_INIT(airwasm_supervisor_spec);
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_child child = AIRWASM_INIT(airwasm_child);
  top.name = "top", spec.name = "child", spec.component = component, child.actor = &spec;
  EXPECT("OK", airwasm_supervisor_async(s->system, &top, completion(s), NULL));
  settled(s, "OK", "");
  airwasm_handle supervisor = s->handle, actor;
  EXPECT("OK", airwasm_supervisor_async(s->system, &top, completion(s), NULL));
  settled(s, "ALREADY_EXISTS", "");
  EXPECT("OK", airwasm_start_child_async(s->system, supervisor, &child, NULL, completion(s), NULL));
  settled(s, "OK", "");
  EXPECT("OK", airwasm_lookup(s->system, "child", &actor));
  CHECK(actor == s->handle && actor != supervisor);
  EXPECT("OK", airwasm_restart_child_async(s->system, supervisor, actor, NULL, completion(s), NULL));
  settled(s, "INVALID_CHILD", "");
  EXPECT("OK", airwasm_terminate_child_async(s->system, supervisor, actor, NULL, completion(s), NULL));
  settled(s, "OK", "");
  EXPECT("OK", airwasm_monitor_async(s->system, actor, NULL, completion(s), NULL));
  settled(s, "ACTOR_STOPPED", "");
  EXPECT("OK", airwasm_restart_child_async(s->system, supervisor, actor, NULL, completion(s), NULL));
  settled(s, "OK", "");
  EXPECT("OK", airwasm_monitor_async(s->system, actor, NULL, completion(s), NULL));
  EXPECT("OK", airwasm_terminate_child(s->system, supervisor, actor));
  settled(s, "OK", "{\"error\":null,\"id\":\"default/child/0\",\"reason\":\"shutdown\",\"restarting\":false}");
  EXPECT("OK", airwasm_delete_child_async(s->system, supervisor, actor, NULL, completion(s), NULL));
  settled(s, "OK", "");
  EXPECT("OK", airwasm_delete_child_async(s->system, supervisor, actor, NULL, completion(s), NULL));
  settled(s, "ACTOR_STOPPED", "");
  EXPECT("OK", airwasm_stop(s->system, supervisor, 0));
}

static void every_async_function(uint32_t mode) {
  seen s = seen_new(mode);
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  static const uint8_t junk[4] = {1, 2, 3, 4};
  EXPECT("OK", airwasm_load_async(s.system, guest_path("hello"), completion(&s), NULL));
  settled(&s, "OK", "");
  CHECK((spec.component = s.handle) != 0);
  EXPECT("OK", airwasm_load_async(s.system, guest_path("none"), completion(&s), NULL));
  settled(&s, "IO", "");
  EXPECT("OK", airwasm_load_bytes_async(s.system, junk, 4, completion(&s), NULL));
  settled(&s, "INVALID_COMPONENT", "");
  EXPECT("OK", airwasm_spawn_async(s.system, &spec, completion(&s), NULL));
  settled(&s, "OK", "");
  airwasm_handle actor = s.handle;
  EXPECT("OK", airwasm_request_async(s.system, actor, "you", 3, NULL, completion(&s), NULL));
  settled(&s, "OK", "hello you");
  EXPECT("OK", airwasm_send_async(s.system, actor, "you", 3, NULL, completion(&s), NULL));
  settled(&s, "OK", "");
  EXPECT("OK", airwasm_stop_async(s.system, actor, 0, NULL, completion(&s), NULL));
  settled(&s, "OK", "");
  EXPECT("OK", airwasm_request_async(s.system, actor, "you", 3, NULL, completion(&s), NULL));
  settled(&s, "ACTOR_STOPPED", "");
  EXPECT("OK", airwasm_send_async(s.system, actor, "you", 3, NULL, completion(&s), NULL));
  settled(&s, "ACTOR_STOPPED", "");
  supervision_async(&s, spec.component);
  EXPECT("OK", airwasm_close_async(s.system, 0, completion(&s), NULL));
  settled(&s, "OK", "{\"dead_letters\":0,\"killed\":0,\"stopped\":0}");
  /* Nothing is started: the callback is freed and never called. */
  EXPECT("CLOSED", airwasm_request_async(s.system, actor, "you", 3, NULL, completion(&s), NULL));
  CHECK(counter_value(s.called) == 0 && counter_value(s.freed) == 1);
  airwasm_system_free(s.system);
}

static void completion_once_on_a_thread(void) { every_async_function(AIRWASM_THREAD); }
static void completion_once_by_dispatch(void) { every_async_function(AIRWASM_DISPATCH); }

/* A request that is answered at once must not complete inside the call; with dispatch, not before it. */
static void completion_never_inside_its_call(void) {
  for (uint32_t mode = AIRWASM_THREAD; mode <= AIRWASM_DISPATCH; mode++) {
    seen s = seen_new(mode);
    airwasm_handle actor = spawn_guest(s.system, "echo");
    for (int n = 0; n < 200; n++) {
      s.inside = mode == AIRWASM_DISPATCH;
      EXPECT("OK", airwasm_request_async(s.system, actor, "x", 1, NULL, completion(&s), NULL));
      s.inside = false;
    }
    while (mode == AIRWASM_DISPATCH && counter_value(s.called) < 200) readable(s.system, 20000), airwasm_dispatch(s.system);
    CHECK(counter_wait(s.called, 200) && counter_wait(s.freed, 200));
    CHECK(!s.was_inside && s.on_starter == (mode == AIRWASM_DISPATCH));
    airwasm_system_free(s.system);
  }
}

static void descriptor_is_readable_while_completions_wait(void) {
  seen s = seen_new(AIRWASM_DISPATCH);
  airwasm_handle actor = spawn_guest(s.system, "echo");
  CHECK(airwasm_completion_fd(s.system) >= 0 && !readable(s.system, 0) && airwasm_dispatch(s.system) == 0);
  EXPECT("OK", airwasm_request_async(s.system, actor, "x", 1, NULL, completion(&s), NULL));
  CHECK(readable(s.system, 20000) && readable(s.system, 0) && counter_value(s.called) == 0);
  CHECK(airwasm_dispatch(s.system) == 1 && !readable(s.system, 0) && counter_value(s.called) == 1);
  airwasm_system_free(s.system);
  airwasm_system *threads = open_system(AIRWASM_THREAD);
  CHECK(airwasm_completion_fd(threads) == -1 && airwasm_dispatch(threads) == 0);
  airwasm_system_free(threads);
}

static void cancel_completes_once(void) {
  for (uint32_t mode = AIRWASM_THREAD; mode <= AIRWASM_DISPATCH; mode++) {
    seen s = seen_new(mode);
    airwasm_handle actor = spawn_guest(s.system, "looper"), request = 0;
    EXPECT("OK", airwasm_request_async(s.system, actor, "sleep 20000", 11, NULL, completion(&s), &request));
    CHECK(request != 0);
    EXPECT("OK", airwasm_cancel(s.system, request));
    settled(&s, "CANCELLED", "");
    EXPECT("OK", airwasm_cancel(s.system, request));
    airwasm_system_free(s.system);
  }
}

/* With dispatch nobody is left to run what comes later, so the last call runs it. */
static void system_free_tells_what_is_open(void) {
  seen s = seen_new(AIRWASM_DISPATCH);
  airwasm_handle actor = spawn_guest(s.system, "looper");
  EXPECT("OK", airwasm_request_async(s.system, actor, "sleep 20000", 11, NULL, completion(&s), NULL));
  airwasm_system_free(s.system);
  CHECK(counter_value(s.called) == 1 && counter_value(s.freed) == 1 && strcmp(s.name, "OK") != 0);
  s = seen_new(AIRWASM_THREAD);
  actor = spawn_guest(s.system, "looper");
  EXPECT("OK", airwasm_request_async(s.system, actor, "sleep 20000", 11, NULL, completion(&s), NULL));
  airwasm_system_free(s.system);
  CHECK(counter_wait(s.called, 1) && counter_wait(s.freed, 1) && strcmp(s.name, "OK") != 0);
}

static void free_the_system(void *context, airwasm_outcome *outcome) {
  seen *s = context;
  on_completion(context, outcome);
  if (s->system) {
    airwasm_system *system = s->system;
    s->system = NULL;
    CHECK(airwasm_dispatch(system) == 1);
    airwasm_system_free(system);
  }
}

/* A completion may dispatch, and may even free the system. */
static void dispatch_from_a_completion(void) {
  seen s = seen_new(AIRWASM_DISPATCH);
  airwasm_system *system = s.system;
  airwasm_handle actor = spawn_guest(system, "hello");
  EXPECT("OK", airwasm_request(system, actor, "x", 1, NULL, NULL));
  EXPECT("OK", airwasm_stop(system, actor, 0));
  /* A stopped actor answers at once: both wait when the dispatch begins. */
  for (int n = 0; n < 2; n++) {
    airwasm_completion last = {free_the_system, &s, on_free};
    EXPECT("OK", airwasm_request_async(system, actor, "x", 1, NULL, last, NULL));
  }
  CHECK(airwasm_dispatch(system) == 1 && counter_value(s.called) == 2 && counter_value(s.freed) == 2);
}

static void close_inside(void *context, const airwasm_message *message, airwasm_reply *reply) {
  seen *s = context;
  airwasm_error *error = airwasm_close(s->system, 0, NULL);
  CHECK(message->payload[message->payload_len] == 0 && !message->content_type);
  airwasm_reply_send(reply, airwasm_error_name(error), strlen(airwasm_error_name(error)));
  airwasm_error_free(error);
}
static void answer_wrongly(void *context, const airwasm_message *message, airwasm_reply *reply) {
  (void)context;
  switch (message->payload[0]) {
  case 'f':
    airwasm_reply_fail(reply, "no");
    break;
  case 'n':
    airwasm_reply_send(reply, NULL, 1);
    break;
  case 'u':
    airwasm_reply_fail(reply, "\xff");
    break;
  case 'd':
    airwasm_reply_free(reply);
    break;
  case 't':
    airwasm_reply_send(reply, message->content_type, strlen(message->content_type));
    break;
  default:
    airwasm_reply_raise(reply, "on purpose");
  }
}

static void handlers(void) {
  seen s = seen_new(AIRWASM_THREAD);
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_request_options options = AIRWASM_INIT(airwasm_request_options);
  airwasm_handle actor;
  airwasm_bytes reply;
  EXPECT("OK", airwasm_spawn_host(s.system, &spec, (airwasm_handler){close_inside, &s, on_free}, &actor));
  EXPECT("OK", airwasm_request(s.system, actor, "x", 1, NULL, &reply));
  CHECK(strcmp((const char *)reply.data, "WOULD_DEADLOCK") == 0);
  airwasm_bytes_free(&reply);
  EXPECT("OK", airwasm_stop(s.system, actor, 0));
  EXPECT("ACTOR_STOPPED", airwasm_request(s.system, actor, "x", 1, NULL, &reply));
  CHECK(reply.len == 0 && reply.data && reply.data[0] == 0);
  spec.restart = AIRWASM_PERMANENT;
  EXPECT("OK", airwasm_spawn_host(s.system, &spec, (airwasm_handler){answer_wrongly, &s, on_free}, &actor));
  EXPECT("FAILURE", airwasm_request(s.system, actor, "f", 1, NULL, &reply));
  EXPECT("HANDLER_RAISED", airwasm_request(s.system, actor, "n", 1, NULL, &reply));
  EXPECT("HANDLER_RAISED", airwasm_request(s.system, actor, "u", 1, NULL, &reply));
  EXPECT("HANDLER_RAISED", airwasm_request(s.system, actor, "d", 1, NULL, &reply));
  EXPECT("HANDLER_RAISED", airwasm_request(s.system, actor, "r", 1, NULL, &reply));
  options.content_type = "text/plain";
  EXPECT("OK", airwasm_request(s.system, actor, "t", 1, &options, &reply));
  CHECK(strcmp((const char *)reply.data, "text/plain") == 0);
  airwasm_bytes_free(&reply);
  /* A spawn that fails has taken the handler over all the same. */
  spec.name = "NO";
  int before = counter_value(s.freed);
  EXPECT("INVALID_ARGUMENT", airwasm_spawn_host(s.system, &spec, (airwasm_handler){answer_wrongly, &s, on_free}, &actor));
  CHECK(counter_wait(s.freed, before + 1));
  EXPECT("OK", airwasm_close(s.system, 0, NULL));
  airwasm_system_free(s.system);
  CHECK(counter_wait(s.freed, 3));
}

static void on_event(void *context, const airwasm_event *event) {
  seen *s = context;
  CHECK(event->struct_size == sizeof *event && event->seq > 0 && event->time_unix_ms > 0 && event->detail[0] == '{');
  snprintf(s->text, sizeof s->text, "%s %s", event->kind, event->actor);
  counter_raise(s->called);
}

static void events(void) {
  seen s = seen_new(AIRWASM_THREAD);
  airwasm_handle subscription;
  EXPECT("OK", airwasm_events(s.system, "actor.started", (airwasm_event_callback){on_event, &s, on_free}, &subscription));
  spawn_guest(s.system, "echo");
  CHECK(counter_wait(s.called, 1) && strcmp(s.text, "actor.started default/echo/1") == 0);
  EXPECT("OK", airwasm_unsubscribe(s.system, subscription));
  CHECK(counter_wait(s.freed, 1));
  WRONG("kinds", airwasm_events(s.system, "Not A Kind", (airwasm_event_callback){on_event, &s, on_free}, NULL));
  CHECK(counter_value(s.freed) == 2);
  EXPECT("OK", airwasm_events(s.system, "*", (airwasm_event_callback){on_event, &s, on_free}, NULL));
  airwasm_system_free(s.system);
  CHECK(counter_wait(s.freed, 3));
}

static void everything_is_closed_after_close(void) {
  seen s = seen_new(AIRWASM_THREAD);
  airwasm_handle actor = spawn_guest(s.system, "echo"), h;
  airwasm_bytes report;
  EXPECT("OK", airwasm_close(s.system, 0, &report));
  CHECK(strstr((const char *)report.data, "\"stopped\":1") != NULL);
  airwasm_bytes_free(&report);
  EXPECT("OK", airwasm_close(s.system, 0, NULL));
  EXPECT("CLOSED", airwasm_load(s.system, guest_path("echo"), &h));
  EXPECT("CLOSED", airwasm_send(s.system, actor, "x", 1, NULL));
  EXPECT("CLOSED", airwasm_request(s.system, actor, "x", 1, NULL, NULL));
  EXPECT("CLOSED", airwasm_grant(s.system, actor, "clock", 0, NULL));
  EXPECT("CLOSED", airwasm_lookup(s.system, "echo", &h));
  EXPECT("CLOSED", airwasm_events(s.system, "*", (airwasm_event_callback){on_event, &s, on_free}, NULL));
  CHECK(counter_value(s.freed) == 1);
  airwasm_system_free(s.system);
}

void abi_calls(void) {
  RUN(completion_once_on_a_thread);
  RUN(completion_once_by_dispatch);
  RUN(completion_never_inside_its_call);
  RUN(descriptor_is_readable_while_completions_wait);
  RUN(cancel_completes_once);
  RUN(system_free_tells_what_is_open);
  RUN(dispatch_from_a_completion);
  RUN(handlers);
  RUN(events);
  RUN(everything_is_closed_after_close);
}
