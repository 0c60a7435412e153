/* Steps about the policy. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

airwasm_error *step_policy(world *w, json_object *step, const char *op) {
  (void)op;
  return airwasm_policy_load(w->system, step_need(w, step, "path"));
}

/* The line that would allow it, which ends the text where nothing does. */
static const char *line_of(const char *text) {
  const char *line = strstr(text, "; add to the ");
  return (line = line ? strstr(line, ": - ") : NULL) ? line + 2 : "";
}

airwasm_error *step_explain(world *w, json_object *step, const char *op) {
  const char *part = json_text(step, "expect_text"), *line = json_text(step, "expect_policy_line");
  const char *actor = step_need(w, step, "actor");
  airwasm_bytes bytes;
  airwasm_error *error = airwasm_policy_explain(w->system, actor, step_need(w, step, "capability"), &bytes);
  const char *text = (const char *)bytes.data;
  (void)op;
  if (!error) {
    step_flag(w, step, "expect_allowed", strncmp(text, "allow: ", 7) == 0);
    if (part && !strstr(text, part)) world_fault(w, "the text is %s", text);
    if (line) world_same(w, "policy line", line, line_of(text));
  }
  airwasm_bytes_free(&bytes);
  return error;
}

airwasm_error *step_policy_test(world *w, json_object *step, const char *op) {
  airwasm_bytes bytes;
  json_object report = {.len = 0};
  airwasm_error *error = airwasm_policy_test(w->system, &bytes);
  int count = 0;
  char failed[12];
  (void)op;
  if (!error && json_read((const char *)bytes.data, &report)) {
    const char *wanted = json_text(step, "expect_failed");
    step_has_item(json_text(&report, "failed"), NULL, false, NULL, &count);
    snprintf(failed, sizeof failed, "%d", count);
    if (wanted) world_same(w, "failed", wanted, failed);
    step_expect(w, step, "expect_passed", &bytes, "passed");
  }
  json_free(&report), airwasm_bytes_free(&bytes);
  return error;
}

airwasm_error *step_check(world *w, json_object *step, const char *op) {
  airwasm_handle actor;
  airwasm_error *error = step_actor(w, step, "to", &actor);
  (void)op;
  return error ? error : airwasm_check(w->system, actor, step_need(w, step, "capability"));
}
