// What no compiler of a contract would write: pointers, lengths and texts that are wrong, handed to the host.
//
// | message | what happens |
// |---|---|
// | `send TO LENGTH PAYLOAD LENGTH RESULT` | messaging.send with these numbers for pointers; 0 for RESULT is a good one |
// | `garble` | messaging.send to an id that is not UTF-8 |
// | `answer AT LENGTH` | a reply at that place |
// | `failure` | a failure whose code is not UTF-8 |
// | `realloc loop`, `realloc outside`, `realloc odd`, `realloc trap` | what the allocator does when the next message comes |

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

__attribute__((import_module("airssys:wasm/messaging@0.1.0"), import_name("send"))) void raw_send(
    uintptr_t to, size_t to_bytes, uintptr_t payload, size_t payload_bytes, int32_t has_type, uintptr_t type,
    size_t type_bytes, uintptr_t result);

// The variant `error` and what is around it; its largest case holds two strings.
static _Alignas(8) unsigned char result[64];

static enum { GOOD, ENDLESS, OUTSIDE, ODD, TRAP } allocator = GOOD;

// In the place of the one that was generated, which is weak.
__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
    (void)old_size;
    while (allocator == ENDLESS)
        __asm__ volatile("");
    if (allocator == OUTSIDE)
        return (void *)(uintptr_t)0xfffffff0u;
    if (allocator == TRAP)
        __builtin_trap();
    void *piece = size == 0 ? (void *)align : realloc(old, allocator == ODD ? size + 1 : size);
    if (piece == NULL)
        abort();
    return allocator == ODD ? (char *)piece + 1 : piece;
}

static bool arm(const char *how) {
    static const char *const names[] = {"", "loop", "outside", "odd", "trap"};
    for (int at = ENDLESS; at <= TRAP; at++)
        if (!strcmp(how, names[at])) {
            allocator = at;
            return true;
        }
    return false;
}

bool raw(const struct words *words, struct answer *answer) {
    const char *word = words->word[0];
    if (!strcmp(word, "send")) {
        uintptr_t where = number(words, 5);
        raw_send(number(words, 1), number(words, 2), number(words, 3), number(words, 4), 0, 0, 0,
                 where ? where : (uintptr_t)result);
        answer_text(answer, result[0] ? "refused" : "sent");
    } else if (!strcmp(word, "garble")) {
        static const char lone[] = "a\xed\xa0\x80z";
        raw_send((uintptr_t)lone, sizeof lone - 1, (uintptr_t)lone, 1, 0, 0, 0, (uintptr_t)result);
        answer_text(answer, "sent");
    } else if (!strcmp(word, "answer")) {
        answer->bytes = (char *)(uintptr_t)number(words, 1);
        answer->length = number(words, 2);
    } else if (!strcmp(word, "failure")) {
        answer->failed = true;
        answer->code = "\xff\xfe";
    } else if (!strcmp(word, "realloc") && arm(argument(words, 1))) {
        answer_text(answer, "ok");
    } else {
        return false;
    }
    return true;
}
