/* pooled-fetch: what its options make it send, as the server sees it. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/fetch_site.h"
#include "support/run_tests.h"

enum {
    WORDS_MAX = 8
};

/* One command line against /echo: `has` is in what was sent, `lacks` is not. */
static const struct {
    const char *words[WORDS_MAX];
    const char *has[3];
    const char *lacks[2];
} cases[] = {
    {{NULL},
     {"GET /echo HTTP/1.1\r\n", "\r\nUser-Agent: pooled-fetch/", "\r\nAccept: */*\r\n"},
     {"Accept-Encoding", "Content-"}                                                                                                               },
    {{"--compressed"},                                              {"\r\nAccept-Encoding: gzip"},                         {NULL}                  },
    {{"--compressed", "--raw"},                                     {"\r\nAccept-Encoding: gzip"},                         {NULL}                  },
    {{"--raw"},                                                     {"GET"},                                               {"Accept-Encoding"}     },
    {{"-X", "DELETE"},                                              {"DELETE /echo HTTP/1.1\r\n"},                         {NULL}                  },
    {{"--request=PROPFIND"},                                        {"PROPFIND /echo HTTP/1.1\r\n"},                       {NULL}                  },
    {{"-H", "X-One: 1", "-H", "X-One: 2"},                          {"\r\nX-One: 1\r\nX-One: 2\r\n"},                      {NULL}                  },
    {{"-H", "User-Agent: mine"},                                    {"\r\nUser-Agent: mine\r\n"},                          {"pooled-fetch/"}       },
    {{"-H", "User-Agent:", "-H", "accept:"},                        {"GET"},                                               {"User-Agent", "Accept"}},
    {{"-H", "X-Empty;"},                                            {"\r\nX-Empty:"},                                      {NULL}                  },
    {{"-H", "Host: example.test"},                                  {"\r\nHost: example.test\r\n"},                        {"127.0.0.1"}           },
    {{"-A", "mine/1"},                                              {"\r\nUser-Agent: mine/1\r\n"},                        {"pooled-fetch/"}       },
    {{"-A", ""},                                                    {"GET"},                                               {"User-Agent"}          },
    {{"-e", "http://a.test/"},                                      {"\r\nReferer: http://a.test/\r\n"},                   {NULL}                  },
    {{"-u", "Aladdin:open sesame"},
     {"\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"},
     {NULL}                                                                                                                                        },
    {{"--oauth2-bearer", "token"},                                  {"\r\nAuthorization: Bearer token\r\n"},               {NULL}                  },
    {{"-d", "a=1"},
     {"POST /echo HTTP/1.1\r\n", "\r\nContent-Type: application/x-www-form-urlencoded\r\n",
      "\r\n\r\na=1"},
     {NULL}                                                                                                                                        },
    {{"-d", "a=1", "--data", "b=2", "--data-binary", "c"},          {"\r\n\r\na=1&b=2&c"},                                 {NULL}                  },
    {{"-d", "@lines"},                                              {"\r\nContent-Length: 6\r\n", "\r\n\r\nonetwo"},       {NULL}                  },
    {{"--data-binary", "@lines"},                                   {"\r\nContent-Length: 9\r\n", "\r\n\r\none\r\ntwo\n"}, {NULL}                  },
    {{"--data-raw", "@lines"},                                      {"\r\n\r\n@lines"},                                    {NULL}                  },
    {{"--data-urlencode", "k=a b&c", "--data-urlencode", "@lines"},
     {"\r\n\r\nk=a+b%26c&one%0D%0Atwo%0A"},
     {NULL}                                                                                                                                        },
    {{"--json", "{\"a\":1}"},
     {"\r\nContent-Type: application/json\r\n", "\r\nAccept: application/json\r\n",
      "\r\n\r\n{\"a\":1}"},
     {NULL}                                                                                                                                        },
    {{"-d", "x", "-H", "Content-Type: text/plain"},
     {"\r\nContent-Type: text/plain\r\n"},
     {"form-urlencoded"}                                                                                                                           },
    {{"-d", ""},                                                    {"POST", "\r\nContent-Length: 0\r\n"},                 {NULL}                  },
    {{"-G", "-d", "a=1", "-d", "b=2"},                              {"GET /echo?a=1&b=2 HTTP/1.1\r\n"},                    {"Content-"}            },
    {{"-X", "PUT", "-d", "x"},                                      {"PUT /echo HTTP/1.1\r\n", "\r\n\r\nx"},               {NULL}                  },
    {{"-H", "@fields"},                                             {"\r\nX-File: yes\r\n", "\r\nX-More: too\r\n"},        {NULL}                  },
    {{"-H", "Transfer-Encoding: chunked", "-d", "x"},
     {"\r\nTransfer-Encoding: chunked\r\n"},
     {"Content-Length"}                                                                                                                            },
};

START_TEST(fetch__sends_what_the_options_say)
{
    struct site site;
    const char *words[WORDS_MAX + 3] = {POOLED_FETCH, NULL};
    struct ran *ran;
    size_t n = 1;

    site_begin(&site);
    free(test_file(site.dir, "lines", "one\r\ntwo\n"));
    free(test_file(site.dir, "fields", "X-File: yes\nX-More: too\n"));
    for (size_t i = 0; i < WORDS_MAX && cases[_i].words[i] != NULL; i++) {
        words[n++] = cases[_i].words[i];
    }
    words[n] = site_url(&site, "/echo");
    ran = site_fetch(&site, NULL, words);
    ck_assert_msg(ran->exit_code == 0, "exit code %d: %s", ran->exit_code, ran->err);
    for (size_t i = 0; i < 3 && cases[_i].has[i] != NULL; i++) {
        ck_assert_msg(strstr(ran->out, cases[_i].has[i]) != NULL, "no \"%s\" in \"%s\"",
                      cases[_i].has[i], ran->out);
    }
    for (size_t i = 0; i < 2 && cases[_i].lacks[i] != NULL; i++) {
        ck_assert_msg(strstr(ran->out, cases[_i].lacks[i]) == NULL, "\"%s\" in \"%s\"",
                      cases[_i].lacks[i], ran->out);
    }
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(fetch__data_comes_from_standard_input)
{
    struct site site;
    struct ran *ran;

    site_begin(&site);
    ran = FETCH_INPUT(&site, "typed\n", "--data-binary", "@-", site_url(&site, "/echo"));
    ck_assert_int_eq(ran->exit_code, 0);
    ck_assert_str_eq(ran->out + ran->out_len - 10, "\r\n\r\ntyped\n");
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(fetch__a_url_without_scheme_is_http)
{
    struct site site;

    site_begin(&site);
    ck_assert_ran(FETCH(&site, site_url(&site, "/hello") + strlen("http://")), 0, "hello\n");
    site_end(&site);
}
END_TEST

START_TEST(fetch__a_url_in_a_query_gives_no_scheme_and_hides_no_password)
{
    struct site site;
    struct ran *ran;
    char url[256];

    site_begin(&site);
    (void)snprintf(url, sizeof(url), "Aladdin:sesame@127.0.0.1:%d/nowhere?to=http://h/",
                   test_server_port(site.server));
    ran = FETCH(&site, "-f", "--jsonl", url);
    ck_assert_int_eq(ran->exit_code, 22);
    ck_assert_ptr_nonnull(strstr(ran->err, "(22) http://127.0.0.1:"));
    ck_assert_ptr_null(strstr(ran->out, "sesame"));
    ck_assert_ptr_null(strstr(ran->err, "sesame"));
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(fetch__user_and_password_in_a_url_are_sent_and_not_shown)
{
    struct site site;
    struct ran *ran;
    char url[256];

    site_begin(&site);
    (void)snprintf(url, sizeof(url), "http://Aladdin:open%%20sesame@127.0.0.1:%d/echo",
                   test_server_port(site.server));
    ran = FETCH(&site, url);
    ck_assert_int_eq(ran->exit_code, 0);
    ck_assert_ptr_nonnull(
        strstr(ran->out, "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
    ran_free(ran);
    (void)snprintf(url, sizeof(url), "http://Aladdin:sesame@127.0.0.1:%d/empty",
                   test_server_port(site.server));
    ran = FETCH(&site, "-v", "--jsonl", url);
    ck_assert_int_eq(ran->exit_code, 52);
    ck_assert_ptr_nonnull(strstr(ran->err, "Authorization: ***"));
    ck_assert_ptr_null(strstr(ran->err, "sesame"));
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(fetch__follows_redirects_only_when_asked)
{
    struct site site;

    site_begin(&site);
    ck_assert_ran(FETCH(&site, site_url(&site, "/hop/2")), 0, "moved");
    ck_assert_ran(FETCH(&site, "-L", site_url(&site, "/hop/2")), 0, "hello\n");
    ck_assert_ran(FETCH(&site, "-L", "--max-redirs", "3", site_url(&site, "/hop/2")), 0, "hello\n");
    ck_assert_refused(FETCH(&site, "-L", "--max-redirs", "2", site_url(&site, "/hop/2")), 47,
                      "redirects");
    ck_assert_refused(FETCH(&site, "-L", "--max-redirs=0", site_url(&site, "/hop/0")), 47,
                      "redirects");
    ck_assert_refused(FETCH(&site, "-L", site_url(&site, "/loop")), 47, "50");
    ck_assert_ran(FETCH(&site, "-L", "--max-redirs", "-1", site_url(&site, "/hop/60")), 0,
                  "hello\n");
    site_end(&site);
}
END_TEST

START_TEST(fetch__a_post_becomes_a_get_where_curl_makes_it_one)
{
    struct site site;
    struct ran *ran;

    site_begin(&site);
    ran = FETCH(&site, "-L", "-d", "secret", site_url(&site, "/to//echo"));
    ck_assert_msg(ran->exit_code == 0, "%s", ran->err);
    ck_assert_ptr_eq(strstr(ran->out, "GET /echo HTTP/1.1\r\n"), ran->out);
    ck_assert_ptr_null(strstr(ran->out, "secret"));
    ck_assert_ptr_null(strstr(ran->out, "Content-"));
    ran_free(ran);
    ran = FETCH(&site, "-L", "-d", "secret", "-w", "%{method}", site_url(&site, "/hop/1"));
    ck_assert_str_eq(ran->out, "hello\nGET");
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(fetch__compressed_undoes_a_coding_and_nothing_else_does)
{
    struct site site;
    struct ran *ran;

    site_begin(&site);
    ck_assert_ran(FETCH(&site, "--compressed", site_url(&site, "/gzip")), 0, "squeezed\n");
    ran = FETCH(&site, site_url(&site, "/gzip"));
    ck_assert_uint_eq(ran->out_len, 29);
    ck_assert_int_eq((unsigned char)ran->out[1], 0x8b);
    ran_free(ran);
    site_end(&site);
}
END_TEST

/* command_line is what a list of processes shows of `program`, NULs as blanks. */
static void command_line(const struct program *program, char *out, size_t out_size)
{
    char path[64];
    FILE *file;
    size_t len;

    (void)snprintf(path, sizeof(path), "/proc/%ld/cmdline", (long)program_pid(program));
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    len = fread(out, 1, out_size - 1, file);
    (void)fclose(file);
    for (size_t i = 0; i < len; i++) {
        out[i] = out[i] == '\0' ? ' ' : out[i];
    }
    out[len] = '\0';
}

START_TEST(fetch__credentials_do_not_stay_in_the_list_of_processes)
{
    struct site site;
    struct program *program;
    char url[256];
    char text[4096];

    site_begin(&site);
    (void)snprintf(url, sizeof(url), "http://some:hidden1@127.0.0.1:%d/stay",
                   test_server_port(site.server));
    program = program_start((const char *const[]){POOLED_FETCH,
                                                  "--url",
                                                  url,
                                                  url,
                                                  "-u",
                                                  "one:hidden2",
                                                  "-uone:hidden3",
                                                  "--user=one:hidden4",
                                                  "--oauth2-bearer",
                                                  "hidden5",
                                                  "-H",
                                                  "Authorization: hidden6",
                                                  "--header=X-Key: hidden7",
                                                  "-b",
                                                  "a=hidden8",
                                                  "-ba=hidden9",
                                                  "--cookie=a=hiddenA",
                                                  "--max-time",
                                                  "10",
                                                  NULL},
                            NULL);
    while (test_server_num_requests(site.server) == 0) {
        (void)usleep(1000);
    }
    command_line(program, text, sizeof(text));
    ck_assert_ptr_null(strstr(text, "hidden"));
    ck_assert_ptr_nonnull(strstr(text, "--max-time 10")); /* it is the right one */
    program_signal(program, SIGTERM);
    ran_free(program_wait(program));
    site_end(&site);
}
END_TEST

START_TEST(fetch__verbose_hides_credentials)
{
    struct site site;
    struct ran *ran;

    site_begin(&site);
    ran = FETCH(&site, "-v", "-u", "one:hidden1", "-H", "Cookie: hidden2", "-H",
                "Proxy-Authorization: hidden3", site_url(&site, "/hello"));
    ck_assert_int_eq(ran->exit_code, 0);
    ck_assert_ptr_null(strstr(ran->err, "hidden"));
    ck_assert_ptr_null(strstr(ran->err, "b25l")); /* "one" */
    ck_assert_ptr_nonnull(strstr(ran->err, "> Authorization: "));
    ran_free(ran);
    ran = FETCH(&site, "-v", "--oauth2-bearer", "hidden", site_url(&site, "/hello"));
    ck_assert_int_eq(ran->exit_code, 0);
    ck_assert_ptr_null(strstr(ran->err, "hidden"));
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(fetch__a_pipe_cannot_be_sent_to_two_places)
{
    static const char script[] = "printf x | \"$0\" -sS -L -T - \"$1\"";
    struct site site;

    site_begin(&site);
    ck_assert_refused(site_fetch(&site, NULL,
                                 (const char *const[]){"/bin/sh", "-c", script, POOLED_FETCH,
                                                       site_url(&site, "/via/307//echo"), NULL}),
                      65, "sent again");
    ck_assert_code(site_fetch(&site, NULL,
                              (const char *const[]){"/bin/sh", "-c", script, POOLED_FETCH,
                                                    site_url(&site, "/via/303//echo"), NULL}),
                   0);
    site_end(&site);
}
END_TEST

RUN_LOOPS("fetch requests", TEST_ROWS(fetch__sends_what_the_options_say, cases),
          TEST_ONCE(fetch__data_comes_from_standard_input),
          TEST_ONCE(fetch__a_url_without_scheme_is_http),
          TEST_ONCE(fetch__a_url_in_a_query_gives_no_scheme_and_hides_no_password),
          TEST_ONCE(fetch__user_and_password_in_a_url_are_sent_and_not_shown),
          TEST_ONCE(fetch__follows_redirects_only_when_asked),
          TEST_ONCE(fetch__a_post_becomes_a_get_where_curl_makes_it_one),
          TEST_ONCE(fetch__compressed_undoes_a_coding_and_nothing_else_does),
          TEST_ONCE(fetch__credentials_do_not_stay_in_the_list_of_processes),
          TEST_ONCE(fetch__a_pipe_cannot_be_sent_to_two_places),
          TEST_ONCE(fetch__verbose_hides_credentials))
