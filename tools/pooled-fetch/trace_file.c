/* --trace and --trace-ascii: what goes over the wire, in curl's layout. Heads are as the library's
 * trace shows them, credentials masked; of bodies those that came, decoded, as they are written. */

#include "trace_file.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "watch.h"

enum {
    HEX_WIDTH = 16,
    TEXT_WIDTH = 64,
    NS_PER_US = 1000
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static FILE *file; /* set before there are threads */
static bool is_hex, has_time;

int pf_trace_open(const struct pf_settings *settings)
{
    if (settings->trace_file == NULL) {
        return 0;
    }
    is_hex = settings->trace_is_hex;
    has_time = settings->trace_time;
    if (strcmp(settings->trace_file, "-") == 0) {
        file = stdout;
    } else if (strcmp(settings->trace_file, "%") == 0) {
        file = stderr;
    } else {
        file = fopen(settings->trace_file, "we");
    }
    return file != NULL ? 0 : -1;
}

void pf_trace_close(void)
{
    if (file != NULL && file != stdout && file != stderr) {
        (void)fclose(file);
    } else if (file != NULL) {
        (void)fflush(file);
    }
    file = NULL;
}

bool pf_trace_is_open(void)
{
    return file != NULL;
}

void pf_trace_add_time(struct pf_text *out)
{
    struct timespec now;
    struct tm tm;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)localtime_r(&now.tv_sec, &tm);
    pf_text_addf(out, "%02d:%02d:%02d.%06ld ", tm.tm_hour, tm.tm_min, tm.tm_sec,
                 now.tv_nsec / NS_PER_US);
}

static void put(const struct pf_text *text)
{
    if (text->len > 0) {
        (void)pthread_mutex_lock(&mutex);
        (void)fwrite(text->data, 1, text->len, file);
        if (file == stdout) {
            (void)fflush(file); /* bodies go there too, by write() */
        }
        (void)pthread_mutex_unlock(&mutex);
    }
}

/* row_of is how many bytes make a row of text: up to the width, or to an end of line. */
static size_t row_of(const unsigned char *data, size_t len, size_t *out_skip)
{
    const size_t width = is_hex ? HEX_WIDTH : TEXT_WIDTH;
    size_t row = len < width ? len : width;
    const unsigned char *end =
        is_hex ? NULL : memmem(data, row + 1 < len ? row + 1 : len, "\r\n", 2);

    *out_skip = end != NULL ? 2 : 0;
    return end != NULL ? (size_t)(end - data) : row;
}

static void add_hex(struct pf_text *out, const unsigned char *data, size_t row)
{
    for (size_t i = 0; i < HEX_WIDTH; i++) {
        if (i < row) {
            pf_text_addf(out, "%02x ", data[i]);
        } else {
            pf_text_adds(out, "   ");
        }
    }
}

static void add_dump(struct pf_text *out, const char *title, const void *bytes, size_t len)
{
    const unsigned char *data = bytes;
    size_t at = 0;

    if (has_time) {
        pf_trace_add_time(out);
    }
    pf_text_addf(out, "%s, %zu bytes (0x%zx)\n", title, len, len);
    while (at < len) {
        size_t skip = 0;
        size_t row = row_of(data + at, len - at, &skip);

        pf_text_addf(out, "%04zx: ", at);
        if (is_hex) {
            add_hex(out, data + at, row);
        }
        for (size_t i = 0; i < row; i++) {
            unsigned char byte = data[at + i];
            pf_text_addf(out, "%c", byte >= ' ' && byte < 0x7f ? byte : '.');
        }
        pf_text_adds(out, "\n");
        at += row + skip;
    }
}

void pf_trace_event(const struct urlpool_trace_event *event)
{
    struct pf_text out = {0};
    struct pf_text remark = {0};

    if (event->kind == URLPOOL_TRACE_REQUEST_HEAD) {
        add_dump(&out, "=> Send header", event->text, event->text_len);
    } else if (event->kind == URLPOOL_TRACE_RESPONSE_HEAD ||
               event->kind == URLPOOL_TRACE_INTERIM_HEAD) {
        add_dump(&out, "<= Recv header", event->text, event->text_len);
    } else {
        pf_remark_add(&remark, event);
    }
    if (remark.len > 0) {
        if (has_time) {
            pf_trace_add_time(&out);
        }
        pf_text_addf(&out, "== Info: %s", remark.data + strlen("* "));
    }
    put(&out);
    pf_text_free(&remark);
    pf_text_free(&out);
}

void pf_trace_body(const void *data, size_t len)
{
    struct pf_text out = {0};

    if (file != NULL) {
        add_dump(&out, "<= Recv data", data, len);
        put(&out);
        pf_text_free(&out);
    }
}
