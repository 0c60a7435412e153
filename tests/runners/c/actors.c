/* Steps that spawn, find and end actors. */
#define _XOPEN_SOURCE 700
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "specs.h"

airwasm_error *step_spawn(world *w, json_object *step, const char *op) {
  spec *all = NULL;
  airwasm_actor_spec *spec = spec_actor(w, step, &all);
  airwasm_handle actor = 0;
  airwasm_error *error;
  if (strcmp(op, "spawn_host") == 0) {
    airwasm_handler handler = behaviour_handler(w, step_need(w, step, "behaviour"));
    error = airwasm_spawn_host(w->system, spec, handler, &actor);
  } else if (strcmp(op, "spawn_files") == 0) {
    error = airwasm_spawn_files(w->system, spec, &actor);
  } else if (strcmp(op, "spawn_processes") == 0) {
    error = airwasm_spawn_processes(w->system, spec, &actor);
  } else {
    error = step_component(w, step, &spec->component);
    if (!error) error = airwasm_spawn(w->system, spec, &actor);
  }
  specs_free(all);
  return error ? error : step_keep_actor(w, step, actor);
}

airwasm_error *step_lookup(world *w, json_object *step, const char *op) {
  airwasm_handle actor;
  airwasm_error *error = airwasm_lookup(w->system, step_need(w, step, "id"), &actor);
  (void)op;
  return error ? error : step_keep_actor(w, step, actor);
}

airwasm_error *step_list(world *w, json_object *step, const char *op) {
  airwasm_bytes list;
  airwasm_error *error = airwasm_list(w->system, json_text(step, "pattern"), &list);
  (void)op;
  if (!error) step_ids(w, step, (const char *)list.data);
  airwasm_bytes_free(&list);
  return error;
}

airwasm_error *step_end(world *w, json_object *step, const char *op) {
  airwasm_handle actor;
  airwasm_error *error = step_actor(w, step, "to", &actor);
  if (error) return error;
  return strcmp(op, "stop") == 0 ? airwasm_stop(w->system, actor, 0) : airwasm_kill(w->system, actor);
}

airwasm_error *step_status(world *w, json_object *step, const char *op) {
  airwasm_handle actor;
  airwasm_bytes status = {0};
  airwasm_error *error = step_actor(w, step, "of", &actor);
  (void)op;
  if (error || (error = airwasm_status(w->system, actor, &status))) return error;
  step_expect(w, step, "expect_state", &status, "state");
  step_expect(w, step, "expect_listening", &status, "listening");
  step_expect(w, step, "expect_restarts", &status, "restarts");
  step_expect(w, step, "expect_handled", &status, "handled");
  airwasm_bytes_free(&status);
  return NULL;
}

/* Waits up to 20 s until the actor was handed so many messages. */
airwasm_error *step_handled(world *w, json_object *step, const char *op) {
  long long expected = json_number(step, "expect_count", 0), handled = -1;
  airwasm_handle actor;
  airwasm_error *error = step_actor(w, step, "of", &actor);
  (void)op;
  for (int n = 0; !error && handled != expected && n < 10000; n++) {
    airwasm_bytes status;
    json_object object = {.len = 0};
    if (n > 0) nanosleep(&(struct timespec){0, 2000000}, NULL);
    error = airwasm_status(w->system, actor, &status);
    if (!error && json_read((const char *)status.data, &object)) handled = json_number(&object, "handled", -1);
    json_free(&object), airwasm_bytes_free(&status);
  }
  if (!error) step_count(w, step, (uint64_t)handled);
  return error;
}
