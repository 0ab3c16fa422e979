/* pooled-fetch: what it says about its transfers and its pool. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/fetch_site.h"
#include "support/run_tests.h"
#include "support/tls_kit.h"

static struct site site;

static void assert_has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in \"%s\"", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) == NULL, "\"%s\" in \"%s\"", part, text);
}

/* number_after is the number behind `key` in a report. */
static double number_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    ck_assert_msg(at != NULL, "no \"%s\" in \"%s\"", key, text);
    return strtod(at + strlen(key), NULL);
}

/* Formats, and what they make of /hello or of another path. */
static const struct {
    const char *format;
    const char *path;
    const char *expected; /* %d is the port */
} formats[] = {
    {"%{http_code} %{response_code}|",        "/hello",   "200 200|"                     },
    {"%{http_code}",                          "/empty",   "000"                          },
    {"%{size_download}",                      "/chunked", "7"                            },
    {"%{size_download}",                      "/gzip",    "29"                           },
    {"%{content_type}|",                      "/hello",   "text/plain|"                  },
    {"%{content_type}|",                      "/none",    "|"                            },
    {"%{num_redirects} %{num_connects}",      "/hop/2",   "3 1"                          },
    {"%{url}",                                "/hop/2",   "http://127.0.0.1:%d/hop/2"    },
    {"%{url_effective}",                      "/hop/2",   "http://127.0.0.1:%d/hello"    },
    {"%{remote_ip} %{remote_port} %{scheme}", "/hello",   "127.0.0.1 %d http"            },
    {"%{method} %{http_version}",             "/hello",   "GET 1.1"                      },
    {"%{http_version}",                       "/old",     "1"                            },
    {"%{exitcode} %{errormsg}|",              "/hello",   "0 |"                          },
    {"%{exitcode}",                           "/cut",     "18"                           },
    {"%{conn_reused}",                        "/hello",   "0"                            },
    {"%{time_appconnect}",                    "/hello",   "0.000000"                     },
    {"a\\tb\\nc\\r\\\\ \\q %%{url} % %x",     "/hello",   "a\tb\nc\r\\\\ \\q %{url} % %x"},
    {"\\%{none} \\\\%{exitcode}",             "/hello",   "\\%{none} \\\\0"              },
};

START_TEST(fetch__write_out_knows_the_variables_of_curl)
{
    const char *mark = strstr(formats[_i].expected, "%d");
    int before = (int)(mark != NULL ? mark - formats[_i].expected : 0);
    char expected[256];

    site_begin(&site);
    if (mark != NULL) {
        (void)snprintf(expected, sizeof(expected), "%.*s%d%s", before, formats[_i].expected,
                       test_server_port(site.server), mark + 2);
    } else {
        (void)snprintf(expected, sizeof(expected), "%s", formats[_i].expected);
    }
    struct ran *ran = FETCH(&site, "-sL", "--compressed", "--out-null", "-w", formats[_i].format,
                            site_url(&site, formats[_i].path));
    ck_assert_str_eq(ran->out, expected);
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(fetch__times_come_in_the_order_of_things)
{
    struct ran *ran;
    double t[6];

    site_begin(&site);
    ran = FETCH(&site, "--out-null", "-w",
                "%{time_namelookup} %{time_connect} %{time_pretransfer} %{time_starttransfer} "
                "%{time_total} %{pool_wait}",
                site_url(&site, "/hello"));
    ck_assert_int_eq(
        sscanf(ran->out, "%lf %lf %lf %lf %lf %lf", &t[0], &t[1], &t[2], &t[3], &t[4], &t[5]), 6);
    ck_assert_double_gt(t[0], 0);
    for (int i = 0; i < 4; i++) {
        ck_assert_msg(t[i] <= t[i + 1], "time %d in \"%s\"", i, ran->out);
    }
    ck_assert_double_gt(t[3], t[1]);
    ck_assert_double_le(t[5], t[0]);
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(fetch__write_out_follows_its_body_and_comes_from_files_too)
{
    site_begin(&site);
    free(test_file(site.dir, "format", "<%{http_code}>\\n"));
    ck_assert_ran(
        FETCH(&site, "-w", "@format", site_url(&site, "/hello"), site_url(&site, "/status/404")), 0,
        "hello\n<200>\nstatus 404\n<404>\n");
    ck_assert_ran(FETCH(&site, "-c1", "-n2", "--out-null", "-w", "%{conn_reused}%{remote_ip} ",
                        site_url(&site, "/hello")),
                  0, "0127.0.0.1 1127.0.0.1 ");
    site_end(&site);
}
END_TEST

START_TEST(fetch__jsonl_has_an_object_a_transfer)
{
    struct ran *ran;
    const char *second;

    site_begin(&site);
    ran = FETCH(&site, "-s", "--jsonl", "--out-null", site_url(&site, "/hello"),
                site_url(&site, "/cut"));
    ck_assert_int_eq(ran->exit_code, 18);
    second = strchr(ran->out, '\n');
    ck_assert_ptr_nonnull(second);
    assert_has(ran->out, "{\"index\":0,");
    assert_has(ran->out, "\"status\":200,");
    assert_has(ran->out, "\"bytes\":6,");
    assert_has(ran->out, "\"tls\":null,");
    assert_has(ran->out, "\"timings\":{\"before\":0.000000,\"pool\":0.");
    assert_has(ran->out, "\"proxy\":0.000000,\"tls\":0.000000,\"send\":0.");
    assert_has(second, "\n{\"index\":1,");
    assert_has(second,
               "\"exitcode\":18,\"error\":\"URLPOOL_E_INCOMPLETE_READ\",\"phase\":\"body\"");
    ran_free(ran);
    ran = FETCH(&site, "--jsonl", site_url(&site, "/hello"));
    ck_assert_str_eq(ran->out, "hello\n");
    assert_has(ran->err, "{\"index\":0,");
    ran_free(ran);
    ran = FETCH(&site, "-s", "--jsonl", "--out-null", "http://127.0.0.1:1/");
    assert_has(ran->out, "\"timings\":null,");
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(fetch__report_counts_what_happened)
{
    struct ran *ran;
    double previous = 0;
    static const char *const keys[] = {"\"min\": ", "\"p50\": ", "\"p75\": ",   "\"p90\": ",
                                       "\"p95\": ", "\"p99\": ", "\"p99.9\": ", "\"max\": "};

    site_begin(&site);
    ran =
        FETCH(&site, "-sL", "-c2", "-n20", "--out-null", "--report=json", site_url(&site, "/hello"),
              site_url(&site, "/status/404"), site_url(&site, "/hop/0"), site_url(&site, "/empty"));
    ck_assert_int_eq(ran->exit_code, 52);
    ck_assert_double_eq(number_after(ran->out, "\"transfers\": "), 80);
    ck_assert_double_eq(number_after(ran->out, "\"failed\": "), 20);
    ck_assert_double_eq(number_after(ran->out, "\"requests\": "), 100);
    ck_assert_double_eq(number_after(ran->out, "\"redirects\": "), 20);
    ck_assert_double_eq(number_after(ran->out, "\"200\": "), 40);
    ck_assert_double_eq(number_after(ran->out, "\"404\": "), 20);
    ck_assert_double_eq(number_after(ran->out, "\"52\": "), 20);
    ck_assert_double_eq(number_after(ran->out, "\"count\": "), 60);
    /* A dial that was overtaken may have come through, and was not needed any more. */
    ck_assert_double_le(number_after(ran->out, "\"opened\": "),
                        test_server_num_connections(site.server));
    ck_assert_double_ge(number_after(ran->out, "\"opened\": "),
                        test_server_num_connections(site.server) - 2);
    ck_assert_double_gt(number_after(ran->out, "\"requests_per_second\": "), 0);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        double value = number_after(ran->out, keys[i]);
        ck_assert_double_ge(value, previous);
        previous = value;
    }
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(fetch__report_as_text_stays_clear_of_bodies)
{
    struct ran *ran;

    site_begin(&site);
    ran = FETCH(&site, "-c1", "-n10", "--out-null", "--report", site_url(&site, "/hello"));
    ck_assert_int_eq(ran->exit_code, 0);
    ck_assert_double_eq(number_after(ran->out, "transfers "), 10);
    ck_assert_double_eq(number_after(ran->out, "connections opened "), 1);
    ck_assert_double_eq(number_after(ran->out, "connections reused "), 9);
    ck_assert_double_eq(number_after(ran->out, "most at once with dials "), 1);
    assert_has(ran->out, "p99.9");
    ran_free(ran);
    ran = FETCH(&site, "--report=text", site_url(&site, "/hello"));
    ck_assert_str_eq(ran->out, "hello\n");
    assert_has(ran->err, "Pool\n");
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(fetch__pool_block_bounds_the_open_connections)
{
    struct ran *ran;

    site_begin(&site);
    ran = FETCH(&site, "-c8", "-n25", "--pool-maxsize", "2", "--pool-block", "--out-null",
                "--report=json", site_url(&site, "/hello"), site_url(&site, "/big"));
    ck_assert_int_eq(ran->exit_code, 0);
    ck_assert_uint_le(test_server_peak_connections(site.server), 2);
    ck_assert_double_gt(number_after(ran->out, "\"waits\": "), 0);
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(fetch__pool_timeout_bounds_the_wait_for_a_place)
{
    struct ran *ran;

    site_begin(&site);
    ran = FETCH(&site, "-s", "--pool-maxsize=1", "--pool-block", "--pool-timeout", "0.05", "-m",
                "1.5", "--jsonl", "--out-null", site_url(&site, "/stay"), site_url(&site, "/stay"));
    ck_assert_int_eq(ran->exit_code, 28);
    assert_has(ran->out, "\"error\":\"URLPOOL_E_POOL_TIMEOUT\",\"phase\":\"pool\"");
    assert_has(ran->out, "\"error\":\"URLPOOL_E_TOTAL_TIMEOUT\"");
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(fetch__a_pool_that_keeps_nothing_opens_every_time)
{
    site_begin(&site);
    ck_assert_ran(
        FETCH(&site, "-c1", "-n5", "--pool-maxsize", "0", "--out-null", site_url(&site, "/hello")),
        0, "");
    ck_assert_uint_eq(test_server_num_connections(site.server), 5);
    site_end(&site);
}
END_TEST

START_TEST(fetch__num_pools_bounds_the_origins_kept)
{
    struct ran *ran;
    char other[64];

    site_begin(&site);
    (void)snprintf(other, sizeof(other), "http://localhost:%d/hello",
                   test_server_port(site.server));
    ran = FETCH(&site, "-c1", "-n5", "--num-pools", "1", "--out-null", "--report=json",
                site_url(&site, "/hello"), other);
    ck_assert_int_eq(ran->exit_code, 0);
    ck_assert_double_eq(number_after(ran->out, "\"opened\": "), 10);
    ran_free(ran);
    site_end(&site);
}
END_TEST

/* Between its two requests a connection idles for as long as a time-out elsewhere takes. */
START_TEST(fetch__max_idle_and_max_lifetime_end_connections)
{
    static const char *const options[] = {"-Z", "--max-idle=0.05", "--max-lifetime=0.05"};
    static const char *const counts[] = {NULL, "\"idle\": ", "\"lifetime\": "};
    char other[64];

    site_begin(&site);
    (void)snprintf(other, sizeof(other), "http://localhost:%d/stay", test_server_port(site.server));
    for (size_t i = 0; i < 3; i++) {
        struct ran *ran = FETCH(&site, options[i], "-s", "-c1", "-n2", "-m0.2", "--out-null",
                                "--report=json", site_url(&site, "/hello"), other);
        ck_assert_int_eq(ran->exit_code, 28);
        ck_assert_double_eq(number_after(ran->out, "\"reused\": "), i == 0 ? 1 : 0);
        if (counts[i] != NULL) {
            ck_assert_double_ge(number_after(ran->out, counts[i]), 1);
        }
        ran_free(ran);
    }
    site_end(&site);
}
END_TEST

START_TEST(fetch__verbose_shows_heads_and_events_without_credentials)
{
    struct ran *ran;

    site_begin(&site);
    ran =
        FETCH(&site, "-v", "-u", "user:sesame", "-H", "Cookie: sesame", site_url(&site, "/hello"));
    ck_assert_str_eq(ran->out, "hello\n");
    assert_has(ran->err, "> GET /hello HTTP/1.1\n");
    assert_has(ran->err, "> Authorization: ***\n");
    assert_has(ran->err, "< HTTP/1.1 200 OK\n");
    assert_has(ran->err, "< Set-Cookie: ***\n");
    assert_has(ran->err, "* Connected to 127.0.0.1:");
    assert_lacks(ran->err, "sesame");
    assert_lacks(ran->err, "\r");
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(fetch__demo_fetches_two_thousand_times_and_reports)
{
    struct ran *ran;

    site_begin(&site);
    ran = FETCH(&site, "--demo", "--report=json");
    ck_assert_msg(ran->exit_code == 0, "%s", ran->err);
    ck_assert_double_eq(number_after(ran->out, "\"200\": "), 2000);
    ck_assert_double_le(number_after(ran->out, "\"opened\": "), 16);
    ck_assert_double_ge(number_after(ran->out, "\"reused\": "), 1984);
    ck_assert_double_ge(number_after(ran->out, "\"tls_full\": "), 1);
    ck_assert_double_eq(number_after(ran->out, "\"body_bytes\": "), 2000 * 1024);
    ran_free(ran);
    ran = FETCH(&site, "--demo", "-n", "1", "-c1");
    ck_assert_int_eq(ran->exit_code, 0);
    ck_assert_double_eq(number_after(ran->out, "transfers "), 2);
    ck_assert_double_eq(number_after(ran->out, "connections opened "), 2);
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(fetch__help_and_version)
{
    struct ran *ran;

    site_begin(&site);
    ran = FETCH(&site, "--help");
    ck_assert_int_eq(ran->exit_code, 0);
    assert_has(ran->out, " output ");
    ran_free(ran);
    ran = FETCH(&site, "-h", "urls");
    ck_assert_int_eq(ran->exit_code, 0);
    assert_has(ran->out, "--parallel-max");
    assert_lacks(ran->out, "--include");
    ran_free(ran);
    ran = FETCH(&site, "--help", "all");
    ck_assert_int_eq(ran->exit_code, 0);
    assert_has(ran->out, "--parallel-max");
    assert_has(ran->out, "--include");
    ran_free(ran);
    ran = FETCH(&site, "-V");
    ck_assert_int_eq(ran->exit_code, 0);
    assert_has(ran->out, "pooled-fetch ");
    assert_has(ran->out, tls_kit_is_openssl() ? " OpenSSL/3." : " BoringSSL/");
    ran_free(ran);
    site_end(&site);
}
END_TEST

RUN_LOOPS("fetch reports", TEST_ROWS(fetch__write_out_knows_the_variables_of_curl, formats),
          TEST_ONCE(fetch__times_come_in_the_order_of_things),
          TEST_ONCE(fetch__write_out_follows_its_body_and_comes_from_files_too),
          TEST_ONCE(fetch__jsonl_has_an_object_a_transfer),
          TEST_ONCE(fetch__report_counts_what_happened),
          TEST_ONCE(fetch__report_as_text_stays_clear_of_bodies),
          TEST_ONCE(fetch__pool_block_bounds_the_open_connections),
          TEST_ONCE(fetch__pool_timeout_bounds_the_wait_for_a_place),
          TEST_ONCE(fetch__a_pool_that_keeps_nothing_opens_every_time),
          TEST_ONCE(fetch__num_pools_bounds_the_origins_kept),
          TEST_ONCE(fetch__max_idle_and_max_lifetime_end_connections),
          TEST_ONCE(fetch__verbose_shows_heads_and_events_without_credentials),
          TEST_ONCE(fetch__demo_fetches_two_thousand_times_and_reports),
          TEST_ONCE(fetch__help_and_version))
