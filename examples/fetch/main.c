/* A guest is denied the network, is granted one path of one server for a minute, and has it taken back.
 *
 *     cc main.c $(pkg-config --cflags --libs airwasm) -pthread && ./a.out target/guests
 */
#define _XOPEN_SOURCE 700
#include <airwasm.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void ok(airwasm_error *e) {
  if (e) fprintf(stderr, "%s\n", airwasm_error_message(e)), exit(1);
}

/* Prints the answer; the error is the caller's. */
static airwasm_error *ask(airwasm_system *s, airwasm_handle actor, const char *text) {
  airwasm_bytes reply;
  airwasm_error *e = airwasm_request(s, actor, text, strlen(text), NULL, &reply);
  if (!e) printf("%.*s\n", (int)reply.len, (const char *)reply.data);
  airwasm_bytes_free(&reply);
  return e;
}

/* Tells everybody of its users. */
static void *serve(void *listener) {
  static const char users[] = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nAda, Bob";
  for (int client; (client = accept(*(int *)listener, NULL, NULL)) >= 0; close(client)) {
    char head[1024] = "";
    for (size_t n = 0; n + 1 < sizeof head && !strstr(head, "\r\n\r\n"); n++)
      if (read(client, head + n, 1) != 1) break;
    if (write(client, users, sizeof users - 1) < 0) perror("write");
  }
  return NULL;
}

int main(int argc, char **argv) {
  const char *guests = argc > 1 ? argv[1] : "target/guests";
  char url[64], capability[64], path[1024];
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof at;
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_system *s;
  airwasm_handle fetch, grant;
  pthread_t server;

  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&at, size) || listen(listener, 8) ||
      getsockname(listener, (struct sockaddr *)&at, &size) || pthread_create(&server, NULL, serve, &listener))
    return perror("server"), 1;
  snprintf(url, sizeof url, "http://127.0.0.1:%d/v1/users", ntohs(at.sin_port));
  snprintf(capability, sizeof capability, "http GET http://127.0.0.1:%d/v1/**", ntohs(at.sin_port));

  ok(airwasm_open(NULL, &s));
  snprintf(path, sizeof path, "%s/fetch.wasm", guests);
  ok(airwasm_load(s, path, &spec.component));
  spec.name = "fetch";
  ok(airwasm_spawn(s, &spec, &fetch));

  airwasm_error *e = ask(s, fetch, url);
  if (airwasm_error_code(e) == AIRWASM_E_DENIED)
    printf("%s\n%s\n", airwasm_error_message(e), airwasm_error_policy_line(e));
  airwasm_error_free(e);

  uint64_t cut = 0;
  ok(airwasm_grant(s, fetch, capability, 60000, &grant));
  ok(ask(s, fetch, url)); /* Ada, Bob */
  ok(airwasm_revoke(s, grant, &cut));
  printf("%d connections cut\n", (int)cut);

  e = ask(s, fetch, url);
  printf("%s again\n", airwasm_error_name(e)); /* DENIED again */
  airwasm_error_free(e);

  ok(airwasm_close(s, 0, NULL));
  airwasm_system_free(s);
  return 0;
}
