/* pooled-fetch: transfers that are tried again, as the server sees them. The pauses themselves are
 * tested where no time passes: tests/unit/pooled-fetch/test_tries.c. */

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/fetch_site.h"
#include "support/loopback.h"
#include "support/run_tests.h"

enum {
    WORDS_MAX = 8,
    ANSWERS_MAX = 5
};

/* A server that answers its requests one after the other with a status, or as a word says; the
 * last answer repeats. */
struct script {
    const char *const *answers;
    atomic_uint num_answered;
    atomic_uint num_bodies; /* requests whose body was "body" */
};

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    struct script *script = user;
    unsigned i = 0;
    const char *word;

    if (request->body_len == 4 && memcmp(request->body, "body", 4) == 0) {
        atomic_fetch_add(&script->num_bodies, 1);
    }
    for (unsigned n = atomic_fetch_add(&script->num_answered, 1); n > 0; n--) {
        i += script->answers[i + 1] != NULL ? 1 : 0;
    }
    word = script->answers[i];
    if (strcmp(word, "close") == 0) {
        test_peer_close(peer);
    } else if (strcmp(word, "cut") == 0) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\na long beginning");
        test_peer_close(peer);
    } else if (strcmp(word, "stay") == 0) {
        test_peer_stay(peer);
    } else if (strcmp(word, "now") == 0) {
        test_peer_reply(peer, 503, "Retry-After: 0\r\n", "now\n");
    } else if (strcmp(word, "later") == 0) {
        test_peer_reply(peer, 503, "Retry-After: 1000\r\n", "later\n");
    } else {
        test_peer_reply(peer, atoi(word), NULL, word);
    }
}

/* struct flaky is such a server, and a folder. */
struct flaky {
    struct script script;
    struct site site;
};

static void flaky_begin(struct flaky *flaky, const char *const *answers)
{
    *flaky = (struct flaky){.script = {.answers = answers}};
    flaky->site.server = test_server_start(answer, &flaky->script, NULL);
    flaky->site.dir = test_dir();
}

/* Command lines; "--retry-delay 0.01" is put before. */
static const struct {
    const char *words[WORDS_MAX];
    const char *answers[ANSWERS_MAX];
    int exit_code;
    unsigned num_requests;
    const char *output;
} cases[] = {
    {{NULL},                                               {"now", "200"},        0,  1, "now\n"              },
    {{NULL},                                               {"close", "200"},      52, 1, ""                   },
    {{"--retry", "1"},                                     {"now", "200"},        0,  2, "now\n200"           },
    {{NULL},                                               {"503", "200"},        0,  1, "503"                },
    {{"--retry", "0"},                                     {"503", "200"},        0,  1, "503"                },
    {{"--retry", "1"},                                     {"503", "200"},        0,  2, "503200"             },
    {{"--retry", "3"},                                     {"503", "500", "200"}, 0,  3, "503500200"          },
    {{"--retry", "1"},                                     {"503", "503", "200"}, 0,  2, "503503"             },
    {{"--retry", "1", "-f"},                               {"503", "503", "200"}, 22, 2, ""                   },
    {{"--retry", "2", "-f"},                               {"503", "503", "200"}, 0,  3, "200"                },
    {{"--retry", "1", "--fail-with-body"},                 {"503", "200"},        0,  2, "503200"             },
    {{"--retry", "9"},                                     {"404", "200"},        0,  1, "404"                },
    {{"--retry", "9", "-f"},                               {"404", "200"},        22, 1, ""                   },
    {{"--retry", "9", "-f", "--retry-all-errors"},         {"404", "200"},        0,  2, "200"                },
    {{"--retry", "9", "--retry-on", "404,405"},            {"404", "405", "503"}, 0,  3, "404405503"          },
    {{"--retry", "9", "--retry-on=404", "--retry-on=503"},
     {"404", "503", "200"},
     0,                                                                               3,
     "404503200"                                                                                              },
    {{"--retry", "9"},                                     {"close", "200"},      52, 1, ""                   },
    {{"--retry", "9", "--retry-all-errors"},               {"close", "200"},      0,  2, "200"                },
    {{"--retry", "9"},                                     {"cut", "200"},        18, 1, NULL                 },
    {{"--retry", "9", "--retry-all-errors"},               {"cut", "200"},        0,  2, "a long beginning200"},
    {{"--retry", "1", "-m", "1"},                          {"stay", "200"},       0,  2, "200"                },
    {{"--retry", "1", "--read-timeout", "1"},              {"stay", "200"},       0,  2, "200"                },
    {{"--retry", "1", "-m", "0.7"},                        {"stay"},              28, 2, ""                   },
    {{"--retry", "1", "-d", "body"},                       {"503", "200"},        0,  2, "503200"             },
    {{"--retry", "1", "-T", "file"},                       {"503", "200"},        0,  2, "503200"             },
    {{"--retry", "1", "--retry-max-time", "60"},           {"later", "200"},      0,  1, "later\n"            },
};

START_TEST(fetch__tries_again_what_is_worth_it)
{
    struct flaky flaky;
    const char *words[WORDS_MAX + 6] = {POOLED_FETCH, "-s", "--retry-delay", "0.01", NULL};
    struct ran *ran;
    size_t n = 4;
    bool has_body = false;

    flaky_begin(&flaky, cases[_i].answers);
    free(test_file(flaky.site.dir, "file", "body"));
    for (size_t i = 0; i < WORDS_MAX && cases[_i].words[i] != NULL; i++) {
        words[n++] = cases[_i].words[i];
        has_body |=
            strcmp(cases[_i].words[i], "body") == 0 || strcmp(cases[_i].words[i], "file") == 0;
    }
    words[n] = site_url(&flaky.site, "/");
    ran = site_fetch(&flaky.site, NULL, words);
    ck_assert_msg(ran->exit_code == cases[_i].exit_code, "exit code %d: %s", ran->exit_code,
                  ran->err);
    if (cases[_i].output != NULL) {
        ck_assert_str_eq(ran->out, cases[_i].output);
    }
    ck_assert_str_eq(ran->err, "");
    ck_assert_uint_eq(test_server_num_requests(flaky.site.server), cases[_i].num_requests);
    ck_assert_uint_eq(atomic_load(&flaky.script.num_bodies), has_body ? cases[_i].num_requests : 0);
    ran_free(ran);
    site_end(&flaky.site);
}
END_TEST

START_TEST(fetch__a_file_holds_only_the_last_try)
{
    static const char *const answers[] = {"cut", "503", "200", NULL};
    struct flaky flaky;
    char *text;

    flaky_begin(&flaky, answers);
    ck_assert_code(FETCH(&flaky.site, "--retry", "2", "--retry-delay", "0.01", "--retry-all-errors",
                         "-o", "file", "-D", "heads", site_url(&flaky.site, "/")),
                   0);
    text = site_file(&flaky.site, "file");
    ck_assert_str_eq(text, "200");
    free(text);
    text = site_file(&flaky.site, "heads"); /* and this one those of all tries, as in curl */
    ck_assert_ptr_nonnull(strstr(text, " 503 "));
    ck_assert_ptr_nonnull(strstr(strstr(text, " 503 "), " 200 "));
    free(text);
    site_end(&flaky.site);
}
END_TEST

START_TEST(fetch__says_that_it_tries_again)
{
    static const char *const answers[] = {"503", "cut", "200", NULL};
    struct flaky flaky;
    struct ran *ran;

    flaky_begin(&flaky, answers);
    ran = FETCH(&flaky.site, "--retry", "2", "--retry-delay", "0.01", "--retry-all-errors",
                "--out-null", "-w", "%{num_retries}|%{http_code}|%{exitcode}\\n",
                site_url(&flaky.site, "/"));
    ck_assert_int_eq(ran->exit_code, 0);
    ck_assert_str_eq(ran->out, "2|200|0\n");
    ck_assert_ptr_nonnull(
        strstr(ran->err, "the answer is 503; trying again in 0.01 s, then 1 times more\n"));
    ck_assert_ptr_nonnull(strstr(ran->err, "trying again in 0.01 s, then 0 times more\n"));
    ran_free(ran);
    site_end(&flaky.site);
}
END_TEST

START_TEST(fetch__reports_how_often_it_tried_again)
{
    static const char *const answers[] = {"503", "503", "200", NULL};
    struct flaky flaky;
    struct ran *ran;

    flaky_begin(&flaky, answers);
    ran = FETCH(&flaky.site, "-s", "--retry", "2", "--retry-delay", "0.01", "--out-null",
                "--report=json", site_url(&flaky.site, "/"));
    ck_assert_ptr_nonnull(strstr(ran->out, "\"transfers\": 1,"));
    ck_assert_ptr_nonnull(strstr(ran->out, "\"requests\": 3,"));
    ck_assert_ptr_nonnull(strstr(ran->out, "\"retries\": 2,"));
    ran_free(ran);
    site_end(&flaky.site);
    flaky_begin(&flaky, answers);
    ran = FETCH(&flaky.site, "-s", "--retry", "2", "--retry-delay", "0.01", "--out-null",
                "--report", site_url(&flaky.site, "/"));
    ck_assert_ptr_nonnull(strstr(ran->out, "tried again          2 "));
    ran_free(ran);
    site_end(&flaky.site);
}
END_TEST

START_TEST(fetch__a_refused_connection_is_tried_again_when_asked)
{
    int fd = loopback_bind("127.0.0.1", 0);
    struct site site;
    struct ran *ran;
    char url[64];

    site_begin(&site);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", loopback_port(fd));
    ck_assert_ran(
        FETCH(&site, "-s", "--retry", "2", "--retry-delay", "0.01", "-w", "%{num_retries}", url), 7,
        "0");
    ck_assert_ran(FETCH(&site, "-s", "--retry", "2", "--retry-delay", "0.01", "--retry-connrefused",
                        "-w", "%{num_retries}", url),
                  7, "2");
    ran = FETCH(&site, "-s", "--out-null", "--report=json", url);
    ck_assert_ptr_nonnull(strstr(ran->out, "\"dial_failures\": 1,"));
    ran_free(ran);
    ran = FETCH(&site, "--retry", "1", "--retry-delay", "0.01", "--retry-connrefused", url);
    ck_assert_int_eq(ran->exit_code, 7);
    ck_assert_ptr_nonnull(strstr(ran->err, "trying again"));
    ran_free(ran);
    site_end(&site);
    (void)close(fd);
}
END_TEST

START_TEST(fetch__an_interrupt_ends_a_pause)
{
    static const char *const answers[] = {"later", NULL};
    struct flaky flaky;
    struct program *program;
    struct ran *ran;

    flaky_begin(&flaky, answers);
    program = program_start(
        (const char *const[]){POOLED_FETCH, "-s", "--retry", "1", site_url(&flaky.site, "/"), NULL},
        NULL);
    while (test_server_num_requests(flaky.site.server) == 0) {
        (void)usleep(1000);
    }
    program_signal(program, SIGINT);
    ran = program_wait(program); /* not after 1000 s */
    ck_assert_int_eq(ran->exit_code, 130);
    ran_free(ran);
    site_end(&flaky.site);
}
END_TEST

START_TEST(fetch__fail_early_ends_the_pauses_of_others)
{
    static const char *const answers[] = {"later", NULL};
    struct flaky flaky;
    struct site site;

    site_begin(&site);
    flaky_begin(&flaky, answers);
    ck_assert_code(FETCH(&site, "-s", "--retry", "1", "--fail-early", site_url(&flaky.site, "/"),
                         site_url(&site, "/empty")),
                   52);
    site_end(&flaky.site);
    site_end(&site);
}
END_TEST

RUN_LOOPS("fetch retry", TEST_ROWS(fetch__tries_again_what_is_worth_it, cases),
          TEST_ONCE(fetch__a_file_holds_only_the_last_try),
          TEST_ONCE(fetch__says_that_it_tries_again),
          TEST_ONCE(fetch__reports_how_often_it_tried_again),
          TEST_ONCE(fetch__a_refused_connection_is_tried_again_when_asked),
          TEST_ONCE(fetch__an_interrupt_ends_a_pause),
          TEST_ONCE(fetch__fail_early_ends_the_pauses_of_others))
