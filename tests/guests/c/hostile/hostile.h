// A guest in C that does what a message tells it, by plain libc: words divided by spaces, the first of which says what.
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdbool.h>
#include <stddef.h>

// Words of a message; `argument` gives an empty one where there is none.
struct words {
    size_t count;
    char *word[8];
};

// What a command answers: text, or a failure with a code.
struct answer {
    bool failed;
    const char *code;
    char *bytes;
    size_t length;
};

const char *argument(const struct words *words, size_t index);
size_t number(const struct words *words, size_t index);

void answer_text(struct answer *answer, const char *text);
void answer_count(struct answer *answer, size_t count);
// The failure `errno`, with its number and its text.
void answer_errno(struct answer *answer);
// "ok" if `result` is not negative, else what errno says.
void answer_result(struct answer *answer, int result);

// Each file of commands: whether it knows the first word, and has answered.
bool crash(const struct words *words, struct answer *answer);
bool files(const struct words *words, struct answer *answer);
bool raw(const struct words *words, struct answer *answer);

#endif
