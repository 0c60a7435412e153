/* Steps about topics, groups, timers, and letters that nobody read. */
#include <stdlib.h>
#include <string.h>

#include "steps.h"

airwasm_error *step_topic(world *w, json_object *step, const char *op) {
  const char *as = json_text(step, "as");
  airwasm_handle actor, made;
  uint64_t count;
  airwasm_error *error;
  if (strcmp(op, "unsubscribe") == 0) {
    named *known = world_named(w, 's', step_need(w, step, "subscription"));
    return airwasm_unsubscribe(w->system, known ? known->handle : 0);
  }
  if (strcmp(op, "publish") == 0) {
    const char *text = step_need(w, step, "text");
    error = airwasm_publish(w->system, step_need(w, step, "topic"), text, strlen(text), NULL, &count);
    if (!error) step_count(w, step, count);
    return error;
  }
  error = step_actor(w, step, "to", &actor);
  if (!error) error = airwasm_subscribe(w->system, actor, step_need(w, step, "pattern"), &made);
  if (!error && as) world_name(w, 's', as, made);
  return error;
}

/* A group's members are told as handles. */
static airwasm_error *members(world *w, json_object *step, const char *group) {
  char ids[2048] = "[";
  airwasm_bytes members = {0};
  airwasm_error *error = airwasm_members(w->system, group, &members);
  const char *at = (const char *)members.data;
  json_value item;
  while (!error && (at = json_item(at, &item))) {
    airwasm_bytes id = {0};
    error = airwasm_actor_id(w->system, strtoull(item.text, NULL, 10), &id);
    if (!error) strcat(strcat(strcat(ids, ids[1] ? ",\"" : "\""), (const char *)id.data), "\"");
    airwasm_bytes_free(&id), free(item.text);
  }
  if (!error) step_ids(w, step, strcat(ids, "]"));
  airwasm_bytes_free(&members);
  return error;
}

airwasm_error *step_group(world *w, json_object *step, const char *op) {
  const char *group = step_need(w, step, "group");
  airwasm_handle actor;
  airwasm_error *error;
  uint64_t count;
  int left = 0;
  if (strcmp(op, "members") == 0) return members(w, step, group);
  if (strcmp(op, "broadcast") == 0) {
    const char *text = step_need(w, step, "text");
    error = airwasm_broadcast(w->system, group, text, strlen(text), NULL, &count);
    if (!error) step_count(w, step, count);
    return error;
  }
  error = step_actor(w, step, "to", &actor);
  if (error || strcmp(op, "join") == 0) return error ? error : airwasm_join(w->system, actor, group);
  error = airwasm_leave(w->system, actor, group, &left);
  if (!error) step_flag(w, step, "expect_left", left);
  return error;
}

airwasm_error *step_timer(world *w, json_object *step, const char *op) {
  const char *as = json_text(step, "as"), *text;
  airwasm_handle actor, timer;
  airwasm_error *error;
  int cancelled = 0;
  if (strcmp(op, "cancel_timer") == 0) {
    named *known = world_named(w, 't', step_need(w, step, "timer"));
    error = airwasm_cancel_timer(w->system, known ? known->handle : 0, &cancelled);
    if (!error) step_flag(w, step, "expect_cancelled", cancelled);
    return error;
  }
  if ((error = step_actor(w, step, "to", &actor))) return error;
  text = step_need(w, step, "text");
  if (strcmp(op, "send_after") == 0) {
    error = airwasm_send_after(w->system, actor, text, strlen(text), step_number(step, "delay_ms"), NULL, &timer);
  } else {
    error = airwasm_send_every(w->system, actor, text, strlen(text), step_number(step, "period_ms"), NULL, &timer);
  }
  if (!error && as) world_name(w, 't', as, timer);
  return error;
}

/* The bytes of a base64 text, with a 0 after them; yours to free. */
static char *unbase64(const char *text) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char *out = malloc(strlen(text) + 1), *at = out;
  unsigned bits = 0, held = 0;
  for (const char *digit; *text && (digit = strchr(digits, *text)); text++) {
    bits = bits << 6 | (unsigned)(digit - digits), held += 6;
    if (held >= 8) held -= 8, *at++ = (char)(bits >> held);
  }
  *at = 0;
  return out;
}

airwasm_error *step_dead_letters(world *w, json_object *step, const char *op) {
  const char *text = json_text(step, "expect_text"), *reason = json_text(step, "expect_reason");
  const char *sender = json_text(step, "expect_sender");
  airwasm_bytes letters;
  airwasm_error *error = airwasm_dead_letters(w->system, &letters);
  json_object first = {.len = 0};
  json_value item;
  int count;
  (void)op;
  if (error) return error;
  step_has_item((const char *)letters.data, NULL, false, NULL, &count);
  step_count(w, step, (uint64_t)count);
  if (json_item((const char *)letters.data, &item)) {
    char *payload = NULL;
    if (json_read(item.text, &first)) payload = unbase64(json_text(&first, "payload_base64"));
    if (text) world_same(w, "payload", text, payload);
    free(payload), free(item.text);
  } else if (text) {
    world_fault(w, "no dead letter");
  }
  if (reason) world_same(w, "reason", reason, json_text(&first, "reason"));
  if (sender) world_same(w, "sender", sender, json_text(&first, "sender"));
  json_free(&first), airwasm_bytes_free(&letters);
  return NULL;
}
