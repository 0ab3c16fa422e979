/* pooled-fetch: how fast bodies come and go, how it ends in the midst of several, and what it
 * traces meanwhile. */

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/fetch_site.h"
#include "support/now.h"
#include "support/run_tests.h"

#define CURL   "/usr/bin/curl"
#define THIRTY "abcdefghijklmnopqrstuvwxyzabcd"

enum {
    WITHIN_MS = 20000
};

static struct site site;

/* --- how fast --------------------------------------------------------------------------------- */

/* At 100 bytes a second 26 take 260 ms; the first step of 30 sent is free. However busy the machine
 * is, it is never faster. */
START_TEST(pace__of_bodies_that_come_is_kept)
{
    int64_t began_ms = test_now_ms();

    site_begin(&site);
    ck_assert_ran(FETCH(&site, "--limit-rate", "100", site_url(&site, "/ranged")), 0,
                  "abcdefghijklmnopqrstuvwxyz");
    ck_assert_int_ge(test_now_ms() - began_ms, 230);
    site_end(&site);
}
END_TEST

static const char *const uploads[][3] = {
    {"-d", THIRTY, NULL},
    {"-T", "file", NULL},
    {"-T", "-",    NULL},
};

START_TEST(pace__of_bodies_that_are_sent_is_kept)
{
    int64_t began_ms = test_now_ms();

    site_begin(&site);
    free(test_file(site.dir, "file", THIRTY));
    ck_assert_ran(FETCH_INPUT(&site, THIRTY, "--limit-rate", "100", uploads[_i][0], uploads[_i][1],
                              site_url(&site, "/none")),
                  0, "");
    ck_assert_int_ge(test_now_ms() - began_ms, 180);
    site_end(&site);
}
END_TEST

START_TEST(pace__of_what_is_sent_ends_with_the_time_there_is)
{
    site_begin(&site);
    ck_assert_code(FETCH(&site, "-s", "-m", "0.3", "--limit-rate", "1", "-d", THIRTY,
                         site_url(&site, "/none")),
                   28);
    site_end(&site);
}
END_TEST

/* --- ends in the midst ------------------------------------------------------------------------ */

START_TEST(interrupt__leaves_nothing_behind_the_body_that_it_broke_off)
{
    int fds[2];
    char text[64] = "";
    struct pollfd come;
    struct program *program;
    struct ran *ran;
    ssize_t len;

    site_begin(&site);
    ck_assert_int_eq(pipe(fds), 0);
    program = program_start((const char *const[]){POOLED_FETCH, "-s", site_url(&site, "/drip"),
                                                  site_url(&site, "/drip"),
                                                  site_url(&site, "/hello"), NULL},
                            &(struct program_options){.out_fd = fds[1]});
    (void)close(fds[1]);
    come = (struct pollfd){.fd = fds[0], .events = POLLIN};
    ck_assert_int_eq(poll(&come, 1, WITHIN_MS), 1);
    for (int ms = 0; test_server_num_requests(site.server) < 3; ms++) {
        ck_assert_int_lt(ms, WITHIN_MS);
        (void)poll(NULL, 0, 1);
    }
    (void)poll(NULL, 0, 20); /* what the second has got, were it written */
    program_signal(program, SIGINT);
    ran = program_wait(program);
    ck_assert_int_eq(ran->exit_code, 130);
    len = read(fds[0], text, sizeof(text) - 1);
    ck_assert_int_eq(len, 5);
    ck_assert_int_eq(read(fds[0], text, sizeof(text)), 0);
    (void)close(fds[0]);
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(interrupt__leaves_lines_about_those_that_are_done)
{
    struct program *program;
    struct ran *ran;

    site_begin(&site);
    program = program_start((const char *const[]){POOLED_FETCH, "-s", "--jsonl", "--out-null",
                                                  "-c2", site_url(&site, "/stay"),
                                                  site_url(&site, "/hello"), NULL},
                            NULL);
    for (int ms = 0; test_server_num_requests(site.server) < 2; ms++) {
        ck_assert_int_lt(ms, WITHIN_MS);
        (void)poll(NULL, 0, 1);
    }
    (void)poll(NULL, 0, 20);
    program_signal(program, SIGTERM);
    ran = program_wait(program);
    ck_assert_int_eq(ran->exit_code, 143);
    ck_assert_ptr_nonnull(strstr(ran->out, "{\"index\":0,"));
    ck_assert_ptr_nonnull(strstr(ran->out, "{\"index\":1,"));
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(fail_early__ends_those_that_are_under_way)
{
    struct ran *ran;

    site_begin(&site);
    ran = FETCH(&site, "-s", "-f", "--fail-early", "-c3", site_url(&site, "/stay"),
                site_url(&site, "/status/404"), site_url(&site, "/stay"));
    ck_assert_int_eq(ran->exit_code, 22);
    ck_assert_str_eq(ran->out, "");
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(max_time__ends_each_by_itself)
{
    const char *second;
    struct ran *ran;

    site_begin(&site);
    ran = FETCH(&site, "-s", "-m", "0.2", "--jsonl", "--out-null", "-c2", site_url(&site, "/drip"),
                site_url(&site, "/stay"));
    ck_assert_int_eq(ran->exit_code, 28);
    second = strchr(ran->out, '\n');
    ck_assert_ptr_nonnull(second);
    ck_assert_ptr_nonnull(strstr(second, "\"exitcode\":28,"));
    ck_assert_ptr_nonnull(strstr(ran->out, "\"exitcode\":28,"));
    ck_assert_ptr_ne(strstr(ran->out, "\"exitcode\":28,"), strstr(second, "\"exitcode\":28,"));
    ran_free(ran);
    site_end(&site);
}
END_TEST

/* --- what is traced --------------------------------------------------------------------------- */

/* data_of is the dump of the body in the trace of one program. For free(). */
static char *data_of(const char *program, const char *option)
{
    struct ran *ran = site_fetch(
        &site, NULL,
        (const char *const[]){program, "-s", option, "trace", site_url(&site, "/ranged"), NULL});
    char *text = site_file(&site, "trace");
    char *from;
    char *data;

    ck_assert_int_eq(ran->exit_code, 0);
    ck_assert_ptr_nonnull(text);
    from = strstr(text, "<= Recv data");
    ck_assert_msg(from != NULL, "%s", text);
    if (strstr(from, "== Info") != NULL) {
        *strstr(from, "== Info") = '\0';
    }
    data = strdup(from);
    free(text);
    ran_free(ran);
    return data;
}

static void assert_dumps_as_curl(const char *option)
{
    char *ours = data_of(POOLED_FETCH, option);
    char *curls = access(CURL, X_OK) == 0 ? data_of(CURL, option) : strdup(ours);

    ck_assert_str_eq(ours, curls);
    free(ours);
    free(curls);
}

START_TEST(trace__dumps_bytes_as_curl_does)
{
    char *hex;

    site_begin(&site);
    assert_dumps_as_curl("--trace");
    assert_dumps_as_curl("--trace-ascii");
    hex = data_of(POOLED_FETCH, "--trace");
    ck_assert_ptr_nonnull(strstr(hex, "\n0000: 61 62 63 64 "));
    ck_assert_ptr_nonnull(strstr(hex, "\n0010: 71 72 73 74 75 76 77 78 79 7a  "));
    free(hex);
    site_end(&site);
}
END_TEST

START_TEST(trace__to_standard_output_stands_before_the_body)
{
    struct ran *ran;
    const char *head;

    site_begin(&site);
    ran = FETCH(&site, "-s", "--trace-ascii", "-", site_url(&site, "/hello"));
    head = strstr(ran->out, "=> Send header");
    ck_assert_ptr_nonnull(head);
    ck_assert_ptr_nonnull(strstr(head, "<= Recv data, 6 bytes (0x6)\n0000: hello.\nhello\n"));
    ran_free(ran);
    site_end(&site);
}
END_TEST

/* has_time says whether "HH:MM:SS.uuuuuu " stands before `what` in `text`. */
static bool has_time(const char *text, const char *what)
{
    static const char form[] = "00:00:00.000000 ";
    const char *at = strstr(text, what);
    const size_t len = strlen(form);

    ck_assert_msg(at != NULL, "%s", text);
    if ((size_t)(at - text) < len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        const char c = at[(ptrdiff_t)i - (ptrdiff_t)len];
        if (form[i] == '0' ? c < '0' || c > '9' : c != form[i]) {
            return false;
        }
    }
    return true;
}

START_TEST(trace_time__stands_before_every_line)
{
    char *text;
    struct ran *ran;

    site_begin(&site);
    ck_assert_code(
        FETCH(&site, "-s", "--trace-time", "--trace-ascii", "trace", site_url(&site, "/hello")), 0);
    text = site_file(&site, "trace");
    ck_assert(has_time(text, "=> Send header"));
    ck_assert(has_time(text, "<= Recv header"));
    ck_assert(has_time(text, "<= Recv data"));
    ck_assert(has_time(text, "== Info"));
    free(text);
    ran = FETCH(&site, "-sv", "--trace-time", site_url(&site, "/hello"));
    ck_assert(has_time(ran->err, "> GET /hello"));
    ck_assert(has_time(ran->err, "< HTTP/1.1 200"));
    ran_free(ran);
    ran = FETCH(&site, "-sv", site_url(&site, "/hello"));
    ck_assert(!has_time(ran->err, "> GET /hello"));
    ran_free(ran);
    site_end(&site);
}
END_TEST

RUN_LOOPS("fetch pace", TEST_ONCE(pace__of_bodies_that_come_is_kept),
          TEST_ROWS(pace__of_bodies_that_are_sent_is_kept, uploads),
          TEST_ONCE(pace__of_what_is_sent_ends_with_the_time_there_is),
          TEST_ONCE(interrupt__leaves_nothing_behind_the_body_that_it_broke_off),
          TEST_ONCE(interrupt__leaves_lines_about_those_that_are_done),
          TEST_ONCE(fail_early__ends_those_that_are_under_way),
          TEST_ONCE(max_time__ends_each_by_itself), TEST_ONCE(trace__dumps_bytes_as_curl_does),
          TEST_ONCE(trace__to_standard_output_stands_before_the_body),
          TEST_ONCE(trace_time__stands_before_every_line))
