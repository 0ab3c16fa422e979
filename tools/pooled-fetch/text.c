/* Memory and growing text for the program. Out of memory is the end: pooled-fetch has nothing it
 * could sensibly go on with, and curl's code 27 says so. */

#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exit_code.h"

enum {
    READ_STEP = 65536
};

static void *or_end(void *block)
{
    if (block == NULL) {
        (void)fputs("pooled-fetch: (27) out of memory\n", stderr);
        _exit(PF_EXIT_NOMEM);
    }
    return block;
}

void *pf_alloc(size_t size)
{
    return or_end(calloc(1, size > 0 ? size : 1));
}

void *pf_resize(void *block, size_t size)
{
    return or_end(realloc(block, size > 0 ? size : 1));
}

char *pf_strndup(const char *data, size_t len)
{
    char *copy = pf_alloc(len + 1);

    if (len > 0) {
        memcpy(copy, data, len);
    }
    return copy;
}

char *pf_strdup(const char *text)
{
    return pf_strndup(text, strlen(text));
}

const char *pf_errno_text(int os_errno)
{
    const char *text = strerrordesc_np(os_errno);

    return text != NULL ? text : "an unknown error";
}

const char *pf_digits(const char *text, int64_t *out)
{
    *out = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        if (__builtin_mul_overflow(*out, 10, out) ||
            __builtin_add_overflow(*out, *text - '0', out)) {
            *out = INT64_MAX;
            text += strspn(text, "0123456789");
            break;
        }
    }
    return text;
}

size_t pf_scheme_len(const char *url)
{
    static const char mark[] = "://";
    size_t len = 0;

    while (isalnum((unsigned char)url[len]) || (url[len] != '\0' && strchr("+-.", url[len]))) {
        len++;
    }
    return len > 0 && strncmp(url + len, mark, strlen(mark)) == 0 ? len + strlen(mark) : 0;
}

static void reserve(struct pf_text *text, size_t more)
{
    size_t needed = text->len + more + 1;

    if (needed > text->cap) {
        text->cap = needed > 2 * text->cap ? needed : 2 * text->cap;
        text->data = pf_resize(text->data, text->cap);
    }
}

void pf_text_add(struct pf_text *text, const void *data, size_t len)
{
    reserve(text, len);
    if (len > 0) {
        memcpy(text->data + text->len, data, len);
    }
    text->len += len;
    text->data[text->len] = '\0';
}

void pf_text_adds(struct pf_text *text, const char *string)
{
    pf_text_add(text, string, strlen(string));
}

__attribute__((format(printf, 2, 0))) static void add_formatted(struct pf_text *text,
                                                                const char *format, va_list args)
{
    va_list again;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0) {
        return;
    }
    reserve(text, (size_t)len);
    (void)vsnprintf(text->data + text->len, (size_t)len + 1, format, args);
    text->len += (size_t)len;
}

void pf_text_addf(struct pf_text *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_formatted(text, format, args);
    va_end(args);
}

char *pf_format(const char *format, ...)
{
    struct pf_text text = {0};
    va_list args;

    va_start(args, format);
    add_formatted(&text, format, args);
    va_end(args);
    return text.data != NULL ? text.data : pf_strdup("");
}

void pf_text_add_escaped(struct pf_text *text, const void *data, size_t len, const char *space)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < len; i++) {
        unsigned char byte = bytes[i];

        if (byte < 0x80 && byte != '\0' && (isalnum(byte) || strchr("-._~", byte) != NULL)) {
            pf_text_add(text, &byte, 1);
        } else if (byte == ' ') {
            pf_text_adds(text, space);
        } else {
            pf_text_addf(text, "%%%02X", byte);
        }
    }
}

void pf_text_cut(struct pf_text *text, size_t len)
{
    if (len < text->len) {
        text->len = len;
        text->data[len] = '\0';
    }
}

void pf_text_free(struct pf_text *text)
{
    free(text->data);
    *text = (struct pf_text){0};
}

int pf_text_read_fd(struct pf_text *text, int fd)
{
    for (;;) {
        ssize_t got;

        reserve(text, READ_STEP);
        got = read(fd, text->data + text->len, READ_STEP);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            text->data[text->len] = '\0';
            return (int)got;
        }
        text->len += (size_t)got;
    }
}

int pf_text_read_file(struct pf_text *text, const char *path)
{
    int fd;
    int result;
    int saved_errno;

    if (strcmp(path, "-") == 0) {
        return pf_text_read_fd(text, STDIN_FILENO);
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    result = pf_text_read_fd(text, fd);
    saved_errno = errno;
    (void)close(fd);
    errno = saved_errno;
    return result;
}
