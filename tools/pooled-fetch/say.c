/* Standard error, shared. */

#include "say.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

enum {
    COLUMNS_DEFAULT = 80,
    ROWS_DEFAULT = 24,
    SHOWN_MAX = 512
};

/* Guarded by `mutex`. */
static struct {
    size_t num_lines; /* of the display above the cursor */
    size_t lengths[SHOWN_MAX];
} locked;

/* window is the terminal's size, zero bytes when that is not known. */
static struct winsize window(void)
{
    struct winsize size = {0};

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size : (struct winsize){0};
}

int pf_say_width(void)
{
    const struct winsize size = window();

    return size.ws_col > 0 ? size.ws_col : COLUMNS_DEFAULT;
}

int pf_say_height(void)
{
    const struct winsize size = window();

    return size.ws_row > 0 ? size.ws_row : ROWS_DEFAULT;
}

/* rows_shown is how many rows of the terminal the display takes: in a window that has become
 * narrower a line may take several. Holds the mutex. */
static size_t rows_shown(void)
{
    size_t width = (size_t)pf_say_width();
    size_t rows = 0;

    for (size_t i = 0; i < locked.num_lines; i++) {
        rows += locked.lengths[i] > 0 ? (locked.lengths[i] + width - 1) / width : 1;
    }
    return rows;
}

/* add_erasure moves up over the display and clears from there on. Holds the mutex. */
static void add_erasure(struct pf_text *out)
{
    if (locked.num_lines > 0) {
        pf_text_addf(out, "\x1b[%zuA\x1b[J", rows_shown());
        locked.num_lines = 0;
    }
}

/* note_lines remembers what was drawn. Holds the mutex. */
static void note_lines(const struct pf_text *text)
{
    size_t len = 0;

    for (size_t i = 0; i < text->len && locked.num_lines < SHOWN_MAX; i++) {
        if (text->data[i] == '\n') {
            locked.lengths[locked.num_lines++] = len;
            len = 0;
        } else {
            len++;
        }
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

void pf_say_draw(const struct pf_text *lasting, const struct pf_text *fleeting, bool is_last)
{
    struct pf_text out = {0};

    (void)pthread_mutex_lock(&mutex);
    add_erasure(&out);
    pf_text_add(&out, lasting->data, lasting->len);
    pf_text_add(&out, fleeting->data, fleeting->len);
    put(&out);
    if (!is_last) {
        note_lines(fleeting);
    }
    (void)pthread_mutex_unlock(&mutex);
    pf_text_free(&out);
}
