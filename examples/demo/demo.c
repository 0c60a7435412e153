/* The three promises, told by one program: a tool you do not trust is denied, is stopped, and comes back.
 *
 *     cc demo.c $(pkg-config --cflags --libs airwasm) && ./a.out target/guests
 */
#define _XOPEN_SOURCE 700
#include <airwasm.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *guests = "target/guests";
static int denied, stopped, restarted;

static void ok(airwasm_error *e) {
  if (e) fprintf(stderr, "%s: %s\n", airwasm_error_name(e), airwasm_error_message(e)), exit(1);
}

static void must(bool happened, const char *what) {
  if (!happened) fprintf(stderr, "this did not happen: %s\n", what), exit(1);
}

static airwasm_handle spawn(airwasm_system *s, const char *guest, uint64_t cpu_ms, uint32_t restart) {
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_budget budget = AIRWASM_INIT(airwasm_budget);
  airwasm_handle actor;
  char path[1024];
  snprintf(path, sizeof path, "%s/%s.wasm", guests, guest);
  ok(airwasm_load(s, path, &spec.component));
  budget.cpu_ms = cpu_ms;
  spec.name = guest, spec.budget = &budget, spec.restart = restart;
  ok(airwasm_spawn(s, &spec, &actor));
  return actor;
}

/* Prints the question and the answer; the error is the caller's. */
static airwasm_error *ask(airwasm_system *s, airwasm_handle actor, const char *text) {
  airwasm_bytes reply;
  printf("   asked:    %s\n", text);
  airwasm_error *e = airwasm_request(s, actor, text, strlen(text), NULL, &reply);
  printf("   %s%s\n", e ? "" : "answered: ", e ? airwasm_error_message(e) : (const char *)reply.data);
  airwasm_bytes_free(&reply);
  return e;
}

/* Asks for what must be denied; the error has the line that would allow it. */
static airwasm_error *denial(airwasm_system *s, airwasm_handle actor, const char *text) {
  airwasm_error *e = ask(s, actor, text);
  must(airwasm_error_code(e) == AIRWASM_E_DENIED, "the reader is denied");
  denied++;
  return e;
}

static void files(airwasm_system *s) {
  char folder[] = "/tmp/airwasm-demo-XXXXXX", file[64];
  airwasm_handle reader = spawn(s, "reader", 0, 0), grant;
  must(mkdtemp(folder) != NULL, "a folder for the demo");
  snprintf(file, sizeof file, "%s/note.txt", folder);
  FILE *note = fopen(file, "w");
  must(note && fputs("the treasure is under the tree", note) >= 0 && fclose(note) == 0, "a file for the demo");

  printf("\n1. denied\n");
  airwasm_error *e = denial(s, reader, file);
  printf("   the grant that would allow it:\n   %s\n", airwasm_error_policy_line(e));

  printf("\n2. granted\n");
  const char *capability = airwasm_error_policy_line(e) + strlen("- ");
  ok(airwasm_grant(s, reader, capability, 0, &grant));
  airwasm_error_free(e);
  ok(ask(s, reader, file));

  printf("\n3. taken back\n");
  ok(airwasm_revoke(s, grant, NULL));
  airwasm_error_free(denial(s, reader, file));
  unlink(file), rmdir(folder);
}

/* The outcome of the loop; it comes inside airwasm_dispatch. */
static void loop_over(void *over, airwasm_outcome *outcome) {
  must(airwasm_error_code(outcome->error) == AIRWASM_E_BUDGET_EXCEEDED, "the loop is stopped at its budget");
  printf("   %s\n", airwasm_error_message(outcome->error));
  airwasm_error_free(outcome->error), airwasm_bytes_free(&outcome->bytes);
  *(bool *)over = true;
  stopped++;
}

static void loop(airwasm_system *s) {
  airwasm_handle looper = spawn(s, "looper", 200, 0), hello = spawn(s, "hello", 0, 0);
  bool over = false;
  int answers = 0;
  printf("\n4. stopped\n   the looper loops for ever, and may use 200 ms\n");
  ok(airwasm_request_async(s, looper, "loop", 4, NULL, (airwasm_completion){loop_over, &over, NULL}, NULL));
  while (!over) {
    ok(airwasm_request(s, hello, "you", 3, NULL, NULL));
    answers++;
    airwasm_dispatch(s);
  }
  must(answers > 1, "hello answers while the looper loops");
  printf("   meanwhile hello answered %d times\n", answers);
}

/* What the event callback, on its own thread, tells this one. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;

static void on_event(void *unused, const airwasm_event *event) {
  (void)unused;
  pthread_mutex_lock(&lock);
  if (strcmp(event->actor, "default/crasher/0") == 0) {
    printf("   event: %s %s\n", event->kind, event->actor);
    restarted += strcmp(event->kind, "actor.restarted") == 0;
  }
  pthread_cond_signal(&told);
  pthread_mutex_unlock(&lock);
}

static void crash(airwasm_system *s) {
  airwasm_handle crasher = spawn(s, "crasher", 0, AIRWASM_PERMANENT);
  airwasm_event_callback callback = {on_event, NULL, NULL};
  printf("\n5. comes back\n");
  ok(airwasm_events(s, "actor.crashed,actor.restarted", callback, NULL));
  airwasm_error *e = ask(s, crasher, "boom");
  must(airwasm_error_code(e) == AIRWASM_E_TRAPPED, "the crasher crashes");
  pthread_mutex_lock(&lock);
  while (restarted == 0) pthread_cond_wait(&told, &lock);
  pthread_mutex_unlock(&lock);
  airwasm_error_free(e);
  ok(ask(s, crasher, "ping"));
}

int main(int argc, char **argv) {
  airwasm_options options = AIRWASM_INIT(airwasm_options);
  airwasm_system *s;
  if (argc > 1) guests = argv[1];
  options.completions = AIRWASM_DISPATCH;
  ok(airwasm_open(&options, &s));
  printf("airwasm %s, from C\n", airwasm_version());
  files(s);
  loop(s);
  crash(s);
  ok(airwasm_close(s, 0, NULL));
  airwasm_system_free(s);
  printf("\ndemo host=c denied=%d stopped=%d restarted=%d ok\n", denied, stopped, restarted);
  return 0;
}
