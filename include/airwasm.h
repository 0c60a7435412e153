// airwasm: WebAssembly components as supervised actors with permissions that can be taken back.
//
//     cc main.c $(pkg-config --cflags --libs airwasm)
//
// Generated from ffi-c by tools/header; not to be edited.
//
// Errors. A function that can go wrong returns an airwasm_error, yours to free; NULL is success. Its out-params come
// last and are 0, NULL or empty after an error. A NULL where a value is needed, a pointer that is not aligned, a
// length without data and text that is not UTF-8 are INVALID_ARGUMENT, whose detail "which" is the parameter's name.
//
// Text is NUL-terminated UTF-8; bytes are a pointer and a length. What is passed in is borrowed for the call; what is
// kept is copied.
//
// Structs that grow begin with their size: write airwasm_budget budget = AIRWASM_INIT(airwasm_budget); and set what
// you need. 0 and NULL are the core's default, AIRWASM_UNLIMITED is no bound. A program built with an older header
// runs with a newer library; one built with a newer header runs with an older library as long as it sets no field
// that this one lacks.
//
// Callbacks are a function, a context given to it, and a finalizer for the context, which may be NULL, runs exactly
// once, last, on any thread, and must not call the library. What is lent to a callback lives for its call. An
// exception that leaves a callback ends the process.
//
// Threads. Every function may be called from any thread, from callbacks too where its comment does not forbid it.
// Handlers and event callbacks run on threads of the library. A call that waits blocks its thread, and so has an
// _async twin. Signals are left as they are.
//
// fork. In a forked child every system of the parent answers FORKED; the child may open its own.

#ifndef AIRWASM_H
#define AIRWASM_H

#include <stddef.h>
#include <stdint.h>

// The version of this header; airwasm_version() is the library's.
#define AIRWASM_VERSION "0.1.0"
#define AIRWASM_VERSION_NUMBER 100

// What airwasm_error_code returns. Numbers are only ever added.
enum {
  AIRWASM_OK = 0,
  // An argument has a value that is not allowed; "which" names it.
  AIRWASM_E_INVALID_ARGUMENT = 10,
  // A handle of another kind, or of another system.
  AIRWASM_E_INVALID_HANDLE = 11,
  // The system is closed or closing.
  AIRWASM_E_CLOSED = 12,
  // The system was opened before this process was forked.
  AIRWASM_E_FORKED = 13,
  // A blocking call on the very thread that must answer it.
  AIRWASM_E_WOULD_DEADLOCK = 14,
  // This platform or build lacks it.
  AIRWASM_E_UNSUPPORTED = 15,
  // The bytes are no valid component; "offset" says where.
  AIRWASM_E_INVALID_COMPONENT = 20,
  // A core module where a component is needed.
  AIRWASM_E_CORE_MODULE = 21,
  // The component is too large, or too dear to compile.
  AIRWASM_E_COMPILE_LIMIT = 22,
  // An import that nobody implements; "import" names it.
  AIRWASM_E_IMPORT_MISSING = 23,
  // The component lacks the export.
  AIRWASM_E_EXPORT_MISSING = 24,
  // An export or a value has another type than its WIT says.
  AIRWASM_E_TYPE_MISMATCH = 25,
  // The component needs the "full" engine profile.
  AIRWASM_E_PROFILE_REQUIRED = 26,
  // The actor lacks a capability; "policy_line" is the line that would allow it.
  AIRWASM_E_DENIED = 30,
  // Work in flight was cut because its grant was taken back.
  AIRWASM_E_GRANT_REVOKED = 31,
  // Work in flight was cut because its grant ran out.
  AIRWASM_E_GRANT_EXPIRED = 32,
  // No actor has this id or number.
  AIRWASM_E_ACTOR_NOT_FOUND = 40,
  // The actor has stopped; "reason" says why.
  AIRWASM_E_ACTOR_STOPPED = 41,
  // The id is taken.
  AIRWASM_E_ALREADY_EXISTS = 42,
  // No component, grant or subscription has this number.
  AIRWASM_E_NOT_FOUND = 43,
  // The mailbox is at its bound.
  AIRWASM_E_MAILBOX_FULL = 50,
  // The payload is over the bound; nothing was copied.
  AIRWASM_E_PAYLOAD_TOO_LARGE = 51,
  // The message was dropped for a newer one.
  AIRWASM_E_MESSAGE_DROPPED = 52,
  // As many instances live as may live.
  AIRWASM_E_POOL_EXHAUSTED = 53,
  // The caller's deadline passed; the actor lives on.
  AIRWASM_E_TIMEOUT = 60,
  // The caller cancelled; the actor lives on.
  AIRWASM_E_CANCELLED = 61,
  // The request would wait for itself.
  AIRWASM_E_CYCLE = 62,
  // The guest trapped.
  AIRWASM_E_TRAPPED = 70,
  // The actor's own answer: a failure, not a crash.
  AIRWASM_E_FAILURE = 71,
  // The host handler raised.
  AIRWASM_E_HANDLER_RAISED = 72,
  // The actor did not start; "hook" says where.
  AIRWASM_E_START_FAILED = 73,
  // A limit of the instance was exceeded.
  AIRWASM_E_LIMIT_EXCEEDED = 80,
  // A message used more than its budget.
  AIRWASM_E_BUDGET_EXCEEDED = 81,
  // The supervisor restarted as often as it may.
  AIRWASM_E_GAVE_UP = 90,
  // A child spec is not valid.
  AIRWASM_E_INVALID_CHILD = 91,
  // The deployment was refused; nothing was stopped.
  AIRWASM_E_DEPLOY_REFUSED = 100,
  // The deployment was rolled back.
  AIRWASM_E_DEPLOY_ROLLED_BACK = 101,
  // The policy file is not valid; the old policy holds.
  AIRWASM_E_POLICY_INVALID = 110,
  // A test inside the policy file failed; the old policy holds.
  AIRWASM_E_POLICY_TEST_FAILED = 111,
  // The audit log cannot be written or does not verify.
  AIRWASM_E_AUDIT_BROKEN = 112,
  // The operating system refused.
  AIRWASM_E_IO = 120,
  // A fault of airwasm itself; please report it.
  AIRWASM_E_INTERNAL = 130,
  // A panic was caught at the boundary; please report it.
  AIRWASM_E_PANIC = 131,
};

// The start of every struct that begins with its size: all else is the default.
#ifdef __cplusplus
#define AIRWASM_INIT(type) ([] { type init_{}; init_.struct_size = sizeof(type); return init_; }())
#else
#define AIRWASM_INIT(type) { .struct_size = sizeof(type) }
#endif

// No bound at all, for each time and each count in the structs and calls below; 0 or NULL is the core's default.
#define AIRWASM_UNLIMITED UINT64_MAX

// The number 0 where 0 itself is the core's default, as in airwasm_backoff.initial_ms for a restart at once. It is
// exact as a double too.
#define AIRWASM_ZERO 9223372036854775808ull

// For airwasm_options.completions: completions run on an airwasm thread.
#define AIRWASM_THREAD 0

// For airwasm_options.completions: completions run inside airwasm_dispatch.
#define AIRWASM_DISPATCH 1

// For .restart of a spec: started again whenever it ends.
#define AIRWASM_PERMANENT 1

// For .restart of a spec: started again after a crash.
#define AIRWASM_TRANSIENT 2

// For .restart of a spec: never started again.
#define AIRWASM_TEMPORARY 3

// For airwasm_actor_spec.overflow: a message that finds the mailbox full is refused with MAILBOX_FULL.
#define AIRWASM_OVERFLOW_REJECT 1

// For airwasm_actor_spec.overflow: the oldest message that waits is dropped for it, with MESSAGE_DROPPED.
#define AIRWASM_OVERFLOW_DROP_OLDEST 2

// For airwasm_actor_spec.overflow: its sender waits for room, see airwasm_send.
#define AIRWASM_OVERFLOW_BLOCK 3

// For airwasm_supervisor_spec.strategy: a child is restarted alone.
#define AIRWASM_ONE_FOR_ONE 1

// For airwasm_supervisor_spec.strategy: all children are restarted with it.
#define AIRWASM_ONE_FOR_ALL 2

// For airwasm_supervisor_spec.strategy: those that were started after it are restarted with it.
#define AIRWASM_REST_FOR_ONE 3

// For airwasm_supervisor_spec.give_up: it stops all children and ends; its own supervisor decides what then.
#define AIRWASM_GIVE_UP_ESCALATE 1

// For airwasm_supervisor_spec.give_up: it stops all children and starts them anew, and the next time escalates.
#define AIRWASM_GIVE_UP_RESTART 2

// For airwasm_supervisor_spec.give_up: that child stays down, the others go on.
#define AIRWASM_GIVE_UP_IGNORE 3

// For airwasm_supervisor_spec.auto_shutdown: it stays whatever ends.
#define AIRWASM_AUTO_SHUTDOWN_NEVER 1

// For airwasm_supervisor_spec.auto_shutdown: it stops with the first significant child that ended for good.
#define AIRWASM_AUTO_SHUTDOWN_ANY_SIGNIFICANT 2

// For airwasm_supervisor_spec.auto_shutdown: it stops with the last significant child that ended for good.
#define AIRWASM_AUTO_SHUTDOWN_ALL_SIGNIFICANT 3

// What went wrong: NULL is success. It is yours: free it once with airwasm_error_free.
typedef struct airwasm_error airwasm_error;

// The duty to answer one message: exactly one airwasm_reply_ function must be called, from any thread; it takes the
// reply over.
typedef struct airwasm_reply airwasm_reply;

// One world of components, actors and grants. Any thread may use it; airwasm_system_free is the last call on it.
typedef struct airwasm_system airwasm_system;

// How the audit is kept.
typedef struct {
  // sizeof(airwasm_audit_options).
  uint32_t struct_size;
  // Not 0: the records are written to the standard error stream as well.
  uint32_t to_stderr;
  // What is written: "default", which counts allowed messages, keys, clocks, random numbers and stdio and sums them up;
  // "denials"; or "all".
  const char *level;
  // What happens to decisions while the file cannot be written: "open" (the default) lets them go on and counts what
  // is lost, "closed" denies everything.
  const char *on_failure;
  // What happens to a record while too many wait to be written: "block" (the default), or "count", which leaves it
  // out.
  const char *on_full;
  // At which size the file is renamed to .1, that to .2, and so on; 0: never.
  uint64_t rotate_bytes;
  // How many renamed files stay; AIRWASM_ZERO: none.
  uint64_t rotate_files;
  // How often what was only counted is written.
  uint64_t summary_ms;
} airwasm_audit_options;

// What may be said when a system is opened.
typedef struct {
  // sizeof(airwasm_options).
  uint32_t struct_size;
  // AIRWASM_THREAD (the default) or AIRWASM_DISPATCH.
  uint32_t completions;
  // Path of the policy file, as airwasm_policy_load takes it.
  const char *policy;
  // Path of the file that audit records are appended to; without it the last 1,000 are kept in memory.
  const char *audit;
  // Path of the folder for compiled code, made if there is none. It must be this user's alone; without it nothing is kept.
  const char *cache_dir;
  // "hardened" (the default) or "full".
  const char *profile;
  // How often to look whether the policy loaded last has changed, to load it again then; 0: only when asked to.
  uint64_t policy_watch_ms;
  // How the audit is kept.
  const airwasm_audit_options *audit_options;
  // Path of the file of the key-value store, made if there is none; without it there is no store. It is this user's
  // alone, no grant of files reaches it, and nobody else can have it open.
  const char *kv;
  // The absolute path of a program that compiles in a process of its own, within hard limits, and its arguments: the
  // `airwasm-compile` of this version. What it answers is trusted. None: components are compiled on threads of this process.
  const char *const *compile_helper;
  // How many texts those are.
  size_t compile_helper_len;
  // Not 0: fuel is counted, so that a budget may bound it; all guests run slower then.
  uint32_t fuel;
} airwasm_options;

// Bytes that the library made: yours, to free with airwasm_bytes_free. Where a function returns them, data is never
// NULL and data[len] is 0, not counted, so that text prints. This layout is frozen.
typedef struct {
  // The bytes.
  const uint8_t *data;
  // How many they are.
  size_t len;
  // The library's own.
  void *owner;
} airwasm_bytes;

// A number that names a component, actor, grant, request, subscription or timer; a supervisor's is an actor's. 0 is
// none. It owns nothing and needs no free; an actor's stays valid over its restarts; a stale one is an error, never a
// crash.
typedef uint64_t airwasm_handle;

// How an operation ended: the error, or else the bytes or the handle it was for. The struct lives as long as the
// call; the error and the bytes are the callee's, who frees them.
typedef struct {
  // The size that the library gives it.
  uint32_t struct_size;
  // NULL is success.
  airwasm_error *error;
  // A reply or a report; empty where there is none, and free to be freed all the same.
  airwasm_bytes bytes;
  // A component, an actor or a supervisor; 0 where there is none.
  airwasm_handle handle;
} airwasm_outcome;

// What is told the outcome of an operation, exactly once, if the call that started it succeeded; never inside that
// call. With AIRWASM_THREAD it runs on an airwasm thread, possibly before that call returns; with AIRWASM_DISPATCH
// inside airwasm_dispatch.
typedef struct {
  // Called once.
  void (*call)(void *context, airwasm_outcome *outcome);
  // Given to both functions.
  void *context;
  // May be NULL.
  void (*free)(void *context);
} airwasm_completion;

// What one instance may hold at once.
typedef struct {
  // sizeof(airwasm_limits).
  uint32_t struct_size;
  // All linear memories together.
  uint64_t memory_bytes;
  // All tables together.
  uint64_t table_elements;
  // Host resources, such as open files.
  uint64_t handles;
  // Messages that wait.
  uint64_t mailbox_messages;
  // Payload bytes that wait.
  uint64_t mailbox_bytes;
  // One payload, in or out.
  uint64_t payload_bytes;
  // Percent of one processor, 1 to 100, over each 100 ms; a guest that has used it up waits.
  uint64_t cpu_percent;
  // Bytes written to files over all lives of an actor. What was overwritten or removed is not given back.
  uint64_t written_bytes;
  // All regions that an actor has made and that are not removed.
  uint64_t region_bytes;
} airwasm_limits;

// What one message may use. Time is counted from the start of its handling.
typedef struct {
  // sizeof(airwasm_budget).
  uint32_t struct_size;
  // Time that the guest computes.
  uint64_t cpu_ms;
  // Time until the answer, asleep or not.
  uint64_t wall_ms;
  // Fuel, about one an instruction; only in a system that counts it. It is exceeded by no more than the straight code
  // up to the next function or turn of a loop, and by what others use for the guest until they pause.
  uint64_t fuel;
  // Bytes of the reply and of messages sent.
  uint64_t output_bytes;
  // Calls into the host.
  uint64_t host_calls;
} airwasm_budget;

// What an actor is made of.
typedef struct {
  // sizeof(airwasm_actor_spec).
  uint32_t struct_size;
  // 0, AIRWASM_PERMANENT, AIRWASM_TRANSIENT or AIRWASM_TEMPORARY.
  uint32_t restart;
  // What it runs; 0 for airwasm_spawn_host.
  airwasm_handle component;
  // "namespace/name/instance" or a bare name; NULL: the file's stem and the next free number.
  const char *name;
  // Capabilities as text, such as "fs.read /data/**".
  const char *const *grants;
  // How many grants there are.
  size_t grants_len;
  // What an instance may hold.
  const airwasm_limits *limits;
  // What a message may use.
  const airwasm_budget *budget;
  // JSON text for the guest's pre-start.
  const char *config;
  // How long a stop waits before it kills.
  uint64_t shutdown_ms;
  // Not 0: its end counts for its supervisor's auto_shutdown.
  uint32_t significant;
  // What becomes of a message that finds the mailbox full: 0 or one of AIRWASM_OVERFLOW_*.
  uint32_t overflow;
  // How often it is asked how it is, by the guest's health; 0: never.
  uint64_t health_interval_ms;
  // How many checks in a row may be missed before its life is ended; AIRWASM_ZERO: none.
  uint64_t health_missed;
  // How many of its answers within error_period_ms may be errors before its life is ended; 0: no bound,
  // AIRWASM_ZERO: none.
  uint64_t errors_max;
  // The window of errors_max.
  uint64_t error_period_ms;
  // What a guest is given as its arguments. No name of a program stands before them.
  const char *const *args;
  // How many arguments there are.
  size_t args_len;
  // Variables as "NAME=value", of which a guest sees those that a live grant covers, such as "env LANG". Nothing is
  // taken from the environment of the host.
  const char *const *env;
  // How many variables there are.
  size_t env_len;
  // Where its wasi:http/incoming-handler is asked, as "127.0.0.1:8080"; port 0: a free one. Needs the grant
  // "net.listen" of that address; NULL: it serves no http.
  const char *http_listen;
} airwasm_actor_spec;

// A message as a handler sees it. It and what it points to live as long as the call that they are given to.
typedef struct {
  // The size that the library gives it.
  uint32_t struct_size;
  // The id of the sending actor; "" if the host itself sent it. Set by the system, never by a guest.
  const char *sender;
  // The id of the actor it was sent to.
  const char *to;
  // What the bytes are, as a media type; NULL if the sender did not say.
  const char *content_type;
  // The bytes: never NULL, and payload[payload_len] is 0.
  const uint8_t *payload;
  // How many they are.
  size_t payload_len;
  // The topic it was published under; NULL if it was not.
  const char *topic;
} airwasm_message;

// A C function as an actor: called for one message at a time, on an airwasm thread, where it may block. It owns the
// reply and may keep it to answer later, from any thread; the next message comes when the reply was given.
typedef struct {
  // Called for each message.
  void (*call)(void *context, const airwasm_message *message, airwasm_reply *reply);
  // Given to both functions.
  void *context;
  // May be NULL.
  void (*free)(void *context);
} airwasm_handler;

// How an outcome is waited for.
typedef struct {
  // sizeof(airwasm_wait_options).
  uint32_t struct_size;
  // The id of the actor on whose behalf the host waits: one whose handler keeps its reply until the outcome comes. A
  // circle of such waits is CYCLE at once; what was asked for happens all the same, but that a message is not sent.
  // Inside a handler a call that blocks knows it without this.
  const char *asked_by;
} airwasm_wait_options;

// One child of a supervisor: a guest or a function has actor set, a supervisor has supervisor set, and never both.
typedef struct {
  // sizeof(airwasm_child).
  uint32_t struct_size;
  // What an actor is made of.
  const airwasm_actor_spec *actor;
  // A supervisor with children of its own.
  const struct airwasm_supervisor_spec *supervisor;
  // The function of an actor that has no component; it serves all its lives. Each call that is given the child takes
  // it over even if it fails, so it is one for each call.
  airwasm_handler handler;
} airwasm_child;

// How long a restart waits.
typedef struct {
  // sizeof(airwasm_backoff).
  uint32_t struct_size;
  // Before the first restart; AIRWASM_ZERO: it is at once.
  uint64_t initial_ms;
  // At most.
  uint64_t max_ms;
  // Growth with each restart in a row, at least 1.
  double factor;
  // Share of the delay, up to 1, that is random; AIRWASM_ZERO: none.
  double jitter;
} airwasm_backoff;

// What a supervisor is made of.
typedef struct airwasm_supervisor_spec {
  // sizeof(airwasm_supervisor_spec).
  uint32_t struct_size;
  // 0, AIRWASM_ONE_FOR_ONE, AIRWASM_ONE_FOR_ALL or AIRWASM_REST_FOR_ONE.
  uint32_t strategy;
  // "namespace/name/instance" or a bare name.
  const char *name;
  // Its children in the order of their starts. None may be NULL; one without handler and supervisor may stand twice.
  const airwasm_child *const *children;
  // How many children there are.
  size_t children_len;
  // How long a restart waits.
  const airwasm_backoff *backoff;
  // Restarts that are allowed within period_ms; AIRWASM_ZERO: none.
  uint64_t intensity;
  // The sliding window of intensity.
  uint64_t period_ms;
  // What it does when it would have to restart more often: 0 or one of AIRWASM_GIVE_UP_*.
  uint32_t give_up;
  // Whether it stops with its significant children: 0 or one of AIRWASM_AUTO_SHUTDOWN_*.
  uint32_t auto_shutdown;
  // Among the children of another: 0, AIRWASM_PERMANENT, AIRWASM_TRANSIENT or AIRWASM_TEMPORARY.
  uint32_t restart;
} airwasm_supervisor_spec;

// How a message is sent.
typedef struct {
  // sizeof(airwasm_send_options).
  uint32_t struct_size;
  // What the bytes are, as a media type.
  const char *content_type;
  // For airwasm_send_async: see airwasm_wait_options.
  const char *asked_by;
} airwasm_send_options;

// How a request is made.
typedef struct {
  // sizeof(airwasm_request_options).
  uint32_t struct_size;
  // How long the caller waits. Ends the wait, never the actor.
  uint64_t timeout_ms;
  // What the bytes are, as a media type.
  const char *content_type;
  // See airwasm_wait_options.
  const char *asked_by;
} airwasm_request_options;

// One thing that happened. It and its texts live as long as the call that they are given to.
typedef struct {
  // The size that the library gives it.
  uint32_t struct_size;
  // Counts from 1 in each system; 0 for events.lost, which only its reader sees.
  uint64_t seq;
  // Wall time, in milliseconds since 1970.
  int64_t time_unix_ms;
  // Dotted text, such as "actor.crashed".
  const char *kind;
  // The three-part id of the actor, or "".
  const char *actor;
  // The facts, as a JSON object.
  const char *detail;
} airwasm_event;

// What is told of events: one at a time, on an airwasm thread, where it may block.
typedef struct {
  // Called for each event.
  void (*call)(void *context, const airwasm_event *event);
  // Given to both functions.
  void *context;
  // May be NULL.
  void (*free)(void *context);
} airwasm_event_callback;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the library that runs, such as "0.1.0"; AIRWASM_VERSION is the header's. Never freed.
const char *airwasm_version(void);

// The same as a number: major * 10000 + minor * 100 + patch.
uint32_t airwasm_version_number(void);

// Opens a system. options may be NULL. *system is yours: airwasm_close ends its work, airwasm_system_free its life.
airwasm_error *airwasm_open(const airwasm_options *options, airwasm_system **system);

// Stops every actor in at most deadline_ms, then kills; idempotent. report (may be NULL) says how it went, as JSON:
// {"stopped":2,"killed":0,"dead_letters":0}. Every later call but airwasm_system_free and airwasm_dispatch is
// CLOSED. Inside a handler it is WOULD_DEADLOCK.
airwasm_error *airwasm_close(airwasm_system *system, uint64_t deadline_ms, airwasm_bytes *report);

// airwasm_close that does not wait: outcome->bytes is the report. See airwasm_request_async.
airwasm_error *airwasm_close_async(airwasm_system *system,
                                   uint64_t deadline_ms,
                                   airwasm_completion completion,
                                   airwasm_handle *request);

// Frees a system; NULL is fine. It is the last call on it, from any thread. One that was not closed is killed
// without waiting. With AIRWASM_DISPATCH it first runs every completion that did not run yet; those without an
// answer are told CLOSED. In a forked child it does nothing: what belongs to the parent is left alone.
void airwasm_system_free(airwasm_system *system);

// Counters as JSON: {"components":1,"actors":2,"sent":3,...}; sent = delivered + rejected + dropped + dead_letters +
// those that wait.
airwasm_error *airwasm_stats(airwasm_system *system, airwasm_bytes *stats);

// With AIRWASM_DISPATCH the descriptor that is readable while completions wait: for poll, select or epoll, never to
// be read or closed, and gone with the system. -1 with AIRWASM_THREAD, for NULL, and on Windows.
int airwasm_completion_fd(airwasm_system *system);

// Runs the completions that wait, on this thread, and returns how many; it never waits itself. A completion may
// call any function, this one and airwasm_system_free included. 0 with AIRWASM_THREAD, for NULL, and in a forked
// child.
size_t airwasm_dispatch(airwasm_system *system);

// Frees what a function returned in *bytes and zeroes it, so that a second time is harmless; NULL and zeroed bytes
// are fine.
void airwasm_bytes_free(airwasm_bytes *bytes);

// Reads, validates and compiles the component in the file at path. *component is for airwasm_spawn.
airwasm_error *airwasm_load(airwasm_system *system, const char *path, airwasm_handle *component);

// airwasm_load that does not wait: outcome->handle is the component. See airwasm_request_async.
airwasm_error *airwasm_load_async(airwasm_system *system,
                                  const char *path,
                                  airwasm_completion completion,
                                  airwasm_handle *request);

// The same for a component in memory. The bytes are copied.
airwasm_error *airwasm_load_bytes(airwasm_system *system, const void *data, size_t len, airwasm_handle *component);

// airwasm_load_bytes that does not wait: outcome->handle is the component. See airwasm_request_async.
airwasm_error *airwasm_load_bytes_async(airwasm_system *system,
                                        const void *data,
                                        size_t len,
                                        airwasm_completion completion,
                                        airwasm_handle *request);

// What is known of a component before it runs, as JSON: {"digest":"sha256:...","imports":[...],"exports":[...],
// "capabilities":["fs.read",...],"handler":true,"lifecycle":false}.
airwasm_error *airwasm_inspect(airwasm_system *system, airwasm_handle component, airwasm_bytes *info);

// What a component exports, as text in a language: "wit". Any other is UNSUPPORTED, and its detail has the languages that
// there are. At most 256 KiB.
airwasm_error *airwasm_types(airwasm_system *system,
                             airwasm_handle component,
                             const char *language,
                             airwasm_bytes *text);

// Forgets a component. Actors that run it go on.
airwasm_error *airwasm_unload(airwasm_system *system, airwasm_handle component);

// Starts an actor that runs a component. actor may be NULL: it lives all the same. Nothing in spec is kept.
airwasm_error *airwasm_spawn(airwasm_system *system, const airwasm_actor_spec *spec, airwasm_handle *actor);

// airwasm_spawn that does not wait: outcome->handle is the actor. See airwasm_request_async.
airwasm_error *airwasm_spawn_async(airwasm_system *system,
                                   const airwasm_actor_spec *spec,
                                   airwasm_completion completion,
                                   airwasm_handle *request);

// Starts an actor that is a C function; actor may be NULL. handler is taken over even if the call fails: its free
// runs once, after the last message, on any thread.
airwasm_error *airwasm_spawn_host(airwasm_system *system,
                                  const airwasm_actor_spec *spec,
                                  airwasm_handler handler,
                                  airwasm_handle *actor);

// Ends an actor or supervisor in order: it finishes its message, its hooks run, and what is queued is dead-lettered; after
// deadline_ms it is killed. Nobody restarts it. Asked by what must be down first, its own handler or one below it, the
// wait is CYCLE; the stop has begun all the same, and happens when that handler has answered.
airwasm_error *airwasm_stop(airwasm_system *system,
                            airwasm_handle actor,
                            uint64_t deadline_ms);

// airwasm_stop that does not wait; the outcome carries nothing. See airwasm_request_async.
airwasm_error *airwasm_stop_async(airwasm_system *system,
                                  airwasm_handle actor,
                                  uint64_t deadline_ms,
                                  const airwasm_wait_options *options,
                                  airwasm_completion completion,
                                  airwasm_handle *request);

// Ends an actor or supervisor at once, without its hooks. Nobody restarts it.
airwasm_error *airwasm_kill(airwasm_system *system, airwasm_handle actor);

// The actor or supervisor of an id: "namespace/name/instance", or a bare name.
airwasm_error *airwasm_lookup(airwasm_system *system, const char *id, airwasm_handle *actor);

// The three-part id of an actor, as text.
airwasm_error *airwasm_actor_id(airwasm_system *system, airwasm_handle actor, airwasm_bytes *id);

// What an actor or supervisor is doing, as JSON: {"id":"default/hello/0","state":"running","mailbox_messages":0,
// "handled":3,"restarts":1,"last_exit":"killed","busy_ms":12,"listening":null}; state is starting, running, restarting,
// stopping, stopped or abandoned; last_exit is how its last life ended, or null; listening is where it serves http, or
// null.
airwasm_error *airwasm_status(airwasm_system *system, airwasm_handle actor, airwasm_bytes *status);

// The same of every actor and supervisor whose id matches a pattern such as "tools/*/*", as a JSON array in the order
// of the ids; NULL is all.
airwasm_error *airwasm_list(airwasm_system *system, const char *pattern, airwasm_bytes *list);

// Starts a file actor: others ask it to read and write files, each message by the grants of who sent it; what it was
// granted itself counts only for messages of the host program. The forms of its messages stand in
// README.md, "Files and programs by message". spec->component is 0; actor may be NULL. Nothing in spec is kept.
airwasm_error *airwasm_spawn_files(airwasm_system *system, const airwasm_actor_spec *spec, airwasm_handle *actor);

// airwasm_spawn_files that does not wait: outcome->handle is the actor. See airwasm_request_async.
airwasm_error *airwasm_spawn_files_async(airwasm_system *system,
                                         const airwasm_actor_spec *spec,
                                         airwasm_completion completion,
                                         airwasm_handle *request);

// Starts a process actor: others ask it to run programs, each message by the grants of who sent it; a program ends with
// its sender, with this actor, and with the grant it runs under. The forms of its messages stand in
// README.md, "Files and programs by message". spec->component is 0; actor may be NULL. Nothing in spec is kept.
airwasm_error *airwasm_spawn_processes(airwasm_system *system, const airwasm_actor_spec *spec, airwasm_handle *actor);

// airwasm_spawn_processes that does not wait: outcome->handle is the actor. See airwasm_request_async.
airwasm_error *airwasm_spawn_processes_async(airwasm_system *system,
                                             const airwasm_actor_spec *spec,
                                             airwasm_completion completion,
                                             airwasm_handle *request);

// Makes a supervisor and starts its children from the first to the last; supervisor may be NULL. Nothing in spec is
// kept but the handlers of its children, which are taken over even if the call fails. Nothing is started if a spec is
// wrong or an id taken; if a child does not start, those before it are stopped. A supervisor is stopped, killed, found
// and watched as an actor is, and takes no messages.
airwasm_error *airwasm_supervisor(airwasm_system *system,
                                  const airwasm_supervisor_spec *spec,
                                  airwasm_handle *supervisor);

// airwasm_supervisor that does not wait: outcome->handle is the supervisor. See airwasm_request_async.
airwasm_error *airwasm_supervisor_async(airwasm_system *system,
                                        const airwasm_supervisor_spec *spec,
                                        airwasm_completion completion,
                                        airwasm_handle *request);

// The children of a supervisor in the order of their starts, as a JSON array of what airwasm_status says of each.
airwasm_error *airwasm_children(airwasm_system *system, airwasm_handle supervisor, airwasm_bytes *children);

// Adds a child to a supervisor and starts it; one that does not start is not added. actor may be NULL. Nothing in
// child is kept but its handlers, which are taken over even if the call fails.
airwasm_error *airwasm_start_child(airwasm_system *system,
                                   airwasm_handle supervisor,
                                   const airwasm_child *child,
                                   airwasm_handle *actor);

// airwasm_start_child that does not wait: outcome->handle is the child. See airwasm_request_async.
airwasm_error *airwasm_start_child_async(airwasm_system *system,
                                         airwasm_handle supervisor,
                                         const airwasm_child *child,
                                         const airwasm_wait_options *options,
                                         airwasm_completion completion,
                                         airwasm_handle *request);

// Stops a child by its own shutdown_ms; nobody restarts it. It is kept for airwasm_restart_child, unless it is
// AIRWASM_TEMPORARY. Asked inside the child's own handler, or below it, the stop begins and the wait is CYCLE.
airwasm_error *airwasm_terminate_child(airwasm_system *system, airwasm_handle supervisor, airwasm_handle child);

// airwasm_terminate_child that does not wait; the outcome carries nothing. See airwasm_request_async.
airwasm_error *airwasm_terminate_child_async(airwasm_system *system,
                                             airwasm_handle supervisor,
                                             airwasm_handle child,
                                             const airwasm_wait_options *options,
                                             airwasm_completion completion,
                                             airwasm_handle *request);

// Starts a child that was stopped.
airwasm_error *airwasm_restart_child(airwasm_system *system, airwasm_handle supervisor, airwasm_handle child);

// airwasm_restart_child that does not wait; the outcome carries nothing. See airwasm_request_async.
airwasm_error *airwasm_restart_child_async(airwasm_system *system,
                                           airwasm_handle supervisor,
                                           airwasm_handle child,
                                           const airwasm_wait_options *options,
                                           airwasm_completion completion,
                                           airwasm_handle *request);

// Removes a child that was stopped; its id is free again.
airwasm_error *airwasm_delete_child(airwasm_system *system, airwasm_handle supervisor, airwasm_handle child);

// airwasm_delete_child that does not wait; the outcome carries nothing. See airwasm_request_async.
airwasm_error *airwasm_delete_child_async(airwasm_system *system,
                                          airwasm_handle supervisor,
                                          airwasm_handle child,
                                          const airwasm_wait_options *options,
                                          airwasm_completion completion,
                                          airwasm_handle *request);

// Who supervises whom, as JSON: [{"actor":"144115188075855873","status":{...},"restart":null,"children":[...]}], the
// top in the order of the starts. actor is the handle in decimal digits, for strtoull; status is what airwasm_status
// says; restart is "permanent", "transient" or "temporary", and null at the top.
airwasm_error *airwasm_tree(airwasm_system *system, airwasm_bytes *tree);

// Waits until the life at hand of an actor or supervisor ends, and tells how, as JSON: {"id":"default/looper/0",
// "reason":"normal","error":null,"restarting":false}. reason is normal, shutdown, killed or what it crashed with; after
// a crash error has the code, name, message, actor, detail and policy_line of an airwasm_error. Inside the actor's own
// handler, or below it, the wait is CYCLE.
airwasm_error *airwasm_monitor(airwasm_system *system, airwasm_handle actor, airwasm_bytes *down);

// airwasm_monitor that does not wait: outcome->bytes is how it ended. See airwasm_request_async.
airwasm_error *airwasm_monitor_async(airwasm_system *system,
                                     airwasm_handle actor,
                                     const airwasm_wait_options *options,
                                     airwasm_completion completion,
                                     airwasm_handle *request);

// Links two actors: when the life of one ends badly, so does that of the other. A link ends with either life.
airwasm_error *airwasm_link(airwasm_system *system, airwasm_handle one, airwasm_handle other);

// Undoes a link; nothing if there is none.
airwasm_error *airwasm_unlink(airwasm_system *system, airwasm_handle one, airwasm_handle other);

// Sends bytes to an actor and does not wait for it to handle them. options may be NULL; the bytes are copied. It waits
// for up to 5 s only if the mailbox is full and the actor has AIRWASM_OVERFLOW_BLOCK.
airwasm_error *airwasm_send(airwasm_system *system,
                            airwasm_handle actor,
                            const void *data,
                            size_t len,
                            const airwasm_send_options *options);

// airwasm_send that does not wait; the outcome carries nothing, and comes when the message is queued. A cancelled one
// is queued only if there is room at that moment. See airwasm_request_async.
airwasm_error *airwasm_send_async(airwasm_system *system,
                                  airwasm_handle actor,
                                  const void *data,
                                  size_t len,
                                  const airwasm_send_options *options,
                                  airwasm_completion completion,
                                  airwasm_handle *request);

// Sends bytes to an actor and waits for its answer, or its error, or the deadline. options and reply may be NULL.
airwasm_error *airwasm_request(airwasm_system *system,
                               airwasm_handle actor,
                               const void *data,
                               size_t len,
                               const airwasm_request_options *options,
                               airwasm_bytes *reply);

// airwasm_request that does not wait: outcome->bytes is the answer. The request starts now, and data is copied.
//
// If it returns NULL, completion is called exactly once. If it returns an error, nothing was started and it is not
// called: the arguments are wrong, or the system is CLOSED or FORKED. completion is taken over in both cases: its
// free runs once, last. *request (request may be NULL) is for airwasm_cancel, or 0 if it is over already; a
// completion may run before it is written. All _async functions follow these rules.
airwasm_error *airwasm_request_async(airwasm_system *system,
                                     airwasm_handle actor,
                                     const void *data,
                                     size_t len,
                                     const airwasm_request_options *options,
                                     airwasm_completion completion,
                                     airwasm_handle *request);

// Ends the wait for what an _async function started: its completion is told CANCELLED. What is over already, and 0,
// is left alone. The actor lives on.
airwasm_error *airwasm_cancel(airwasm_system *system, airwasm_handle request);

// Sends an actor what is published under topics that match, until it has ended for good or airwasm_unsubscribe. Parts
// of a topic are divided by dots; in pattern "*" is one part, ">" or "**" at the end the rest. subscription may be NULL.
airwasm_error *airwasm_subscribe(airwasm_system *system,
                                 airwasm_handle actor,
                                 const char *pattern,
                                 airwasm_handle *subscription);

// Sends bytes to each subscription whose pattern matches. *count (count may be NULL) is how many mailboxes took them.
airwasm_error *airwasm_publish(airwasm_system *system,
                               const char *topic,
                               const void *data,
                               size_t len,
                               const airwasm_send_options *options,
                               uint64_t *count);

// Puts an actor into a group, which is there as long as it has members.
airwasm_error *airwasm_join(airwasm_system *system, airwasm_handle actor, const char *group);

// Takes an actor out of a group. *left (left may be NULL) is 1, or 0 if it was not in it.
airwasm_error *airwasm_leave(airwasm_system *system, airwasm_handle actor, const char *group, int *left);

// The members of a group in the order in which they joined, as a JSON array of their handles in decimal digits, for
// strtoull: ["144115188075855873"].
airwasm_error *airwasm_members(airwasm_system *system, const char *group, airwasm_bytes *members);

// Sends bytes to each member of a group. *count (count may be NULL) is how many mailboxes took them.
airwasm_error *airwasm_broadcast(airwasm_system *system,
                                 const char *group,
                                 const void *data,
                                 size_t len,
                                 const airwasm_send_options *options,
                                 uint64_t *count);

// Takes the messages that were still queued when their actors ended, oldest first, as JSON: [{"to":"default/a/0",
// "sender":"","payload_base64":"aGk=","content_type":null,"reason":"killed"}]. They are the last 1,024 since the last
// call, or 4 MiB of them; each was an event message.dead_letter.
airwasm_error *airwasm_dead_letters(airwasm_system *system, airwasm_bytes *letters);

// Sends bytes to an actor after delay_ms, where 0 is at once. They are copied; what finds the mailbox full is rejected
// and counted. options and timer may be NULL.
airwasm_error *airwasm_send_after(airwasm_system *system,
                                  airwasm_handle actor,
                                  const void *data,
                                  size_t len,
                                  uint64_t delay_ms,
                                  const airwasm_send_options *options,
                                  airwasm_handle *timer);

// Sends bytes to an actor each time period_ms have passed, until it has ended for good or airwasm_cancel_timer. They
// are copied; a full mailbox misses its turn. options and timer may be NULL.
airwasm_error *airwasm_send_every(airwasm_system *system,
                                  airwasm_handle actor,
                                  const void *data,
                                  size_t len,
                                  uint64_t period_ms,
                                  const airwasm_send_options *options,
                                  airwasm_handle *timer);

// The message does not come any more. *cancelled (cancelled may be NULL) is 1, or 0 if it had been sent, whether it was
// handled yet or not, or its actor had ended.
airwasm_error *airwasm_cancel_timer(airwasm_system *system, airwasm_handle timer, int *cancelled);

// Makes a region of so many bytes, all 0, under a name of 1 to 63 letters, digits, "-", "_" and ".". It is the
// program's until airwasm_region_remove; guests need region.read or region.write of the name. A system has up to 1,024
// regions of 1 GiB together.
airwasm_error *airwasm_region_create(airwasm_system *system, const char *name, uint64_t bytes);

// Copies so many bytes from offset of a region, an actor's or the program's; INVALID_ARGUMENT if a part is outside. Each
// 256 KiB from there on are one step: what a write of no more puts there is seen whole or not at all.
airwasm_error *airwasm_region_read(airwasm_system *system,
                                   const char *name,
                                   uint64_t offset,
                                   uint64_t bytes,
                                   airwasm_bytes *data);

// airwasm_region_read that fills the len bytes at data, which are the caller's. After an error what is there is not said.
airwasm_error *airwasm_region_read_into(airwasm_system *system,
                                        const char *name,
                                        uint64_t offset,
                                        void *data,
                                        size_t len);

// Copies bytes to offset of a region; nothing, and INVALID_ARGUMENT, if a part is outside. Each 256 KiB are one step, as
// with airwasm_region_read.
airwasm_error *airwasm_region_write(airwasm_system *system,
                                    const char *name,
                                    uint64_t offset,
                                    const void *data,
                                    size_t len);

// Removes a region, whoever has it open: its name is free, its memory is given back, and each use of it is NOT_FOUND.
airwasm_error *airwasm_region_remove(airwasm_system *system, const char *name);

// All regions in the order of their names, as JSON: [{"name":"scratch","bytes":4096,"owner":"default/a/0","open":1}].
// owner is null for one of the program; open is how often guests have it open.
airwasm_error *airwasm_regions(airwasm_system *system, airwasm_bytes *regions);

// Gives an actor a capability, "fs.read /data/**" or the object as JSON text. ttl_ms 0 is until it is revoked.
// grant may be NULL.
airwasm_error *airwasm_grant(airwasm_system *system,
                             airwasm_handle actor,
                             const char *capability,
                             uint64_t ttl_ms,
                             airwasm_handle *grant);

// Takes a grant back, at once and for work in flight too. *cut (cut may be NULL) is how many open resources that cut.
airwasm_error *airwasm_revoke(airwasm_system *system, airwasm_handle grant, uint64_t *cut);

// The grants of an actor as JSON: [{"grant":"216172782113783809","capability":"fs.read /data/**","ttl_ms":null,
// "open":0,"given_by":"host"}]. grant is the handle in decimal digits, for strtoull and airwasm_revoke; given_by is
// baseline, policy, host, or the id of the actor that handed it on.
airwasm_error *airwasm_grants(airwasm_system *system, airwasm_handle actor, airwasm_bytes *grants);

// Whether the actor may do this now, asked by the host for its own ends, as in "custom.billing charge": DENIED if not.
// Audited like the asks of guests.
airwasm_error *airwasm_check(airwasm_system *system, airwasm_handle actor, const char *capability);

// Reads the policy in the file at path, runs its tests, and puts it in force for all actors at once, those that live
// included. All or nothing: after an error the policy before holds. POLICY_INVALID says file, line and column,
// POLICY_TEST_FAILED the tests that do not hold. Limits and budgets count from an actor's next start.
airwasm_error *airwasm_policy_load(airwasm_system *system, const char *path);

// airwasm_policy_load that does not wait. See airwasm_request_async.
airwasm_error *airwasm_policy_load_async(airwasm_system *system,
                                         const char *path,
                                         airwasm_completion completion,
                                         airwasm_handle *request);

// Which rule of the policy decides what an actor of this id may do, written as a capability without wildcards, such as
// "fs.read /srv/pay.txt". *text begins with "allow:" or "deny:" and names the rule and the one that it beats; where
// nothing allows it, it ends with the line that would. Grants from code are not looked at, and no actor needs to live.
airwasm_error *airwasm_policy_explain(airwasm_system *system,
                                      const char *actor,
                                      const char *capability,
                                      airwasm_bytes *text);

// Runs the tests of the policy in force and only reports, as JSON: {"passed":4,"failed":[]}. failed has a line for
// each test that does not hold.
airwasm_error *airwasm_policy_test(airwasm_system *system, airwasm_bytes *report);

// Follows the hash chain of the audit log at path through all its files. report is what they hold, as JSON: {"files":
// ["audit.log"],"records":7,"first_seq":1,"last_seq":7,"last_hash":"...","torn_lines":0,"partial_tail":false}; the
// first line that is not as it was written is AUDIT_BROKEN, with file and line. It needs no system, reads every byte,
// and has no _async twin.
airwasm_error *airwasm_audit_verify(const char *path, airwasm_bytes *report);

// The value of a key in a namespace of the store; *found is 1, or 0 if there is no such key. It needs no grant.
// UNSUPPORTED if the system was opened without a store: set kv of airwasm_options.
airwasm_error *airwasm_kv_get(airwasm_system *system,
                              const char *name_space,
                              const char *key,
                              int *found,
                              airwasm_bytes *value);

// airwasm_kv_get that does not wait: outcome->bytes is the value, and outcome->handle is 1, or 0 if there is no such
// key. See airwasm_request_async.
airwasm_error *airwasm_kv_get_async(airwasm_system *system,
                                    const char *name_space,
                                    const char *key,
                                    airwasm_completion completion,
                                    airwasm_handle *request);

// Puts a value there, over the one that was there; the bytes are copied. It is on the disk when this returns.
airwasm_error *airwasm_kv_set(airwasm_system *system,
                              const char *name_space,
                              const char *key,
                              const void *data,
                              size_t len);

// airwasm_kv_set that does not wait; the outcome carries nothing. A cancelled one may be made all the same. See
// airwasm_request_async.
airwasm_error *airwasm_kv_set_async(airwasm_system *system,
                                    const char *name_space,
                                    const char *key,
                                    const void *data,
                                    size_t len,
                                    airwasm_completion completion,
                                    airwasm_handle *request);

// Takes a key away. *found (found may be NULL) is 1, or 0 if it was not there.
airwasm_error *airwasm_kv_delete(airwasm_system *system, const char *name_space, const char *key, int *found);

// airwasm_kv_delete that does not wait: outcome->handle is 1, or 0 if the key was not there. See airwasm_request_async.
airwasm_error *airwasm_kv_delete_async(airwasm_system *system,
                                       const char *name_space,
                                       const char *key,
                                       airwasm_completion completion,
                                       airwasm_handle *request);

// At most 1,000 keys of a namespace, as JSON: {"keys":["a","b"],"cursor":2}. cursor is where the next page goes on, to be
// given as such, and null after the last key; 0 begins with the first one.
airwasm_error *airwasm_kv_list(airwasm_system *system,
                               const char *name_space,
                               uint64_t cursor,
                               airwasm_bytes *keys);

// airwasm_kv_list that does not wait: outcome->bytes is the JSON. See airwasm_request_async.
airwasm_error *airwasm_kv_list_async(airwasm_system *system,
                                     const char *name_space,
                                     uint64_t cursor,
                                     airwasm_completion completion,
                                     airwasm_handle *request);

// Tells callback the events of these kinds from now on: "*", "actor.*", or a comma list; NULL is "*". A slow callback
// slows no actor: it is told events.lost. subscription may be NULL. callback is taken over even if the call fails:
// its free runs once, after its last event.
airwasm_error *airwasm_events(airwasm_system *system,
                              const char *kinds,
                              airwasm_event_callback callback,
                              airwasm_handle *subscription);

// Ends a subscription to events or to topics. An event that is being told is told to its end, maybe after this returns.
// A subscription that has ended already, as with its actor, is left alone.
airwasm_error *airwasm_unsubscribe(airwasm_system *system, airwasm_handle subscription);

// Answers with bytes, which are copied; len 0 is the empty answer. NULL for reply is fine.
void airwasm_reply_send(airwasm_reply *reply, const void *data, size_t len);

// Answers with a failure, which is an answer and no crash: the caller gets FAILURE with the code "failure" and this
// text.
void airwasm_reply_fail(airwasm_reply *reply, const char *text);

// The same with a code of the handler's own, such as "no-key".
void airwasm_reply_fail_code(airwasm_reply *reply, const char *code, const char *text);

// Says that the handler has crashed: the caller gets HANDLER_RAISED with this text, and the actor's supervisor acts.
void airwasm_reply_raise(airwasm_reply *reply, const char *text);

// Gives no answer, which is a crash too: HANDLER_RAISED.
void airwasm_reply_free(airwasm_reply *reply);

// The number to branch on: AIRWASM_OK for NULL, or one of AIRWASM_E_*.
uint32_t airwasm_error_code(const airwasm_error *error);

// The number's name, such as "DENIED"; "OK" for NULL. This and the texts below live as long as the error and are
// never NULL.
const char *airwasm_error_name(const airwasm_error *error);

// One sentence for people, lower case; "" for NULL.
const char *airwasm_error_message(const airwasm_error *error);

// The three-part id of the actor it happened at; "" if there is none.
const char *airwasm_error_actor(const airwasm_error *error);

// The facts, as a JSON object: {"which":"cpu_ms","allowed":200,"used":201}; "{}" for NULL.
const char *airwasm_error_detail(const airwasm_error *error);

// The line that a policy needs to allow what was denied. Without its leading "- " it is the capability to give to
// airwasm_grant. "" unless denied, and where a policy's deny refused: the detail "rule" says which.
const char *airwasm_error_policy_line(const airwasm_error *error);

// Frees an error and its texts; NULL is fine.
void airwasm_error_free(airwasm_error *error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* AIRWASM_H */
