/* Standard error, shared. */

#include "say.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* Guarded by `mutex`. */
static struct {
    int num_lines; /* of the display above the cursor */
} locked;

/* add_erasure moves up over the display and clears from there on. Holds the mutex. */
static void add_erasure(struct pf_text *out)
{
    if (locked.num_lines > 0) {
        pf_text_addf(out, "\x1b[%dA\x1b[J", locked.num_lines);
        locked.num_lines = 0;
    }
}

static void put(const struct pf_text *text)
{
    if (text->len > 0) {
        (void)fwrite(text->data, 1, text->len, stderr);
        (void)fflush(stderr);
    }
}

void pf_say_text(const struct pf_text *text)
{
    struct pf_text out = {0};

    (void)pthread_mutex_lock(&mutex);
    add_erasure(&out);
    pf_text_add(&out, text->data, text->len);
    put(&out);
    (void)pthread_mutex_unlock(&mutex);
    pf_text_free(&out);
}

void pf_say(const char *format, ...)
{
    struct pf_text line = {0};
    char message[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    for (char *at = message; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f) {
            *at = '?'; /* nothing that a terminal would obey */
        }
    }
    pf_text_addf(&line, "pooled-fetch: %s\n", message);
    pf_say_text(&line);
    pf_text_free(&line);
}

void pf_say_draw(const struct pf_text *lasting, const struct pf_text *fleeting, int num_lines)
{
    struct pf_text out = {0};

    (void)pthread_mutex_lock(&mutex);
    add_erasure(&out);
    pf_text_add(&out, lasting->data, lasting->len);
    pf_text_add(&out, fleeting->data, fleeting->len);
    put(&out);
    locked.num_lines = num_lines;
    (void)pthread_mutex_unlock(&mutex);
    pf_text_free(&out);
}
