#define _XOPEN_SOURCE 700
#include "specs.h"

#include <stdlib.h>
#include <string.h>

static spec *spec_new(spec **all) {
  spec *new = calloc(1, sizeof *new);
  new->budget = (airwasm_budget)AIRWASM_INIT(airwasm_budget);
  new->limits = (airwasm_limits)AIRWASM_INIT(airwasm_limits);
  new->backoff = (airwasm_backoff)AIRWASM_INIT(airwasm_backoff);
  new->actor = (airwasm_actor_spec)AIRWASM_INIT(airwasm_actor_spec);
  new->supervisor = (airwasm_supervisor_spec)AIRWASM_INIT(airwasm_supervisor_spec);
  new->child = (airwasm_child)AIRWASM_INIT(airwasm_child);
  new->next = *all;
  return *all = new;
}

void specs_free(spec *all) {
  while (all) {
    spec *next = all->next;
    free(all->grants.text), free(all->args.text), free(all->env.text), free(all);
    all = next;
  }
}

/* A bound of a spec. In C 0 is the default (API decision 16), so no scenario says it. */
static uint64_t bound(world *w, json_object *step, const char *key) {
  const char *text = json_text(step, key);
  if (text && strtoull(text, NULL, 10) == 0) world_fault(w, "%s: 0 cannot be said in C", key);
  return text ? strtoull(text, NULL, 10) : 0;
}

/* A number that may be 0 where absent is the default. */
static uint64_t or_zero(json_object *step, const char *key) {
  const char *text = json_text(step, key);
  uint64_t number = text ? strtoull(text, NULL, 10) : 0;
  return text && !number ? AIRWASM_ZERO : number;
}

/* Which of the words it is, counted from 1; 0 if the step says none, and what no constant is if it is another. */
static uint32_t word(json_object *step, const char *key, const char *const words[3]) {
  const char *text = json_text(step, key);
  for (uint32_t n = 0; text && n < 3; n++) {
    if (strcmp(text, words[n]) == 0) return n + 1;
  }
  return text ? 99 : 0;
}

static const char *const restarts[] = {"permanent", "transient", "temporary"};
static const char *const overflows[] = {"reject", "drop_oldest", "block"};
static const char *const strategies[] = {"one_for_one", "one_for_all", "rest_for_one"};
static const char *const ways_to_give_up[] = {"escalate", "restart", "ignore"};
static const char *const auto_shutdowns[] = {"never", "any_significant", "all_significant"};

static void spec_limits(world *w, json_object *step, airwasm_limits *limits) {
  limits->memory_bytes = bound(w, step, "memory_bytes"), limits->handles = bound(w, step, "handles");
  limits->mailbox_messages = bound(w, step, "mailbox_messages");
  limits->payload_bytes = bound(w, step, "payload_bytes"), limits->cpu_percent = bound(w, step, "cpu_percent");
  limits->written_bytes = bound(w, step, "written_bytes");
  limits->region_bytes = bound(w, step, "region_bytes");
}

static void spec_budget(world *w, json_object *step, airwasm_budget *budget) {
  budget->cpu_ms = bound(w, step, "cpu_ms"), budget->wall_ms = bound(w, step, "wall_ms");
  budget->fuel = bound(w, step, "fuel"), budget->output_bytes = bound(w, step, "output_bytes");
  budget->host_calls = bound(w, step, "host_calls");
}

/* The lines of a key of the step. */
static size_t lines(json_object *step, const char *key, spec_lines *all) {
  const char *text = json_text(step, key);
  size_t count = 0;
  all->text = strdup(text ? text : "");
  for (char *at = strtok(all->text, "\n"); at && count < SPEC_LINES_MAX; at = strtok(NULL, "\n")) all->at[count++] = at;
  return count;
}

airwasm_actor_spec *spec_actor(world *w, json_object *step, spec **all) {
  const char *significant = json_text(step, "significant");
  spec *new = spec_new(all);
  airwasm_actor_spec *actor = &new->actor;
  spec_limits(w, step, &new->limits), spec_budget(w, step, &new->budget);
  actor->limits = &new->limits, actor->budget = &new->budget;
  actor->name = json_text(step, "name"), actor->config = json_text(step, "config");
  actor->restart = word(step, "restart", restarts), actor->overflow = word(step, "overflow", overflows);
  actor->significant = significant && strcmp(significant, "true") == 0;
  actor->shutdown_ms = bound(w, step, "shutdown_ms"), actor->errors_max = or_zero(step, "errors_max");
  actor->health_interval_ms = bound(w, step, "health_interval_ms");
  actor->health_missed = or_zero(step, "health_missed");
  actor->grants = new->grants.at, actor->grants_len = lines(step, "grant", &new->grants);
  actor->args = new->args.at, actor->args_len = lines(step, "args", &new->args);
  actor->env = new->env.at, actor->env_len = lines(step, "env", &new->env);
  actor->http_listen = json_text(step, "http_listen");
  return actor;
}

airwasm_supervisor_spec *spec_supervisor(world *w, json_object *step, const char *key, spec **all) {
  const char *children = json_text(step, key);
  char *aliases = strdup(children ? children : ""), *rest = NULL;
  spec *new = spec_new(all);
  airwasm_supervisor_spec *supervisor = &new->supervisor;
  supervisor->name = step_need(w, step, "name");
  supervisor->strategy = word(step, "strategy", strategies), supervisor->restart = word(step, "restart", restarts);
  supervisor->give_up = word(step, "give_up", ways_to_give_up);
  supervisor->auto_shutdown = word(step, "auto_shutdown", auto_shutdowns);
  supervisor->intensity = or_zero(step, "intensity"), supervisor->period_ms = bound(w, step, "period_ms");
  new->backoff.initial_ms = or_zero(step, "initial_ms"), supervisor->backoff = &new->backoff;
  supervisor->children = new->children;
  for (char *at = strtok_r(aliases, " ", &rest); at && supervisor->children_len < 16; at = strtok_r(NULL, " ", &rest)) {
    new->children[supervisor->children_len++] = spec_child(w, at, all);
  }
  free(aliases);
  return supervisor;
}

airwasm_child *spec_child(world *w, const char *alias, spec **all) {
  named *known = world_named(w, 'd', alias);
  if (!known) return world_fault(w, "no child %s was declared", alias), NULL;
  json_object *step = known->declared;
  const char *behaviour = json_text(step, "behaviour");
  airwasm_child *child = &spec_new(all)->child;
  if (json_text(step, "supervisor_of")) {
    child->supervisor = spec_supervisor(w, step, "supervisor_of", all);
    return child;
  }
  airwasm_actor_spec *actor = spec_actor(w, step, all);
  actor->component = known->handle, child->actor = actor;
  if (behaviour) child->handler = behaviour_handler(w, behaviour);
  return child;
}
