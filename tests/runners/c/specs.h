/* The C structs that the keys of steps say, kept until the call that is given them is over. */
#ifndef AIRWASM_TESTS_SPECS_H
#define AIRWASM_TESTS_SPECS_H

#include "steps.h"

#define SPEC_LINES_MAX 16

/* The lines of a text, and the text that they point into. */
typedef struct spec_lines {
  char *text;
  const char *at[SPEC_LINES_MAX];
} spec_lines;

/* Room for one actor or supervisor, in a list of all that one call is given. */
typedef struct spec {
  struct spec *next;
  airwasm_budget budget;
  airwasm_limits limits;
  airwasm_backoff backoff;
  airwasm_actor_spec actor;
  airwasm_supervisor_spec supervisor;
  airwasm_child child;
  const airwasm_child *children[16];
  spec_lines grants, args, env;
} spec;

void specs_free(spec *all);

/* What a step says of an actor, its component apart. */
airwasm_actor_spec *spec_actor(world *w, json_object *step, spec **all);

/* What a step says of a supervisor, whose children the key names. */
airwasm_supervisor_spec *spec_supervisor(world *w, json_object *step, const char *key, spec **all);

/* A child that was declared; NULL and a fault if it was not. */
airwasm_child *spec_child(world *w, const char *alias, spec **all);

#endif
