/* set_debuglevel: the exchange, printed line by line as it happens. It sees what every trace sink
 * sees, so credentials are masked already. */

#include <stdio.h>
#include <string.h>

#include "conn/floor.h"
#include "conn/wire.h"

static void print_line(const struct urlp_floor_debug *debug, const char *line)
{
    if (debug->sink != NULL) {
        debug->sink(debug->user, line);
    } else {
        (void)fprintf(stderr, "%s\n", line);
    }
}

/* print_bounded prints one line behind `label`, cut when it is long. */
static void print_bounded(const struct urlp_floor_debug *debug, const char *label, const char *text,
                          size_t len)
{
    char line[512];
    const size_t cut = len > sizeof(line) / 2 ? sizeof(line) / 2 : len;

    (void)snprintf(line, sizeof(line), "%s: %.*s%s", label, (int)cut, text, cut < len ? "..." : "");
    print_line(debug, line);
}

/* print_head prints each line of a head behind `label`. */
static void print_head(const struct urlp_floor_debug *debug, const char *label, const char *text,
                       size_t len)
{
    while (len > 0) {
        const char *end = memchr(text, '\n', len);
        size_t line_len = end == NULL ? len : (size_t)(end - text);
        size_t shown = line_len > 0 && text[line_len - 1] == '\r' ? line_len - 1 : line_len;

        if (shown > 0) {
            print_bounded(debug, label, text, shown);
        }
        line_len += end == NULL ? 0 : 1;
        text += line_len;
        len -= line_len;
    }
}

/* print_note prints an event that is not a head. */
static void print_note(const struct urlp_floor_debug *debug, const char *what,
                       const struct urlpool_trace_event *event)
{
    char line[512];

    (void)snprintf(line, sizeof(line), "%s: %.*s%s%lld", what, (int)event->text_len,
                   event->text == NULL ? "" : event->text, event->text_len > 0 ? ", " : "",
                   (long long)event->number);
    print_line(debug, line);
}

void urlp_floor_trace(void *user, const struct urlpool_trace_event *event)
{
    const struct urlp_floor *floor = user;

    switch (event->kind) {
    case URLPOOL_TRACE_REQUEST_HEAD:
        print_head(&floor->debug, "send", event->text, event->text_len);
        break;
    case URLPOOL_TRACE_INTERIM_HEAD:
    case URLPOOL_TRACE_RESPONSE_HEAD:
        print_head(&floor->debug, "reply", event->text, event->text_len);
        break;
    case URLPOOL_TRACE_CONNECTED:
        print_note(&floor->debug, "connected", event);
        break;
    case URLPOOL_TRACE_TUNNELLED:
        print_note(&floor->debug, "tunnel", event);
        break;
    case URLPOOL_TRACE_INSECURE:
        print_note(&floor->debug, "warning", event);
        break;
    case URLPOOL_TRACE_SECURED:
        print_note(&floor->debug, "tls", event);
        break;
    case URLPOOL_TRACE_REQUEST_SENT:
        print_note(&floor->debug, "bytes sent", event);
        break;
    case URLPOOL_TRACE_BODY_END:
        print_note(&floor->debug, "body bytes", event);
        break;
    default:
        break;
    }
    if (floor->user_trace.event != NULL) {
        floor->user_trace.event(floor->user_trace.user, event);
    }
}

void urlpool_connection_set_debuglevel(struct urlpool_connection *connection, int level,
                                       void (*sink)(void *user, const char *line), void *user)
{
    if (connection != NULL) {
        connection->floor->debug = (struct urlp_floor_debug){level, sink, user};
    }
}
