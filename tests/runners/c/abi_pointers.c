/* Pointers, lengths, texts and sizes of structs that are wrong: one clear error each, and nothing is touched. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static airwasm_system *s;
static airwasm_handle actor, component;
static int freed;

static void ignore_outcome(void *context, airwasm_outcome *outcome) {
  (void)context;
  airwasm_error_free(outcome->error), airwasm_bytes_free(&outcome->bytes);
}
static void ignore_event(void *context, const airwasm_event *event) { (void)context, (void)event; }
static void ignore_message(void *context, const airwasm_message *message, airwasm_reply *reply) {
  (void)context, (void)message;
  airwasm_reply_send(reply, NULL, 0);
}
static void count_free(void *context) { ++*(int *)context; }

static airwasm_completion completion(void) { return (airwasm_completion){ignore_outcome, &freed, count_free}; }
static airwasm_handler handler(void) { return (airwasm_handler){ignore_message, &freed, count_free}; }
static airwasm_event_callback callback(void) { return (airwasm_event_callback){ignore_event, &freed, count_free}; }

static void layout(void) {
  CHECK(sizeof(airwasm_handle) == 8);
  CHECK(sizeof(airwasm_bytes) == 3 * sizeof(void *));
  CHECK(offsetof(airwasm_bytes, data) == 0 && offsetof(airwasm_bytes, len) == sizeof(void *));
  CHECK(offsetof(airwasm_options, struct_size) == 0 && offsetof(airwasm_actor_spec, struct_size) == 0);
  CHECK(offsetof(airwasm_options, policy) == 8 && offsetof(airwasm_actor_spec, component) == 8);
  CHECK(airwasm_version_number() == AIRWASM_VERSION_NUMBER);
  CHECK(strcmp(airwasm_version(), AIRWASM_VERSION) == 0);
}

/* Without a system no function does anything, and out-params are set to nothing. */
static void hostile_i1_null_system(void) {
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_handle h = 7;
  airwasm_bytes b = {(const uint8_t *)"x", 1, NULL};
  uint64_t cut = 7;
  freed = 0;
  WRONG("system", airwasm_open(NULL, NULL));
  WRONG("system", airwasm_close(NULL, 0, &b));
  CHECK(b.len == 0 && b.data && b.data[0] == 0 && !b.owner);
  WRONG("system", airwasm_stats(NULL, &b));
  WRONG("system", airwasm_load(NULL, "x", &h));
  CHECK(h == 0);
  WRONG("system", airwasm_load_bytes(NULL, "x", 1, &h));
  WRONG("system", airwasm_inspect(NULL, component, &b));
  WRONG("system", airwasm_types(NULL, component, "wit", &b));
  WRONG("system", airwasm_unload(NULL, component));
  WRONG("system", airwasm_spawn(NULL, &spec, &h));
  WRONG("system", airwasm_spawn_host(NULL, &spec, handler(), &h));
  WRONG("system", airwasm_spawn_files(NULL, &spec, &h));
  WRONG("system", airwasm_spawn_processes(NULL, &spec, &h));
  WRONG("system", airwasm_send(NULL, actor, "x", 1, NULL));
  WRONG("system", airwasm_request(NULL, actor, "x", 1, NULL, &b));
  WRONG("system", airwasm_cancel(NULL, 0));
  WRONG("system", airwasm_stop(NULL, actor, 0));
  WRONG("system", airwasm_kill(NULL, actor));
  WRONG("system", airwasm_lookup(NULL, "x", &h));
  WRONG("system", airwasm_actor_id(NULL, actor, &b));
  WRONG("system", airwasm_status(NULL, actor, &b));
  WRONG("system", airwasm_list(NULL, NULL, &b));
  WRONG("system", airwasm_grant(NULL, actor, "clock", 0, &h));
  WRONG("system", airwasm_revoke(NULL, component, &cut));
  CHECK(cut == 0);
  WRONG("system", airwasm_grants(NULL, actor, &b));
  WRONG("system", airwasm_events(NULL, "*", callback(), &h));
  WRONG("system", airwasm_unsubscribe(NULL, component));
  WRONG("system", airwasm_close_async(NULL, 0, completion(), &h));
  WRONG("system", airwasm_load_async(NULL, "x", completion(), &h));
  WRONG("system", airwasm_load_bytes_async(NULL, "x", 1, completion(), &h));
  WRONG("system", airwasm_spawn_async(NULL, &spec, completion(), &h));
  WRONG("system", airwasm_spawn_files_async(NULL, &spec, completion(), &h));
  WRONG("system", airwasm_spawn_processes_async(NULL, &spec, completion(), &h));
  WRONG("system", airwasm_stop_async(NULL, actor, 0, NULL, completion(), &h));
  WRONG("system", airwasm_send_async(NULL, actor, "x", 1, NULL, completion(), &h));
  WRONG("system", airwasm_request_async(NULL, actor, "x", 1, NULL, completion(), &h));
  /* Each callback was taken over, and its finalizer ran. */
  CHECK(freed == 11);
  CHECK(airwasm_completion_fd(NULL) == -1 && airwasm_dispatch(NULL) == 0);
  airwasm_system_free(NULL);
}

static void hostile_i1_null_arguments(void) {
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_handle h;
  WRONG("path", airwasm_load(s, NULL, &h));
  WRONG("component", airwasm_load(s, guest_path("echo"), NULL));
  WRONG("data", airwasm_load_bytes(s, NULL, 1, &h));
  WRONG("component", airwasm_load_bytes(s, "x", 1, NULL));
  WRONG("info", airwasm_inspect(s, component, NULL));
  WRONG("text", airwasm_types(s, component, "wit", NULL));
  WRONG("spec", airwasm_spawn(s, NULL, &h));
  WRONG("spec", airwasm_spawn_host(s, NULL, handler(), &h));
  WRONG("handler", airwasm_spawn_host(s, &spec, (airwasm_handler){0}, &h));
  WRONG("spec", airwasm_spawn_files(s, NULL, &h));
  WRONG("spec", airwasm_spawn_processes(s, NULL, &h));
  WRONG("data", airwasm_send(s, actor, NULL, 1, NULL));
  WRONG("data", airwasm_request(s, actor, NULL, 1, NULL, NULL));
  WRONG("id", airwasm_lookup(s, NULL, &h));
  WRONG("actor", airwasm_lookup(s, "x", NULL));
  WRONG("id", airwasm_actor_id(s, actor, NULL));
  WRONG("status", airwasm_status(s, actor, NULL));
  WRONG("list", airwasm_list(s, NULL, NULL));
  WRONG("stats", airwasm_stats(s, NULL));
  WRONG("capability", airwasm_grant(s, actor, NULL, 0, &h));
  WRONG("grants", airwasm_grants(s, actor, NULL));
  WRONG("callback", airwasm_events(s, "*", (airwasm_event_callback){0}, &h));
  WRONG("completion", airwasm_close_async(s, 0, (airwasm_completion){0}, &h));
  WRONG("completion", airwasm_load_async(s, "x", (airwasm_completion){0}, &h));
  WRONG("completion", airwasm_load_bytes_async(s, "x", 1, (airwasm_completion){0}, &h));
  WRONG("completion", airwasm_spawn_async(s, &spec, (airwasm_completion){0}, &h));
  WRONG("completion", airwasm_spawn_files_async(s, &spec, (airwasm_completion){0}, &h));
  WRONG("completion", airwasm_spawn_processes_async(s, &spec, (airwasm_completion){0}, &h));
  WRONG("completion", airwasm_stop_async(s, actor, 0, NULL, (airwasm_completion){0}, &h));
  WRONG("completion", airwasm_send_async(s, actor, "x", 1, NULL, (airwasm_completion){0}, &h));
  WRONG("completion", airwasm_request_async(s, actor, "x", 1, NULL, (airwasm_completion){0}, &h));
  WRONG("path", airwasm_load_async(s, NULL, completion(), &h));
  WRONG("data", airwasm_load_bytes_async(s, NULL, 1, completion(), &h));
  WRONG("spec", airwasm_spawn_async(s, NULL, completion(), &h));
  WRONG("spec", airwasm_spawn_files_async(s, NULL, completion(), &h));
  WRONG("spec", airwasm_spawn_processes_async(s, NULL, completion(), &h));
  WRONG("data", airwasm_send_async(s, actor, NULL, 1, NULL, completion(), &h));
  WRONG("data", airwasm_request_async(s, actor, NULL, 1, NULL, completion(), &h));
}

/* What may be NULL is. */
static void hostile_i1_null_that_is_fine(void) {
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_bytes zero = {0};
  spec.component = component;
  EXPECT("OK", airwasm_spawn(s, &spec, NULL));
  spec.component = 0;
  EXPECT("OK", airwasm_spawn_host(s, &spec, (airwasm_handler){ignore_message, NULL, NULL}, NULL));
  EXPECT("OK", airwasm_spawn_files(s, &spec, NULL));
  EXPECT("OK", airwasm_spawn_processes(s, &spec, NULL));
  EXPECT("OK", airwasm_request(s, actor, NULL, 0, NULL, NULL));
  EXPECT("OK", airwasm_send(s, actor, NULL, 0, NULL));
  EXPECT("OK", airwasm_grant(s, actor, "message.send x", 0, NULL));
  EXPECT("OK", airwasm_events(s, NULL, (airwasm_event_callback){ignore_event, NULL, NULL}, NULL));
  EXPECT("OK", airwasm_cancel(s, 0));
  CHECK(airwasm_error_code(NULL) == AIRWASM_OK && strcmp(airwasm_error_name(NULL), "OK") == 0);
  CHECK(!*airwasm_error_message(NULL) && !*airwasm_error_actor(NULL) && !*airwasm_error_policy_line(NULL));
  CHECK(strcmp(airwasm_error_detail(NULL), "{}") == 0);
  airwasm_error_free(NULL);
  airwasm_bytes_free(NULL), airwasm_bytes_free(&zero), airwasm_bytes_free(&zero);
  airwasm_reply_send(NULL, "x", 1), airwasm_reply_fail(NULL, "x"), airwasm_reply_fail_code(NULL, "x", "y");
  airwasm_reply_raise(NULL, "x"), airwasm_reply_free(NULL);
}

static void hostile_i9_lengths(void) {
  airwasm_bytes reply = {0};
  airwasm_handle h;
  static const size_t lens[] = {SIZE_MAX, SIZE_MAX / 2 + 1};
  for (size_t n = 0; n < 2; n++) {
    WRONG("data", airwasm_load_bytes(s, "x", lens[n], &h));
    WRONG("data", airwasm_send(s, actor, "x", lens[n], NULL));
    WRONG("data", airwasm_request(s, actor, "x", lens[n], NULL, &reply));
    WRONG("data", airwasm_send_async(s, actor, "x", lens[n], NULL, completion(), &h));
    WRONG("data", airwasm_request_async(s, actor, "x", lens[n], NULL, completion(), &h));
    WRONG("data", airwasm_load_bytes_async(s, "x", lens[n], completion(), &h));
  }
  char *large = calloc(1, (4 << 20) + 1);
  EXPECT("PAYLOAD_TOO_LARGE", airwasm_request(s, actor, large, (4 << 20) + 1, NULL, &reply));
  EXPECT("PAYLOAD_TOO_LARGE", airwasm_send(s, actor, large, (4 << 20) + 1, NULL));
  free(large);
  const char *none[1] = {"clock"};
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  spec.component = component, spec.grants = none, spec.grants_len = SIZE_MAX;
  WRONG("grants", airwasm_spawn(s, &spec, &h));
  spec.grants_len = SIZE_MAX / sizeof(void *) + 1;
  WRONG("grants", airwasm_spawn(s, &spec, &h));
  spec.grants = NULL, spec.grants_len = 1;
  WRONG("grants", airwasm_spawn(s, &spec, &h));
  none[0] = NULL, spec.grants = none;
  WRONG("grants[0]", airwasm_spawn(s, &spec, &h));
  const char *no_pair[2] = {"A=b", "A"};
  spec.grants = NULL, spec.grants_len = 0, spec.args = NULL, spec.args_len = 1;
  WRONG("args", airwasm_spawn(s, &spec, &h));
  spec.args = none, spec.env = no_pair, spec.env_len = 2;
  WRONG("args[0]", airwasm_spawn(s, &spec, &h));
  spec.args_len = 0;
  WRONG("env", airwasm_spawn(s, &spec, &h));
}

/* Times that no clock reaches are as good as no bound. */
static void hostile_i9_times(void) {
  static const uint64_t times[] = {AIRWASM_UNLIMITED, AIRWASM_UNLIMITED - 1, AIRWASM_UNLIMITED / 1000, 1ull << 62};
  for (size_t n = 0; n < sizeof times / sizeof *times; n++) {
    airwasm_request_options options = AIRWASM_INIT(airwasm_request_options);
    airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
    airwasm_budget budget = AIRWASM_INIT(airwasm_budget);
    airwasm_limits limits = AIRWASM_INIT(airwasm_limits);
    airwasm_system *other = open_system(AIRWASM_THREAD);
    airwasm_handle timed, h;
    airwasm_bytes grants;
    EXPECT("OK", airwasm_load(other, guest_path("echo"), &spec.component));
    budget.cpu_ms = budget.wall_ms = budget.output_bytes = budget.host_calls = times[n];
    limits.memory_bytes = limits.table_elements = limits.handles = times[n];
    limits.mailbox_messages = limits.mailbox_bytes = limits.payload_bytes = times[n];
    spec.budget = &budget, spec.limits = &limits, spec.shutdown_ms = options.timeout_ms = times[n];
    EXPECT("OK", airwasm_spawn(other, &spec, &timed));
    EXPECT("OK", airwasm_request(other, timed, "x", 1, &options, NULL));
    EXPECT("OK", airwasm_grant(other, timed, "message.send x", times[n], &h));
    EXPECT("OK", airwasm_grants(other, timed, &grants));
    airwasm_bytes_free(&grants);
    EXPECT("OK", airwasm_stop(other, timed, times[n]));
    EXPECT("OK", airwasm_close(other, times[n], NULL));
    airwasm_system_free(other);
  }
}

static void hostile_i9_unaligned(void) {
  static uint64_t room[16];
  char *odd = (char *)room + 1;
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  memset(room, 0x5a, sizeof room);
  WRONG("system", airwasm_open(NULL, (airwasm_system **)(void *)odd));
  WRONG("system", airwasm_stats((airwasm_system *)(void *)odd, (airwasm_bytes *)(void *)room));
  memset(room, 0x5a, sizeof room);
  WRONG("options", airwasm_open((airwasm_options *)(void *)odd, (airwasm_system **)(void *)room));
  memset(room, 0x5a, sizeof room);
  WRONG("actor", airwasm_lookup(s, "x", (airwasm_handle *)(void *)odd));
  WRONG("reply", airwasm_request(s, actor, "x", 1, NULL, (airwasm_bytes *)(void *)odd));
  WRONG("options", airwasm_request(s, actor, "x", 1, (airwasm_request_options *)(void *)odd, NULL));
  WRONG("options", airwasm_send(s, actor, "x", 1, (airwasm_send_options *)(void *)odd));
  WRONG("options", airwasm_send_async(s, actor, "x", 1, (airwasm_send_options *)(void *)odd, completion(), NULL));
  WRONG("cut", airwasm_revoke(s, component, (uint64_t *)(void *)odd));
  WRONG("request", airwasm_close_async(s, 0, completion(), (airwasm_handle *)(void *)odd));
  WRONG("spec", airwasm_spawn(s, (airwasm_actor_spec *)(void *)odd, NULL));
  spec.component = component, spec.budget = (airwasm_budget *)(void *)odd;
  WRONG("budget", airwasm_spawn(s, &spec, NULL));
  spec.budget = NULL, spec.limits = (airwasm_limits *)(void *)odd;
  WRONG("limits", airwasm_spawn(s, &spec, NULL));
  spec.limits = NULL, spec.grants = (const char *const *)(void *)odd, spec.grants_len = 1;
  WRONG("grants", airwasm_spawn(s, &spec, NULL));
  airwasm_bytes_free((airwasm_bytes *)(void *)odd);
  for (size_t n = 0; n < sizeof room; n++) {
    if (!CHECK(((char *)room)[n] == 0x5a)) break;
  }
}

static void hostile_i10_texts(void) {
  static const char *const bad[] = {"\xff", "ab\xc3", "\xed\xa0\x80", "\xc0\xaf"};
  airwasm_request_options options = AIRWASM_INIT(airwasm_request_options);
  airwasm_handle h;
  for (size_t n = 0; n < 4; n++) {
    airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
    airwasm_options open = AIRWASM_INIT(airwasm_options);
    airwasm_system *none;
    spec.component = component;
    WRONG("path", airwasm_load(s, bad[n], &h));
    WRONG("path", airwasm_load_async(s, bad[n], completion(), &h));
    WRONG("id", airwasm_lookup(s, bad[n], &h));
    WRONG("capability", airwasm_grant(s, actor, bad[n], 0, &h));
    WRONG("kinds", airwasm_events(s, bad[n], callback(), &h));
    options.content_type = bad[n];
    WRONG("content_type", airwasm_request(s, actor, "x", 1, &options, NULL));
    spec.name = bad[n];
    WRONG("name", airwasm_spawn(s, &spec, &h));
    spec.name = NULL, spec.config = bad[n];
    WRONG("config", airwasm_spawn(s, &spec, &h));
    spec.config = NULL, spec.grants = &bad[n], spec.grants_len = 1;
    WRONG("grants[0]", airwasm_spawn(s, &spec, &h));
    open.audit = bad[n];
    WRONG("audit", airwasm_open(&open, &none));
    open.audit = NULL, open.profile = bad[n];
    WRONG("profile", airwasm_open(&open, &none));
    CHECK(!none);
  }
  char *huge = malloc((1 << 20) + 1);
  memset(huge, 'a', 1 << 20), huge[1 << 20] = 0;
  WRONG("id", airwasm_lookup(s, huge, &h));
  WRONG("capability", airwasm_grant(s, actor, huge, 0, &h));
  WRONG("kinds", airwasm_events(s, huge, callback(), &h));
  EXPECT("IO", airwasm_load(s, huge, &h));
  EXPECT("IO", airwasm_load(s, "", &h));
  WRONG("id", airwasm_lookup(s, "", &h));
  free(huge);
}

static void hostile_i11_struct_size(void) {
  struct {
    airwasm_actor_spec spec;
    uint64_t later[4];
  } newer;
  static const uint32_t never[] = {0, 1, 3, 5, 12, 20, 0xffffffff, 0xcccccccc, 4097};
  airwasm_handle h = 0;
  memset(&newer, 0, sizeof newer);
  newer.spec.component = component;
  for (size_t n = 0; n < sizeof never / sizeof *never; n++) {
    newer.spec.struct_size = never[n];
    WRONG("spec", airwasm_spawn(s, &newer.spec, &h));
  }
  /* A newer header that sets nothing of what is new; then one that does. */
  newer.spec.struct_size = sizeof newer;
  EXPECT("OK", airwasm_spawn(s, &newer.spec, &h));
  newer.later[3] = 1;
  WRONG("spec", airwasm_spawn(s, &newer.spec, &h));
  newer.later[3] = 0, ((unsigned char *)&newer)[sizeof newer.spec] = 1;
  WRONG("spec", airwasm_spawn(s, &newer.spec, &h));
  /* An older header had no name: what lies behind its end is not looked at. */
  memset(&newer, 0xff, sizeof newer);
  newer.spec.struct_size = offsetof(airwasm_actor_spec, name), newer.spec.restart = 0, newer.spec.component = component;
  EXPECT("OK", airwasm_spawn(s, &newer.spec, &h));
  airwasm_options options = AIRWASM_INIT(airwasm_options);
  airwasm_system *other = NULL;
  options.struct_size = 4;
  EXPECT("OK", airwasm_open(&options, &other));
  airwasm_system_free(other);
  options.struct_size = sizeof options, options.completions = 2;
  WRONG("completions", airwasm_open(&options, &other));
  CHECK(!other);
  options.completions = 0, options.policy = "/no/such/policy.yaml";
  EXPECT("POLICY_INVALID", airwasm_open(&options, &other));
  options.policy = NULL, options.cache_dir = "/tmp";
  EXPECT("IO", airwasm_open(&options, &other));
  options.cache_dir = NULL, options.profile = "soft";
  WRONG("profile", airwasm_open(&options, &other));
}

void abi_pointers(void) {
  s = open_system(AIRWASM_THREAD);
  actor = spawn_guest(s, "echo");
  EXPECT("OK", airwasm_load(s, guest_path("echo"), &component));
  RUN(layout);
  RUN(hostile_i1_null_system);
  RUN(hostile_i1_null_arguments);
  RUN(hostile_i1_null_that_is_fine);
  RUN(hostile_i9_lengths);
  RUN(hostile_i9_times);
  RUN(hostile_i9_unaligned);
  RUN(hostile_i10_texts);
  RUN(hostile_i11_struct_size);
  EXPECT("OK", airwasm_close(s, 0, NULL));
  airwasm_system_free(s);
}
