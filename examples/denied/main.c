/* A guest is denied a file, is granted it for a minute, and has it taken back.
 *
 *     cc main.c $(pkg-config --cflags --libs airwasm) && ./a.out target/guests
 */
#define _XOPEN_SOURCE 700
#include <airwasm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

int main(int argc, char **argv) {
  const char *guests = argc > 1 ? argv[1] : "target/guests";
  char folder[] = "/tmp/airwasm-denied-XXXXXX", file[64], capability[80], path[1024];
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_system *s;
  airwasm_handle reader, grant;

  if (!mkdtemp(folder)) return perror(folder), 1;
  snprintf(file, sizeof file, "%s/note.txt", folder);
  FILE *note = fopen(file, "w");
  if (!note || fputs("a note", note) < 0 || fclose(note)) return perror(file), 1;

  ok(airwasm_open(NULL, &s));
  snprintf(path, sizeof path, "%s/reader.wasm", guests);
  ok(airwasm_load(s, path, &spec.component));
  spec.name = "reader";
  ok(airwasm_spawn(s, &spec, &reader));

  airwasm_error *e = ask(s, reader, file);
  if (airwasm_error_code(e) == AIRWASM_E_DENIED)
    printf("%s\n%s\n", airwasm_error_message(e), airwasm_error_policy_line(e));
  airwasm_error_free(e);

  snprintf(capability, sizeof capability, "fs.read %s/**", folder);
  ok(airwasm_grant(s, reader, capability, 60000, &grant));
  ok(ask(s, reader, file)); /* a note */
  ok(airwasm_revoke(s, grant, NULL));

  e = ask(s, reader, file);
  printf("%s again\n", airwasm_error_name(e)); /* DENIED again */
  airwasm_error_free(e);

  ok(airwasm_close(s, 0, NULL));
  airwasm_system_free(s);
  unlink(file), rmdir(folder);
  return 0;
}
