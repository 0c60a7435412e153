/* Keys and regions of the host program, by their pointers and by completions. */
#define _XOPEN_SOURCE 700
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "scratch.h"

static airwasm_system *s;
static counter *told;
static char last[256];

static void tell(void *context, airwasm_outcome *outcome) {
  (void)context;
  snprintf(last, sizeof last, "%s %d %s", airwasm_error_name(outcome->error), (int)outcome->handle,
           (const char *)outcome->bytes.data);
  airwasm_error_free(outcome->error), airwasm_bytes_free(&outcome->bytes);
  counter_raise(told);
}

static airwasm_completion completion(void) { return (airwasm_completion){tell, NULL, NULL}; }

/* Waits for the next completion. */
static bool is_told(const char *what) {
  struct pollfd fd = {airwasm_completion_fd(s), POLLIN, 0};
  while (fd.fd >= 0 && counter_value(told) == 0 && poll(&fd, 1, 20000) == 1) airwasm_dispatch(s);
  bool same = counter_wait(told, 1) && strcmp(last, what) == 0;
  if (!same) printf("  told: %s instead of %s\n", last, what);
  told = counter_new();
  return same;
}

static void open_store(uint32_t mode) {
  static char path[128];
  airwasm_options options = AIRWASM_INIT(airwasm_options);
  snprintf(path, sizeof path, "%.*s/store.db", (int)(strrchr(policy, '/') - policy), policy);
  options.kv = path, options.completions = mode;
  s = open_with(&options), told = counter_new();
}

static void keys_are_set_read_listed_and_taken_away_by_completions(void) {
  airwasm_handle request;
  for (uint32_t mode = AIRWASM_THREAD; mode <= AIRWASM_DISPATCH; mode++) {
    scratch_open();
    open_store(mode);
    EXPECT("OK", airwasm_kv_set_async(s, "notes", "a", "one", 3, completion(), NULL));
    CHECK(is_told("OK 0 "));
    EXPECT("OK", airwasm_kv_get_async(s, "notes", "a", completion(), &request));
    CHECK(is_told("OK 1 one"));
    EXPECT("OK", airwasm_kv_get_async(s, "notes", "b", completion(), NULL));
    CHECK(is_told("OK 0 "));
    EXPECT("OK", airwasm_kv_list_async(s, "notes", 0, completion(), NULL));
    CHECK(is_told("OK 0 {\"cursor\":null,\"keys\":[\"a\"]}"));
    EXPECT("OK", airwasm_kv_delete_async(s, "notes", "a", completion(), NULL));
    CHECK(is_told("OK 1 "));
    EXPECT("OK", airwasm_kv_delete_async(s, "notes", "a", completion(), NULL));
    CHECK(is_told("OK 0 "));
    EXPECT("OK", airwasm_close(s, 0, NULL));
    airwasm_system_free(s);
    scratch_remove();
  }
}

static void hostile_i1_null_pointers_of_keys_and_regions_are_refused(void) {
  airwasm_bytes got = {0};
  int found;
  scratch_open();
  open_store(AIRWASM_THREAD);
  WRONG("name_space", airwasm_kv_get(s, NULL, "a", &found, &got));
  WRONG("key", airwasm_kv_get(s, "notes", NULL, &found, &got));
  WRONG("key", airwasm_kv_set(s, "notes", NULL, "x", 1));
  WRONG("data", airwasm_kv_set(s, "notes", "a", NULL, 1));
  WRONG("name_space", airwasm_kv_delete(s, NULL, "a", NULL));
  WRONG("name_space", airwasm_kv_list(s, NULL, 0, &got));
  WRONG("name", airwasm_region_create(s, NULL, 1));
  WRONG("name", airwasm_region_remove(s, NULL));
  EXPECT("OK", airwasm_close(s, 0, NULL));
  airwasm_system_free(s);
  scratch_remove();
}

static void a_system_without_a_store_says_so(void) {
  airwasm_bytes got = {0};
  int found;
  s = open_system(AIRWASM_THREAD);
  EXPECT("UNSUPPORTED", airwasm_kv_get(s, "notes", "a", &found, &got));
  EXPECT("OK", airwasm_close(s, 0, NULL));
  airwasm_system_free(s);
}

void abi_data(void) {
  RUN(keys_are_set_read_listed_and_taken_away_by_completions);
  RUN(hostile_i1_null_pointers_of_keys_and_regions_are_refused);
  RUN(a_system_without_a_store_says_so);
}
