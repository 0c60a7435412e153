/* The process around the library: fork, exit, signals, small stacks. */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { SIGNALS = 65 };

static void ignore_outcome(void *context, airwasm_outcome *outcome) {
  (void)context;
  airwasm_error_free(outcome->error), airwasm_bytes_free(&outcome->bytes);
}

static bool says_hello(airwasm_system *system, airwasm_handle actor) {
  airwasm_bytes reply;
  EXPECT("OK", airwasm_request(system, actor, "you", 3, NULL, &reply));
  bool same = strcmp((const char *)reply.data, "hello you") == 0;
  airwasm_bytes_free(&reply);
  return same;
}

/* A child that hangs is ended by its alarm, so that the test fails instead. */
static int exit_of(pid_t child) {
  int status = -1;
  while (waitpid(child, &status, 0) < 0) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int failures;
static void in_child(bool holds, const char *what) {
  if (!holds) fprintf(stderr, "  child: %s\n", what), failures++;
}

static void forked(airwasm_system *s, airwasm_handle actor) {
  airwasm_completion completion = {ignore_outcome, NULL, NULL};
  airwasm_bytes b;
  airwasm_handle h;
  alarm(60);
  in_child(airwasm_error_code(airwasm_request(s, actor, "x", 1, NULL, &b)) == AIRWASM_E_FORKED, "request");
  in_child(airwasm_error_code(airwasm_send(s, actor, "x", 1, NULL)) == AIRWASM_E_FORKED, "send");
  in_child(airwasm_error_code(airwasm_stats(s, &b)) == AIRWASM_E_FORKED, "stats");
  in_child(airwasm_error_code(airwasm_close(s, 0, NULL)) == AIRWASM_E_FORKED, "close");
  in_child(airwasm_error_code(airwasm_lookup(s, "x", &h)) == AIRWASM_E_FORKED, "lookup");
  in_child(airwasm_error_code(airwasm_load(s, guest_path("hello"), &h)) == AIRWASM_E_FORKED, "load");
  in_child(airwasm_error_code(airwasm_send_async(s, actor, "x", 1, NULL, completion, &h)) == AIRWASM_E_FORKED, "send async");
  in_child(airwasm_error_code(airwasm_request_async(s, actor, "x", 1, NULL, completion, &h)) == AIRWASM_E_FORKED, "async");
  airwasm_supervisor_spec spec = AIRWASM_INIT(airwasm_supervisor_spec);
  spec.name = "top";
  in_child(airwasm_error_code(airwasm_supervisor(s, &spec, &h)) == AIRWASM_E_FORKED, "supervisor");
  in_child(airwasm_error_code(airwasm_monitor(s, actor, &b)) == AIRWASM_E_FORKED, "monitor");
  in_child(airwasm_error_code(airwasm_monitor_async(s, actor, NULL, completion, &h)) == AIRWASM_E_FORKED, "monitor async");
  in_child(airwasm_error_code(airwasm_publish(s, "x", "x", 1, NULL, NULL)) == AIRWASM_E_FORKED, "publish");
  in_child(airwasm_error_code(airwasm_send_after(s, actor, "x", 1, 1, NULL, &h)) == AIRWASM_E_FORKED, "send_after");
  in_child(airwasm_error_code(airwasm_policy_load(s, "x")) == AIRWASM_E_FORKED, "policy_load");
  in_child(airwasm_error_code(airwasm_policy_load_async(s, "x", completion, &h)) == AIRWASM_E_FORKED, "policy_load async");
  in_child(airwasm_error_code(airwasm_policy_explain(s, "r", "clock", &b)) == AIRWASM_E_FORKED, "policy_explain");
  in_child(airwasm_error_code(airwasm_check(s, actor, "clock")) == AIRWASM_E_FORKED, "check");
  in_child(airwasm_dispatch(s) == 0, "dispatch");
  airwasm_system_free(s);
  airwasm_system *own = open_system(AIRWASM_THREAD);
  in_child(says_hello(own, spawn_guest(own, "hello")), "a system of its own");
  in_child(airwasm_close(own, 0, NULL) == NULL, "close of its own");
  airwasm_system_free(own);
  _exit(failures);
}

static void hostile_i12_fork(void) {
  airwasm_system *s = open_system(AIRWASM_DISPATCH);
  airwasm_handle actor = spawn_guest(s, "hello"), looper = spawn_guest(s, "looper");
  airwasm_completion completion = {ignore_outcome, NULL, NULL};
  CHECK(says_hello(s, actor));
  EXPECT("OK", airwasm_request_async(s, looper, "sleep 20000", 11, NULL, completion, NULL));
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) forked(s, actor);
  CHECK(exit_of(child) == 0);
  CHECK(says_hello(s, actor));
  airwasm_system_free(s);
}

/* Runs this program again for a child of its own, and waits for its end. */
static int child(const char *what) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    execlp(program, program, guests, "child", what, (char *)NULL);
    _exit(127);
  }
  return exit_of(child);
}

static void hostile_i12_fork_and_exec(void) {
  airwasm_system *s = open_system(AIRWASM_THREAD);
  CHECK(child("nothing") == 0);
  CHECK(says_hello(s, spawn_guest(s, "hello")));
  airwasm_system_free(s);
}

static void hostile_i15_exit_with_live_actors(void) {
  CHECK(child("exit") == 3);
  CHECK(child("atexit") == 4);
  CHECK(child("thread-exit") == 5);
}

static airwasm_system *live;
static void close_at_exit(void) {
  if (airwasm_close(live, 100, NULL)) _exit(99);
  airwasm_system_free(live);
}
static void *exit_from_a_thread(void *code) { exit(*(int *)code); }

int abi_child(const char *what) {
  airwasm_completion completion = {ignore_outcome, NULL, NULL};
  static int five = 5;
  pthread_t thread;
  alarm(20);
  if (strcmp(what, "nothing") == 0) return 0;
  live = open_system(AIRWASM_THREAD);
  airwasm_handle looper = spawn_guest(live, "looper");
  says_hello(live, spawn_guest(live, "hello"));
  airwasm_error_free(airwasm_request_async(live, looper, "loop", 4, NULL, completion, NULL));
  if (strcmp(what, "atexit") == 0) {
    atexit(close_at_exit);
    return 4;
  }
  if (strcmp(what, "thread-exit") == 0) {
    pthread_create(&thread, NULL, exit_from_a_thread, &five);
    pthread_join(thread, NULL);
  }
  return 3;
}

/* No handler is installed or changed, whatever a guest does. */
static void hostile_i14_signals(void) {
  struct sigaction before[SIGNALS], after;
  sigset_t blocked_before, blocked_after;
  for (int n = 1; n < SIGNALS; n++) {
    if (sigaction(n, NULL, &before[n])) before[n].sa_handler = SIG_DFL;
  }
  pthread_sigmask(SIG_SETMASK, NULL, &blocked_before);
  airwasm_system *s = open_system(AIRWASM_THREAD);
  airwasm_handle crasher = spawn_guest(s, "crasher");
  EXPECT("TRAPPED", airwasm_request(s, crasher, "boom", 4, NULL, NULL));
  EXPECT("OK", airwasm_close(s, 0, NULL));
  airwasm_system_free(s);
  pthread_sigmask(SIG_SETMASK, NULL, &blocked_after);
  for (int n = 1; n < SIGNALS; n++) {
    if (sigaction(n, NULL, &after)) continue;
    CHECK(after.sa_handler == before[n].sa_handler && after.sa_flags == before[n].sa_flags);
    CHECK(sigismember(&blocked_before, n) == sigismember(&blocked_after, n));
  }
}

static void *on_a_small_stack(void *unused) {
  airwasm_system *s = open_system(AIRWASM_THREAD);
  airwasm_handle crasher = spawn_guest(s, "crasher");
  (void)unused;
  CHECK(says_hello(s, spawn_guest(s, "hello")));
  EXPECT("TRAPPED", airwasm_request(s, crasher, "deep", 4, NULL, NULL));
  EXPECT("OK", airwasm_close(s, 0, NULL));
  airwasm_system_free(s);
  return NULL;
}

static void hostile_i5_small_stack(void) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 << 10);
  if (CHECK(pthread_create(&thread, &attributes, on_a_small_stack, NULL) == 0)) pthread_join(thread, NULL);
  pthread_attr_destroy(&attributes);
}

/* Two systems never meet. */
static void two_systems(void) {
  airwasm_system *one = open_system(AIRWASM_THREAD), *two = open_system(AIRWASM_DISPATCH);
  airwasm_handle actor = spawn_guest(one, "hello"), h;
  EXPECT("ACTOR_NOT_FOUND", airwasm_lookup(two, "default/hello/1", &h));
  CHECK(says_hello(one, actor));
  EXPECT("OK", airwasm_close(one, 0, NULL));
  airwasm_system_free(one);
  CHECK(says_hello(two, spawn_guest(two, "hello")));
  airwasm_system_free(two);
}

void abi_process(void) {
  RUN(two_systems);
  RUN(hostile_i14_signals);
  RUN(hostile_i5_small_stack);
  RUN(hostile_i12_fork);
  RUN(hostile_i12_fork_and_exec);
  RUN(hostile_i15_exit_with_live_actors);
}
