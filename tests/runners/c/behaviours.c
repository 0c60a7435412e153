/* The C functions that scenarios spawn as actors. */
#define _XOPEN_SOURCE 700
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

/* One function with what it remembers, over all its lives. */
typedef struct {
  char *name, *topic, *texts, *folder;
  bool raised;
  world *world;
} behaviour;

static void answer(airwasm_reply *reply, const char *text) { airwasm_reply_send(reply, text, strlen(text)); }

static void *answer_later(void *reply) {
  answer(reply, "later");
  return NULL;
}

static void later(behaviour *self, const airwasm_message *message, airwasm_reply *reply) {
  pthread_t thread;
  (void)self, (void)message;
  if (pthread_create(&thread, NULL, answer_later, reply) == 0) pthread_detach(thread);
}

static void upper(behaviour *self, const airwasm_message *message, airwasm_reply *reply) {
  char *text = malloc(message->payload_len + 1);
  (void)self;
  for (size_t n = 0; n < message->payload_len; n++) {
    text[n] = message->payload[n] < 0x80 ? (char)toupper(message->payload[n]) : (char)message->payload[n];
  }
  airwasm_reply_send(reply, text, message->payload_len);
  free(text);
}

static void sender(behaviour *self, const airwasm_message *message, airwasm_reply *reply) {
  (void)self;
  answer(reply, message->sender);
}

static void fail(behaviour *self, const airwasm_message *message, airwasm_reply *reply) {
  (void)self, (void)message;
  airwasm_reply_fail_code(reply, "refused", "asked to fail");
}

static void raise_always(behaviour *self, const airwasm_message *message, airwasm_reply *reply) {
  (void)self, (void)message;
  airwasm_reply_raise(reply, "raised on purpose");
}

static void raise_once(behaviour *self, const airwasm_message *message, airwasm_reply *reply) {
  self->raised ? answer(reply, "ok") : raise_always(self, message, reply);
  self->raised = true;
}

static void none(behaviour *self, const airwasm_message *message, airwasm_reply *reply) {
  (void)self, (void)message;
  airwasm_reply_send(reply, NULL, 0);
}

static void topic(behaviour *self, const airwasm_message *message, airwasm_reply *reply) {
  if (message->topic) free(self->topic), self->topic = strdup(message->topic);
  answer(reply, self->topic);
}

/* Holds its caller until the file go is there, or the scenario is over and its folder gone. */
static void hold(behaviour *self, const airwasm_message *message, airwasm_reply *reply) {
  char go[96];
  (void)message;
  snprintf(go, sizeof go, "%s/go", self->folder);
  while (access(self->folder, F_OK) == 0 && access(go, F_OK) != 0) nanosleep(&(struct timespec){0, 5000000}, NULL);
  answer(reply, "held");
}

static void collect(behaviour *self, const airwasm_message *message, airwasm_reply *reply) {
  size_t len = strlen(self->texts);
  answer(reply, self->texts);
  self->texts = realloc(self->texts, len + message->payload_len + 2);
  sprintf(self->texts + len, "%s%s", len ? "," : "", (const char *)message->payload);
}

static void forget(void *context, airwasm_outcome *outcome) {
  (void)context;
  airwasm_error_free(outcome->error), airwasm_bytes_free(&outcome->bytes);
}

typedef airwasm_error *about_child(airwasm_system *system, airwasm_handle supervisor, airwasm_handle child,
                                   const airwasm_wait_options *options, airwasm_completion completion, airwasm_handle *request);

/* Waits by the asynchronous form for what its message says, and answers how that ended. */
static void waits(behaviour *self, const airwasm_message *message, airwasm_reply *reply) {
  const char *what = (const char *)message->payload, *last = strrchr(what, ' ');
  airwasm_system *s = self->world->system;
  airwasm_handle me = 0, above = 0;
  airwasm_error_free(airwasm_lookup(s, message->to, &me)), airwasm_error_free(airwasm_lookup(s, "top", &above));
  airwasm_handle of = last ? above : me;
  airwasm_wait_options options = AIRWASM_INIT(airwasm_wait_options);
  options.asked_by = message->to;
  about_child *about = NULL;
  if (strcmp(what, "terminate") == 0) about = airwasm_terminate_child_async;
  if (strcmp(what, "delete") == 0) about = airwasm_delete_child_async;
  if (strcmp(what, "restart") == 0) about = airwasm_restart_child_async;
  if (about && about != airwasm_terminate_child_async) {
    airwasm_error_free(airwasm_terminate_child_async(s, above, me, NULL, (airwasm_completion){forget, NULL, NULL}, NULL));
  }
  pending *ends = pending_new();
  airwasm_completion done = pending_completion(ends);
  airwasm_error *error = about ? about(s, above, me, &options, done, NULL)
                         : strncmp(what, "stop", 4) == 0 ? airwasm_stop_async(s, of, 0, &options, done, NULL)
                                                         : airwasm_monitor_async(s, of, &options, done, NULL);
  if (!error) world_await(self->world, ends);
  answer(reply, airwasm_error_name(error ? error : ends->error));
  airwasm_error_free(error), pending_free(ends);
}

static const struct {
  const char *name;
  void (*behave)(behaviour *self, const airwasm_message *message, airwasm_reply *reply);
} behaviours[] = {{"upper", upper}, {"sender", sender},         {"fail", fail}, {"raise", raise_always},
                  {"later", later}, {"raise_once", raise_once}, {"none", none}, {"topic", topic},
                  {"hold", hold},   {"collect", collect},       {"waits", waits}};

static void behave(void *context, const airwasm_message *message, airwasm_reply *reply) {
  behaviour *self = context;
  size_t n = 0, count = sizeof behaviours / sizeof *behaviours;
  while (n < count && strcmp(behaviours[n].name, self->name) != 0) n++;
  n < count ? behaviours[n].behave(self, message, reply) : airwasm_reply_raise(reply, "unknown behaviour");
}

static void behaviour_free(void *context) {
  behaviour *self = context;
  free(self->name), free(self->topic), free(self->texts), free(self->folder), free(self);
}

airwasm_handler behaviour_handler(world *world, const char *name) {
  behaviour *new = malloc(sizeof *new);
  *new = (behaviour){strdup(name), strdup(""), strdup(""), strdup(world->folder), false, world};
  return (airwasm_handler){behave, new, behaviour_free};
}
