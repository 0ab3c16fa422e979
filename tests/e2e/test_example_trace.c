/* docs/examples/trace_log.c and timing_table.c, as their readers run them: what they print is held
 * against what the server did. */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/example.h"
#include "support/http_server.h"
#include "support/run_tests.h"

enum {
    SLOW_MS = 40,
    COLUMNS = 9,
    WAIT = 6, /* its column */
    ROWS_MAX = 4
};

/* A redirect; a 503; and an answer that is slow to begin, with a secret. */
static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    if (request->number == 1) {
        test_peer_reply(peer, 302, "Location: /there\r\n", "");
    } else if (request->number == 2) {
        test_peer_reply(peer, 503, "Retry-After: 0\r\n", "");
    } else {
        (void)poll(NULL, 0, SLOW_MS);
        test_peer_reply(peer, 200, "Set-Cookie: hush\r\n", "hello");
    }
}

/* name_port makes a port "PORT", which is shorter: ephemeral ones have five digits. */
static void name_port(char *text, int port)
{
    char digits[16];
    size_t len = (size_t)snprintf(digits, sizeof(digits), ":%d", port);

    while ((text = strstr(text, digits)) != NULL) {
        memcpy(text, ":PORT", 5);
        memmove(text + 5, text + len, strlen(text + len) + 1);
    }
}

START_TEST(trace_log__prints_each_event_as_a_line_of_a_log)
{
    static const char *const expected[] = {
        "leased            0 http://127.0.0.1:PORT\n",
        "connected         0 127.0.0.1:PORT\n",
        "request-head      0 GET / HTTP/1.1\n",
        "request-head      0 Host: 127.0.0.1:PORT\n",
        "request-head      0 Authorization: ***\n",
        "request-sent  ",
        "first-byte        0 \n",
        "response-head   302 HTTP/1.1 302 Because\n",
        "response-head   302 Location: /there\n",
        "body-end          0 \n",
        "redirect        302 http://127.0.0.1:PORT/there\n",
        "leased            1 http://127.0.0.1:PORT\n",
        "response-head   503 HTTP/1.1 503 Because\n",
        "retry             0 status 503\n",
        "response-head   200 Set-Cookie: ***\n",
        "body-end          5 \n",
    };
    struct test_server *server = test_server_start(answer, NULL, NULL);
    char url[64];
    struct ran *ran;
    const char *at;

    (void)snprintf(url, sizeof(url), "http://me:hush@127.0.0.1:%d/", test_server_port(server));
    ran = EXAMPLE("trace_log", url);
    ck_assert_int_eq(ran->exit_code, 0);
    name_port(ran->out, test_server_port(server));
    at = ran->out;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        at = strstr(at, expected[i]);
        ck_assert_msg(at != NULL, "no \"%s\" in its place in\n%s", expected[i], ran->out);
    }
    ck_assert_ptr_null(strstr(ran->out, "hush"));
    ck_assert_int_eq(strncmp(ran->out, "  0.000000 leased ", 18), 0);
    ran_free(ran);
    test_server_stop(server);
}
END_TEST

START_TEST(trace_log__says_why_there_is_no_answer)
{
    struct ran *ran = EXAMPLE("trace_log", "ftp://127.0.0.1/");

    ck_assert_int_eq(ran->exit_code, 1);
    ck_assert_str_eq(ran->out, "");
    ck_assert_int_eq(strncmp(ran->err, "URLPOOL_E_SCHEME: ", 18), 0);
    ran_free(ran);
}
END_TEST

/* A row of the table: its steps, their total, and how the try ended. */
struct row {
    double ms[COLUMNS];
    double total;
    char end[80];
};

/* read_row reads the next row of a table; false: there is none. */
static bool read_row(const char **at, int number, struct row *out)
{
    int used = 0;
    int found;
    int len;

    if (**at == '\0') {
        return false;
    }
    ck_assert_int_eq(sscanf(*at, "%d%n", &found, &used), 1);
    ck_assert_int_eq(found, number);
    *at += used;
    for (int i = 0; i < COLUMNS; i++) {
        ck_assert_int_eq(sscanf(*at, "%lf%n", &out->ms[i], &used), 1);
        *at += used;
    }
    ck_assert_int_eq(sscanf(*at, "%lf %79[^\n]%n", &out->total, out->end, &len), 2);
    *at += len + 1;
    return true;
}

START_TEST(timing_table__has_a_row_for_each_try)
{
    static const char head[] = "try    place      dns      tcp    proxy      tls     send     wait"
                               "     body     lost    total  end\n";
    struct test_server *server = test_server_start(answer, NULL, NULL);
    struct row rows[ROWS_MAX];
    char url[64];
    char onwards[80];
    struct ran *ran = EXAMPLE("timing_table", test_server_url(server, "/", url, sizeof(url)));
    const char *at = ran->out + strlen(head);
    int num = 0;

    ck_assert_int_eq(ran->exit_code, 0);
    ck_assert_int_eq(strncmp(ran->out, head, strlen(head)), 0);
    while (num < ROWS_MAX && read_row(&at, num + 1, &rows[num])) {
        double sum = 0;

        for (int i = 0; i < COLUMNS; i++) {
            ck_assert(rows[num].ms[i] >= 0);
            sum += rows[num].ms[i];
        }
        ck_assert(sum - rows[num].total < 0.01 && rows[num].total - sum < 0.01);
        num++;
    }
    ck_assert_int_eq(num, 3);
    (void)snprintf(onwards, sizeof(onwards), "on to %sthere", url);
    ck_assert_str_eq(rows[0].end, onwards);
    ck_assert_str_eq(rows[1].end, "again: status 503");
    ck_assert_str_eq(rows[2].end, "status 200");
    ck_assert(rows[0].ms[2] > 0);                        /* it connected */
    ck_assert(rows[1].ms[2] == 0 && rows[2].ms[2] == 0); /* on the same connection */
    ck_assert(rows[2].ms[WAIT] >= SLOW_MS);
    ran_free(ran);
    test_server_stop(server);
}
END_TEST

START_TEST(timing_table__says_how_the_last_try_failed)
{
    struct ran *ran = EXAMPLE("timing_table", "http://127.0.0.1:1/");

    ck_assert_int_eq(ran->exit_code, 1);
    ck_assert_ptr_nonnull(
        strstr(ran->out, "  again: connect to 127.0.0.1:1: Connection refused\n"));
    ck_assert_ptr_nonnull(strstr(ran->out, "\n  4 "));
    ck_assert_str_eq(ran->err, "");
    ran_free(ran);
}
END_TEST

RUN_TESTS("example trace", trace_log__prints_each_event_as_a_line_of_a_log,
          trace_log__says_why_there_is_no_answer, timing_table__has_a_row_for_each_try,
          timing_table__says_how_the_last_try_failed)
