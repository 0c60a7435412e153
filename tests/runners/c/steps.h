/* The steps of a scenario that are about components, actors and messages, and what the other steps share with them. */
#ifndef AIRWASM_TESTS_STEPS_H
#define AIRWASM_TESTS_STEPS_H

#include "json.h"
#include "world.h"

/* The folder of the guests. */
extern const char *guests;

/* Whether op is one of names, which blanks divide. */
bool op_is(const char *op, const char *names);

/* Whether the op and all keys of the step are known; a fault if not. */
bool op_known(world *w, const json_object *step, const char *op);

/* A text of a step; "" and a fault if it is missing. */
const char *step_need(world *w, json_object *step, const char *key);

/* Compares the report's field as text, if the step expects something of it. */
void step_expect(world *w, json_object *step, const char *key, const airwasm_bytes *report, const char *field);

/* Whether an array has an item that is this text, or with `part` holds it; of objects, their field. */
bool step_has_item(const char *array, const char *text, bool part, const char *field, int *count);

/* The actor that an alias or an id names. */
airwasm_error *step_actor(world *w, json_object *step, const char *key, airwasm_handle *actor);
airwasm_error *step_keep_actor(world *w, json_object *step, airwasm_handle actor);

airwasm_error *step_load(world *w, json_object *step, const char *op, airwasm_handle *component);
airwasm_error *step_inspect(world *w, json_object *step);
airwasm_error *step_spawn(world *w, json_object *step, const char *op);
airwasm_error *step_message(world *w, json_object *step, const char *op);
airwasm_error *step_request(world *w, json_object *step, const char *op);

#endif
