// Ends, or tries to, in every way that C has.
//
// | message | what happens |
// |---|---|
// | `loop`, `recurse`, `mutual`, `table` | computes or recurses for ever; directly, in turns, by a function pointer |
// | `trap`, `abort`, `exit N`, `outside`, `divide`, `overflow`, `convert`, `signature`, `null` | traps of each kind |
// | `grow` | grows the memory until that is refused; how many pages that were |
// | `malloc N`, `die` | allocates mebibytes until NULL; N or that many; `die` writes through the NULL |
// | `flood N`, `complain N` | N bytes to standard output or error, no newline |
// | `reply N` | N bytes |
// | `sleep N` | sleeps for N milliseconds |
// | `canary` | `clean`, and from then on `dirty` |

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hostile.h"

static volatile int zero = 0;
static volatile int low = INT_MIN;

__attribute__((noinline)) static int deep(int left) {
    volatile char room[64];
    room[0] = (char)left;
    return left == zero - 1 ? 0 : deep(left + 1) + room[0];
}

static int turn(int left);

__attribute__((noinline)) static int other_turn(int left) {
    volatile char room[64];
    room[0] = (char)left;
    return turn(left + 1) + room[0];
}

__attribute__((noinline)) static int turn(int left) {
    return other_turn(left + 1) + zero;
}

static int by_pointer(int left);
static int (*volatile next)(int) = by_pointer;

static int by_pointer(int left) {
    volatile char room[64];
    room[0] = (char)left;
    return next(left + 1) + room[0];
}

static bool recursions(const char *word) {
    if (!strcmp(word, "recurse"))
        zero = deep(1);
    else if (!strcmp(word, "mutual"))
        zero = turn(1);
    else if (!strcmp(word, "table"))
        zero = by_pointer(1);
    else
        return false;
    return true;
}

static void wrong_signature(void) {
    int (*function)(int) = by_pointer;
    void (*volatile wrong)(double, double);
    memcpy((void *)&wrong, &function, sizeof function);
    wrong(1.0, 2.0);
}

static bool traps(const struct words *words) {
    const char *word = words->word[0];
    void (*volatile nothing)(void) = NULL;
    volatile float no_number = 0.0f / (float)zero;
    if (!strcmp(word, "trap"))
        __builtin_trap();
    else if (!strcmp(word, "abort"))
        abort();
    else if (!strcmp(word, "exit"))
        exit((int)number(words, 1));
    else if (!strcmp(word, "outside"))
        *(volatile int *)(uintptr_t)0xfffffff0u = 1;
    else if (!strcmp(word, "divide"))
        zero = low / zero;
    else if (!strcmp(word, "overflow"))
        zero = low / (zero - 1);
    else if (!strcmp(word, "convert"))
        zero = __builtin_wasm_trunc_s_i32_f32(no_number);
    else if (!strcmp(word, "signature"))
        wrong_signature();
    else if (!strcmp(word, "null"))
        nothing();
    else
        return false;
    return true;
}

static size_t allocate(size_t mebibytes) {
    size_t had = 0;
    for (char *volatile piece; had < mebibytes && (piece = malloc(1 << 20)) != NULL; had++)
        memset(piece, 1, 1 << 20);
    return had;
}

static bool memories(const struct words *words, struct answer *answer) {
    const char *word = words->word[0];
    if (!strcmp(word, "grow")) {
        size_t pages = 0;
        while (__builtin_wasm_memory_grow(0, 1) != SIZE_MAX)
            pages++;
        answer_count(answer, pages);
    } else if (!strcmp(word, "malloc")) {
        answer_count(answer, allocate(number(words, 1)));
    } else if (!strcmp(word, "die")) {
        allocate(SIZE_MAX);
        __builtin_trap();
    } else {
        return false;
    }
    return true;
}

static void flood(FILE *stream, size_t bytes) {
    char piece[4096];
    memset(piece, 'f', sizeof piece);
    for (size_t left = bytes; left > 0;) {
        size_t step = left < sizeof piece ? left : sizeof piece;
        fwrite(piece, 1, step, stream);
        left -= step;
    }
    fflush(stream);
}

static bool outputs(const struct words *words, struct answer *answer) {
    const char *word = words->word[0];
    size_t count = number(words, 1);
    if (!strcmp(word, "flood") || !strcmp(word, "complain")) {
        flood(word[0] == 'f' ? stdout : stderr, count);
        answer_count(answer, count);
    } else if (!strcmp(word, "reply")) {
        answer->bytes = calloc(count ? count : 1, 1);
        if (answer->bytes == NULL)
            abort();
        answer->length = count;
    } else if (!strcmp(word, "sleep")) {
        struct timespec time = {.tv_sec = (time_t)(count / 1000), .tv_nsec = (long)(count % 1000) * 1000000};
        answer_result(answer, nanosleep(&time, NULL));
    } else {
        return false;
    }
    return true;
}

bool crash(const struct words *words, struct answer *answer) {
    static const char *canary = "clean";
    const char *word = words->word[0];
    if (!strcmp(word, "loop"))
        for (;;)
            zero = 0;
    if (!strcmp(word, "canary")) {
        answer_text(answer, canary);
        canary = "dirty";
        return true;
    }
    return recursions(word) || traps(words) || memories(words, answer) || outputs(words, answer);
}
