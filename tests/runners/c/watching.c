/* Steps about monitors and links. */
#include <string.h>

#include "steps.h"

airwasm_error *step_monitor_start(world *w, json_object *step, const char *op) {
  airwasm_handle actor;
  airwasm_error *error = step_actor(w, step, "of", &actor);
  (void)op;
  if (error) return error;
  pending *started = pending_new();
  error = airwasm_monitor_async(w->system, actor, NULL, pending_completion(started), NULL);
  if (error) return pending_free(started), error;
  world_name(w, 'm', step_need(w, step, "as"), 0)->request = started;
  return NULL;
}

airwasm_error *step_monitor_await(world *w, json_object *step, const char *op) {
  named *known = world_named(w, 'm', step_need(w, step, "monitor"));
  const char *code = json_text(step, "expect_code");
  json_object down = {.len = 0}, crash = {.len = 0};
  (void)op;
  if (!known) return world_fault(w, "no such monitor"), NULL;
  world_await(w, known->request);
  airwasm_error *error = known->request->error;
  known->request->error = NULL;
  if (error) return error;
  step_expect(w, step, "expect_reason", &known->request->bytes, "reason");
  step_expect(w, step, "expect_restarting", &known->request->bytes, "restarting");
  if (code && json_read((const char *)known->request->bytes.data, &down)) {
    bool crashed = json_read(json_text(&down, "error"), &crash);
    world_same(w, "code", code, crashed ? json_text(&crash, "name") : NULL);
  }
  json_free(&down), json_free(&crash);
  return NULL;
}

airwasm_error *step_link(world *w, json_object *step, const char *op) {
  airwasm_handle one, other;
  airwasm_error *error = step_actor(w, step, "of", &one);
  if (!error) error = step_actor(w, step, "to", &other);
  if (error) return error;
  return strcmp(op, "link") == 0 ? airwasm_link(w->system, one, other) : airwasm_unlink(w->system, one, other);
}
