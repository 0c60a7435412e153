/* A policy file: what it denies, why, its own tests, and loaded again.
 *
 *     cc main.c $(pkg-config --cflags --libs airwasm) && ./a.out target/guests
 */
#define _XOPEN_SOURCE 700
#include <airwasm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void ok(airwasm_error *e) {
  if (e) fprintf(stderr, "%s\n", airwasm_error_message(e)), exit(1);
}

static void write_file(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  if (!file || fputs(text, file) < 0 || fclose(file)) perror(path), exit(1);
}

static void write_policy(const char *path, const char *docs, const char *deny) {
  char text[1024];
  snprintf(text, sizeof text,
           "version: 1\n"
           "rules:\n"
           "  - name: readers\n"
           "    actors: [tools/reader/*]\n"
           "    allow: [\"fs.read %s/**\"]\n"
           "    deny: [%s]\n"
           "tests:\n"
           "  - { actor: tools/reader/0, allow: \"fs.read %s/guide.md\" }\n",
           docs, deny, docs);
  write_file(path, text);
}

static void print(airwasm_bytes bytes) {
  puts((const char *)bytes.data);
  airwasm_bytes_free(&bytes);
}

int main(int argc, char **argv) {
  const char *guests = argc > 1 ? argv[1] : "target/guests";
  char folder[] = "/tmp/airwasm-policy-XXXXXX", policy[64], pay[64], text[128], path[1024];
  airwasm_options options = AIRWASM_INIT(airwasm_options);
  airwasm_actor_spec spec = AIRWASM_INIT(airwasm_actor_spec);
  airwasm_system *s;
  airwasm_handle reader;
  airwasm_bytes told;

  if (!mkdtemp(folder)) return perror(folder), 1;
  snprintf(policy, sizeof policy, "%s/policy.yaml", folder);
  snprintf(pay, sizeof pay, "%s/pay.txt", folder);
  write_file(pay, "what everybody earns");
  snprintf(text, sizeof text, "\"fs.read %s\"", pay);
  write_policy(policy, folder, text);

  options.policy = policy;
  ok(airwasm_open(&options, &s));
  snprintf(path, sizeof path, "%s/reader.wasm", guests);
  ok(airwasm_load(s, path, &spec.component));
  spec.name = "tools/reader/0";
  ok(airwasm_spawn(s, &spec, &reader));

  airwasm_error *e = airwasm_request(s, reader, pay, strlen(pay), NULL, &told);
  printf("%s\n%s\n", airwasm_error_message(e), airwasm_error_detail(e)); /* … "rule":"…/policy.yaml:6 …" */
  airwasm_error_free(e);

  snprintf(text, sizeof text, "fs.read %s", pay);
  ok(airwasm_policy_explain(s, "tools/reader/0", text, &told));
  print(told); /* deny: …/policy.yaml:6 fs.read … beats …/policy.yaml:5 fs.read … */
  ok(airwasm_policy_test(s, &told));
  print(told); /* {"failed":[],"passed":1} */

  write_policy(policy, folder, "");
  ok(airwasm_policy_load(s, policy)); /* all or nothing, and for those that live */
  ok(airwasm_request(s, reader, pay, strlen(pay), NULL, &told));
  print(told); /* what everybody earns */

  ok(airwasm_close(s, 0, NULL));
  airwasm_system_free(s);
  unlink(pay), unlink(policy), rmdir(folder);
  return 0;
}
