/* Steps about regions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

/* Reads in both ways, which must give the same. */
static airwasm_error *read_both(world *w, json_object *step, const char *name, uint64_t offset) {
  const char *text = json_text(step, "expect_text");
  airwasm_bytes read = {0};
  airwasm_error *error = airwasm_region_read(w->system, name, offset, step_number(step, "bytes"), &read);
  if (error) return error;
  char *filled = malloc(read.len + 1);
  error = airwasm_region_read_into(w->system, name, offset, filled, read.len);
  if (!error && memcmp(filled, read.data, read.len) != 0) world_fault(w, "the two ways to read differ");
  for (size_t n = 0; n < read.len; n++) {
    if (!filled[n]) filled[n] = '.';
  }
  filled[read.len] = 0;
  if (!error && text) world_same(w, "text", text, filled);
  free(filled), airwasm_bytes_free(&read);
  return error;
}

airwasm_error *step_region(world *w, json_object *step, const char *op) {
  const char *name = step_need(w, step, "region");
  uint64_t offset = step_number(step, "offset");
  if (strcmp(op, "region_create") == 0) return airwasm_region_create(w->system, name, step_number(step, "bytes"));
  if (strcmp(op, "region_remove") == 0) return airwasm_region_remove(w->system, name);
  if (strcmp(op, "region_read") == 0) return read_both(w, step, name, offset);
  const char *text = step_need(w, step, "text");
  return airwasm_region_write(w->system, name, offset, text, strlen(text));
}

airwasm_error *step_regions(world *w, json_object *step, const char *op) {
  char shown[2048] = "";
  airwasm_bytes regions = {0};
  airwasm_error *error = airwasm_regions(w->system, &regions);
  const char *at = (const char *)regions.data;
  json_value item;
  (void)op;
  if (error) return error;
  while ((at = json_item(at, &item))) {
    json_object region = {.len = 0};
    if (json_read(item.text, &region)) {
      const char *told = json_text(&region, "owner"), *owner = strcmp(told, "null") == 0 ? "-" : told;
      size_t len = strlen(shown);
      snprintf(shown + len, sizeof shown - len, "%s%s[%s %s %s]", len ? " " : "", json_text(&region, "name"),
               json_text(&region, "bytes"), owner, json_text(&region, "open"));
    }
    json_free(&region), free(item.text);
  }
  world_same(w, "regions", step_need(w, step, "expect_regions"), shown);
  airwasm_bytes_free(&regions);
  return NULL;
}
