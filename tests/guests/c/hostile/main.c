// The exports: messages go to the file of commands that knows their first word; a hook does what the config says of it,
// as in `"loop pre-stop"`: `loop`, `trap`, `recurse` or `refuse`.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"
#include "managed_actor.h"

// Stands for the object file that says what the component's type is, which the build adds in its own way.
void __component_type_object_force_link_managed_actor(void) {}

const char *argument(const struct words *words, size_t index) {
    return index < words->count ? words->word[index] : "";
}

size_t number(const struct words *words, size_t index) {
    return strtoul(argument(words, index), NULL, 0);
}

void answer_text(struct answer *answer, const char *text) {
    answer->bytes = strdup(text);
    if (answer->bytes == NULL)
        abort();
    answer->length = strlen(text);
}

void answer_count(struct answer *answer, size_t count) {
    char text[32];
    snprintf(text, sizeof text, "%zu", count);
    answer_text(answer, text);
}

void answer_errno(struct answer *answer) {
    char text[128];
    snprintf(text, sizeof text, "errno %d: %s", errno, strerror(errno));
    answer_text(answer, text);
    answer->failed = true;
    answer->code = "errno";
}

void answer_result(struct answer *answer, int result) {
    result < 0 ? answer_errno(answer) : answer_text(answer, "ok");
}

// Divides the text in place.
static struct words divided(char *text) {
    struct words words = {0};
    for (char *word = strtok(text, " "); word && words.count < 8; word = strtok(NULL, " "))
        words.word[words.count++] = word;
    return words;
}

// A copy that ends with a zero.
static char *text_of(const uint8_t *bytes, size_t length) {
    char *text = malloc(length + 1);
    if (text == NULL)
        abort();
    memcpy(text, bytes, length);
    text[length] = 0;
    return text;
}

static struct answer answered(char *text) {
    struct answer answer = {0};
    struct words words = divided(text);
    if (words.count == 0)
        answer_text(&answer, "");
    else if (!crash(&words, &answer) && !files(&words, &answer) && !raw(&words, &answer)) {
        answer.failed = true;
        answer.code = "usage";
        answer_text(&answer, words.word[0]);
    }
    return answer;
}

bool exports_airssys_wasm_handler_handle(
    exports_airssys_wasm_handler_message_t *message, managed_actor_option_list_u8_t *ret,
    exports_airssys_wasm_handler_failure_t *err) {
    char *text = text_of(message->payload.ptr, message->payload.len);
    exports_airssys_wasm_handler_message_free(message);
    struct answer answer = answered(text);
    free(text);
    if (answer.failed) {
        managed_actor_string_dup(&err->code, answer.code);
        managed_actor_string_dup(&err->text, answer.bytes ? answer.bytes : "");
        free(answer.bytes);
        return false;
    }
    ret->is_some = true;
    ret->val.ptr = (uint8_t *)answer.bytes;
    ret->val.len = answer.length;
    return true;
}

static char *config = "";

// Whether the config says of this hook that it refuses; does the rest of what it says.
static bool refuses(const char *hook) {
    char *at = strstr(config, hook);
    if (at == NULL || at == config)
        return false;
    for (at--; at > config && at[-1] != '"'; at--)
        ;
    if (!strncmp(at, "refuse ", 7))
        return true;
    char *text = text_of((const uint8_t *)at, strcspn(at, " "));
    struct answer ignored = answered(text);
    free(ignored.bytes);
    free(text);
    return false;
}

static bool hook(const char *name, exports_airssys_wasm_lifecycle_failure_t *err) {
    if (!refuses(name))
        return true;
    managed_actor_string_dup(&err->code, "refused");
    managed_actor_string_dup(&err->text, name);
    return false;
}

bool exports_airssys_wasm_lifecycle_pre_start(
    managed_actor_string_t *maybe_config, exports_airssys_wasm_lifecycle_failure_t *err) {
    if (maybe_config != NULL)
        config = text_of(maybe_config->ptr, maybe_config->len);
    return hook("pre-start", err);
}

bool exports_airssys_wasm_lifecycle_post_start(exports_airssys_wasm_lifecycle_failure_t *err) {
    return hook("post-start", err);
}

void exports_airssys_wasm_lifecycle_pre_stop(managed_actor_string_t *reason) {
    managed_actor_string_free(reason);
    refuses("pre-stop");
}

void exports_airssys_wasm_lifecycle_post_stop(void) {
    refuses("post-stop");
}

bool exports_airssys_wasm_lifecycle_health(exports_airssys_wasm_lifecycle_failure_t *err) {
    return hook("health", err);
}
