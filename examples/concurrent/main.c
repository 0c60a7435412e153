/* A hundred requests at once, on one thread of the program.
 *
 *     cc main.c $(pkg-config --cflags --libs airwasm) && ./a.out target/guests
 */
#include <airwasm.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void ok(airwasm_error *e) {
  if (e) fprintf(stderr, "%s\n", airwasm_error_message(e)), exit(1);
}

/* Owns outcome->error and outcome->bytes. Runs inside airwasm_dispatch, so it needs no lock. */
static void done(void *left, airwasm_outcome *outcome) {
  ok(outcome->error);
  airwasm_bytes_free(&outcome->bytes);
  --*(int *)left;
}

int main(int argc, char **argv) {
  const char *guests = argc > 1 ? argv[1] : "target/guests";
  airwasm_options options = AIRWASM_INIT(airwasm_options);
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_system *s;
  airwasm_handle hello;
  char path[1024];
  int left = 100;

  options.completions = AIRWASM_DISPATCH;
  ok(airwasm_open(&options, &s));
  snprintf(path, sizeof path, "%s/hello.wasm", guests);
  ok(airwasm_load(s, path, &spec.component));
  ok(airwasm_spawn(s, &spec, &hello));

  for (int n = 0; n < 100; n++) {
    char text[8];
    int len = snprintf(text, sizeof text, "%d", n);
    ok(airwasm_request_async(s, hello, text, (size_t)len, NULL, (airwasm_completion){done, &left, NULL}, NULL));
  }
  struct pollfd fd = {airwasm_completion_fd(s), POLLIN, 0};
  while (left > 0) {
    poll(&fd, 1, -1); /* the program's own descriptors go here too */
    airwasm_dispatch(s);
  }
  printf("100 answers\n");

  ok(airwasm_close(s, 0, NULL));
  airwasm_system_free(s);
  return 0;
}
