/* A guest asks for what it lacks, and the host decides.
 *
 *     cc main.c $(pkg-config --cflags --libs airwasm) && ./a.out target/guests
 */
#define _XOPEN_SOURCE 700
#include <airwasm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/airwasm-approve-XXXXXX", file[64];

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

/* Runs on an airwasm thread: approves the note, for a minute. */
static void decide(void *system, const airwasm_event *event) {
  char capability[80], fact[100];
  airwasm_handle actor, grant;

  snprintf(capability, sizeof capability, "fs.read %s", file);
  snprintf(fact, sizeof fact, "\"capability\":\"%s\"", capability);
  if (!strstr(event->detail, fact)) return; /* a program with a JSON library reads the field */
  ok(airwasm_lookup(system, event->actor, &actor));
  ok(airwasm_grant(system, actor, capability, 60000, &grant));
}

int main(int argc, char **argv) {
  const char *guests = argc > 1 ? argv[1] : "target/guests";
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_system *s;
  airwasm_handle broker;
  char path[1024], text[128];

  if (!mkdtemp(folder)) return perror(folder), 1;
  snprintf(file, sizeof file, "%s/note.txt", folder);
  FILE *note = fopen(file, "w");
  if (!note || fputs("a note", note) < 0 || fclose(note)) return perror(file), 1;

  ok(airwasm_open(NULL, &s));
  ok(airwasm_events(s, "capability.asked", (airwasm_event_callback){decide, s, NULL}, NULL));
  snprintf(path, sizeof path, "%s/broker.wasm", guests);
  ok(airwasm_load(s, path, &spec.component));
  spec.name = "broker";
  ok(airwasm_spawn(s, &spec, &broker));

  snprintf(text, sizeof text, "ask 20000 fs.read %s", file);
  ok(ask(s, broker, text)); /* granted */
  snprintf(text, sizeof text, "read %s", file);
  ok(ask(s, broker, text)); /* a note */
  airwasm_error *e = ask(s, broker, "ask 100 fs.read /etc/passwd");
  printf("%s\n", airwasm_error_message(e));
  airwasm_error_free(e);

  ok(airwasm_close(s, 0, NULL));
  airwasm_system_free(s);
  unlink(file), rmdir(folder);
  return 0;
}
