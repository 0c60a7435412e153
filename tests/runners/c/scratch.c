#define _XOPEN_SOURCE 700
#include "scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

char policy[80], log_path[80];
static char folder[64];

void scratch_open(void) {
  char path[80];
  strcpy(folder, "/tmp/airwasm-abi-XXXXXX");
  if (!mkdtemp(folder)) perror(folder), exit(2);
  snprintf(policy, sizeof policy, "%s/policy.yaml", folder);
  snprintf(log_path, sizeof log_path, "%s/audit.log", folder);
  for (int n = 0; n < 2; n++) {
    snprintf(path, sizeof path, "%s/%s", folder, n ? "a" : "private");
    write_file(path, "text", 4);
  }
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where) {
  (void)status, (void)kind, (void)where;
  return remove(path);
}

void scratch_remove(void) { nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

const char readers[] =
    "rules:\n"
    "  - actors: [r]\n"
    "    allow: [\"fs.read $/**\"]\n"
    "    deny: [\"fs.read $/private\"]\n"
    "tests:\n"
    "  - { actor: r, allow: \"fs.read $/a\" }\n"
    "  - { actor: r, deny: \"fs.read $/private\" }\n";

void write_file(const char *path, const char *text, size_t len) {
  char aside[96];
  snprintf(aside, sizeof aside, "%s.new", path);
  FILE *file = fopen(aside, "w");
  CHECK(file && fwrite(text, 1, len, file) == len && fclose(file) == 0 && rename(aside, path) == 0);
}

const char *write_policy(const char *lines) {
  char text[2048] = "version: 1\n";
  for (size_t len = strlen(text); *lines && len < sizeof text - sizeof folder; lines++) {
    len += (size_t)snprintf(text + len, sizeof text - len, "%.*s", *lines == '$' ? (int)sizeof folder : 1,
                            *lines == '$' ? folder : lines);
  }
  write_file(policy, text, strlen(text));
  return policy;
}

const char *to_read(const char *name) {
  static char text[96];
  snprintf(text, sizeof text, "fs.read %s/%s", folder, name);
  return text;
}

bool says(airwasm_bytes *bytes, const char *part) {
  bool found = bytes->data && bytes->data[bytes->len] == 0 && strstr((const char *)bytes->data, part);
  if (!found) printf("  %s\n", (const char *)bytes->data);
  airwasm_bytes_free(bytes);
  return found;
}

bool fails(const char *name, const char *part, airwasm_error *error) {
  bool so = strcmp(airwasm_error_name(error), name) == 0 && strstr(airwasm_error_detail(error), part);
  if (!so) printf("  %s %s\n", airwasm_error_name(error), airwasm_error_detail(error));
  airwasm_error_free(error);
  return so;
}

airwasm_system *open_with(const airwasm_options *options) {
  airwasm_system *system = NULL;
  EXPECT("OK", airwasm_open(options, &system));
  if (!system) exit(2);
  return system;
}

airwasm_handle spawn_reader(airwasm_system *system) {
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_handle actor = 0;
  spec.name = "r";
  EXPECT("OK", airwasm_load(system, guest_path("reader"), &spec.component));
  EXPECT("OK", airwasm_spawn(system, &spec, &actor));
  return actor;
}

airwasm_error *read_file(airwasm_system *system, airwasm_handle reader, const char *name) {
  const char *path = to_read(name) + strlen("fs.read ");
  return airwasm_request(system, reader, path, strlen(path), NULL, NULL);
}
