/* What a scenario runs in: a fresh system, a fresh folder, the events so far, and the names it gave to things. */
#ifndef AIRWASM_TESTS_WORLD_H
#define AIRWASM_TESTS_WORLD_H

#include <airwasm.h>
#include <stdbool.h>

#include "json.h"

/* What an _async function began; `over` is guarded by the lock that world_await takes. */
typedef struct {
  bool over;
  airwasm_error *error;
  airwasm_bytes bytes;
} pending;

/* What `as` named: 'a' actor, 'c' component, 'd' declaration of a child, 'g' grant, 'm' monitor, 'r' request,
 * 's' subscription, 't' timer. */
typedef struct {
  char kind;
  char name[64];
  airwasm_handle handle;
  pending *request;
  json_object *declared; /* the step that declared a child; its handle is the child's component */
} named;

struct events;

typedef struct {
  airwasm_system *system;
  bool dispatch; /* completions run inside airwasm_dispatch, on this thread */
  char folder[64];
  struct events *events;
  named names[64];
  size_t names_len;
  char fault[1024]; /* what was expected and not met; "" if nothing */
} world;

void world_open(world *world, bool dispatch, const char *cache_dir);
void world_free(world *world);

/* Closes the system and opens another one with these options in its place. */
airwasm_error *world_reopen(world *world, airwasm_options *options);

named *world_named(world *world, char kind, const char *name);
named *world_name(world *world, char kind, const char *name, airwasm_handle handle);

/* Records an expectation that was not met; the first one stays. */
void world_fault(world *world, const char *format, ...);
void world_same(world *world, const char *what, const char *expected, const char *got);

/* Waits for what an _async function began, whichever way completions are delivered. */
pending *pending_new(void);
airwasm_completion pending_completion(pending *pending);
void world_await(world *world, pending *pending);
void pending_free(pending *pending);

/* Waits for the next event after the last one that matched; a copy of its detail, yours to free, or NULL. */
char *world_event(world *world, const char *kind, const char *actor, long long within_ms);

/* A new C function that behaves so, for one call that takes it over. */
airwasm_handler behaviour_handler(world *world, const char *name);

#endif
