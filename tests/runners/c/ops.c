#include <string.h>

#include "steps.h"

/* Whether a word is one of words, which blanks divide. */
static bool is_one_of(const char *word, const char *words) {
  size_t len = strlen(word);
  for (const char *at = words; len && (at = strstr(at, word)); at += len) {
    if ((at == words || at[-1] == ' ') && (!at[len] || at[len] == ' ')) return true;
  }
  return false;
}

#define GUEST \
  " component name grant restart config cpu_ms wall_ms host_calls output_bytes fuel memory_bytes handles " \
  "mailbox_messages payload_bytes cpu_percent written_bytes region_bytes args env http_listen overflow errors_max health_interval_ms " \
  "health_missed "
#define SUPERVISOR " name strategy intensity period_ms initial_ms give_up auto_shutdown restart "

/* Every op with the keys it may have besides those of an expected error, and what runs it. */
static const struct {
  const char *op, *keys;
  step_act *act;
} ops[] = {
    {"load", "component", step_load},
    {"load_path", "path", step_load},
    {"load_bytes", "text", step_load},
    {"load_cut", "component bytes", step_load},
    {"inspect", "component expect_import expect_export expect_capability expect_capabilities expect_handler", step_inspect},
    {"types", "component language expect_part", step_types},
    {"unload", "component", step_unload},
    {"spawn", "as expect_id" GUEST, step_spawn},
    {"spawn_host", "as name behaviour restart mailbox_messages overflow errors_max expect_id", step_spawn},
    {"spawn_files", "as name grant restart payload_bytes expect_id", step_spawn},
    {"spawn_processes", "as name grant restart payload_bytes expect_id", step_spawn},
    {"lookup", "id as expect_id", step_lookup},
    {"list", "pattern expect_ids", step_list},
    {"stop", "to", step_end},
    {"kill", "to", step_end},
    {"status", "of expect_state expect_restarts expect_handled expect_listening", step_status},
    {"handled", "of expect_count", step_handled},
    {"send", "to text", step_message},
    {"request", "to text timeout_ms expect_text expect_part", step_message},
    {"request_size", "to bytes expect_bytes", step_message},
    {"request_many", "to text count expect_text", step_message},
    {"request_start", "as to text timeout_ms", step_message},
    {"request_await", "request expect_text", step_request},
    {"request_cancel", "request", step_request},
    {"child", "as behaviour supervisor_of significant shutdown_ms" GUEST SUPERVISOR, step_child},
    {"supervisor", "as children" SUPERVISOR, step_supervisor},
    {"start_child", "supervisor child", step_start_child},
    {"terminate_child", "supervisor child", step_about_child},
    {"restart_child", "supervisor child", step_about_child},
    {"delete_child", "supervisor child", step_about_child},
    {"children", "of expect_ids", step_children},
    {"tree", "expect_tree", step_tree},
    {"monitor_start", "as of", step_monitor_start},
    {"monitor_await", "monitor expect_reason expect_restarting expect_code", step_monitor_await},
    {"link", "of to", step_link},
    {"unlink", "of to", step_link},
    {"subscribe", "as to pattern", step_topic},
    {"unsubscribe", "subscription", step_topic},
    {"publish", "topic text expect_count", step_topic},
    {"join", "to group", step_group},
    {"leave", "to group expect_left", step_group},
    {"members", "group expect_ids", step_group},
    {"broadcast", "group text expect_count", step_group},
    {"dead_letters", "expect_count expect_text expect_reason expect_sender", step_dead_letters},
    {"send_after", "as to text delay_ms", step_timer},
    {"send_every", "as to text period_ms", step_timer},
    {"cancel_timer", "timer expect_cancelled", step_timer},
    {"region_create", "region bytes", step_region},
    {"region_read", "region offset bytes expect_text", step_region},
    {"region_write", "region offset text", step_region},
    {"region_remove", "region", step_region},
    {"regions", "expect_regions", step_regions},
    {"grant", "as to capability ttl_ms", step_grant},
    {"revoke", "grant expect_cut", step_grant},
    {"grants", "of expect_grant expect_given_by expect_count", step_grant},
    {"policy_load", "path", step_policy},
    {"policy_explain", "actor capability expect_allowed expect_text", step_explain},
    {"policy_test", "expect_passed expect_failed", step_policy_test},
    {"check", "to capability", step_check},
    {"event", "kind of within_ms expect_key expect_value", step_event},
    {"stat", "name expect_count", step_report},
    {"file", "path text", step_file},
    {"symlink", "path target", step_file},
    {"kv_get", "namespace key expect_text", step_kv},
    {"kv_set", "namespace key text", step_kv},
    {"kv_delete", "namespace key expect_found", step_kv},
    {"kv_list", "namespace expect_ids", step_kv},
    {"reopen", "kv counts_fuel helper", step_reopen},
    {"close", "expect_stopped expect_dead_letters", step_report},
};

step_act *op_known(world *w, const json_object *step, const char *op) {
  static const char common[] = "op expect_error expect_message expect_policy_line expect_which";
  size_t at = 0, count = sizeof ops / sizeof *ops;
  while (at < count && strcmp(ops[at].op, op) != 0) at++;
  if (at == count) {
    world_fault(w, "unknown op %s", op);
    return NULL;
  }
  for (size_t n = 0; n < step->len; n++) {
    const char *key = step->field[n].key;
    if (!is_one_of(key, ops[at].keys) && !is_one_of(key, common)) world_fault(w, "unknown key %s", key);
  }
  return w->fault[0] ? NULL : ops[at].act;
}
