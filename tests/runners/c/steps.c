#define _XOPEN_SOURCE 700
#include "steps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *guests;

/* A text of a step, "" and a fault if it is missing. */
const char *step_need(world *w, json_object *step, const char *key) {
  const char *text = json_text(step, key);
  if (!text) world_fault(w, "%s is missing", key);
  return text ? text : "";
}

static char *read_file(world *w, const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  struct stat status;
  char *data = NULL;
  if (file && fstat(fileno(file), &status) == 0 && (data = malloc((size_t)status.st_size + 1))) {
    *len = fread(data, 1, (size_t)status.st_size, file);
    data[*len] = 0;
  }
  if (file) fclose(file);
  if (!data) world_fault(w, "%s: %s", path, strerror(errno));
  return data;
}

/* The report's field, compared as text if the step expects something of it. */
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

airwasm_error *step_load(world *w, json_object *step, const char *op, airwasm_handle *component) {
  const char *text = strcmp(op, "load_bytes") == 0 ? step_need(w, step, "text") : json_text(step, "component");
  char path[512];
  size_t len = 0;
  char *data;
  airwasm_error *error;
  if (strcmp(op, "load_bytes") == 0) return airwasm_load_bytes(w->system, text, strlen(text), component);
  if (strcmp(op, "load_path") == 0) return airwasm_load(w->system, step_need(w, step, "path"), component);
  snprintf(path, sizeof path, "%s/%s.wasm", guests, text ? text : step_need(w, step, "component"));
  if (strcmp(op, "load_cut") == 0) {
    long long cut = json_number(step, "bytes", 0);
    if (!(data = read_file(w, path, &len))) return NULL;
    error = airwasm_load_bytes(w->system, data, (size_t)(cut < 0 ? (long long)len + cut : cut), component);
    free(data);
    return error;
  }
  error = airwasm_load(w->system, path, component);
  if (!error) world_name(w, 'c', text, *component);
  return error;
}

static airwasm_error *component_of(world *w, json_object *step, airwasm_handle *component) {
  named *known = world_named(w, 'c', step_need(w, step, "component"));
  if (!known) return step_load(w, step, "load", component);
  *component = known->handle;
  return NULL;
}

/* An array's item holds the part, or is the text itself. */
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

airwasm_error *step_inspect(world *w, json_object *step) {
  static const char *const lists[][2] = {
      {"expect_import", "imports"}, {"expect_export", "exports"}, {"expect_capability", "capabilities"}};
  airwasm_handle component;
  airwasm_bytes info = {0};
  airwasm_error *error = component_of(w, step, &component);
  json_object object = {.len = 0};
  int count;
  if (!error) error = airwasm_inspect(w->system, component, &info);
  if (!error && !json_read((const char *)info.data, &object)) world_fault(w, "no object: %s", (const char *)info.data);
  for (int n = 0; n < 3; n++) {
    const char *part = json_text(step, lists[n][0]), *list = json_text(&object, lists[n][1]);
    if (part && list && !step_has_item(list, part, true, NULL, &count)) world_fault(w, "%s are %s", lists[n][1], list);
  }
  if (!error) step_expect(w, step, "expect_handler", &info, "handler");
  json_free(&object), airwasm_bytes_free(&info);
  return error;
}

/* A bound of a spec. In C 0 is the default (API decision 16), so no scenario says it. */
static uint64_t bound(world *w, json_object *step, const char *key) {
  const char *text = json_text(step, key);
  if (text && strtoull(text, NULL, 10) == 0) world_fault(w, "%s: 0 cannot be said in C", key);
  return text ? strtoull(text, NULL, 10) : 0;
}

static uint32_t restart(const char *text) {
  static const char *const kinds[] = {"", "permanent", "transient", "temporary"};
  for (uint32_t n = 0; n < 4; n++) {
    if (!text || strcmp(text, kinds[n]) == 0) return n;
  }
  return 99;
}

airwasm_error *step_spawn(world *w, json_object *step, const char *op) {
  airwasm_budget budget = AIRWASM_INIT(airwasm_budget);
  airwasm_limits limits = AIRWASM_INIT(airwasm_limits);
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  const char *grants[16], *grant = json_text(step, "grant");
  char *lines = strdup(grant ? grant : "");
  airwasm_handle actor = 0;
  airwasm_error *error = NULL;
  spec.name = json_text(step, "name"), spec.restart = restart(json_text(step, "restart"));
  if (strcmp(op, "spawn_host") == 0) {
    free(lines);
    error = world_spawn_host(w, &spec, step_need(w, step, "behaviour"), &actor);
    return error ? error : step_keep_actor(w, step, actor);
  }
  budget.cpu_ms = bound(w, step, "cpu_ms"), budget.wall_ms = bound(w, step, "wall_ms");
  budget.fuel = bound(w, step, "fuel"), budget.output_bytes = bound(w, step, "output_bytes");
  budget.host_calls = bound(w, step, "host_calls");
  limits.memory_bytes = bound(w, step, "memory_bytes"), limits.handles = bound(w, step, "handles");
  limits.mailbox_messages = bound(w, step, "mailbox_messages");
  limits.payload_bytes = bound(w, step, "payload_bytes");
  spec.budget = &budget, spec.limits = &limits, spec.config = json_text(step, "config"), spec.grants = grants;
  for (char *line = strtok(lines, "\n"); line && spec.grants_len < 16; line = strtok(NULL, "\n")) {
    grants[spec.grants_len++] = line;
  }
  error = component_of(w, step, &spec.component);
  if (!error && !(error = airwasm_spawn(w->system, &spec, &actor))) {
    error = step_keep_actor(w, step, actor);
  }
  free(lines);
  return error;
}

static void check_answer(world *w, json_object *step, const airwasm_bytes *reply) {
  const char *text = json_text(step, "expect_text"), *part = json_text(step, "expect_part");
  const char *got = (const char *)reply->data;
  if (text) world_same(w, "answer", text, got);
  if (part && !strstr(got, part)) world_fault(w, "the answer is %s", got);
}

static airwasm_error *request_many(world *w, json_object *step, airwasm_handle actor) {
  long long count = json_number(step, "count", 0);
  pending **all = calloc((size_t)count, sizeof *all);
  airwasm_error *error = NULL;
  for (long long n = 0; n < count && !error; n++) {
    all[n] = world_request(w, actor, step_need(w, step, "text"), NULL, NULL, &error);
  }
  for (long long n = 0; n < count && all[n]; n++) {
    world_await(w, all[n]);
    if (!error) error = all[n]->error, all[n]->error = NULL;
    if (!error) check_answer(w, step, &all[n]->bytes);
    world_pending_free(all[n]);
  }
  free(all);
  return error;
}

airwasm_error *step_message(world *w, json_object *step, const char *op) {
  airwasm_request_options options = AIRWASM_INIT(airwasm_request_options);
  airwasm_handle actor, request = 0;
  airwasm_bytes reply = {0};
  airwasm_error *error = step_actor(w, step, "to", &actor);
  options.timeout_ms = (uint64_t)json_number(step, "timeout_ms", 0);
  if (error) return error;
  if (strcmp(op, "request_many") == 0) return request_many(w, step, actor);
  if (strcmp(op, "request_start") == 0) {
    pending *started = world_request(w, actor, step_need(w, step, "text"), &options, &request, &error);
    world_name(w, 'r', step_need(w, step, "as"), request)->request = started;
    return error;
  }
  if (strcmp(op, "request_size") == 0) {
    size_t len = (size_t)json_number(step, "bytes", 0);
    char *data = memset(malloc(len + 1), 'x', len);
    long long expected = json_number(step, "expect_bytes", 0);
    error = airwasm_request(w->system, actor, data, len, &options, &reply);
    if (!error && reply.len != (size_t)expected) world_fault(w, "the answer has %zu bytes", reply.len);
    free(data);
  } else {
    const char *text = step_need(w, step, "text");
    if (strcmp(op, "send") == 0) return airwasm_send(w->system, actor, text, strlen(text), NULL);
    error = airwasm_request(w->system, actor, text, strlen(text), &options, &reply);
    if (!error) check_answer(w, step, &reply);
  }
  airwasm_bytes_free(&reply);
  return error;
}

airwasm_error *step_request(world *w, json_object *step, const char *op) {
  named *known = world_named(w, 'r', step_need(w, step, "request"));
  airwasm_error *error;
  if (!known || !known->request) return world_fault(w, "no such request"), NULL;
  if (strcmp(op, "request_cancel") == 0) return airwasm_cancel(w->system, known->handle);
  world_await(w, known->request);
  error = known->request->error, known->request->error = NULL;
  if (!error) check_answer(w, step, &known->request->bytes);
  return error;
}
