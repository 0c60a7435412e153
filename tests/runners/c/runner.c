/* Runs every file of tests/scenarios through the C API; the format is in tests/scenarios/README.md.
 *
 *     runner <scenarios> <guests> [dispatch]
 */
#define _XOPEN_SOURCE 700
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "steps.h"

/* Runs a step and holds what came against what was expected. */
static void run(world *w, json_object *step) {
  const char *name = json_text(step, "expect_error"), *part = json_text(step, "expect_message");
  const char *line = json_text(step, "expect_policy_line"), *which = json_text(step, "expect_which");
  const char *op = step_need(w, step, "op");
  json_object detail = {.len = 0};
  step_act *act = op_known(w, step, op);
  if (!act) return;
  airwasm_error *error = act(w, step, op);
  const char *text = airwasm_error_message(error);
  if (!name && error) world_fault(w, "%s: %s", airwasm_error_name(error), text);
  if (name) world_same(w, "error", name, airwasm_error_name(error));
  if (part && !strstr(text, part)) world_fault(w, "the message is %s", text);
  /* An explanation that succeeds has a policy line of its own. */
  if (line && (error || strcmp(op, "policy_explain") != 0)) {
    world_same(w, "policy line", line, airwasm_error_policy_line(error));
  }
  if (which && json_read(airwasm_error_detail(error), &detail)) world_same(w, "which", which, json_text(&detail, "which"));
  json_free(&detail);
  airwasm_error_free(error);
}

/* The line with the folder's path for each $TMP; yours to free. */
static char *with_folder(const char *line, const char *folder) {
  size_t count = 0;
  for (const char *at = line; (at = strstr(at, "$TMP")); at += 4) count++;
  char *text = malloc(strlen(line) + count * strlen(folder) + 1), *out = text;
  for (const char *found; (found = strstr(line, "$TMP")); line = found + 4) {
    out += sprintf(out, "%.*s%s", (int)(found - line), line, folder);
  }
  strcpy(out, line);
  return text;
}

static struct {
  int scenarios, steps, failed;
} tally;

/* Whether each guest that the scenario needs was made. */
static bool all_there(const char *scenario, const char *needs) {
  for (size_t len; *needs; needs += len + strspn(needs + len, " ")) {
    char path[1024];
    len = strcspn(needs, " ");
    snprintf(path, sizeof path, "%s/%.*s.wasm", guests, (int)len, needs);
    if (access(path, F_OK) == 0) continue;
    printf("skipped: %s: no %.*s\n", scenario, (int)len, needs);
    return false;
  }
  return true;
}

static void run_file(const char *path, bool dispatch) {
  FILE *file = fopen(path, "r");
  static world w;
  char *line = NULL, *name = NULL, code[1024];
  size_t size = 0;
  if (!file) perror(path), exit(2);
  for (int number = 1; getline(&line, &size, file) >= 0; number++) {
    json_object step = {.len = 0};
    if (line[strspn(line, " \r\n")] == 0) continue;
    char *text = with_folder(line, name ? w.folder : "");
    if (!json_read(text, &step)) fprintf(stderr, "%s:%d: no JSON object\n", path, number), exit(2);
    if (json_text(&step, "scenario")) {
      const char *needs = json_text(&step, "needs");
      if (name) world_free(&w);
      free(name), name = NULL;
      if (all_there(json_text(&step, "scenario"), needs ? needs : "")) {
        snprintf(code, sizeof code, "%s-code", guests);
        name = strdup(json_text(&step, "scenario"));
        world_open(&w, dispatch, needs ? code : NULL), tally.scenarios++;
      }
    } else if (name && !w.fault[0]) {
      tally.steps++;
      run(&w, &step);
      if (w.fault[0]) printf("%s:%d: %s: %s\n  %s", path, number, name, w.fault, line), tally.failed++;
    }
    json_free(&step), free(text);
  }
  if (name) world_free(&w);
  free(name), free(line), fclose(file);
}

static int is_scenario(const struct dirent *entry) {
  size_t len = strlen(entry->d_name);
  return len > 6 && strcmp(entry->d_name + len - 6, ".jsonl") == 0;
}

int main(int argc, char **argv) {
  struct dirent **files;
  bool dispatch = argc > 3 && strcmp(argv[3], "dispatch") == 0;
  if (argc < 3) return fputs("usage: runner <scenarios> <guests> [dispatch]\n", stderr), 2;
  int count = scandir(argv[1], &files, is_scenario, alphasort);
  guests = argv[2];
  for (int n = 0; n < count; n++) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", argv[1], files[n]->d_name);
    run_file(path, dispatch);
    free(files[n]);
  }
  if (count >= 0) free(files);
  printf("host=%s scenarios=%d steps=%d failed=%d\n", dispatch ? "c-dispatch" : "c", tally.scenarios, tally.steps,
         tally.failed);
  return tally.failed || !tally.scenarios;
}
