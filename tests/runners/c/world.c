#define _XOPEN_SOURCE 700
#include "world.h"

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One lock and one signal for everything that airwasm threads tell this one. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;

typedef struct {
  char *kind, *actor, *detail;
} record;

struct events {
  record *record;
  size_t len, read;
  bool over; /* the finalizer ran */
};

static void on_event(void *context, const airwasm_event *event) {
  struct events *events = context;
  pthread_mutex_lock(&lock);
  events->record = realloc(events->record, (events->len + 1) * sizeof *events->record);
  events->record[events->len++] = (record){strdup(event->kind), strdup(event->actor), strdup(event->detail)};
  pthread_cond_broadcast(&told);
  pthread_mutex_unlock(&lock);
}

static void events_over(void *context) {
  pthread_mutex_lock(&lock);
  ((struct events *)context)->over = true;
  pthread_cond_broadcast(&told);
  pthread_mutex_unlock(&lock);
}

static struct timespec in_ms(long long ms) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += ms / 1000, until.tv_nsec += ms % 1000 * 1000000;
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  return until;
}

static void must(airwasm_error *error) {
  if (error) {
    fprintf(stderr, "runner: %s\n", airwasm_error_message(error));
    exit(2);
  }
}

/* The events of the system before are forgotten. */
static void events_begin(world *world) {
  world->events = calloc(1, sizeof *world->events);
  must(airwasm_events(world->system, "*", (airwasm_event_callback){on_event, world->events, events_over}, NULL));
}

static void events_end(world *world) {
  struct timespec until = in_ms(20000);
  struct events *events = world->events;
  pthread_mutex_lock(&lock);
  while (!events->over) {
    if (pthread_cond_timedwait(&told, &lock, &until) == ETIMEDOUT) fputs("no finalizer for events\n", stderr), exit(2);
  }
  pthread_mutex_unlock(&lock);
  for (size_t n = 0; n < events->len; n++) {
    free(events->record[n].kind), free(events->record[n].actor), free(events->record[n].detail);
  }
  free(events->record), free(events);
}

airwasm_error *world_reopen(world *world, airwasm_options *options) {
  airwasm_system *next = NULL;
  airwasm_error *error = airwasm_close(world->system, 0, NULL);
  options->completions = world->dispatch ? AIRWASM_DISPATCH : AIRWASM_THREAD;
  if (error || (error = airwasm_open(options, &next))) return error;
  airwasm_system_free(world->system);
  events_end(world);
  world->system = next, world->names_len = 0;
  events_begin(world);
  return NULL;
}

void world_open(world *world, bool dispatch, const char *cache_dir) {
  airwasm_options options = AIRWASM_INIT(airwasm_options);
  memset(world, 0, sizeof *world);
  options.completions = dispatch ? AIRWASM_DISPATCH : AIRWASM_THREAD;
  options.cache_dir = cache_dir;
  must(airwasm_open(&options, &world->system));
  world->dispatch = dispatch;
  strcpy(world->folder, "/tmp/airwasm-c-XXXXXX");
  if (!mkdtemp(world->folder)) perror(world->folder), exit(2);
  events_begin(world);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where) {
  (void)status, (void)kind, (void)where;
  return remove(path);
}

void world_free(world *world) {
  airwasm_system_free(world->system);
  world->system = NULL;
  for (size_t n = 0; n < world->names_len; n++) {
    if (world->names[n].request) world_await(world, world->names[n].request);
    pending_free(world->names[n].request);
    if (world->names[n].declared) json_free(world->names[n].declared);
    free(world->names[n].declared);
  }
  events_end(world);
  nftw(world->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

named *world_named(world *world, char kind, const char *name) {
  for (size_t n = world->names_len; name && n-- > 0;) {
    if (world->names[n].kind == kind && strcmp(world->names[n].name, name) == 0) return &world->names[n];
  }
  return NULL;
}

named *world_name(world *world, char kind, const char *name, airwasm_handle handle) {
  named *new = &world->names[world->names_len];
  if (world->names_len == sizeof world->names / sizeof *world->names) fputs("too many names\n", stderr), exit(2);
  *new = (named){.kind = kind, .handle = handle};
  snprintf(new->name, sizeof new->name, "%s", name);
  world->names_len++;
  return new;
}

void world_fault(world *world, const char *format, ...) {
  va_list values;
  if (world->fault[0]) return;
  va_start(values, format);
  vsnprintf(world->fault, sizeof world->fault, format, values);
  va_end(values);
}

void world_same(world *world, const char *what, const char *expected, const char *got) {
  if (got && strcmp(expected, got) == 0) return;
  world_fault(world, "%s: expected %s, got %s", what, expected, got ? got : "nothing");
}

pending *pending_new(void) { return calloc(1, sizeof(pending)); }

static void on_completion(void *context, airwasm_outcome *outcome) {
  pending *request = context;
  pthread_mutex_lock(&lock);
  if (request->over) fputs("a completion came twice\n", stderr), exit(2);
  request->over = true, request->error = outcome->error, request->bytes = outcome->bytes;
  pthread_cond_broadcast(&told);
  pthread_mutex_unlock(&lock);
}

airwasm_completion pending_completion(pending *pending) {
  return (airwasm_completion){on_completion, pending, NULL};
}

void world_await(world *world, pending *request) {
  if (world->dispatch && request->over) return;
  if (world->dispatch) {
    struct pollfd fd = {airwasm_completion_fd(world->system), POLLIN, 0};
    while (!request->over) {
      if (poll(&fd, 1, 20000) == 0) fputs("no completion in 20 s\n", stderr), exit(2);
      airwasm_dispatch(world->system);
    }
    return;
  }
  pthread_mutex_lock(&lock);
  while (!request->over) pthread_cond_wait(&told, &lock);
  pthread_mutex_unlock(&lock);
}

void pending_free(pending *request) {
  if (!request) return;
  airwasm_error_free(request->error);
  airwasm_bytes_free(&request->bytes);
  free(request);
}

char *world_event(world *world, const char *kind, const char *actor, long long within_ms) {
  struct timespec until = in_ms(within_ms);
  struct events *events = world->events;
  char *detail = NULL;
  int waited = 0;
  pthread_mutex_lock(&lock);
  while (!detail && waited != ETIMEDOUT) {
    while (!detail && events->read < events->len) {
      record *next = &events->record[events->read++];
      if (strcmp(next->kind, kind) == 0 && (!actor || strcmp(next->actor, actor) == 0)) detail = strdup(next->detail);
    }
    if (!detail) waited = pthread_cond_timedwait(&told, &lock, &until);
  }
  pthread_mutex_unlock(&lock);
  return detail;
}
