/* A guest runs a program: denied, granted, run, taken back.
 *
 *     cc main.c $(pkg-config --cflags --libs airwasm) && ./a.out target/guests
 */
#include <airwasm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char run[] =
    "processes {\"op\":\"run\",\"program\":\"/usr/bin/printf\",\"args\":[\"hello %s\\n\",\"world\"]}";

static void ok(airwasm_error *e) {
  if (e) fprintf(stderr, "%s\n", airwasm_error_message(e)), exit(1);
}

/* Prints the answer; the error is the caller's. */
static airwasm_error *ask(airwasm_system *s, airwasm_handle actor) {
  airwasm_bytes reply;
  airwasm_error *e = airwasm_request(s, actor, run, strlen(run), NULL, &reply);
  if (!e) printf("%s\n", (const char *)reply.data);
  airwasm_bytes_free(&reply);
  return e;
}

int main(int argc, char **argv) {
  const char *guests = argc > 1 ? argv[1] : "target/guests", *grants[] = {"message.request processes"};
  char path[1024];
  airwasm_actor_spec processes = AIRWASM_INIT(airwasm_actor_spec), spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_system *s;
  airwasm_handle tool, grant;
  uint64_t cut;

  ok(airwasm_open(NULL, &s));
  /* Runs programs for others, each by the grants of who asks; it has none itself. */
  processes.name = "processes";
  ok(airwasm_spawn_processes(s, &processes, NULL));
  /* The guest relay passes on what it is told: to whom, and what. */
  snprintf(path, sizeof path, "%s/relay.wasm", guests);
  ok(airwasm_load(s, path, &spec.component));
  spec.name = "tool", spec.grants = grants, spec.grants_len = 1;
  ok(airwasm_spawn(s, &spec, &tool));

  airwasm_error *e = ask(s, tool);
  if (airwasm_error_code(e) == AIRWASM_E_DENIED)
    printf("%s\n%s\n", airwasm_error_message(e), airwasm_error_policy_line(e));
  airwasm_error_free(e);

  ok(airwasm_grant(s, tool, "process.run /usr/bin/printf **", 0, &grant));
  ok(ask(s, tool)); /* {"exit":{"code":0},"stderr":0,"stdout":12} and hello world */
  ok(airwasm_revoke(s, grant, &cut));
  printf("%d programs cut\n", (int)cut);

  e = ask(s, tool);
  printf("%s again\n", airwasm_error_name(e)); /* DENIED again */
  airwasm_error_free(e);

  ok(airwasm_close(s, 0, NULL));
  airwasm_system_free(s);
  return 0;
}
