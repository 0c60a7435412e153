/* Supervisors, monitors, links, topics, groups and timers: arguments and handles that are wrong, and what is told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static airwasm_system *s;
static airwasm_handle component, actor, supervisor, subscription, timer;
static counter *called, *freed;
static char told[8192];

static void tell(void *context, airwasm_outcome *outcome) {
  (void)context;
  snprintf(told, sizeof told, "%s %s", airwasm_error_name(outcome->error), (const char *)outcome->bytes.data);
  airwasm_error_free(outcome->error), airwasm_bytes_free(&outcome->bytes);
  counter_raise(called);
}
static void count_free(void *context) { counter_raise(context); }
static airwasm_completion completion(void) { return (airwasm_completion){tell, freed, count_free}; }

/* Without a system nothing is done, out-params are set to nothing, and callbacks are freed. */
static void hostile_i1_null_system(void) {
  airwasm_supervisor_spec spec = AIRWASM_INIT(airwasm_supervisor_spec);
  airwasm_actor_spec function = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_child child = AIRWASM_INIT(airwasm_child);
  airwasm_handle h = 7;
  airwasm_bytes b = {(const uint8_t *)"x", 1, NULL};
  uint64_t count = 7;
  int flag = 7;
  spec.name = "x", child.actor = &function, child.handler = (airwasm_handler){NULL, NULL, NULL};
  WRONG("system", airwasm_supervisor(NULL, &spec, &h));
  CHECK(h == 0);
  WRONG("system", airwasm_children(NULL, supervisor, &b));
  CHECK(b.len == 0 && b.data && b.data[0] == 0 && !b.owner);
  WRONG("system", airwasm_start_child(NULL, supervisor, &child, &h));
  WRONG("system", airwasm_terminate_child(NULL, supervisor, actor));
  WRONG("system", airwasm_restart_child(NULL, supervisor, actor));
  WRONG("system", airwasm_delete_child(NULL, supervisor, actor));
  WRONG("system", airwasm_tree(NULL, &b));
  WRONG("system", airwasm_monitor(NULL, actor, &b));
  WRONG("system", airwasm_link(NULL, actor, supervisor));
  WRONG("system", airwasm_unlink(NULL, actor, supervisor));
  WRONG("system", airwasm_subscribe(NULL, actor, "x", &h));
  WRONG("system", airwasm_publish(NULL, "x", "x", 1, NULL, &count));
  CHECK(count == 0);
  WRONG("system", airwasm_join(NULL, actor, "x"));
  WRONG("system", airwasm_leave(NULL, actor, "x", &flag));
  CHECK(flag == 0);
  WRONG("system", airwasm_members(NULL, "x", &b));
  WRONG("system", airwasm_broadcast(NULL, "x", "x", 1, NULL, &count));
  WRONG("system", airwasm_dead_letters(NULL, &b));
  WRONG("system", airwasm_send_after(NULL, actor, "x", 1, 1, NULL, &h));
  WRONG("system", airwasm_send_every(NULL, actor, "x", 1, 1, NULL, &h));
  WRONG("system", airwasm_cancel_timer(NULL, timer, &flag));
  int before = counter_value(freed);
  WRONG("system", airwasm_supervisor_async(NULL, &spec, completion(), &h));
  WRONG("system", airwasm_start_child_async(NULL, supervisor, &child, NULL, completion(), &h));
  WRONG("system", airwasm_terminate_child_async(NULL, supervisor, actor, NULL, completion(), &h));
  WRONG("system", airwasm_restart_child_async(NULL, supervisor, actor, NULL, completion(), &h));
  WRONG("system", airwasm_monitor_async(NULL, actor, NULL, completion(), &h));
  WRONG("system", airwasm_delete_child_async(NULL, supervisor, actor, NULL, completion(), &h));
  CHECK(counter_value(freed) == before + 6);
}

static void hostile_i1_null_arguments(void) {
  airwasm_completion none = {0};
  airwasm_handle h;
  WRONG("spec", airwasm_supervisor(s, NULL, &h));
  WRONG("spec", airwasm_supervisor_async(s, NULL, completion(), &h));
  WRONG("children", airwasm_children(s, supervisor, NULL));
  WRONG("child", airwasm_start_child(s, supervisor, NULL, &h));
  WRONG("child", airwasm_start_child_async(s, supervisor, NULL, NULL, completion(), &h));
  WRONG("completion", airwasm_terminate_child_async(s, supervisor, actor, NULL, none, &h));
  WRONG("completion", airwasm_restart_child_async(s, supervisor, actor, NULL, none, &h));
  WRONG("completion", airwasm_delete_child_async(s, supervisor, actor, NULL, none, &h));
  WRONG("completion", airwasm_monitor_async(s, actor, NULL, none, &h));
  WRONG("tree", airwasm_tree(s, NULL));
  WRONG("down", airwasm_monitor(s, actor, NULL));
  WRONG("pattern", airwasm_subscribe(s, actor, NULL, &h));
  WRONG("topic", airwasm_publish(s, NULL, "x", 1, NULL, NULL));
  WRONG("data", airwasm_publish(s, "x", NULL, 1, NULL, NULL));
  WRONG("group", airwasm_join(s, actor, NULL));
  WRONG("group", airwasm_leave(s, actor, NULL, NULL));
  WRONG("group", airwasm_members(s, NULL, &(airwasm_bytes){0}));
  WRONG("members", airwasm_members(s, "x", NULL));
  WRONG("group", airwasm_broadcast(s, NULL, "x", 1, NULL, NULL));
  WRONG("data", airwasm_broadcast(s, "x", NULL, 1, NULL, NULL));
  WRONG("letters", airwasm_dead_letters(s, NULL));
  WRONG("data", airwasm_send_after(s, actor, NULL, 1, 1, NULL, &h));
  WRONG("data", airwasm_send_every(s, actor, NULL, 1, 1, NULL, &h));
  WRONG("period_ms", airwasm_send_every(s, actor, "x", 1, 0, NULL, &h));
  /* What may be NULL is. */
  EXPECT("OK", airwasm_publish(s, "x", NULL, 0, NULL, NULL));
  EXPECT("OK", airwasm_broadcast(s, "x", NULL, 0, NULL, NULL));
  EXPECT("OK", airwasm_leave(s, actor, "x", NULL));
  EXPECT("OK", airwasm_subscribe(s, actor, "nobody", NULL));
  EXPECT("OK", airwasm_send_after(s, actor, NULL, 0, AIRWASM_UNLIMITED, NULL, NULL));
}

static void hostile_i9_lengths_and_alignment(void) {
  static uint64_t room[4];
  char *odd = (char *)room + 1;
  WRONG("data", airwasm_publish(s, "x", "x", SIZE_MAX, NULL, NULL));
  WRONG("data", airwasm_broadcast(s, "x", "x", SIZE_MAX, NULL, NULL));
  WRONG("data", airwasm_send_after(s, actor, "x", SIZE_MAX, 1, NULL, NULL));
  WRONG("data", airwasm_send_every(s, actor, "x", SIZE_MAX, 1, NULL, NULL));
  WRONG("count", airwasm_publish(s, "x", "x", 1, NULL, (uint64_t *)(void *)odd));
  WRONG("options", airwasm_publish(s, "x", "x", 1, (airwasm_send_options *)(void *)odd, NULL));
  WRONG("options", airwasm_send_every(s, actor, "x", 1, 1, (airwasm_send_options *)(void *)odd, NULL));
  WRONG("left", airwasm_leave(s, actor, "x", (int *)(void *)odd));
  WRONG("cancelled", airwasm_cancel_timer(s, timer, (int *)(void *)odd));
  WRONG("timer", airwasm_send_after(s, actor, "x", 1, 1, NULL, (airwasm_handle *)(void *)odd));
  WRONG("child", airwasm_start_child(s, supervisor, (airwasm_child *)(void *)odd, NULL));
  CHECK(room[0] == 0 && room[1] == 0 && room[2] == 0);
  char *large = calloc(1, (4 << 20) + 1);
  EXPECT("PAYLOAD_TOO_LARGE", airwasm_send_after(s, actor, large, (4 << 20) + 1, 1, NULL, NULL));
  free(large);
}

static void hostile_i10_texts(void) {
  static const char *const bad[] = {"\xff", "ab\xc3", "\xed\xa0\x80", "\xc0\xaf"};
  airwasm_bytes b;
  for (size_t n = 0; n < 4; n++) {
    WRONG("pattern", airwasm_subscribe(s, actor, bad[n], NULL));
    WRONG("topic", airwasm_publish(s, bad[n], "x", 1, NULL, NULL));
    WRONG("group", airwasm_join(s, actor, bad[n]));
    WRONG("group", airwasm_leave(s, actor, bad[n], NULL));
    WRONG("group", airwasm_members(s, bad[n], &b));
    WRONG("group", airwasm_broadcast(s, bad[n], "x", 1, NULL, NULL));
    WRONG("pattern", airwasm_list(s, bad[n], &b));
  }
}

/* Every function that takes an actor or supervisor, with something that is none. */
static void nobody(const char *name, airwasm_handle h) {
  airwasm_child child = AIRWASM_INIT(airwasm_child);
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_bytes b;
  spec.component = component, child.actor = &spec;
  EXPECT(name, airwasm_children(s, h, &b));
  EXPECT(name, airwasm_start_child(s, h, &child, NULL));
  EXPECT(name, airwasm_terminate_child(s, h, actor));
  EXPECT(name, airwasm_restart_child(s, h, actor));
  EXPECT(name, airwasm_delete_child(s, h, actor));
  EXPECT(name, airwasm_terminate_child(s, supervisor, h));
  EXPECT(name, airwasm_restart_child(s, supervisor, h));
  EXPECT(name, airwasm_delete_child(s, supervisor, h));
  EXPECT(name, airwasm_monitor(s, h, &b));
  EXPECT(name, airwasm_link(s, actor, h));
  EXPECT(name, airwasm_unlink(s, h, actor));
  EXPECT(name, airwasm_subscribe(s, h, "x", NULL));
  EXPECT(name, airwasm_join(s, h, "x"));
  EXPECT(name, airwasm_leave(s, h, "x", NULL));
  EXPECT(name, airwasm_send_after(s, h, "x", 1, 1, NULL, NULL));
  EXPECT(name, airwasm_send_every(s, h, "x", 1, 1, NULL, NULL));
}

static void hostile_i3_wrong_kind(void) {
  const airwasm_handle none[] = {component, subscription, timer, 0, 1, 0xffffffffffffffff, 0x8000000000000000};
  for (size_t n = 0; n < sizeof none / sizeof *none; n++) {
    nobody("INVALID_HANDLE", none[n]);
    if (none[n] != timer) EXPECT("INVALID_HANDLE", airwasm_cancel_timer(s, none[n], NULL));
    if (none[n] != subscription) EXPECT("INVALID_HANDLE", airwasm_unsubscribe(s, none[n]));
  }
  nobody("ACTOR_NOT_FOUND", actor + 1000000);
  EXPECT("OK", airwasm_unsubscribe(s, subscription + 1000000));
  EXPECT("OK", airwasm_cancel_timer(s, timer + 1000000, NULL));
  /* An actor is no supervisor, and a supervisor takes no messages. */
  EXPECT("INVALID_HANDLE", airwasm_children(s, actor, &(airwasm_bytes){0}));
  EXPECT("INVALID_HANDLE", airwasm_send(s, supervisor, "x", 1, NULL));
  EXPECT("INVALID_HANDLE", airwasm_request(s, supervisor, "x", 1, NULL, NULL));
  EXPECT("INVALID_HANDLE", airwasm_send_after(s, supervisor, "x", 1, 1, NULL, NULL));
}

/* Compares what a function tells, and frees it. */
static bool says(airwasm_bytes *bytes, const char *text) {
  bool same = strcmp((const char *)bytes->data, text) == 0;
  if (!same) printf("  %s\n", (const char *)bytes->data);
  airwasm_bytes_free(bytes);
  return same;
}

static void trees_groups_and_monitors_are_told(void) {
  airwasm_bytes b;
  char text[64], *end;
  int flag;
  EXPECT("OK", airwasm_tree(s, &b));
  const char *at = strstr((const char *)b.data, "\"actor\":\"");
  CHECK(at && strtoull(at + 9, &end, 10) == actor && *end == '"');
  CHECK(strstr((const char *)b.data, "\"restart\":null") && strstr((const char *)b.data, "\"last_exit\":null"));
  airwasm_bytes_free(&b);
  EXPECT("OK", airwasm_list(s, "default/to*/*", &b));
  CHECK(b.data[0] == '[' && strstr((const char *)b.data, "\"id\":\"default/top/0\"") && !strstr((const char *)b.data, "},{"));
  airwasm_bytes_free(&b);
  EXPECT("OK", airwasm_join(s, actor, "all"));
  EXPECT("OK", airwasm_members(s, "all", &b));
  snprintf(text, sizeof text, "[\"%llu\"]", (unsigned long long)actor);
  CHECK(says(&b, text));
  EXPECT("OK", airwasm_leave(s, actor, "all", &flag));
  CHECK(flag == 1);
  EXPECT("OK", airwasm_leave(s, actor, "all", &flag));
  CHECK(flag == 0);
  EXPECT("OK", airwasm_members(s, "all", &b));
  CHECK(says(&b, "[]"));
  /* The wait of a monitor can be given up, and a crash is told with its error. */
  airwasm_handle request = 0, crasher = spawn_guest(s, "crasher");
  EXPECT("OK", airwasm_monitor_async(s, actor, NULL, completion(), &request));
  EXPECT("OK", airwasm_cancel(s, request));
  CHECK(counter_wait(called, 1) && strcmp(told, "CANCELLED ") == 0);
  EXPECT("OK", airwasm_monitor_async(s, crasher, NULL, completion(), NULL));
  EXPECT("TRAPPED", airwasm_request(s, crasher, "boom", 4, NULL, NULL));
  CHECK(counter_wait(called, 2) && strstr(told, "\"code\":70") && strstr(told, "\"name\":\"TRAPPED\""));
  CHECK(strstr(told, "\"restarting\":false") && strstr(told, "\"id\":\"default/crasher/1\""));
  EXPECT("ACTOR_STOPPED", airwasm_monitor(s, crasher, &b));
  CHECK(b.len == 0 && b.data && b.data[0] == 0);
}

typedef struct {
  counter *seen;
  char topic[32], content_type[32];
} heard;

/* Holds on to each reply, so that what comes after stays queued. */
static airwasm_reply *held;
static void listen(void *context, const airwasm_message *message, airwasm_reply *reply) {
  heard *h = context;
  snprintf(h->topic, sizeof h->topic, "%s", message->topic ? message->topic : "(none)");
  snprintf(h->content_type, sizeof h->content_type, "%s", message->content_type ? message->content_type : "(none)");
  held = reply;
  counter_raise(h->seen);
}

static void messages_carry_topic_and_type_and_letters_every_byte(void) {
  heard h = {counter_new(), "", ""};
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_send_options options = AIRWASM_INIT(airwasm_send_options);
  airwasm_handle listener;
  airwasm_bytes b;
  uint64_t count;
  unsigned char every[256];
  spec.name = "listener", options.content_type = "text/plain";
  for (int n = 0; n < 256; n++) every[n] = (unsigned char)n;
  EXPECT("OK", airwasm_spawn_host(s, &spec, (airwasm_handler){listen, &h, NULL}, &listener));
  EXPECT("OK", airwasm_subscribe(s, listener, "news.>", NULL));
  EXPECT("OK", airwasm_publish(s, "news.c", "x", 1, &options, &count));
  CHECK(count == 1 && counter_wait(h.seen, 1));
  CHECK(strcmp(h.topic, "news.c") == 0 && strcmp(h.content_type, "text/plain") == 0);
  airwasm_reply_send(held, NULL, 0);
  EXPECT("OK", airwasm_send_after(s, listener, "x", 1, 1, NULL, NULL));
  CHECK(counter_wait(h.seen, 2) && strcmp(h.topic, "(none)") == 0 && strcmp(h.content_type, "(none)") == 0);
  /* The second reply is kept: these two are never read. */
  EXPECT("OK", airwasm_send(s, listener, every, 256, &options));
  EXPECT("OK", airwasm_send(s, listener, "\xff", 1, NULL));
  EXPECT("OK", airwasm_kill(s, listener));
  airwasm_reply_send(held, NULL, 0);
  airwasm_error_free(airwasm_stop(s, listener, 0));
  EXPECT("OK", airwasm_dead_letters(s, &b));
  CHECK(strstr((const char *)b.data, "\"payload_base64\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUm"));
  CHECK(strstr((const char *)b.data, "+fr7/P3+/w==\"") && strstr((const char *)b.data, "\"content_type\":\"text/plain\""));
  CHECK(strstr((const char *)b.data, "\"payload_base64\":\"/w==\"") && strstr((const char *)b.data, "\"content_type\":null"));
  CHECK(strstr((const char *)b.data, "\"to\":\"default/listener/0\"") && strstr((const char *)b.data, "\"reason\":\"killed\""));
  airwasm_bytes_free(&b);
  EXPECT("OK", airwasm_dead_letters(s, &b));
  CHECK(says(&b, "[]"));
}

/* From the message on, or its actor's end, there is nothing to cancel, and nobody to publish to. */
static void timers_and_subscriptions_are_over_at_once(void) {
  heard h = {counter_new(), "", ""};
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_handle listener, sent, to_come, again;
  uint64_t count;
  int cancelled = 7;
  EXPECT("OK", airwasm_spawn_host(s, &spec, (airwasm_handler){listen, &h, NULL}, &listener));
  EXPECT("OK", airwasm_subscribe(s, listener, "over.*", NULL));
  EXPECT("OK", airwasm_send_after(s, listener, "x", 1, AIRWASM_UNLIMITED, NULL, &to_come));
  EXPECT("OK", airwasm_cancel_timer(s, to_come, &cancelled));
  CHECK(cancelled == 1);
  EXPECT("OK", airwasm_cancel_timer(s, to_come, &cancelled));
  CHECK(cancelled == 0);
  EXPECT("OK", airwasm_send_after(s, listener, "x", 1, 1, NULL, &sent));
  CHECK(counter_wait(h.seen, 1));
  /* It was sent, and is not handled to its end. */
  EXPECT("OK", airwasm_cancel_timer(s, sent, &cancelled));
  CHECK(cancelled == 0);
  EXPECT("OK", airwasm_send_after(s, listener, "x", 1, AIRWASM_UNLIMITED, NULL, &to_come));
  EXPECT("OK", airwasm_send_every(s, listener, "x", 1, 1000000, NULL, &again));
  airwasm_reply_send(held, NULL, 0);
  EXPECT("OK", airwasm_stop(s, listener, 0));
  EXPECT("OK", airwasm_publish(s, "over.x", "x", 1, NULL, &count));
  CHECK(count == 0);
  cancelled = 7;
  EXPECT("OK", airwasm_cancel_timer(s, to_come, &cancelled));
  CHECK(cancelled == 0);
  EXPECT("OK", airwasm_cancel_timer(s, again, &cancelled));
  CHECK(cancelled == 0);
}

static void take_it(void *context, const airwasm_message *message, airwasm_reply *reply) {
  (void)context, (void)message;
  airwasm_reply_send(reply, NULL, 0);
}

/* What subscribes, is a member, is linked or awaits a message lives no longer than its system. */
static void system_free_frees_those_who_are_watched(void) {
  airwasm_system *other = open_system(AIRWASM_THREAD);
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_handle one, two;
  counter *over = counter_new();
  EXPECT("OK", airwasm_spawn_host(other, &spec, (airwasm_handler){take_it, over, count_free}, &one));
  EXPECT("OK", airwasm_spawn_host(other, &spec, (airwasm_handler){take_it, over, count_free}, &two));
  EXPECT("OK", airwasm_subscribe(other, one, ">", NULL));
  EXPECT("OK", airwasm_join(other, one, "all"));
  EXPECT("OK", airwasm_link(other, one, two));
  EXPECT("OK", airwasm_publish(other, "news", "x", 1, NULL, NULL));
  EXPECT("OK", airwasm_send_after(other, two, "x", 1, AIRWASM_UNLIMITED, NULL, NULL));
  EXPECT("OK", airwasm_send_every(other, two, "x", 1, 1000000, NULL, NULL));
  airwasm_system_free(other);
  CHECK(counter_wait(over, 2));
}

/* A subscription ends with its actor, and holds nothing of it from then on. */
static void a_subscriber_that_ended_is_freed(void) {
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_handle ended;
  counter *over = counter_new();
  EXPECT("OK", airwasm_spawn_host(s, &spec, (airwasm_handler){take_it, over, count_free}, &ended));
  EXPECT("OK", airwasm_subscribe(s, ended, "nobody.publishes.this", NULL));
  EXPECT("OK", airwasm_stop(s, ended, 0));
  CHECK(counter_wait(over, 1));
}

static void everything_is_closed_after_close(void) {
  airwasm_supervisor_spec spec = AIRWASM_INIT(airwasm_supervisor_spec);
  airwasm_bytes b;
  int before = counter_value(freed);
  spec.name = "late";
  EXPECT("OK", airwasm_close(s, 0, NULL));
  EXPECT("CLOSED", airwasm_supervisor(s, &spec, NULL));
  EXPECT("CLOSED", airwasm_supervisor_async(s, &spec, completion(), NULL));
  EXPECT("CLOSED", airwasm_terminate_child_async(s, supervisor, actor, NULL, completion(), NULL));
  EXPECT("CLOSED", airwasm_delete_child_async(s, supervisor, actor, NULL, completion(), NULL));
  EXPECT("CLOSED", airwasm_monitor_async(s, actor, NULL, completion(), NULL));
  CHECK(counter_value(freed) == before + 4);
  EXPECT("CLOSED", airwasm_children(s, supervisor, &b));
  EXPECT("CLOSED", airwasm_tree(s, &b));
  EXPECT("CLOSED", airwasm_monitor(s, actor, &b));
  EXPECT("CLOSED", airwasm_link(s, actor, supervisor));
  EXPECT("CLOSED", airwasm_publish(s, "x", "x", 1, NULL, NULL));
  EXPECT("CLOSED", airwasm_members(s, "x", &b));
  EXPECT("CLOSED", airwasm_send_every(s, actor, "x", 1, 1, NULL, NULL));
  EXPECT("CLOSED", airwasm_cancel_timer(s, timer, NULL));
}

void abi_watching(void) {
  airwasm_supervisor_spec spec = AIRWASM_INIT(airwasm_supervisor_spec);
  s = open_system(AIRWASM_THREAD), called = counter_new(), freed = counter_new();
  spec.name = "top";
  actor = spawn_guest(s, "echo");
  EXPECT("OK", airwasm_load(s, guest_path("echo"), &component));
  EXPECT("OK", airwasm_supervisor(s, &spec, &supervisor));
  EXPECT("OK", airwasm_subscribe(s, actor, "nothing", &subscription));
  EXPECT("OK", airwasm_send_after(s, actor, "x", 1, AIRWASM_UNLIMITED, NULL, &timer));
  RUN(hostile_i1_null_system);
  RUN(hostile_i1_null_arguments);
  RUN(hostile_i9_lengths_and_alignment);
  RUN(hostile_i10_texts);
  RUN(hostile_i3_wrong_kind);
  RUN(trees_groups_and_monitors_are_told);
  RUN(messages_carry_topic_and_type_and_letters_every_byte);
  RUN(timers_and_subscriptions_are_over_at_once);
  RUN(a_subscriber_that_ended_is_freed);
  RUN(system_free_frees_those_who_are_watched);
  RUN(everything_is_closed_after_close);
  airwasm_system_free(s);
}
