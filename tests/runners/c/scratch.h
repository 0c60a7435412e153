/* A folder with the files a and private, a policy file and an audit log, and an actor that reads there. */
#ifndef AIRWASM_TESTS_SCRATCH_H
#define AIRWASM_TESTS_SCRATCH_H

#include <airwasm.h>
#include <stdbool.h>

/* The paths of the policy and of the log, in a new folder from scratch_open to scratch_remove. */
extern char policy[80], log_path[80];
void scratch_open(void);
void scratch_remove(void);

/* Writes the file beside its place and moves it there, so that who watches it sees it whole. */
void write_file(const char *path, const char *text, size_t len);

/* Writes a policy of these lines, in which each $ is the folder; its path. */
const char *write_policy(const char *lines);

/* The lines of one whose two tests hold: r may read the folder but for private. */
extern const char readers[];

/* "fs.read " and the file; it lives until the next call. */
const char *to_read(const char *name);

airwasm_system *open_with(const airwasm_options *options);

/* The actor r. */
airwasm_handle spawn_reader(airwasm_system *system);
airwasm_error *read_file(airwasm_system *system, airwasm_handle reader, const char *name);

/* Whether the bytes hold this; frees them. */
bool says(airwasm_bytes *bytes, const char *part);

/* Whether it is this error and has this in its detail; frees it. */
bool fails(const char *name, const char *part, airwasm_error *error);

#endif
