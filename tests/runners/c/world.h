/* What a scenario runs in: a fresh system, a fresh folder, the events so far, and the names it gave to things. */
#ifndef AIRWASM_TESTS_WORLD_H
#define AIRWASM_TESTS_WORLD_H

#include <airwasm.h>
#include <stdbool.h>

/* An asynchronous request under way; `over` is guarded by the lock that world_await takes. */
typedef struct {
  bool over;
  airwasm_error *error;
  airwasm_bytes bytes;
} pending;

/* What `as` named: 'a' actor, 'c' component, 'g' grant, 'r' request. */
typedef struct {
  char kind;
  char name[64];
  airwasm_handle handle;
  pending *request;
} named;

struct events;

typedef struct {
  airwasm_system *system;
  bool dispatch; /* completions run inside airwasm_dispatch, on this thread */
  char folder[64];
  struct events *events;
  named names[32];
  size_t names_len;
  char fault[1024]; /* what was expected and not met; "" if nothing */
} world;

void world_open(world *world, bool dispatch);
void world_free(world *world);

named *world_named(world *world, char kind, const char *name);
named *world_name(world *world, char kind, const char *name, airwasm_handle handle);

/* Records an expectation that was not met; the first one stays. */
void world_fault(world *world, const char *format, ...);
void world_same(world *world, const char *what, const char *expected, const char *got);

/* Starts requests and waits for them, whichever way completions are delivered. */
pending *world_request(world *world, airwasm_handle actor, const char *text, const airwasm_request_options *options,
                       airwasm_handle *request, airwasm_error **error);
void world_await(world *world, pending *request);
void world_pending_free(pending *request);

/* Waits for the next event after the last one that matched; a copy of its detail, yours to free, or NULL. */
char *world_event(world *world, const char *kind, const char *actor, long long within_ms);

/* Spawns a C function that behaves so. */
airwasm_error *world_spawn_host(world *world, const airwasm_actor_spec *spec, const char *behaviour,
                                airwasm_handle *actor);

#endif
