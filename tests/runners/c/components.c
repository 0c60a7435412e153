/* Steps about components. */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "steps.h"

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

static airwasm_error *load(world *w, json_object *step, const char *op, airwasm_handle *component) {
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

airwasm_error *step_component(world *w, json_object *step, airwasm_handle *component) {
  named *known = world_named(w, 'c', step_need(w, step, "component"));
  if (!known) return load(w, step, "load", component);
  *component = known->handle;
  return NULL;
}

airwasm_error *step_load(world *w, json_object *step, const char *op) {
  airwasm_handle component;
  return load(w, step, op, &component);
}

airwasm_error *step_inspect(world *w, json_object *step, const char *op) {
  static const char *const lists[][2] = {
      {"expect_import", "imports"}, {"expect_export", "exports"}, {"expect_capability", "capabilities"}};
  airwasm_handle component;
  airwasm_bytes info = {0};
  airwasm_error *error = step_component(w, step, &component);
  json_object object = {.len = 0};
  int count;
  (void)op;
  if (!error) error = airwasm_inspect(w->system, component, &info);
  if (!error && !json_read((const char *)info.data, &object)) world_fault(w, "no object: %s", (const char *)info.data);
  for (int n = 0; n < 3; n++) {
    const char *part = json_text(step, lists[n][0]), *list = json_text(&object, lists[n][1]);
    if (part && list && !step_has_item(list, part, true, NULL, &count)) world_fault(w, "%s are %s", lists[n][1], list);
  }
  if (!error && json_text(step, "expect_capabilities") && json_text(&object, "capabilities")) {
    step_items(w, step, "expect_capabilities", json_text(&object, "capabilities"));
  }
  if (!error) step_expect(w, step, "expect_handler", &info, "handler");
  json_free(&object), airwasm_bytes_free(&info);
  return error;
}

airwasm_error *step_types(world *w, json_object *step, const char *op) {
  airwasm_handle component;
  airwasm_bytes text = {0};
  airwasm_error *error = step_component(w, step, &component);
  const char *part = json_text(step, "expect_part");
  (void)op;
  if (!error) error = airwasm_types(w->system, component, step_need(w, step, "language"), &text);
  if (!error && part && !strstr((const char *)text.data, part)) world_fault(w, "the types are %s", (const char *)text.data);
  airwasm_bytes_free(&text);
  return error;
}

airwasm_error *step_unload(world *w, json_object *step, const char *op) {
  named *loaded = world_named(w, 'c', step_need(w, step, "component"));
  (void)op;
  return airwasm_unload(w->system, loaded ? loaded->handle : 0);
}
