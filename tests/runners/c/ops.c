#include "steps.h"

#include <string.h>

bool op_is(const char *op, const char *names) {
  const char *found = strstr(names, op);
  size_t len = strlen(op);
  return found && (found == names || found[-1] == ' ') && (!found[len] || found[len] == ' ');
}

/* Every op with the keys it may have besides those of an expected error. */
static const char *const ops[][2] = {
    {"load", "component"},
    {"load_path", "path"},
    {"load_bytes", "text"},
    {"load_cut", "component bytes"},
    {"inspect", "component expect_import expect_export expect_capability expect_handler"},
    {"unload", "component"},
    {"spawn", "as component name grant restart config cpu_ms wall_ms host_calls output_bytes fuel memory_bytes handles "
              "mailbox_messages payload_bytes expect_id"},
    {"spawn_host", "as name behaviour restart expect_id"},
    {"send", "to text"},
    {"request", "to text timeout_ms expect_text expect_part"},
    {"request_size", "to bytes expect_bytes"},
    {"request_many", "to text count expect_text"},
    {"request_start", "as to text timeout_ms"},
    {"request_await", "request expect_text"},
    {"request_cancel", "request"},
    {"grant", "as to capability ttl_ms"},
    {"revoke", "grant expect_cut"},
    {"grants", "of expect_grant expect_count"},
    {"lookup", "id as expect_id"},
    {"stop", "to"},
    {"kill", "to"},
    {"status", "of expect_state expect_restarts expect_handled"},
    {"event", "kind of within_ms expect_key expect_value"},
    {"stat", "name expect_count"},
    {"file", "path text"},
    {"symlink", "path target"},
    {"close", "expect_stopped expect_dead_letters"},
};

/* Whether op and keys are known. */
bool op_known(world *w, const json_object *step, const char *op) {
  const char *keys = NULL;
  for (size_t n = 0; n < sizeof ops / sizeof *ops; n++) {
    if (strcmp(ops[n][0], op) == 0) keys = ops[n][1];
  }
  if (!keys) world_fault(w, "unknown op %s", op);
  for (size_t n = 0; keys && n < step->len; n++) {
    const char *key = step->field[n].key;
    if (!op_is(key, keys) && !op_is(key, "op expect_error expect_message expect_policy_line expect_which")) {
      world_fault(w, "unknown key %s", key);
    }
  }
  return !w->fault[0];
}
