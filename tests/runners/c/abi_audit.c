/* The audit log: its options, wrong ones too, and one that is verified. */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "scratch.h"

static void hostile_i1_i10_arguments(void) {
  static const char *const bad[] = {"\xff", "ab\xc3", "\xed\xa0\x80", "\xc0\xaf"};
  airwasm_system *none;
  airwasm_bytes b = {(const uint8_t *)"x", 1, NULL};
  WRONG("path", airwasm_audit_verify(NULL, &b));
  CHECK(b.len == 0 && b.data && b.data[0] == 0 && !b.owner);
  WRONG("report", airwasm_audit_verify("x", NULL));
  EXPECT("IO", airwasm_audit_verify("", &b));
  for (size_t n = 0; n < 4; n++) {
    airwasm_options options = AIRWASM_INIT(airwasm_options);
    airwasm_audit_options audit = AIRWASM_INIT(airwasm_audit_options);
    WRONG("path", airwasm_audit_verify(bad[n], &b));
    options.audit_options = &audit, audit.level = bad[n];
    WRONG("audit_level", airwasm_open(&options, &none));
    audit.level = NULL, audit.on_failure = bad[n];
    WRONG("audit_on_failure", airwasm_open(&options, &none));
    audit.on_failure = NULL, audit.on_full = bad[n];
    WRONG("audit_on_full", airwasm_open(&options, &none));
  }
}

/* With the anchors that stand beside it, if it got any. */
static void remove_log(void) {
  char anchors[96];
  snprintf(anchors, sizeof anchors, "%s.anchors", log_path);
  CHECK(remove(log_path) == 0);
  remove(anchors);
}

/* Each wrong option is named; 0 is the default, and no bound is one too. */
static void options_that_are_wrong(void) {
  static uint64_t room[4];
  airwasm_options options = AIRWASM_INIT(airwasm_options);
  airwasm_audit_options audit = AIRWASM_INIT(airwasm_audit_options);
  airwasm_system *s = NULL;
  options.policy_watch_ms = AIRWASM_ZERO;
  WRONG("policy_watch_ms", airwasm_open(&options, &s));
  options.policy_watch_ms = 0, options.audit_options = (airwasm_audit_options *)(void *)((char *)room + 1);
  WRONG("audit_options", airwasm_open(&options, &s));
  options.audit_options = &audit, audit.struct_size = 0;
  WRONG("audit_options", airwasm_open(&options, &s));
  audit.struct_size = sizeof audit, audit.level = "everything";
  WRONG("audit_level", airwasm_open(&options, &s));
  audit.level = "denials", audit.on_failure = "Closed";
  WRONG("audit_on_failure", airwasm_open(&options, &s));
  audit.on_failure = "closed", audit.on_full = "";
  WRONG("audit_on_full", airwasm_open(&options, &s));
  audit.on_full = "count", audit.rotate_bytes = AIRWASM_ZERO;
  WRONG("audit_rotate_bytes", airwasm_open(&options, &s));
  audit.rotate_bytes = AIRWASM_UNLIMITED, audit.rotate_files = UINT64_C(1) << 32;
  WRONG("audit_rotate_files", airwasm_open(&options, &s));
  audit.rotate_files = AIRWASM_UNLIMITED, audit.summary_ms = AIRWASM_ZERO;
  WRONG("audit_summary_ms", airwasm_open(&options, &s));
  CHECK(!s);
  audit.summary_ms = AIRWASM_UNLIMITED, options.policy_watch_ms = AIRWASM_UNLIMITED;
  options.policy = write_policy(readers), options.audit = log_path;
  airwasm_system_free(open_with(&options));
  audit.rotate_files = AIRWASM_ZERO;
  airwasm_system_free(open_with(&options));
  remove_log();
}

/* What lies behind the end of an older struct is not looked at. */
static void hostile_i11_struct_sizes(void) {
  airwasm_options options = AIRWASM_INIT(airwasm_options);
  airwasm_audit_options audit = AIRWASM_INIT(airwasm_audit_options);
  CHECK(offsetof(airwasm_options, policy_watch_ms) == 8 + 4 * sizeof(void *));
  CHECK(offsetof(airwasm_audit_options, level) == 8);
  options.struct_size = offsetof(airwasm_options, policy_watch_ms);
  options.policy_watch_ms = AIRWASM_ZERO, options.audit_options = (airwasm_audit_options *)1;
  airwasm_system_free(open_with(&options));
  options = (airwasm_options)AIRWASM_INIT(airwasm_options), options.audit_options = &audit;
  audit.struct_size = offsetof(airwasm_audit_options, level), audit.level = "everything";
  airwasm_system_free(open_with(&options));
}

/* Keeps an audit with these options, of a read that is denied and one that is not. */
static void keep_audit(const airwasm_audit_options *audit) {
  airwasm_options options = AIRWASM_INIT(airwasm_options);
  options.policy = write_policy(readers), options.audit = log_path, options.audit_options = audit;
  airwasm_system *s = open_with(&options);
  airwasm_handle reader = spawn_reader(s);
  EXPECT("DENIED", read_file(s, reader, "private"));
  EXPECT("OK", read_file(s, reader, "a"));
  EXPECT("OK", airwasm_close(s, 0, NULL));
  airwasm_system_free(s);
}

/* What a file holds, yours to free. */
static char *contents(const char *path, size_t *len) {
  struct stat status;
  FILE *file = fopen(path, "r");
  if (!CHECK(file && stat(path, &status) == 0)) exit(2);
  char *text = calloc(1, (size_t)status.st_size + 1);
  *len = fread(text, 1, (size_t)status.st_size, file);
  fclose(file);
  return text;
}

static void an_audit_log_is_verified_and_one_changed_byte_is_found(void) {
  airwasm_audit_options audit = AIRWASM_INIT(airwasm_audit_options);
  airwasm_bytes b;
  size_t len;
  audit.level = "all";
  keep_audit(&audit);
  EXPECT("OK", airwasm_audit_verify(log_path, &b));
  CHECK(strstr((const char *)b.data, "\"first_seq\":1,\"last_hash\":\"") && strstr((const char *)b.data, log_path));
  CHECK(strstr((const char *)b.data, "\"partial_tail\":false") && says(&b, "\"torn_lines\":0"));
  char *text = contents(log_path, &len), *second = strchr(text, '\n');
  char *changed = second ? strstr(second, "reader") : NULL;
  if (!changed && second) changed = strstr(second + 1, "default/r/0");
  if (CHECK(changed)) {
    int line = 1;
    char detail[24];
    for (char *at = text; at < changed; at++) line += *at == '\n';
    *changed ^= 1;
    write_file(log_path, text, len);
    snprintf(detail, sizeof detail, "\"line\":%d", line);
    CHECK(fails("AUDIT_BROKEN", detail, airwasm_audit_verify(log_path, &b)) && b.len == 0);
    *changed ^= 1;
    write_file(log_path, text, len);
    EXPECT("OK", airwasm_audit_verify(log_path, &b));
    airwasm_bytes_free(&b);
  }
  free(text);
  remove_log();
  EXPECT("IO", airwasm_audit_verify(log_path, &b));
}

static void an_audit_log_is_renamed_when_it_is_full(void) {
  airwasm_audit_options audit = AIRWASM_INIT(airwasm_audit_options);
  char rotated[256];
  airwasm_bytes b;
  audit.level = "all", audit.rotate_bytes = 1, audit.rotate_files = 2, audit.summary_ms = 1;
  keep_audit(&audit);
  EXPECT("OK", airwasm_audit_verify(log_path, &b));
  snprintf(rotated, sizeof rotated, "\"%s.2\",\"%s.1\",\"%s\"", log_path, log_path, log_path);
  CHECK(!strstr((const char *)b.data, "\"first_seq\":1,") && says(&b, rotated));
}

static void an_audit_goes_to_the_standard_error_stream_too(void) {
  airwasm_audit_options audit = AIRWASM_INIT(airwasm_audit_options);
  char path[96];
  size_t len;
  snprintf(path, sizeof path, "%s.stderr", log_path);
  int before = dup(2);
  CHECK(freopen(path, "w", stderr) != NULL);
  audit.to_stderr = 1, audit.level = "denials";
  keep_audit(&audit);
  CHECK(dup2(before, 2) == 2 && close(before) == 0);
  char *text = contents(path, &len);
  CHECK(strstr(text, "/private") && strstr(text, "default/r/0"));
  free(text);
}

void abi_audit(void) {
  scratch_open();
  RUN(hostile_i1_i10_arguments);
  RUN(options_that_are_wrong);
  RUN(hostile_i11_struct_sizes);
  RUN(an_audit_log_is_verified_and_one_changed_byte_is_found);
  RUN(an_audit_log_is_renamed_when_it_is_full);
  RUN(an_audit_goes_to_the_standard_error_stream_too);
  scratch_remove();
}
