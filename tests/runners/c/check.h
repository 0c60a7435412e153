/* What the tests of the C ABI share: a tally of tests, and the few things that each of them does. */
#ifndef AIRWASM_TESTS_CHECK_H
#define AIRWASM_TESTS_CHECK_H

#include <airwasm.h>
#include <stdbool.h>

/* The folder of the guests; program is this one, to run itself again. */
extern const char *guests, *program;

/* Fails the running test, with the place, unless condition holds; the test goes on. */
#define CHECK(condition) check((condition), __FILE__, __LINE__, #condition)
bool check(bool holds, const char *file, int line, const char *what);

/* Fails the running test unless the error has this name ("OK" for none) and frees it. */
#define EXPECT(name, call) expect((name), NULL, (call), __FILE__, __LINE__, #call)
/* The same for INVALID_ARGUMENT about this argument. */
#define WRONG(which, call) expect("INVALID_ARGUMENT", (which), (call), __FILE__, __LINE__, #call)
void expect(const char *name, const char *which, airwasm_error *error, const char *file, int line, const char *call);

/* Runs a test and counts it. */
#define RUN(test) run(#test, test)
void run(const char *name, void (*test)(void));

/* Prints the tally; the exit code. */
int tally(void);

/* A system, or the end of the program. */
airwasm_system *open_system(uint32_t completions);

/* An actor of the guest, spawned in the system. */
airwasm_handle spawn_guest(airwasm_system *system, const char *guest);

/* The path of a guest; it lives until the next call. */
const char *guest_path(const char *guest);

/* Waits until the counter, which callbacks raise, is at least so high; false after 20 s. */
typedef struct counter counter;
counter *counter_new(void);
void counter_raise(counter *counter);
int counter_value(counter *counter);
bool counter_wait(counter *counter, int at_least);

void abi_pointers(void);
void abi_handles(void);
void abi_calls(void);
void abi_trees(void);
void abi_watching(void);
void abi_waiting(void);
void abi_times(void);
void abi_policy(void);
void abi_audit(void);
void abi_process(void);
void abi_data(void);

/* What the process tests run in a process of its own; its exit code. */
int abi_child(const char *what);

#endif
