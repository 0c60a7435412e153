#include "steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *guests;

const char *step_need(world *w, json_object *step, const char *key) {
  const char *text = json_text(step, key);
  if (!text) world_fault(w, "%s is missing", key);
  return text ? text : "";
}

uint64_t step_number(json_object *step, const char *key) { return (uint64_t)json_number(step, key, 0); }

void step_expect(world *w, json_object *step, const char *key, const airwasm_bytes *report, const char *field) {
  const char *wanted = json_text(step, key);
  json_object object;
  if (!wanted || w->fault[0]) return;
  if (!json_read((const char *)report->data, &object)) world_fault(w, "no object: %s", (const char *)report->data);
  world_same(w, field, wanted, json_text(&object, field));
  json_free(&object);
}

airwasm_error *step_actor(world *w, json_object *step, const char *key, airwasm_handle *actor) {
  const char *name = step_need(w, step, key);
  named *known = world_named(w, 'a', name);
  *actor = known ? known->handle : 0;
  return known ? NULL : airwasm_lookup(w->system, name, actor);
}

airwasm_error *step_keep_actor(world *w, json_object *step, airwasm_handle actor) {
  const char *as = json_text(step, "as"), *id = json_text(step, "expect_id");
  airwasm_bytes got = {0};
  airwasm_error *error = id ? airwasm_actor_id(w->system, actor, &got) : NULL;
  if (id && !error) world_same(w, "id", id, (const char *)got.data);
  airwasm_bytes_free(&got);
  if (as) world_name(w, 'a', as, actor);
  return error;
}

bool step_has_item(const char *array, const char *text, bool part, const char *field, int *count) {
  json_value item;
  bool found = false;
  for (*count = 0; (array = json_item(array, &item)); ++*count) {
    json_object object = {.len = 0};
    const char *got = field && json_read(item.text, &object) ? json_text(&object, field) : item.text;
    found |= text && got && (part ? strstr(got, text) != NULL : strcmp(got, text) == 0);
    json_free(&object);
    free(item.text);
  }
  return found;
}

void step_items(world *w, json_object *step, const char *key, const char *array) {
  char ids[2048] = "";
  json_value item;
  while ((array = json_item(array, &item))) {
    json_object object = {.len = 0};
    size_t len = strlen(ids);
    bool read = json_read(item.text, &object);
    snprintf(ids + len, sizeof ids - len, "%s%s", len ? " " : "", read ? json_text(&object, "id") : item.text);
    json_free(&object), free(item.text);
  }
  world_same(w, key, step_need(w, step, key), ids);
}

void step_ids(world *w, json_object *step, const char *array) { step_items(w, step, "expect_ids", array); }

void step_flag(world *w, json_object *step, const char *key, int got) {
  const char *wanted = json_text(step, key);
  if (wanted) world_same(w, key, wanted, got ? "true" : "false");
}

void step_count(world *w, json_object *step, uint64_t got) {
  const char *wanted = json_text(step, "expect_count");
  char text[24];
  snprintf(text, sizeof text, "%llu", (unsigned long long)got);
  if (wanted) world_same(w, "count", wanted, text);
}
