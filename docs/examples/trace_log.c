/* Prints what a request does as lines of a log: when, what, a number and a text. The library has
 * masked credentials in what it tells.
 *
 *   cc trace_log.c $(pkg-config --cflags --libs urlpool) -o trace_log
 *   ./trace_log https://example.com/ */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <urlpool/urlpool.h>

static const char *const names[] = {
    [URLPOOL_TRACE_LEASED] = "leased",
    [URLPOOL_TRACE_RESOLVED] = "resolved",
    [URLPOOL_TRACE_CONNECTED] = "connected",
    [URLPOOL_TRACE_TUNNELLED] = "tunnelled",
    [URLPOOL_TRACE_SECURED] = "secured",
    [URLPOOL_TRACE_REQUEST_HEAD] = "request-head",
    [URLPOOL_TRACE_REQUEST_SENT] = "request-sent",
    [URLPOOL_TRACE_FIRST_BYTE] = "first-byte",
    [URLPOOL_TRACE_INTERIM_HEAD] = "interim-head",
    [URLPOOL_TRACE_RESPONSE_HEAD] = "response-head",
    [URLPOOL_TRACE_BODY_END] = "body-end",
    [URLPOOL_TRACE_RETRY] = "retry",
    [URLPOOL_TRACE_REDIRECT] = "redirect",
    [URLPOOL_TRACE_CLOSED] = "closed",
    [URLPOOL_TRACE_INSECURE] = "insecure",
    [URLPOOL_TRACE_LEAK] = "leak",
};

struct log {
    FILE *file;
    int64_t began_ns; /* when the first event came */
};

/* name_of knows that a library newer than this program may tell of other kinds. */
static const char *name_of(enum urlpool_trace_kind kind)
{
    const char *name = kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;

    return name != NULL ? name : "other";
}

/* write_event is called in the thread of the request. A text may have lines (a head), each of which
 * is a line of the log; it does not end in a NUL. */
static void write_event(void *user, const struct urlpool_trace_event *event)
{
    struct log *log = user;
    const char *name = name_of(event->kind);
    size_t at = 0;

    if (log->began_ns == 0) {
        log->began_ns = event->at_ns;
    }
    do {
        const char *line = event->text_len == 0 ? "" : event->text + at;
        const char *end = memchr(line, '\n', event->text_len - at);
        size_t len = end == NULL ? event->text_len - at : (size_t)(end - line);

        at += len + (end == NULL ? 0 : 1);
        len -= len > 0 && line[len - 1] == '\r' ? 1 : 0;
        if (len > 0 || event->text_len == 0) {
            fprintf(log->file, "%10.6f %-13s %5" PRId64 " %.*s\n",
                    (double)(event->at_ns - log->began_ns) / 1e9, name, event->number, (int)len,
                    line);
        }
    } while (at < event->text_len);
}

int main(int argc, char **argv)
{
    struct log log = {.file = stdout};
    struct urlpool_manager_options options = {
        .trace = {.event = write_event, .user = &log}
    };
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(&options, &err);
    struct urlpool_response *response = NULL;

    if (http != NULL) {
        response = urlpool_request(http, "GET", argc > 1 ? argv[1] : "", NULL, &err);
    }
    if (response == NULL) {
        fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
    }
    urlpool_response_free(response);
    urlpool_manager_free(http);
    return response == NULL ? 1 : 0;
}
