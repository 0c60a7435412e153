/* A guest answers.      cc main.c $(pkg-config --cflags --libs airwasm) && ./a.out target/guests */
#include <airwasm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void ok(airwasm_error *e) {
  if (e) fprintf(stderr, "%s\n", airwasm_error_message(e)), exit(1);
}

int main(int argc, char **argv) {
  const char *guests = argc > 1 ? argv[1] : "target/guests";
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_system *s;
  airwasm_handle hello;
  airwasm_bytes reply;
  char path[1024];

  ok(airwasm_open(NULL, &s));
  snprintf(path, sizeof path, "%s/hello.wasm", guests);
  ok(airwasm_load(s, path, &spec.component));
  spec.name = "hello";
  ok(airwasm_spawn(s, &spec, &hello));

  ok(airwasm_request(s, hello, "world", strlen("world"), NULL, &reply));
  printf("%s\n", (const char *)reply.data); /* hello world */
  airwasm_bytes_free(&reply);

  ok(airwasm_close(s, 0, NULL));
  airwasm_system_free(s);
  return 0;
}
