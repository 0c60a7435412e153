/* A guest serves http on an address that it was granted.
 *
 *     cc main.c $(pkg-config --cflags --libs airwasm) && ./a.out target/guests
 */
#include <airwasm.h>
#include <stdio.h>
#include <stdlib.h>

static void ok(airwasm_error *e) {
  if (e) fprintf(stderr, "%s\n", airwasm_error_message(e)), exit(1);
}

int main(int argc, char **argv) {
  const char *guests = argc > 1 ? argv[1] : "target/guests";
  const char *grants[] = {"net.listen 127.0.0.1:*"};
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_system *s;
  airwasm_handle server;
  airwasm_bytes status;
  char path[1024];

  ok(airwasm_open(NULL, &s));
  snprintf(path, sizeof path, "%s/serve.wasm", guests);
  ok(airwasm_load(s, path, &spec.component));
  spec.name = "serve", spec.http_listen = "127.0.0.1:0";
  spec.grants = grants, spec.grants_len = 1;
  ok(airwasm_spawn(s, &spec, &server));

  ok(airwasm_status(s, server, &status));
  printf("%s\n", (const char *)status.data); /* {..., "listening":"127.0.0.1:40123"}: curl it */
  airwasm_bytes_free(&status);

  ok(airwasm_close(s, 0, NULL));
  airwasm_system_free(s);
  return 0;
}
