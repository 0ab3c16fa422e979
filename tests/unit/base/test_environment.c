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

RUN_TESTS("environment", environment__is_a_copy, environment__what_is_unset_or_empty_is_null,
          environment__out_of_memory_leaves_nothing)
