/* Runs every file of tests/scenarios through the C API; the format is in tests/scenarios/README.md.
 *
 *     runner <scenarios> <guests> [dispatch]
 */
#define _XOPEN_SOURCE 700
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "steps.h"

static airwasm_error *grant(world *w, json_object *step, const char *op) {
  const char *as = json_text(step, "as"), *text;
  airwasm_handle actor, given = 0;
  airwasm_bytes list = {0};
  airwasm_error *error;
  uint64_t cut = 0;
  int count;
  if (strcmp(op, "revoke") == 0) {
    named *known = world_named(w, 'g', step_need(w, step, "grant"));
    long long expected = json_number(step, "expect_cut", -1);
    error = airwasm_revoke(w->system, known ? known->handle : 0, &cut);
    if (!error && expected >= 0 && cut != (uint64_t)expected) world_fault(w, "cut %llu", (unsigned long long)cut);
    return error;
  }
  error = step_actor(w, step, strcmp(op, "grants") == 0 ? "of" : "to", &actor);
  if (error) return error;
  if (strcmp(op, "grant") == 0) {
    uint64_t ttl_ms = (uint64_t)json_number(step, "ttl_ms", 0);
    error = airwasm_grant(w->system, actor, step_need(w, step, "capability"), ttl_ms, &given);
    if (!error && as) world_name(w, 'g', as, given);
    return error;
  }
  text = json_text(step, "expect_grant");
  if ((error = airwasm_grants(w->system, actor, &list))) return error;
  bool found = step_has_item((const char *)list.data, text, false, "capability", &count);
  if ((text && !found) || json_number(step, "expect_count", count) != count) {
    world_fault(w, "grants are %s", (const char *)list.data);
  }
  airwasm_bytes_free(&list);
  return NULL;
}

static airwasm_error *actor(world *w, json_object *step, const char *op) {
  airwasm_handle actor;
  airwasm_bytes status = {0};
  airwasm_error *error;
  if (strcmp(op, "lookup") == 0) {
    error = airwasm_lookup(w->system, step_need(w, step, "id"), &actor);
    return error ? error : step_keep_actor(w, step, actor);
  }
  error = step_actor(w, step, strcmp(op, "status") == 0 ? "of" : "to", &actor);
  if (error) return error;
  if (strcmp(op, "stop") == 0) return airwasm_stop(w->system, actor, 0);
  if (strcmp(op, "kill") == 0) return airwasm_kill(w->system, actor);
  if ((error = airwasm_status(w->system, actor, &status))) return error;
  step_expect(w, step, "expect_state", &status, "state");
  step_expect(w, step, "expect_restarts", &status, "restarts");
  step_expect(w, step, "expect_handled", &status, "handled");
  airwasm_bytes_free(&status);
  return NULL;
}

static airwasm_error *event(world *w, json_object *step) {
  const char *kind = step_need(w, step, "kind"), *of = json_text(step, "of"), *key = json_text(step, "expect_key");
  const char *value = json_text(step, "expect_value");
  named *known = world_named(w, 'a', of);
  airwasm_bytes id = {0};
  airwasm_error *error = known ? airwasm_actor_id(w->system, known->handle, &id) : NULL;
  json_object detail = {.len = 0};
  if (error) return error;
  char *got = world_event(w, kind, known ? (const char *)id.data : of, json_number(step, "within_ms", 5000));
  if (!got || !json_read(got, &detail)) world_fault(w, "no event %s of %s", kind, of ? of : "anybody");
  if (got && key) world_same(w, key, value ? value : "", json_text(&detail, key));
  json_free(&detail), free(got), airwasm_bytes_free(&id);
  return NULL;
}

static airwasm_error *report(world *w, json_object *step, const char *op) {
  airwasm_bytes report = {0};
  airwasm_error *error = strcmp(op, "close") == 0 ? airwasm_close(w->system, 0, &report)
                                                  : airwasm_stats(w->system, &report);
  if (error) return error;
  if (strcmp(op, "stat") == 0) {
    step_expect(w, step, "expect_count", &report, step_need(w, step, "name"));
  } else {
    step_expect(w, step, "expect_stopped", &report, "stopped");
    step_expect(w, step, "expect_dead_letters", &report, "dead_letters");
  }
  airwasm_bytes_free(&report);
  return NULL;
}

static airwasm_error *file(world *w, json_object *step, const char *op) {
  const char *path = step_need(w, step, "path");
  char *parent = strdup(path);
  bool done;
  for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0, mkdir(parent, 0777), *slash = '/';
  }
  free(parent);
  if (strcmp(op, "file") == 0) {
    FILE *out = fopen(path, "w");
    done = out && fputs(step_need(w, step, "text"), out) >= 0;
    if (out) done = fclose(out) == 0 && done;
  } else {
    done = symlink(step_need(w, step, "target"), path) == 0;
  }
  if (!done) world_fault(w, "%s: %s", path, strerror(errno));
  return NULL;
}

static airwasm_error *act(world *w, json_object *step, const char *op) {
  airwasm_handle component = 0;
  if (op_is(op, "load load_path load_bytes load_cut")) return step_load(w, step, op, &component);
  if (op_is(op, "inspect")) return step_inspect(w, step);
  if (op_is(op, "spawn spawn_host")) return step_spawn(w, step, op);
  if (op_is(op, "request_await request_cancel")) return step_request(w, step, op);
  if (op_is(op, "grant revoke grants")) return grant(w, step, op);
  if (op_is(op, "lookup stop kill status")) return actor(w, step, op);
  if (op_is(op, "event")) return event(w, step);
  if (op_is(op, "stat close")) return report(w, step, op);
  if (op_is(op, "file symlink")) return file(w, step, op);
  if (op_is(op, "send request request_size request_many request_start")) return step_message(w, step, op);
  named *loaded = world_named(w, 'c', step_need(w, step, "component"));
  return airwasm_unload(w->system, loaded ? loaded->handle : 0);
}

/* Runs a step and holds what came against what was expected. */
static void run(world *w, json_object *step) {
  const char *name = json_text(step, "expect_error"), *part = json_text(step, "expect_message");
  const char *line = json_text(step, "expect_policy_line"), *which = json_text(step, "expect_which");
  const char *op = step_need(w, step, "op");
  json_object detail = {.len = 0};
  if (!op_known(w, step, op)) return;
  airwasm_error *error = act(w, step, op);
  const char *text = airwasm_error_message(error);
  if (!name && error) world_fault(w, "%s: %s", airwasm_error_name(error), text);
  if (name) world_same(w, "error", name, airwasm_error_name(error));
  if (part && !strstr(text, part)) world_fault(w, "the message is %s", text);
  if (line) world_same(w, "policy line", line, airwasm_error_policy_line(error));
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

static void run_file(const char *path, bool dispatch) {
  FILE *file = fopen(path, "r");
  static world w;
  char *line = NULL, *name = NULL;
  size_t size = 0;
  if (!file) perror(path), exit(2);
  for (int number = 1; getline(&line, &size, file) >= 0; number++) {
    json_object step = {.len = 0};
    if (line[strspn(line, " \r\n")] == 0) continue;
    char *text = with_folder(line, name ? w.folder : "");
    if (!json_read(text, &step)) fprintf(stderr, "%s:%d: no JSON object\n", path, number), exit(2);
    if (json_text(&step, "scenario")) {
      if (name) world_free(&w);
      free(name), name = strdup(json_text(&step, "scenario"));
      world_open(&w, dispatch), tally.scenarios++;
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
