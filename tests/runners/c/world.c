#define _XOPEN_SOURCE 700
#include "world.h"

#include <ctype.h>
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

void world_open(world *world, bool dispatch) {
  airwasm_options options = AIRWASM_INIT(airwasm_options);
  memset(world, 0, sizeof *world);
  options.completions = dispatch ? AIRWASM_DISPATCH : AIRWASM_THREAD;
  must(airwasm_open(&options, &world->system));
  world->dispatch = dispatch;
  strcpy(world->folder, "/tmp/airwasm-c-XXXXXX");
  if (!mkdtemp(world->folder)) perror(world->folder), exit(2);
  world->events = calloc(1, sizeof *world->events);
  must(airwasm_events(world->system, "*", (airwasm_event_callback){on_event, world->events, events_over}, NULL));
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where) {
  (void)status, (void)kind, (void)where;
  return remove(path);
}

void world_free(world *world) {
  struct timespec until = in_ms(20000);
  struct events *events = world->events;
  airwasm_system_free(world->system);
  world->system = NULL;
  for (size_t n = 0; n < world->names_len; n++) {
    if (world->names[n].request) world_await(world, world->names[n].request);
    world_pending_free(world->names[n].request);
  }
  pthread_mutex_lock(&lock);
  while (!events->over) {
    if (pthread_cond_timedwait(&told, &lock, &until) == ETIMEDOUT) fputs("no finalizer for events\n", stderr), exit(2);
  }
  pthread_mutex_unlock(&lock);
  for (size_t n = 0; n < events->len; n++) {
    free(events->record[n].kind), free(events->record[n].actor), free(events->record[n].detail);
  }
  free(events->record), free(events);
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

static void on_completion(void *context, airwasm_outcome *outcome) {
  pending *request = context;
  pthread_mutex_lock(&lock);
  if (request->over) fputs("a completion came twice\n", stderr), exit(2);
  request->over = true, request->error = outcome->error, request->bytes = outcome->bytes;
  pthread_cond_broadcast(&told);
  pthread_mutex_unlock(&lock);
}

pending *world_request(world *world, airwasm_handle actor, const char *text, const airwasm_request_options *options,
                       airwasm_handle *request, airwasm_error **error) {
  pending *new = calloc(1, sizeof *new);
  airwasm_completion completion = {on_completion, new, NULL};
  *error = airwasm_request_async(world->system, actor, text, strlen(text), options, completion, request);
  if (!*error) return new;
  free(new);
  return NULL;
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

void world_pending_free(pending *request) {
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

typedef struct {
  char *name;
  bool raised;
} behaviour;

static void *answer_later(void *reply) {
  airwasm_reply_send(reply, "later", 5);
  return NULL;
}

static void behave(void *context, const airwasm_message *message, airwasm_reply *reply) {
  behaviour *behaviour = context;
  const char *name = behaviour->name;
  pthread_t thread;
  if (strcmp(name, "upper") == 0) {
    char *text = malloc(message->payload_len + 1);
    for (size_t n = 0; n < message->payload_len; n++) {
      text[n] = message->payload[n] < 0x80 ? (char)toupper(message->payload[n]) : (char)message->payload[n];
    }
    airwasm_reply_send(reply, text, message->payload_len);
    free(text);
  } else if (strcmp(name, "sender") == 0) {
    airwasm_reply_send(reply, message->sender, strlen(message->sender));
  } else if (strcmp(name, "fail") == 0) {
    airwasm_reply_fail_code(reply, "refused", "asked to fail");
  } else if (strcmp(name, "raise") == 0 || (strcmp(name, "raise_once") == 0 && !behaviour->raised)) {
    behaviour->raised = true;
    airwasm_reply_raise(reply, "raised on purpose");
  } else if (strcmp(name, "raise_once") == 0) {
    airwasm_reply_send(reply, "ok", 2);
  } else if (strcmp(name, "none") == 0) {
    airwasm_reply_send(reply, NULL, 0);
  } else if (strcmp(name, "later") == 0 && pthread_create(&thread, NULL, answer_later, reply) == 0) {
    pthread_detach(thread);
  } else {
    airwasm_reply_free(reply);
  }
}

static void behaviour_free(void *context) {
  free(((behaviour *)context)->name);
  free(context);
}

airwasm_error *world_spawn_host(world *world, const airwasm_actor_spec *spec, const char *name,
                                airwasm_handle *actor) {
  behaviour *new = calloc(1, sizeof *new);
  new->name = strdup(name);
  return airwasm_spawn_host(world->system, spec, (airwasm_handler){behave, new, behaviour_free}, actor);
}
