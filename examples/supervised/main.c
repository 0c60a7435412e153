/* Stopped at its budget, and it comes back.
 *
 *     cc main.c $(pkg-config --cflags --libs airwasm) -pthread && ./a.out target/guests
 */
#define _XOPEN_SOURCE 700
#include <airwasm.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void ok(airwasm_error *e) {
  if (e) fprintf(stderr, "%s\n", airwasm_error_message(e)), exit(1);
}

/* Prints the answer; the error is the caller's. */
static airwasm_error *ask(airwasm_system *s, airwasm_handle actor, const char *text) {
  airwasm_bytes reply;
  airwasm_error *e = airwasm_request(s, actor, text, strlen(text), NULL, &reply);
  if (!e) printf("%s\n", (const char *)reply.data);
  airwasm_bytes_free(&reply);
  return e;
}

/* Runs on an airwasm thread, one event at a time: it keeps what happened until the program prints it. */
static char events[1024];
static void on_event(void *restarted, const airwasm_event *event) {
  size_t len = strlen(events);
  if (strstr(events, "actor.restarted")) return;
  snprintf(events + len, sizeof events - len, "%s %s\n", event->kind, event->actor);
  if (strcmp(event->kind, "actor.restarted") == 0) sem_post(restarted);
}

int main(int argc, char **argv) {
  const char *guests = argc > 1 ? argv[1] : "target/guests";
  airwasm_budget budget = AIRWASM_INIT(airwasm_budget);
  airwasm_backoff backoff = AIRWASM_INIT(airwasm_backoff);
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_child child = AIRWASM_INIT(airwasm_child);
  airwasm_supervisor_spec tools = AIRWASM_INIT(airwasm_supervisor_spec);
  airwasm_system *s;
  airwasm_handle looper;
  sem_t restarted;
  char path[1024];

  ok(airwasm_open(NULL, &s));
  sem_init(&restarted, 0, 0);
  ok(airwasm_events(s, "actor.*", (airwasm_event_callback){on_event, &restarted, NULL}, NULL));
  snprintf(path, sizeof path, "%s/looper.wasm", guests);
  ok(airwasm_load(s, path, &spec.component));
  spec.name = "looper", budget.cpu_ms = 200, spec.budget = &budget, child.actor = &spec;
  backoff.initial_ms = 100, backoff.max_ms = 10000;
  tools.name = "tools", tools.backoff = &backoff;
  tools.children = (const airwasm_child *[]){&child}, tools.children_len = 1;
  ok(airwasm_supervisor(s, &tools, NULL));
  ok(airwasm_lookup(s, "looper", &looper));

  airwasm_error *e = ask(s, looper, "loop");
  printf("%s %s\n", airwasm_error_name(e), airwasm_error_detail(e));
  airwasm_error_free(e);
  ok(ask(s, looper, "hi")); /* the same handle: the request waits for the restart */
  sem_wait(&restarted);
  fputs(events, stdout);

  ok(airwasm_close(s, 0, NULL));
  airwasm_system_free(s);
  return 0;
}
