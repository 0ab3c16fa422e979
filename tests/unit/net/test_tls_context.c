/* The configuration as users make it. */

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "urlpool/tls.h"

#include "net/tls.h"
#include "support/certs.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"
#include "support/tls_client.h"
#include "support/tls_server.h"

static enum urlpool_code code_of(const struct urlpool_tls_options *options)
{
    struct urlpool_error err = {0};
    struct urlpool_tls *tls = urlpool_tls_new(options, &err);

    ck_assert_uint_eq(ERR_peek_error(), 0);
    ck_assert_int_eq(tls == NULL, err.code != URLPOOL_OK);
    urlpool_tls_unref(tls);
    return err.code;
}

START_TEST(tls__defaults_are_the_systems_roots)
{
    (void)unsetenv("SSL_CERT_FILE");
    (void)unsetenv("SSL_CERT_DIR");
    ck_assert_int_eq(code_of(NULL), URLPOOL_OK);
    ck_assert_int_eq(code_of(&(struct urlpool_tls_options){0}), URLPOOL_OK);
}
END_TEST

START_TEST(tls__reserved_bytes_are_refused)
{
    for (size_t i = 0; i < sizeof(((struct urlpool_tls_options *)0)->reserved); i++) {
        struct urlpool_tls_options options = {.insecure_no_verify = true};

        options.reserved[i] = 1;
        ck_assert_int_eq(code_of(&options), URLPOOL_E_INVALID);
    }
}
END_TEST

START_TEST(tls__data_length_without_data_is_refused)
{
    ck_assert_int_eq(code_of(&(struct urlpool_tls_options){.ca_data_len = 1}), URLPOOL_E_INVALID);
}
END_TEST

START_TEST(tls__file_that_cannot_be_read_is_refused_even_without_verification)
{
    ck_assert_int_eq(code_of(&(struct urlpool_tls_options){.ca_file = "/nowhere"}),
                     URLPOOL_E_TLS_CA_FILE);
    ck_assert_int_eq(
        code_of(&(struct urlpool_tls_options){.ca_file = "/nowhere", .insecure_no_verify = true}),
        URLPOOL_E_TLS_CA_FILE);
}
END_TEST

START_TEST(tls__environment_is_obeyed_when_no_roots_are_given)
{
    (void)setenv("SSL_CERT_FILE", "/nowhere/env.pem", 1);
    ck_assert_int_eq(code_of(NULL), URLPOOL_E_TLS_CA_FILE);
    ck_assert_int_eq(code_of(&(struct urlpool_tls_options){.insecure_no_verify = true}),
                     URLPOOL_OK);
    (void)unsetenv("SSL_CERT_FILE");
    (void)setenv("SSL_CERT_DIR", "/nowhere/env", 1);
    ck_assert_int_eq(code_of(NULL), URLPOOL_E_TLS_CA_FILE);
    (void)setenv("SSL_CERT_DIR", "", 1);
    ck_assert_int_eq(code_of(NULL), URLPOOL_OK);
}
END_TEST

START_TEST(tls__given_roots_make_the_environment_be_overlooked)
{
    struct test_cert *ca = test_ca("given");
    char *pem = test_cert_pem(ca);

    (void)setenv("SSL_CERT_FILE", "/nowhere/env.pem", 1);
    ck_assert_int_eq(
        code_of(&(struct urlpool_tls_options){.ca_data = pem, .ca_data_len = strlen(pem)}),
        URLPOOL_OK);
    free(pem);
    test_cert_free(ca);
}
END_TEST

/* What the option means is seen at a handshake: an environment that trusts the peer does not help
 * somebody who said whom to trust. */
START_TEST(tls__given_roots_are_the_only_ones)
{
    struct test_cert *ours = test_ca("ours");
    struct test_cert *theirs = test_ca("theirs");
    struct test_cert *leaf = test_leaf("localhost", theirs);
    struct tls_server *server =
        tls_server_start(&(const struct tls_server_options){.certs = {leaf}});
    char *dir = test_dir();
    char *pem = test_cert_pem(theirs);
    char *file = test_file(dir, "theirs.pem", pem);
    struct urlpool_error err = {0};
    struct urlpool_tls *tls;
    struct urlp_stream *stream;

    (void)setenv("SSL_CERT_FILE", file, 1);
    tls = urlpool_tls_new(NULL, NULL);
    stream = test_wrap(tls_server_port(server), tls, "localhost", NULL, NULL, NULL);
    ck_assert_ptr_nonnull(stream);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    urlpool_tls_unref(tls);

    tls = test_trust(ours);
    ck_assert_ptr_null(test_wrap(tls_server_port(server), tls, "localhost", NULL, NULL, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_VERIFY);
    urlpool_tls_unref(tls);

    tls_server_stop(server);
    free(file);
    free(pem);
    test_dir_remove(dir);
    test_cert_free(leaf);
    test_cert_free(theirs);
    test_cert_free(ours);
}
END_TEST

START_TEST(tls__serial_numbers_are_never_used_twice)
{
    const struct urlpool_tls_options options = {.insecure_no_verify = true};
    struct urlpool_tls *first = urlpool_tls_new(&options, NULL);
    const uint64_t serial = urlp_tls_serial(first);
    struct urlpool_tls *second;

    urlpool_tls_unref(first);
    second = urlpool_tls_new(&options, NULL);
    ck_assert_uint_ne(serial, 0);
    ck_assert_uint_ne(urlp_tls_serial(second), serial);
    urlpool_tls_unref(second);
}
END_TEST

START_TEST(tls__lives_until_its_last_reference_goes)
{
    const struct urlpool_tls_options options = {.insecure_no_verify = true};
    struct urlpool_tls *tls;

    failing_allocator_install();
    tls = urlpool_tls_new(&options, NULL);
    ck_assert_ptr_eq(urlpool_tls_ref(tls), tls);
    urlpool_tls_unref(tls);
    ck_assert_uint_ne(urlp_tls_serial(tls), 0);
    ck_assert_int_gt(failing_allocator_num_live(), 0);
    urlpool_tls_unref(tls);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
    urlpool_tls_unref(NULL);
    ck_assert_ptr_null(urlpool_tls_ref(NULL));
}
END_TEST

START_TEST(tls__each_failed_allocation_is_told)
{
    struct test_cert *ca = test_ca("root");
    char *pem = test_cert_pem(ca);
    char *dir = test_dir();
    char *file = test_file(dir, "ca.pem", pem);
    const struct urlpool_tls_options options = {.ca_file = file};
    unsigned num_refused = 0;

    failing_allocator_install();
    (void)setenv("SSL_CERT_FILE", file, 1);
    for (int i = 0; i < 2; i++) {
        for (uint64_t nth = 1;; nth++) {
            enum urlpool_code code;

            failing_allocator_fail_nth(nth);
            code = code_of(i == 0 ? &options : NULL);
            if (!failing_allocator_has_failed()) {
                ck_assert_int_eq(code, URLPOOL_OK);
                break;
            }
            ck_assert_int_eq(code, URLPOOL_E_NOMEM);
            ck_assert_int_eq(failing_allocator_num_live(), 0);
            num_refused++;
        }
    }
    ck_assert_uint_ge(num_refused, 4);
    free(file);
    free(pem);
    test_dir_remove(dir);
    test_cert_free(ca);
}
END_TEST

RUN_TESTS("tls_context", tls__defaults_are_the_systems_roots, tls__reserved_bytes_are_refused,
          tls__data_length_without_data_is_refused,
          tls__file_that_cannot_be_read_is_refused_even_without_verification,
          tls__environment_is_obeyed_when_no_roots_are_given,
          tls__given_roots_make_the_environment_be_overlooked, tls__given_roots_are_the_only_ones,
          tls__serial_numbers_are_never_used_twice, tls__lives_until_its_last_reference_goes,
          tls__each_failed_allocation_is_told)
