/* Steps about the key-value store, as the host program uses it. */
#include <string.h>

#include "steps.h"

airwasm_error *step_kv(world *w, json_object *step, const char *op) {
  const char *space = step_need(w, step, "namespace"), *text = json_text(step, "text");
  const char *key = strcmp(op, "kv_list") == 0 ? NULL : step_need(w, step, "key");
  airwasm_bytes got = {0};
  airwasm_error *error;
  int found = 0;
  if (strcmp(op, "kv_set") == 0) return airwasm_kv_set(w->system, space, key, text, strlen(text));
  if (strcmp(op, "kv_delete") == 0) {
    error = airwasm_kv_delete(w->system, space, key, &found);
    if (!error) step_flag(w, step, "expect_found", found);
    return error;
  }
  if (strcmp(op, "kv_list") == 0) {
    if ((error = airwasm_kv_list(w->system, space, 0, &got))) return error;
    char *keys = strchr((char *)got.data, '[');
    if (strchr(keys, ']')) strchr(keys, ']')[1] = 0;
    step_ids(w, step, keys);
  } else {
    if ((error = airwasm_kv_get(w->system, space, key, &found, &got))) return error;
    const char *expected = json_text(step, "expect_text");
    if (found != (expected != NULL)) world_fault(w, "found %d", found);
    if (found && expected) world_same(w, "value", expected, (const char *)got.data);
  }
  airwasm_bytes_free(&got);
  return NULL;
}
