/* Trees of specs: what is wrong in them, who owns the handlers, and how deep and how often they may stand. */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static airwasm_system *s;
static counter *freed;
static int freed_before;

static void answer(void *context, const airwasm_message *message, airwasm_reply *reply) {
  (void)context;
  airwasm_reply_send(reply, message->payload, message->payload_len);
}
static void count_free(void *context) { counter_raise(context); }

/* A child that is a C function, and one that is a supervisor. */
static airwasm_child function(const airwasm_actor_spec *actor) {
  airwasm_child child = AIRWASM_INIT(airwasm_child);
  child.actor = actor, child.handler = (airwasm_handler){answer, freed, count_free};
  return child;
}
static airwasm_child branch(const airwasm_supervisor_spec *below) {
  airwasm_child child = AIRWASM_INIT(airwasm_child);
  child.supervisor = below;
  return child;
}
static airwasm_actor_spec actor_of(const char *name) {
  airwasm_actor_spec actor = AIRWASM_INIT(airwasm_actor_spec);
  actor.name = name;
  return actor;
}
static airwasm_supervisor_spec top_of(const char *name, const airwasm_child *const *children, size_t len) {
  airwasm_supervisor_spec top = AIRWASM_INIT(airwasm_supervisor_spec);
  top.name = name, top.children = children, top.children_len = len;
  return top;
}

/* Whether so many handlers were freed since the last time. */
static bool freed_now(int count) {
  bool so = counter_wait(freed, freed_before + count) && counter_value(freed) == freed_before + count;
  freed_before = counter_value(freed);
  return so;
}

/* Guests, functions and supervisors in one tree; each context is freed once, after the last life. */
static void handlers_live_as_long_as_their_child(void) {
  airwasm_actor_spec guest = actor_of("guest"), a = actor_of("a"), b = actor_of("b");
  airwasm_child children[] = {AIRWASM_INIT(airwasm_child), function(&a), function(&b), AIRWASM_INIT(airwasm_child)};
  const airwasm_child *below[] = {&children[2]}, *all[] = {&children[0], &children[1], &children[3]};
  airwasm_supervisor_spec in = top_of("in", below, 1), top = top_of("top", all, 3);
  airwasm_handle supervisor, actor;
  airwasm_bytes reply;
  EXPECT("OK", airwasm_load(s, guest_path("echo"), &guest.component));
  children[0].actor = &guest, children[3] = branch(&in), a.restart = AIRWASM_PERMANENT;
  EXPECT("OK", airwasm_supervisor(s, &top, &supervisor));
  EXPECT("OK", airwasm_lookup(s, "b", &actor));
  EXPECT("OK", airwasm_request(s, actor, "x", 1, NULL, &reply));
  CHECK(strcmp((const char *)reply.data, "x") == 0);
  airwasm_bytes_free(&reply);
  EXPECT("OK", airwasm_lookup(s, "a", &actor));
  EXPECT("OK", airwasm_terminate_child(s, supervisor, actor));
  EXPECT("OK", airwasm_restart_child(s, supervisor, actor));
  EXPECT("OK", airwasm_request(s, actor, "x", 1, NULL, NULL));
  CHECK(freed_now(0));
  EXPECT("OK", airwasm_stop(s, supervisor, 0));
  CHECK(freed_now(2));
}

/* A call that fails has taken every handler over, those after the fault too. */
static void handlers_are_taken_over_by_a_call_that_fails(void) {
  airwasm_actor_spec a = actor_of("a"), wrong = actor_of("\xff"), taken = actor_of("taken");
  airwasm_child one = function(&a), two = function(&wrong), three = function(&a), four = function(&taken);
  const airwasm_child *first[] = {&one, &two, NULL, &three}, *second[] = {&one, &four}, *third[] = {&one};
  airwasm_supervisor_spec top = top_of("top", first, 4), same = top_of("top", second, 2), bad = top_of("Not", third, 1);
  airwasm_handle h = 7;
  WRONG("name", airwasm_supervisor(s, &top, &h));
  CHECK(h == 0 && freed_now(3));
  WRONG("system", airwasm_supervisor(NULL, &same, &h));
  CHECK(freed_now(2));
  WRONG("completion", airwasm_supervisor_async(s, &same, (airwasm_completion){0}, &h));
  CHECK(freed_now(2));
  WRONG("name", airwasm_supervisor(s, &bad, &h));
  CHECK(freed_now(1));
  EXPECT("OK", airwasm_spawn_host(s, &taken, (airwasm_handler){answer, NULL, NULL}, &h));
  airwasm_supervisor_spec inner = top_of("in", second, 2);
  airwasm_child in = branch(&inner);
  EXPECT("ALREADY_EXISTS", airwasm_supervisor(s, &same, NULL));
  CHECK(freed_now(2));
  EXPECT("INVALID_HANDLE", airwasm_start_child(s, h, &one, NULL));
  CHECK(freed_now(1));
  EXPECT("INVALID_HANDLE", airwasm_start_child(s, 0, &in, NULL));
  CHECK(freed_now(2));
  /* What lies below is taken over even if the child itself is wrong. */
  in.actor = &a;
  WRONG("child", airwasm_start_child(s, h, &in, NULL));
  CHECK(freed_now(2));
  EXPECT("OK", airwasm_stop(s, h, 0));
}

static void a_child_is_one_thing_only(void) {
  airwasm_actor_spec a = actor_of("a");
  airwasm_supervisor_spec in = top_of("in", NULL, 0);
  airwasm_child child = function(NULL), none = AIRWASM_INIT(airwasm_child);
  const airwasm_child *all[] = {&child};
  airwasm_supervisor_spec top = top_of("top", all, 1);
  WRONG("spec", airwasm_supervisor(s, &top, NULL));
  CHECK(freed_now(1));
  child = function(NULL), child.supervisor = &in;
  WRONG("children[0]", airwasm_supervisor(s, &top, NULL));
  CHECK(freed_now(1));
  child = branch(&in), child.actor = &a;
  WRONG("children[0]", airwasm_supervisor(s, &top, NULL));
  child = function(&a), child.handler.call = NULL;
  WRONG("handler", airwasm_supervisor(s, &top, NULL));
  CHECK(freed_now(1));
  all[0] = &none;
  WRONG("spec", airwasm_supervisor(s, &top, NULL));
  none.actor = &a;
  WRONG("component", airwasm_supervisor(s, &top, NULL));
  top.children = NULL;
  WRONG("children", airwasm_supervisor(s, &top, NULL));
  top.children = all, top.children_len = SIZE_MAX;
  WRONG("children", airwasm_supervisor(s, &top, NULL));
  top.name = NULL, top.children_len = 0;
  WRONG("name", airwasm_supervisor(s, &top, NULL));
}

/* A handler that stands twice would be freed twice, and a supervisor below itself has no end. */
static void hostile_i2_twice_and_in_a_circle(void) {
  airwasm_actor_spec a = actor_of("a");
  airwasm_child one = function(&a), round, guest = AIRWASM_INIT(airwasm_child);
  const airwasm_child *twice[] = {&one, &one}, *circle[] = {&one, &round}, *guests_twice[] = {&guest, &guest};
  airwasm_supervisor_spec top = top_of("top", twice, 2), ring = top_of("ring", circle, 2);
  airwasm_supervisor_spec same = top_of("same", guests_twice, 2);
  airwasm_actor_spec unnamed = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_handle supervisor;
  WRONG("children[1]", airwasm_supervisor(s, &top, NULL));
  CHECK(freed_now(1));
  round = branch(&ring);
  EXPECT("INVALID_ARGUMENT", airwasm_supervisor(s, &ring, NULL));
  CHECK(freed_now(1));
  EXPECT("OK", airwasm_load(s, guest_path("echo"), &unnamed.component));
  guest.actor = &unnamed;
  EXPECT("OK", airwasm_supervisor(s, &same, &supervisor));
  EXPECT("OK", airwasm_stop(s, supervisor, 0));
}

enum { DEEP = 20000 };

/* Deeper than any stack: refused by the core, and each handler is freed. */
static void *on_a_small_stack(void *unused) {
  airwasm_actor_spec a = actor_of("a");
  airwasm_supervisor_spec *supervisors = calloc(DEEP, sizeof *supervisors);
  airwasm_child *children = calloc(DEEP, 2 * sizeof *children);
  const airwasm_child **lists = calloc(DEEP, 2 * sizeof *lists);
  for (size_t n = 0; n < DEEP; n++) {
    children[2 * n] = function(&a), lists[2 * n] = &children[2 * n];
    children[2 * n + 1] = branch(&supervisors[n + 1]), lists[2 * n + 1] = &children[2 * n + 1];
    supervisors[n] = top_of("deep", &lists[2 * n], n + 1 < DEEP ? 2 : 1);
  }
  airwasm_error *error = airwasm_supervisor(s, supervisors, NULL);
  CHECK(airwasm_error_code(error) == AIRWASM_E_INVALID_CHILD || airwasm_error_code(error) == AIRWASM_E_ALREADY_EXISTS);
  airwasm_error_free(error);
  free(lists), free(children), free(supervisors);
  return unused;
}

static void hostile_i5_deep(void) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 128 << 10);
  if (CHECK(pthread_create(&thread, &attributes, on_a_small_stack, NULL) == 0)) pthread_join(thread, NULL);
  pthread_attr_destroy(&attributes);
  CHECK(freed_now(DEEP));
}

static void words_and_numbers(void) {
  static const uint64_t large[] = {AIRWASM_UNLIMITED, AIRWASM_UNLIMITED - 1, 1ull << 62};
  static const uint64_t counts[] = {AIRWASM_UNLIMITED, UINT32_MAX, 1};
  airwasm_backoff backoff = AIRWASM_INIT(airwasm_backoff);
  airwasm_actor_spec a = actor_of("a");
  airwasm_child child = AIRWASM_INIT(airwasm_child);
  const airwasm_child *all[] = {&child};
  airwasm_handle supervisor;
  struct {
    const char *which;
    uint32_t *field;
  } words[6];
  airwasm_supervisor_spec top = top_of("top", all, 1);
  words[0].which = "strategy", words[0].field = &top.strategy, words[1].which = "give_up", words[1].field = &top.give_up;
  words[2].which = "auto_shutdown", words[2].field = &top.auto_shutdown;
  words[3].which = "restart", words[3].field = &top.restart;
  words[4].which = "overflow", words[4].field = &a.overflow, words[5].which = "restart", words[5].field = &a.restart;
  EXPECT("OK", airwasm_load(s, guest_path("echo"), &a.component));
  child.actor = &a, top.backoff = &backoff;
  for (size_t n = 0; n < sizeof words / sizeof *words; n++) {
    *words[n].field = 4;
    WRONG(words[n].which, airwasm_supervisor(s, &top, NULL));
    *words[n].field = n == 3 || n == 5 ? AIRWASM_TRANSIENT : 2;
  }
  for (size_t n = 0; n < sizeof large / sizeof *large; n++) {
    top.period_ms = backoff.initial_ms = backoff.max_ms = large[n];
    a.health_interval_ms = a.error_period_ms = a.shutdown_ms = large[n];
    top.intensity = a.health_missed = a.errors_max = counts[n];
    EXPECT("OK", airwasm_supervisor(s, &top, &supervisor));
    EXPECT("OK", airwasm_stop(s, supervisor, 0));
  }
  const struct {
    const char *which;
    uint64_t *field;
  } small[] = {{"intensity", &top.intensity}, {"health_missed", &a.health_missed}, {"errors_max", &a.errors_max}};
  for (size_t n = 0; n < sizeof small / sizeof *small; n++) {
    *small[n].field = 1ull << 32;
    WRONG(small[n].which, airwasm_supervisor(s, &top, NULL));
    *small[n].field = AIRWASM_UNLIMITED - 1;
    WRONG(small[n].which, airwasm_supervisor(s, &top, NULL));
    *small[n].field = 0;
  }
  top.intensity = backoff.initial_ms = AIRWASM_ZERO, a.health_missed = a.errors_max = AIRWASM_ZERO;
  backoff.jitter = (double)AIRWASM_ZERO, backoff.factor = 1.5;
  EXPECT("OK", airwasm_supervisor(s, &top, &supervisor));
  EXPECT("OK", airwasm_stop(s, supervisor, 0));
  static const double wrong[] = {-1, 0.5, 1e300 * 1e300, 0.0 / 0.0};
  for (size_t n = 0; n < 4; n++) {
    backoff.factor = wrong[n];
    EXPECT("INVALID_CHILD", airwasm_supervisor(s, &top, NULL));
    backoff.factor = 1, backoff.jitter = n == 1 ? 2 : wrong[n];
    EXPECT("INVALID_CHILD", airwasm_supervisor(s, &top, NULL));
    backoff.jitter = 0;
  }
}

static void hostile_i11_struct_sizes(void) {
  airwasm_actor_spec a = actor_of("a");
  airwasm_backoff backoff = AIRWASM_INIT(airwasm_backoff);
  airwasm_child child = AIRWASM_INIT(airwasm_child);
  const airwasm_child *all[] = {&child};
  airwasm_supervisor_spec top = top_of("top", all, 1);
  airwasm_handle supervisor;
  CHECK(offsetof(airwasm_child, struct_size) == 0 && offsetof(airwasm_backoff, struct_size) == 0);
  CHECK(offsetof(airwasm_supervisor_spec, struct_size) == 0 && offsetof(airwasm_supervisor_spec, name) == 8);
  EXPECT("OK", airwasm_load(s, guest_path("echo"), &a.component));
  child.actor = &a, top.backoff = &backoff, top.struct_size = 0;
  WRONG("spec", airwasm_supervisor(s, &top, NULL));
  top.struct_size = sizeof top, child.struct_size = 0;
  WRONG("children[0]", airwasm_supervisor(s, &top, NULL));
  child.struct_size = sizeof child, backoff.struct_size = 0xcccccccc;
  WRONG("backoff", airwasm_supervisor(s, &top, NULL));
  /* What a shorter struct does not have is not looked at. */
  backoff.struct_size = sizeof backoff;
  child.struct_size = offsetof(airwasm_child, supervisor), child.supervisor = (void *)1;
  a.struct_size = offsetof(airwasm_actor_spec, significant), a.significant = a.overflow = 99;
  top.struct_size = offsetof(airwasm_supervisor_spec, give_up), top.give_up = 99;
  EXPECT("OK", airwasm_supervisor(s, &top, &supervisor));
  EXPECT("OK", airwasm_stop(s, supervisor, 0));
  child.struct_size = sizeof child, child.actor = NULL;
  WRONG("children[0].supervisor", airwasm_supervisor(s, &top, NULL));
  top.children = (const airwasm_child *const *)(void *)((char *)all + 1);
  WRONG("children", airwasm_supervisor(s, &top, NULL));
}

enum { THREADS = 4, TIMES = 25 };
static airwasm_handle shared;

/* Starts, asks, ends and deletes a child of its own, again and again. */
static void *one_of_many(void *number) {
  char name[16];
  snprintf(name, sizeof name, "many-%d", *(int *)number);
  airwasm_actor_spec spec = actor_of(name);
  for (int n = 0; n < TIMES; n++) {
    airwasm_child child = function(&spec);
    airwasm_handle actor, subscription;
    uint64_t count;
    EXPECT("OK", airwasm_start_child(s, shared, &child, &actor));
    EXPECT("OK", airwasm_join(s, actor, "many"));
    EXPECT("OK", airwasm_subscribe(s, actor, "many.*", &subscription));
    EXPECT("OK", airwasm_publish(s, "many.x", "x", 1, NULL, &count));
    CHECK(count >= 1);
    EXPECT("OK", airwasm_request(s, actor, "x", 1, NULL, NULL));
    EXPECT("OK", airwasm_unsubscribe(s, subscription));
    EXPECT("OK", airwasm_terminate_child(s, shared, actor));
    EXPECT("OK", airwasm_delete_child(s, shared, actor));
  }
  return NULL;
}

static void many_threads_under_one_supervisor(void) {
  airwasm_supervisor_spec top = top_of("shared", NULL, 0);
  pthread_t threads[THREADS];
  int numbers[THREADS];
  airwasm_bytes b;
  EXPECT("OK", airwasm_supervisor(s, &top, &shared));
  for (int n = 0; n < THREADS; n++) {
    numbers[n] = n;
    CHECK(pthread_create(&threads[n], NULL, one_of_many, &numbers[n]) == 0);
  }
  for (int n = 0; n < TIMES; n++) {
    EXPECT("OK", airwasm_tree(s, &b));
    airwasm_bytes_free(&b);
    EXPECT("OK", airwasm_members(s, "many", &b));
    airwasm_bytes_free(&b);
  }
  for (int n = 0; n < THREADS; n++) pthread_join(threads[n], NULL);
  EXPECT("OK", airwasm_children(s, shared, &b));
  CHECK(strcmp((const char *)b.data, "[]") == 0);
  airwasm_bytes_free(&b);
  CHECK(freed_now(THREADS * TIMES));
}

void abi_trees(void) {
  s = open_system(AIRWASM_THREAD), freed = counter_new();
  RUN(handlers_live_as_long_as_their_child);
  RUN(handlers_are_taken_over_by_a_call_that_fails);
  RUN(a_child_is_one_thing_only);
  RUN(hostile_i2_twice_and_in_a_circle);
  RUN(hostile_i5_deep);
  RUN(words_and_numbers);
  RUN(hostile_i11_struct_sizes);
  RUN(many_threads_under_one_supervisor);
  EXPECT("OK", airwasm_close(s, 0, NULL));
  airwasm_system_free(s);
}
