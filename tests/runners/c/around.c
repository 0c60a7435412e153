/* Steps about grants, events, counters, files and the end of a system. */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "steps.h"

airwasm_error *step_grant(world *w, json_object *step, const char *op) {
  const char *as = json_text(step, "as"), *text;
  airwasm_handle actor, given = 0;
  airwasm_bytes list = {0};
  airwasm_error *error;
  uint64_t cut = 0;
  int count;
  if (strcmp(op, "revoke") == 0) {
    named *known = world_named(w, 'g', step_need(w, step, "grant"));
    long long expected = json_number(step, "expect_cut", -1);
    error = airwasm_revoke(w->system, known ? known->handle : 0, &cut);
    if (!error && expected >= 0 && cut != (uint64_t)expected) world_fault(w, "cut %llu", (unsigned long long)cut);
    return error;
  }
  error = step_actor(w, step, strcmp(op, "grants") == 0 ? "of" : "to", &actor);
  if (error) return error;
  if (strcmp(op, "grant") == 0) {
    uint64_t ttl_ms = (uint64_t)json_number(step, "ttl_ms", 0);
    error = airwasm_grant(w->system, actor, step_need(w, step, "capability"), ttl_ms, &given);
    if (!error && as) world_name(w, 'g', as, given);
    return error;
  }
  text = json_text(step, "expect_grant");
  if ((error = airwasm_grants(w->system, actor, &list))) return error;
  bool found = step_has_item((const char *)list.data, text, false, "capability", &count);
  const char *giver = json_text(step, "expect_given_by");
  if (giver && !step_has_item((const char *)list.data, giver, false, "given_by", &count)) found = false, text = giver;
  if ((text && !found) || json_number(step, "expect_count", count) != count) {
    world_fault(w, "grants are %s", (const char *)list.data);
  }
  airwasm_bytes_free(&list);
  return NULL;
}

airwasm_error *step_event(world *w, json_object *step, const char *op) {
  const char *kind = step_need(w, step, "kind"), *of = json_text(step, "of"), *key = json_text(step, "expect_key");
  const char *value = json_text(step, "expect_value");
  named *known = world_named(w, 'a', of);
  airwasm_bytes id = {0};
  airwasm_error *error = known ? airwasm_actor_id(w->system, known->handle, &id) : NULL;
  json_object detail = {.len = 0};
  (void)op;
  if (error) return error;
  char *got = world_event(w, kind, known ? (const char *)id.data : of, json_number(step, "within_ms", 5000));
  if (!got || !json_read(got, &detail)) world_fault(w, "no event %s of %s", kind, of ? of : "anybody");
  if (got && key) world_same(w, key, value ? value : "", json_text(&detail, key));
  json_free(&detail), free(got), airwasm_bytes_free(&id);
  return NULL;
}

airwasm_error *step_report(world *w, json_object *step, const char *op) {
  airwasm_bytes report = {0};
  airwasm_error *error = strcmp(op, "close") == 0 ? airwasm_close(w->system, 0, &report)
                                                  : airwasm_stats(w->system, &report);
  if (error) return error;
  if (strcmp(op, "stat") == 0) {
    step_expect(w, step, "expect_count", &report, step_need(w, step, "name"));
  } else {
    step_expect(w, step, "expect_stopped", &report, "stopped");
    step_expect(w, step, "expect_dead_letters", &report, "dead_letters");
  }
  airwasm_bytes_free(&report);
  return NULL;
}

airwasm_error *step_file(world *w, json_object *step, const char *op) {
  const char *path = step_need(w, step, "path");
  char *parent = strdup(path);
  bool done;
  for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0, mkdir(parent, 0777), *slash = '/';
  }
  free(parent);
  if (strcmp(op, "file") == 0) {
    FILE *out = fopen(path, "w");
    done = out && fputs(step_need(w, step, "text"), out) >= 0;
    if (out) done = fclose(out) == 0 && done;
  } else {
    done = symlink(step_need(w, step, "target"), path) == 0;
  }
  if (!done) world_fault(w, "%s: %s", path, strerror(errno));
  return NULL;
}

airwasm_error *step_reopen(world *w, json_object *step, const char *op) {
  airwasm_options options = AIRWASM_INIT(airwasm_options);
  const char *fuel = json_text(step, "counts_fuel"), *helper = json_text(step, "helper");
  const char *const command[] = {getenv("AIRWASM_COMPILE")};
  (void)op;
  options.kv = json_text(step, "kv");
  options.fuel = fuel && strcmp(fuel, "true") == 0;
  if (helper && strcmp(helper, "true") == 0) {
    if (!command[0]) world_fault(w, "AIRWASM_COMPILE does not name the compile helper");
    options.compile_helper = command, options.compile_helper_len = 1;
  }
  return world_reopen(w, &options);
}
