/* Steps about supervisors and their children. */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "specs.h"

/* Keeps the step as the declaration of a child; its component is loaded now. */
airwasm_error *step_child(world *w, json_object *step, const char *op) {
  airwasm_handle component = 0;
  airwasm_error *error = json_text(step, "component") ? step_component(w, step, &component) : NULL;
  (void)op;
  if (error) return error;
  json_object *declared = malloc(sizeof *declared);
  named *new = world_name(w, 'd', step_need(w, step, "as"), component);
  *declared = *step, new->declared = declared, step->len = 0;
  return NULL;
}

static airwasm_error *name_live(world *w, const char *alias);

/* From here on these aliases and those below them name the live actors. */
static airwasm_error *name_all(world *w, const char *aliases) {
  char *copy = strdup(aliases ? aliases : ""), *rest = NULL;
  airwasm_error *error = NULL;
  for (char *at = strtok_r(copy, " ", &rest); at && !error; at = strtok_r(NULL, " ", &rest)) error = name_live(w, at);
  free(copy);
  return error;
}

static airwasm_error *name_live(world *w, const char *alias) {
  json_object *step = world_named(w, 'd', alias)->declared;
  airwasm_handle actor;
  airwasm_error *error = airwasm_lookup(w->system, step_need(w, step, "name"), &actor);
  if (error) return error;
  world_name(w, 'a', alias, actor);
  return name_all(w, json_text(step, "supervisor_of"));
}

airwasm_error *step_supervisor(world *w, json_object *step, const char *op) {
  spec *all = NULL;
  airwasm_handle supervisor = 0;
  airwasm_supervisor_spec *spec = spec_supervisor(w, step, "children", &all);
  airwasm_error *error = NULL;
  (void)op;
  if (!w->fault[0]) error = airwasm_supervisor(w->system, spec, &supervisor);
  specs_free(all);
  if (error || w->fault[0]) return error;
  error = step_keep_actor(w, step, supervisor);
  return error ? error : name_all(w, json_text(step, "children"));
}

airwasm_error *step_start_child(world *w, json_object *step, const char *op) {
  const char *alias = step_need(w, step, "child");
  spec *all = NULL;
  airwasm_handle supervisor, actor;
  airwasm_error *error = step_actor(w, step, "supervisor", &supervisor);
  (void)op;
  if (error) return error;
  airwasm_child *child = spec_child(w, alias, &all);
  if (child) error = airwasm_start_child(w->system, supervisor, child, &actor);
  specs_free(all);
  return error || !child ? error : name_live(w, alias);
}

airwasm_error *step_about_child(world *w, json_object *step, const char *op) {
  airwasm_handle supervisor, child;
  airwasm_error *error = step_actor(w, step, "supervisor", &supervisor);
  if (!error) error = step_actor(w, step, "child", &child);
  if (error) return error;
  if (strcmp(op, "terminate_child") == 0) return airwasm_terminate_child(w->system, supervisor, child);
  if (strcmp(op, "restart_child") == 0) return airwasm_restart_child(w->system, supervisor, child);
  return airwasm_delete_child(w->system, supervisor, child);
}

airwasm_error *step_children(world *w, json_object *step, const char *op) {
  airwasm_bytes children = {0};
  airwasm_handle supervisor;
  airwasm_error *error = step_actor(w, step, "of", &supervisor);
  (void)op;
  if (error || (error = airwasm_children(w->system, supervisor, &children))) return error;
  step_ids(w, step, (const char *)children.data);
  airwasm_bytes_free(&children);
  return NULL;
}

/* Appends each node as id[state](those below it). */
static void show(const char *nodes, char *out, size_t size) {
  json_value item;
  for (bool first = true; (nodes = json_item(nodes, &item)); first = false) {
    json_object node = {.len = 0}, status = {.len = 0};
    if (json_read(item.text, &node) && json_read(json_text(&node, "status"), &status)) {
      const char *below = json_text(&node, "children");
      bool leaf = strcmp(below, "[]") == 0;
      size_t len = strlen(out);
      snprintf(out + len, size - len, "%s%s[%s]%s", first ? "" : " ", json_text(&status, "id"),
               json_text(&status, "state"), leaf ? "" : "(");
      show(below, out, size);
      len = strlen(out);
      if (!leaf) snprintf(out + len, size - len, ")");
    }
    json_free(&node), json_free(&status), free(item.text);
  }
}

airwasm_error *step_tree(world *w, json_object *step, const char *op) {
  char text[4096] = "";
  airwasm_bytes tree;
  airwasm_error *error = airwasm_tree(w->system, &tree);
  (void)op;
  if (error) return error;
  show((const char *)tree.data, text, sizeof text);
  world_same(w, "tree", step_need(w, step, "expect_tree"), text);
  airwasm_bytes_free(&tree);
  return NULL;
}
