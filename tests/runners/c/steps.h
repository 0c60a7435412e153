/* The steps of a scenario, and what they share. */
#ifndef AIRWASM_TESTS_STEPS_H
#define AIRWASM_TESTS_STEPS_H

#include "json.h"
#include "world.h"

/* The folder of the guests. */
extern const char *guests;

/* Runs a step; its error is the step's, and what was not met is a fault of the world. */
typedef airwasm_error *step_act(world *w, json_object *step, const char *op);

step_act step_load, step_inspect, step_types, step_unload;
step_act step_spawn, step_lookup, step_list, step_end, step_status, step_handled;
step_act step_message, step_request;
step_act step_child, step_supervisor, step_start_child, step_about_child, step_children, step_tree;
step_act step_monitor_start, step_monitor_await, step_link;
step_act step_topic, step_group, step_timer, step_dead_letters;
step_act step_region, step_regions;
step_act step_policy, step_explain, step_policy_test, step_check;
step_act step_grant, step_event, step_report, step_file;
step_act step_kv, step_reopen;

/* What runs the op; NULL and a fault unless it and all keys of the step are known. */
step_act *op_known(world *w, const json_object *step, const char *op);

/* A text of a step; "" and a fault if it is missing. */
const char *step_need(world *w, json_object *step, const char *key);

/* A number of a step; 0 if it is missing. */
uint64_t step_number(json_object *step, const char *key);

/* Compares the report's field as text, if the step expects something of it. */
void step_expect(world *w, json_object *step, const char *key, const airwasm_bytes *report, const char *field);

/* The same for a flag, for expect_count, and for expect_ids with the items of an array or their field "id". */
void step_flag(world *w, json_object *step, const char *key, int got);
void step_count(world *w, json_object *step, uint64_t got);
void step_ids(world *w, json_object *step, const char *array);
void step_items(world *w, json_object *step, const char *key, const char *array);

/* Whether an array has an item that is this text, or with `part` holds it; of objects, their field. */
bool step_has_item(const char *array, const char *text, bool part, const char *field, int *count);

/* The component of a step, loaded if it was not yet. */
airwasm_error *step_component(world *w, json_object *step, airwasm_handle *component);

/* The actor that an alias or an id names. */
airwasm_error *step_actor(world *w, json_object *step, const char *key, airwasm_handle *actor);
airwasm_error *step_keep_actor(world *w, json_object *step, airwasm_handle actor);

#endif
