// Files by plain libc, each answered `ok` unless something else stands here.
//
// | message | by |
// |---|---|
// | `read P` | `fopen`, `fread`; the content |
// | `write P T`, `append P T` | `fopen` |
// | `open P LETTERS` | `open` with a flag for each letter: r w (neither: r) c x t a d n; closed at once |
// | `keep P`, `kept` | `open` to read; what `pread` gives of it in a later message |
// | `hoard P` | `open` until that is refused; how many those were |
// | `list P` | `opendir`, `readdir`; the names but `.` and `..`, each with a space behind it |
// | `rename P Q`, `link P Q`, `symlink P Q`, `readlink P`, `unlink P`, `rmdir P`, `mkdir P`, `stat P` | the same |
// | `touch P N` | `utimensat` |
// | `truncate P N` | `truncate` |
// | `race P N` | `open` and `read`, N times; the number of those that gave something else than `inside` |

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hostile.h"

static int kept = -1;

static void content(struct answer *answer, const char *path) {
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        answer_errno(answer);
        return;
    }
    char text[4096];
    size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = 0;
    ferror(file) ? answer_errno(answer) : answer_text(answer, text);
    fclose(file);
}

static void put(struct answer *answer, const char *path, const char *mode, const char *text) {
    FILE *file = fopen(path, mode);
    bool done = file != NULL && fputs(text, file) >= 0;
    if (file != NULL && fclose(file) != 0)
        done = false;
    answer_result(answer, done ? 0 : -1);
}

static void open_as(struct answer *answer, const char *path, const char *letters) {
    bool reads = strchr(letters, 'r'), writes = strchr(letters, 'w');
    int flags = reads && writes ? O_RDWR : writes ? O_WRONLY : O_RDONLY;
    static const struct {
        char letter;
        int flag;
    } known[] = {{'c', O_CREAT}, {'x', O_EXCL}, {'t', O_TRUNC}, {'a', O_APPEND}, {'d', O_DIRECTORY}, {'n', O_NOFOLLOW}};
    for (size_t at = 0; at < sizeof known / sizeof *known; at++)
        flags |= strchr(letters, known[at].letter) ? known[at].flag : 0;
    int file = open(path, flags, 0600);
    answer_result(answer, file);
    if (file >= 0)
        close(file);
}

static void list(struct answer *answer, const char *path) {
    DIR *folder = opendir(path);
    if (folder == NULL) {
        answer_errno(answer);
        return;
    }
    char names[4096] = "";
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        bool itself = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
        if (!itself && strlen(names) + strlen(entry->d_name) + 2 < sizeof names)
            strcat(strcat(names, entry->d_name), " ");
    }
    closedir(folder);
    answer_text(answer, names);
}

static void race(struct answer *answer, const char *path, size_t times) {
    size_t outside = 0;
    for (size_t at = 0; at < times; at++) {
        char text[16] = "";
        int file = open(path, O_RDONLY);
        if (file < 0)
            continue;
        if (read(file, text, sizeof text - 1) > 0 && strcmp(text, "inside"))
            outside++;
        close(file);
    }
    answer_count(answer, outside);
}

static void hoard(struct answer *answer, const char *path) {
    size_t count = 0;
    while (open(path, O_RDONLY) >= 0)
        count++;
    answer_count(answer, count);
}

static bool reads(const struct words *words, struct answer *answer) {
    const char *word = words->word[0], *path = argument(words, 1);
    char text[4096] = "";
    struct stat found;
    if (!strcmp(word, "read"))
        content(answer, path);
    else if (!strcmp(word, "list"))
        list(answer, path);
    else if (!strcmp(word, "stat"))
        answer_result(answer, stat(path, &found));
    else if (!strcmp(word, "readlink"))
        readlink(path, text, sizeof text - 1) < 0 ? answer_errno(answer) : answer_text(answer, text);
    else if (!strcmp(word, "keep"))
        answer_result(answer, kept = open(path, O_RDONLY));
    else if (!strcmp(word, "kept"))
        pread(kept, text, sizeof text - 1, 0) < 0 ? answer_errno(answer) : answer_text(answer, text);
    else if (!strcmp(word, "race"))
        race(answer, path, number(words, 2));
    else if (!strcmp(word, "hoard"))
        hoard(answer, path);
    else
        return false;
    return true;
}

static bool writes(const struct words *words, struct answer *answer) {
    const char *word = words->word[0], *path = argument(words, 1), *other = argument(words, 2);
    struct timespec times[2] = {{.tv_sec = (time_t)number(words, 2)}, {.tv_sec = (time_t)number(words, 2)}};
    if (!strcmp(word, "write"))
        put(answer, path, "w", other);
    else if (!strcmp(word, "append"))
        put(answer, path, "a", other);
    else if (!strcmp(word, "open"))
        open_as(answer, path, other);
    else if (!strcmp(word, "rename"))
        answer_result(answer, rename(path, other));
    else if (!strcmp(word, "link"))
        answer_result(answer, link(path, other));
    else if (!strcmp(word, "symlink"))
        answer_result(answer, symlink(path, other));
    else if (!strcmp(word, "unlink"))
        answer_result(answer, unlink(path));
    else if (!strcmp(word, "rmdir"))
        answer_result(answer, rmdir(path));
    else if (!strcmp(word, "mkdir"))
        answer_result(answer, mkdir(path, 0700));
    else if (!strcmp(word, "touch"))
        answer_result(answer, utimensat(AT_FDCWD, path, times, 0));
    else if (!strcmp(word, "truncate"))
        answer_result(answer, truncate(path, (off_t)number(words, 2)));
    else
        return false;
    return true;
}

bool files(const struct words *words, struct answer *answer) {
    return reads(words, answer) || writes(words, answer);
}
