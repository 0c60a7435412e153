#define _XOPEN_SOURCE 700
#include "check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *guests, *program;

static int passed, failed;
static bool failing;

bool check(bool holds, const char *file, int line, const char *what) {
  if (!holds) printf("  %s:%d: %s\n", file, line, what), failing = true;
  return holds;
}

void expect(const char *name, const char *which, airwasm_error *error, const char *file, int line, const char *call) {
  char part[64];
  snprintf(part, sizeof part, "\"which\":\"%s\"", which ? which : "");
  bool same = strcmp(airwasm_error_name(error), name) == 0;
  if (!same || (which && !strstr(airwasm_error_detail(error), part))) {
    printf("  %s:%d: %s: expected %s %s, got %s %s\n", file, line, call, name, which ? which : "",
           airwasm_error_name(error), airwasm_error_message(error));
    failing = true;
  }
  airwasm_error_free(error);
}

void run(const char *name, void (*test)(void)) {
  failing = false;
  test();
  if (failing) printf("%s failed\n", name);
  failing ? failed++ : passed++;
  fflush(stdout);
}

int tally(void) {
  printf("c abi: %d passed, %d failed\n", passed, failed);
  return failed || !passed;
}

static void must(airwasm_error *error) {
  if (error) fprintf(stderr, "%s\n", airwasm_error_message(error)), exit(2);
}

airwasm_system *open_system(uint32_t completions) {
  airwasm_options options = AIRWASM_INIT(airwasm_options);
  airwasm_system *system;
  options.completions = completions;
  must(airwasm_open(&options, &system));
  return system;
}

airwasm_handle spawn_guest(airwasm_system *system, const char *guest) {
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_handle actor;
  must(airwasm_load(system, guest_path(guest), &spec.component));
  must(airwasm_spawn(system, &spec, &actor));
  return actor;
}

const char *guest_path(const char *guest) {
  static char path[1024];
  snprintf(path, sizeof path, "%s/%s.wasm", guests, guest);
  return path;
}

struct counter {
  pthread_mutex_t lock;
  pthread_cond_t raised;
  int value;
  counter *next;
};

/* Never freed, because a callback may come late; in a list, so that a leak checker knows them. */
static counter *counters;

counter *counter_new(void) {
  counter *new = calloc(1, sizeof *new);
  pthread_mutex_init(&new->lock, NULL);
  pthread_cond_init(&new->raised, NULL);
  new->next = counters, counters = new;
  return new;
}

void counter_raise(counter *counter) {
  pthread_mutex_lock(&counter->lock);
  counter->value++;
  pthread_cond_broadcast(&counter->raised);
  pthread_mutex_unlock(&counter->lock);
}

int counter_value(counter *counter) {
  pthread_mutex_lock(&counter->lock);
  int value = counter->value;
  pthread_mutex_unlock(&counter->lock);
  return value;
}

bool counter_wait(counter *counter, int at_least) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 20;
  pthread_mutex_lock(&counter->lock);
  while (counter->value < at_least && pthread_cond_timedwait(&counter->raised, &counter->lock, &until) == 0) {
  }
  bool there = counter->value >= at_least;
  pthread_mutex_unlock(&counter->lock);
  return there;
}
