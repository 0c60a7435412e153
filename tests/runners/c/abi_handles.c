/* Handles that are stale, of a wrong kind, of another system or made up. */
#include <string.h>

#include "check.h"

static airwasm_system *s;
static airwasm_handle component, actor, grant, subscription, request;

static void ignore_event(void *context, const airwasm_event *event) { (void)context, (void)event; }
static void count(void *context, airwasm_outcome *outcome) {
  airwasm_error_free(outcome->error), airwasm_bytes_free(&outcome->bytes);
  counter_raise(context);
}
static airwasm_completion never(void) { return (airwasm_completion){count, NULL, NULL}; }

/* Every function that takes an actor, with something that is none. */
static void not_an_actor(const char *name, airwasm_handle h) {
  airwasm_bytes b = {0};
  EXPECT(name, airwasm_send(s, h, "x", 1, NULL));
  EXPECT(name, airwasm_request(s, h, "x", 1, NULL, &b));
  EXPECT(name, airwasm_send_async(s, h, "x", 1, NULL, never(), NULL));
  EXPECT(name, airwasm_request_async(s, h, "x", 1, NULL, never(), NULL));
  EXPECT(name, airwasm_stop(s, h, 0));
  EXPECT(name, airwasm_stop_async(s, h, 0, NULL, never(), NULL));
  EXPECT(name, airwasm_kill(s, h));
  EXPECT(name, airwasm_actor_id(s, h, &b));
  EXPECT(name, airwasm_status(s, h, &b));
  EXPECT(name, airwasm_grant(s, h, "clock", 0, NULL));
  EXPECT(name, airwasm_grants(s, h, &b));
}

static void not_a_component(const char *name, airwasm_handle h) {
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_bytes b = {0};
  EXPECT(name, airwasm_inspect(s, h, &b));
  EXPECT(name, airwasm_types(s, h, "wit", &b));
  EXPECT(name, airwasm_unload(s, h));
  spec.component = h;
  EXPECT(name, airwasm_spawn(s, &spec, NULL));
  EXPECT(name, airwasm_spawn_async(s, &spec, never(), NULL));
}

static void hostile_i3_wrong_kind(void) {
  const airwasm_handle all[] = {component, actor, grant, subscription, request};
  for (int n = 0; n < 5; n++) {
    if (all[n] != actor) not_an_actor("INVALID_HANDLE", all[n]);
    if (all[n] != component) not_a_component("INVALID_HANDLE", all[n]);
    if (all[n] != grant) EXPECT("INVALID_HANDLE", airwasm_revoke(s, all[n], NULL));
    if (all[n] != subscription) EXPECT("INVALID_HANDLE", airwasm_unsubscribe(s, all[n]));
    if (all[n] != request) EXPECT("INVALID_HANDLE", airwasm_cancel(s, all[n]));
  }
}

static void hostile_i3_made_up(void) {
  static const airwasm_handle none[] = {1, 0xffffffffffffffff, 0x8000000000000000, 0x00ffffffffffffff};
  for (int n = 0; n < 4; n++) {
    not_an_actor("INVALID_HANDLE", none[n]);
    not_a_component("INVALID_HANDLE", none[n]);
    EXPECT("INVALID_HANDLE", airwasm_revoke(s, none[n], NULL));
    EXPECT("INVALID_HANDLE", airwasm_unsubscribe(s, none[n]));
    EXPECT("INVALID_HANDLE", airwasm_cancel(s, none[n]));
  }
  not_an_actor("INVALID_HANDLE", 0);
  EXPECT("INVALID_HANDLE", airwasm_unload(s, 0));
  EXPECT("INVALID_HANDLE", airwasm_revoke(s, 0, NULL));
  /* Of the right kind, with a number that was never given. */
  EXPECT("NOT_FOUND", airwasm_unload(s, component + 1000000));
  EXPECT("NOT_FOUND", airwasm_revoke(s, grant + 1000000, NULL));
  EXPECT("OK", airwasm_unsubscribe(s, subscription + 1000000));
  EXPECT("ACTOR_NOT_FOUND", airwasm_send(s, actor + 1000000, "x", 1, NULL));
}

static void hostile_i2_stale(void) {
  airwasm_bytes id = {0};
  EXPECT("OK", airwasm_revoke(s, grant, NULL));
  EXPECT("NOT_FOUND", airwasm_revoke(s, grant, NULL));
  EXPECT("OK", airwasm_unsubscribe(s, subscription));
  EXPECT("OK", airwasm_unsubscribe(s, subscription));
  EXPECT("OK", airwasm_unload(s, component));
  EXPECT("NOT_FOUND", airwasm_unload(s, component));
  EXPECT("NOT_FOUND", airwasm_inspect(s, component, &id));
  EXPECT("OK", airwasm_stop(s, actor, 0));
  EXPECT("ACTOR_STOPPED", airwasm_send(s, actor, "x", 1, NULL));
  EXPECT("OK", airwasm_cancel(s, request));
  EXPECT("OK", airwasm_cancel(s, request));
}

/* What was freed once is zero, so that a second time finds nothing. */
static void hostile_i2_bytes_twice(void) {
  airwasm_bytes b = {0};
  EXPECT("OK", airwasm_stats(s, &b));
  CHECK(b.data && b.len && b.data[b.len] == 0 && strlen((const char *)b.data) == b.len);
  airwasm_bytes_free(&b);
  CHECK(!b.data && !b.len && !b.owner);
  airwasm_bytes_free(&b);
}

void abi_handles(void) {
  s = open_system(AIRWASM_THREAD);
  counter *done = counter_new();
  actor = spawn_guest(s, "looper");
  EXPECT("OK", airwasm_load(s, guest_path("echo"), &component));
  EXPECT("OK", airwasm_grant(s, actor, "message.send x", 0, &grant));
  EXPECT("OK", airwasm_events(s, "log", (airwasm_event_callback){ignore_event, NULL, NULL}, &subscription));
  EXPECT("OK", airwasm_request_async(s, actor, "sleep 5", 7, NULL, (airwasm_completion){count, done, NULL}, &request));
  RUN(hostile_i3_wrong_kind);
  RUN(hostile_i3_made_up);
  RUN(hostile_i2_stale);
  RUN(hostile_i2_bytes_twice);
  CHECK(counter_wait(done, 1));
  airwasm_system_free(s);
}
