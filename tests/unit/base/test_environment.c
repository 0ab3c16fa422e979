/* The environment, read once. */

#include <stdlib.h>

#include "base/alloc.h"
#include "base/environment.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

static void set_all(const char *file, const char *dir)
{
    ck_assert_int_eq(setenv("SSL_CERT_FILE", file, 1), 0);
    ck_assert_int_eq(setenv("SSL_CERT_DIR", dir, 1), 0);
    ck_assert_int_eq(setenv("SSLKEYLOGFILE", file, 1), 0);
}

START_TEST(environment__is_a_copy)
{
    struct urlp_environment environment;

    set_all("/some/file", "/some/folder");
    ck_assert_int_eq(urlp_environment_read(&environment, NULL), URLPOOL_OK);
    set_all("/other", "/other");
    ck_assert_str_eq(environment.ssl_cert_file, "/some/file");
    ck_assert_str_eq(environment.ssl_cert_dir, "/some/folder");
    ck_assert_str_eq(environment.sslkeylogfile, "/some/file");
    urlp_environment_deinit(&environment);
    urlp_environment_deinit(&environment);
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
}
END_TEST

START_TEST(environment__what_is_unset_or_empty_is_null)
{
    struct urlp_environment environment;

    ck_assert_int_eq(unsetenv("SSL_CERT_FILE"), 0);
    ck_assert_int_eq(setenv("SSL_CERT_DIR", "", 1), 0);
    ck_assert_int_eq(setenv("SSLKEYLOGFILE", "", 1), 0);
    ck_assert_int_eq(urlp_environment_read(&environment, NULL), URLPOOL_OK);
    ck_assert_ptr_null(environment.ssl_cert_file);
    ck_assert_ptr_null(environment.ssl_cert_dir);
    ck_assert_ptr_null(environment.sslkeylogfile);
}
END_TEST

START_TEST(environment__out_of_memory_leaves_nothing)
{
    struct urlp_environment environment = {0};
    struct urlpool_error err;

    set_all("/some/file", "/some/folder");
    failing_allocator_install();
    for (uint64_t n = 1; n <= 3; n++) {
        failing_allocator_fail_nth(n);
        ck_assert_int_eq(urlp_environment_read(&environment, &err), URLPOOL_E_NOMEM);
        ck_assert_int_eq(err.code, URLPOOL_E_NOMEM);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
        ck_assert_ptr_null(environment.ssl_cert_file);
    }
}
END_TEST

static void clear_proxies(void)
{
    static const char *const names[] = {"http_proxy",  "HTTP_PROXY", "https_proxy",
                                        "HTTPS_PROXY", "all_proxy",  "ALL_PROXY",
                                        "no_proxy",    "NO_PROXY",   "REQUEST_METHOD"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ck_assert_int_eq(unsetenv(names[i]), 0);
    }
}

START_TEST(proxies__of_small_letters_win_over_capitals)
{
    struct urlp_proxy_environment environment;

    clear_proxies();
    ck_assert_int_eq(setenv("HTTP_PROXY", "A", 1), 0);
    ck_assert_int_eq(setenv("HTTPS_PROXY", "B", 1), 0);
    ck_assert_int_eq(setenv("ALL_PROXY", "C", 1), 0);
    ck_assert_int_eq(setenv("NO_PROXY", "D", 1), 0);
    ck_assert_int_eq(urlp_proxy_environment_read(&environment, NULL), URLPOOL_OK);
    ck_assert_str_eq(environment.http_proxy, "A");
    ck_assert_str_eq(environment.https_proxy, "B");
    ck_assert_str_eq(environment.all_proxy, "C");
    ck_assert_str_eq(environment.no_proxy, "D");
    urlp_proxy_environment_deinit(&environment);

    ck_assert_int_eq(setenv("http_proxy", "a", 1), 0);
    ck_assert_int_eq(setenv("https_proxy", "", 1), 0);
    ck_assert_int_eq(setenv("all_proxy", "c", 1), 0);
    ck_assert_int_eq(setenv("no_proxy", "d", 1), 0);
    ck_assert_int_eq(urlp_proxy_environment_read(&environment, NULL), URLPOOL_OK);
    ck_assert_str_eq(environment.http_proxy, "a");
    ck_assert_str_eq(environment.https_proxy, "B");
    ck_assert_str_eq(environment.all_proxy, "c");
    ck_assert_str_eq(environment.no_proxy, "d");
    urlp_proxy_environment_deinit(&environment);
    urlp_proxy_environment_deinit(&environment);
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
}
END_TEST

START_TEST(proxies__of_capitals_are_not_believed_for_http_under_cgi)
{
    struct urlp_proxy_environment environment;

    clear_proxies();
    ck_assert_int_eq(setenv("HTTP_PROXY", "http://attacker.example", 1), 0);
    ck_assert_int_eq(setenv("HTTPS_PROXY", "B", 1), 0);
    ck_assert_int_eq(setenv("REQUEST_METHOD", "", 1), 0);
    ck_assert_int_eq(urlp_proxy_environment_read(&environment, NULL), URLPOOL_OK);
    ck_assert_ptr_null(environment.http_proxy);
    ck_assert_str_eq(environment.https_proxy, "B");
    urlp_proxy_environment_deinit(&environment);

    ck_assert_int_eq(setenv("http_proxy", "a", 1), 0);
    ck_assert_int_eq(urlp_proxy_environment_read(&environment, NULL), URLPOOL_OK);
    ck_assert_str_eq(environment.http_proxy, "a");
    urlp_proxy_environment_deinit(&environment);
}
END_TEST

START_TEST(proxies__out_of_memory_leave_nothing)
{
    struct urlp_proxy_environment environment = {0};
    struct urlpool_error err;

    clear_proxies();
    ck_assert_int_eq(setenv("http_proxy", "a", 1), 0);
    ck_assert_int_eq(setenv("HTTPS_PROXY", "b", 1), 0);
    ck_assert_int_eq(setenv("no_proxy", "c", 1), 0);
    failing_allocator_install();
    for (uint64_t n = 1; n <= 3; n++) {
        failing_allocator_fail_nth(n);
        ck_assert_int_eq(urlp_proxy_environment_read(&environment, &err), URLPOOL_E_NOMEM);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
        ck_assert_ptr_null(environment.http_proxy);
    }
}
END_TEST

RUN_TESTS("environment", environment__is_a_copy, environment__what_is_unset_or_empty_is_null,
          environment__out_of_memory_leaves_nothing, proxies__of_small_letters_win_over_capitals,
          proxies__of_capitals_are_not_believed_for_http_under_cgi,
          proxies__out_of_memory_leave_nothing)
