/* Fills a table from the events of a request: a row for each try, a column for each step, in
 * milliseconds. Each event ends a step, which began at the event before.
 *
 *   cc timing_table.c $(pkg-config --cflags --libs urlpool) -o timing_table
 *   ./timing_table https://example.com/ */

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <urlpool/urlpool.h>

enum step {
    PLACE, /* until there is a connection or a place for one; a pause before another try, too */
    DNS,
    TCP,
    PROXY, /* what is said to a proxy */
    TLS,
    SEND,
    WAIT, /* until the first byte of the answer */
    BODY, /* head and body of the answer */
    LOST, /* what no event ended, in a try that failed */
    NUM_STEPS
};

static const char *const names[NUM_STEPS] = {"place", "dns",  "tcp",  "proxy", "tls",
                                             "send",  "wait", "body", "lost"};

enum {
    ROWS_MAX = 64
};

struct table {
    int64_t last_ns;
    int num_rows; /* that are full */
    struct row {
        int64_t ns[NUM_STEPS];
        char end[80]; /* how the try ended */
    } rows[ROWS_MAX];
};

static void end_step(struct table *table, enum step step, int64_t now_ns)
{
    table->rows[table->num_rows].ns[step] += now_ns - table->last_ns;
    table->last_ns = now_ns;
}

/* end_row ends the row of a try and says why. */
static void end_row(struct table *table, const char *what, const char *text, size_t len)
{
    snprintf(table->rows[table->num_rows].end, sizeof(table->rows[0].end), "%s%.*s", what, (int)len,
             len > 0 ? text : "");
    table->num_rows++;
}

static void note(void *user, const struct urlpool_trace_event *event)
{
    static const enum step steps[] = {
        [URLPOOL_TRACE_LEASED] = PLACE,      [URLPOOL_TRACE_RESOLVED] = DNS,
        [URLPOOL_TRACE_CONNECTED] = TCP,     [URLPOOL_TRACE_TUNNELLED] = PROXY,
        [URLPOOL_TRACE_SECURED] = TLS,       [URLPOOL_TRACE_REQUEST_HEAD] = SEND,
        [URLPOOL_TRACE_REQUEST_SENT] = SEND, [URLPOOL_TRACE_FIRST_BYTE] = WAIT,
        [URLPOOL_TRACE_INTERIM_HEAD] = WAIT, [URLPOOL_TRACE_RESPONSE_HEAD] = BODY,
        [URLPOOL_TRACE_BODY_END] = BODY,
    };
    struct table *table = user;
    int64_t *ns = table->rows[table->num_rows].ns;

    if (table->num_rows == ROWS_MAX - 1) {
        return;
    }
    if (event->kind == URLPOOL_TRACE_RETRY) {
        end_step(table, LOST, event->at_ns);
        end_row(table, "again: ", event->text, event->text_len);
    } else if (event->kind == URLPOOL_TRACE_REDIRECT) {
        end_row(table, "on to ", event->text, event->text_len);
    } else if (event->kind <= URLPOOL_TRACE_BODY_END) {
        end_step(table, steps[event->kind], event->at_ns);
    }
    if (event->kind == URLPOOL_TRACE_TUNNELLED) { /* CONNECT was a request of its own */
        ns[PROXY] += ns[SEND] + ns[WAIT] + ns[BODY];
        ns[SEND] = ns[WAIT] = ns[BODY] = 0;
    }
}

static void print(const struct table *table)
{
    printf("try");
    for (int step = 0; step < NUM_STEPS; step++) {
        printf(" %8s", names[step]);
    }
    printf("    total  end\n");
    for (int i = 0; i < table->num_rows; i++) {
        int64_t total = 0;

        printf("%3d", i + 1);
        for (int step = 0; step < NUM_STEPS; step++) {
            printf(" %8.3f", (double)table->rows[i].ns[step] / 1e6);
            total += table->rows[i].ns[step];
        }
        printf(" %8.3f  %s\n", (double)total / 1e6, table->rows[i].end);
    }
}

/* now_ns reads the clock of the events. */
static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int main(int argc, char **argv)
{
    static struct table table;
    struct urlpool_request_options options = {
        .trace = {.event = note, .user = &table}
    };
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_response *response = NULL;
    char status[16];

    table.last_ns = now_ns();
    if (http != NULL) {
        response = urlpool_request(http, "GET", argc > 1 ? argv[1] : "", &options, &err);
    }
    if (response == NULL) {
        end_step(&table, LOST, now_ns());
        end_row(&table, "", err.message, strlen(err.message));
    } else {
        snprintf(status, sizeof(status), "status %d", response->status);
        end_row(&table, status, NULL, 0);
    }
    print(&table);
    urlpool_response_free(response);
    urlpool_manager_free(http);
    return response == NULL ? 1 : 0;
}
