/* Steps that send, ask and wait for answers. */
#include <stdlib.h>
#include <string.h>

#include "steps.h"

static void check_answer(world *w, json_object *step, const airwasm_bytes *reply) {
  const char *text = json_text(step, "expect_text"), *part = json_text(step, "expect_part");
  const char *got = (const char *)reply->data;
  if (text) world_same(w, "answer", text, got);
  if (part && !strstr(got, part)) world_fault(w, "the answer is %s", got);
}

static pending *request_begin(world *w, airwasm_handle actor, const char *text, const airwasm_request_options *options,
                              airwasm_handle *request, airwasm_error **error) {
  pending *new = pending_new();
  *error = airwasm_request_async(w->system, actor, text, strlen(text), options, pending_completion(new), request);
  if (!*error) return new;
  pending_free(new);
  return NULL;
}

static airwasm_error *request_many(world *w, json_object *step, airwasm_handle actor) {
  long long count = json_number(step, "count", 0);
  pending **all = calloc((size_t)count, sizeof *all);
  airwasm_error *error = NULL;
  for (long long n = 0; n < count && !error; n++) {
    all[n] = request_begin(w, actor, step_need(w, step, "text"), NULL, NULL, &error);
  }
  for (long long n = 0; n < count && all[n]; n++) {
    world_await(w, all[n]);
    if (!error) error = all[n]->error, all[n]->error = NULL;
    if (!error) check_answer(w, step, &all[n]->bytes);
    pending_free(all[n]);
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
    pending *started = request_begin(w, actor, step_need(w, step, "text"), &options, &request, &error);
    if (started) world_name(w, 'r', step_need(w, step, "as"), request)->request = started;
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
