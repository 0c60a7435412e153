/* A C function is an actor, and a guest asks it.
 *
 *     cc main.c $(pkg-config --cflags --libs airwasm) && ./a.out target/guests
 */
#include <airwasm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void ok(airwasm_error *e) {
  if (e) fprintf(stderr, "%s\n", airwasm_error_message(e)), exit(1);
}

/* Runs on a thread of the library, for one message at a time; the row is its context. */
static void db(void *row, const airwasm_message *message, airwasm_reply *reply) {
  if (strcmp((const char *)message->payload, "42") == 0)
    airwasm_reply_send(reply, row, strlen(row));
  else
    airwasm_reply_fail(reply, "no such key");
}

int main(int argc, char **argv) {
  const char *guests = argc > 1 ? argv[1] : "target/guests";
  const char *grants[] = {"message.request db"};
  airwasm_actor_spec host = AIRWASM_INIT(airwasm_actor_spec), spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_system *s;
  airwasm_handle report;
  airwasm_bytes reply;
  char path[1024], row[] = "Ada";

  ok(airwasm_open(NULL, &s));
  host.name = "db";
  ok(airwasm_spawn_host(s, &host, (airwasm_handler){db, row, NULL}, NULL));

  snprintf(path, sizeof path, "%s/relay.wasm", guests);
  ok(airwasm_load(s, path, &spec.component));
  spec.name = "report", spec.grants = grants, spec.grants_len = 1;
  ok(airwasm_spawn(s, &spec, &report));

  /* The guest asks the actor that its message names. */
  const char *question = "default/db/0 42";
  ok(airwasm_request(s, report, question, strlen(question), NULL, &reply));
  printf("%s\n", (const char *)reply.data); /* Ada */
  airwasm_bytes_free(&reply);

  ok(airwasm_close(s, 0, NULL));
  airwasm_system_free(s);
  return 0;
}
