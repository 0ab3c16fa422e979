/* Certificates out of files, directories and memory. */

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/tls_pem.h"
#include "support/certs.h"
#include "support/run_tests.h"

static size_t num_in(X509_STORE *store)
{
    return sk_X509_OBJECT_num(X509_STORE_get0_objects(store));
}

static enum urlpool_code add_text(X509_STORE *store, const char *text, bool is_lenient,
                                  struct urlpool_error *err)
{
    const enum urlpool_code code = urlp_tls_pem_add_data(
        store, text, strlen(text), (struct urlp_tls_origin){"the text", is_lenient}, err);

    ck_assert_uint_eq(ERR_peek_error(), 0);
    return code;
}

/* join makes one string of three; for free(). */
static char *join(const char *a, const char *b, const char *c)
{
    char *text = NULL;

    ck_assert_int_gt(asprintf(&text, "%s%s%s", a, b, c), 0);
    return text;
}

START_TEST(pem__every_certificate_is_added_once)
{
    struct test_cert *first = test_ca("first");
    struct test_cert *second = test_ca("second");
    char *first_pem = test_cert_pem(first);
    char *second_pem = test_cert_pem(second);
    char *both = join(first_pem, "words between\n", second_pem);
    char *all = join(both, "", first_pem);
    X509_STORE *store = X509_STORE_new();

    ck_assert_int_eq(add_text(store, all, false, NULL), URLPOOL_OK);
    ck_assert_uint_eq(num_in(store), 2);
    X509_STORE_free(store);
    free(all);
    free(both);
    free(second_pem);
    free(first_pem);
    test_cert_free(second);
    test_cert_free(first);
}
END_TEST

START_TEST(pem__blocks_of_other_kinds_are_passed_over)
{
    struct test_cert *cert = test_ca("root");
    char *pem = test_cert_pem(cert);
    char *key = test_cert_key_pem(cert);
    char *text = join(key, pem, key);
    X509_STORE *store = X509_STORE_new();

    ck_assert_int_eq(add_text(store, text, false, NULL), URLPOOL_OK);
    ck_assert_uint_eq(num_in(store), 1);
    X509_STORE_free(store);
    free(text);
    free(key);
    free(pem);
    test_cert_free(cert);
}
END_TEST

START_TEST(pem__text_without_certificates_adds_none)
{
    X509_STORE *store = X509_STORE_new();

    ck_assert_int_eq(add_text(store, "", false, NULL), URLPOOL_OK);
    ck_assert_int_eq(add_text(store, "no certificate at all\n", false, NULL), URLPOOL_OK);
    ck_assert_uint_eq(num_in(store), 0);
    X509_STORE_free(store);
}
END_TEST

static const char *const malformed[] = {
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
    "-----BEGIN CERTIFICATE-----\nAAAA\n",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n",
};

START_TEST(pem__malformed_certificate_is_refused_when_somebody_named_it)
{
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        X509_STORE *store = X509_STORE_new();
        struct urlpool_error err = {0};

        ck_assert_int_eq(add_text(store, malformed[i], false, &err), URLPOOL_E_TLS_CA_FILE);
        ck_assert_str_eq(err.message,
                         "malformed certificate among the trusted roots from the text");
        X509_STORE_free(store);
    }
}
END_TEST

START_TEST(pem__malformed_certificate_is_passed_over_in_a_systems_bundle)
{
    struct test_cert *cert = test_ca("root");
    char *pem = test_cert_pem(cert);

    /* What ends without its last line swallows what follows: only the whole blocks. */
    for (size_t i = 0; i < 2; i++) {
        char *text = join(malformed[i], pem, "");
        X509_STORE *store = X509_STORE_new();

        ck_assert_int_eq(add_text(store, text, true, NULL), URLPOOL_OK);
        ck_assert_uint_eq(num_in(store), 1);
        X509_STORE_free(store);
        free(text);
    }
    free(pem);
    test_cert_free(cert);
}
END_TEST

START_TEST(der__is_one_certificate_and_nothing_behind_it)
{
    struct test_cert *cert = test_ca("root");
    size_t len;
    uint8_t *der = test_cert_der(cert, &len);
    uint8_t *longer = calloc(1, len + 1);
    const struct urlp_tls_origin origin = {"ca_data", false};
    X509_STORE *store = X509_STORE_new();

    memcpy(longer, der, len);
    ck_assert_int_eq(urlp_tls_pem_add_data(store, longer, len + 1, origin, NULL),
                     URLPOOL_E_TLS_CA_FILE);
    ck_assert_int_eq(urlp_tls_pem_add_data(store, der, len - 1, origin, NULL),
                     URLPOOL_E_TLS_CA_FILE);
    ck_assert_uint_eq(num_in(store), 0);
    ck_assert_int_eq(urlp_tls_pem_add_data(store, der, len, origin, NULL), URLPOOL_OK);
    ck_assert_uint_eq(num_in(store), 1);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    X509_STORE_free(store);
    free(longer);
    free(der);
    test_cert_free(cert);
}
END_TEST

START_TEST(file__that_cannot_be_read_is_named)
{
    X509_STORE *store = X509_STORE_new();
    struct urlpool_error err = {0};

    ck_assert_int_eq(
        urlp_tls_pem_add_file(store, (struct urlp_tls_origin){"/nowhere/roots.pem", false}, &err),
        URLPOOL_E_TLS_CA_FILE);
    ck_assert_int_eq(err.os_errno, ENOENT);
    ck_assert_ptr_nonnull(strstr(err.message, "/nowhere/roots.pem"));
    ck_assert_int_eq(urlp_tls_pem_add_file(store, (struct urlp_tls_origin){"/", false}, &err),
                     URLPOOL_E_TLS_CA_FILE);
    ck_assert_int_eq(err.os_errno, EISDIR);
    X509_STORE_free(store);
}
END_TEST

START_TEST(file__without_end_is_not_read_to_the_end)
{
    X509_STORE *store = X509_STORE_new();
    struct urlpool_error err = {0};

    ck_assert_int_eq(
        urlp_tls_pem_add_file(store, (struct urlp_tls_origin){"/dev/zero", false}, &err),
        URLPOOL_E_TLS_CA_FILE);
    ck_assert_int_eq(err.os_errno, EFBIG);
    X509_STORE_free(store);
}
END_TEST

START_TEST(dir__gives_the_files_named_by_hash)
{
    struct test_cert *first = test_ca("first");
    struct test_cert *second = test_ca("second");
    struct test_cert *other = test_ca("other");
    char *dir = test_dir();
    char *pem = test_cert_pem(first);
    X509_STORE *store = X509_STORE_new();
    char name[16];

    test_cert_hash_name(first, name);
    free(test_file(dir, name, pem));
    free(pem);
    pem = test_cert_pem(second);
    free(test_file(dir, "0123abcd.17", pem));
    free(pem);
    pem = test_cert_pem(other);
    free(test_file(dir, "other.pem", pem));
    free(test_file(dir, "0123abc.0", pem));
    free(test_file(dir, "0123abcd.r0", pem));
    free(pem);
    ck_assert_int_eq(urlp_tls_pem_add_dir(store, (struct urlp_tls_origin){dir, false}, NULL),
                     URLPOOL_OK);
    ck_assert_uint_eq(num_in(store), 2);
    X509_STORE_free(store);
    test_dir_remove(dir);
    test_cert_free(other);
    test_cert_free(second);
    test_cert_free(first);
}
END_TEST

START_TEST(dir__that_cannot_be_read_is_named)
{
    X509_STORE *store = X509_STORE_new();
    struct urlpool_error err = {0};

    ck_assert_int_eq(urlp_tls_pem_add_dir(store, (struct urlp_tls_origin){"/nowhere", false}, &err),
                     URLPOOL_E_TLS_CA_FILE);
    ck_assert_int_eq(err.os_errno, ENOENT);
    ck_assert_ptr_nonnull(strstr(err.message, "/nowhere"));
    X509_STORE_free(store);
}
END_TEST

START_TEST(dir__dangling_link_is_passed_over_only_in_a_systems_directory)
{
    char *dir = test_dir();
    X509_STORE *store = X509_STORE_new();
    char link[64];

    (void)snprintf(link, sizeof(link), "%s/0123abcd.0", dir);
    ck_assert_int_eq(symlink("/nowhere/cert.pem", link), 0);
    ck_assert_int_eq(urlp_tls_pem_add_dir(store, (struct urlp_tls_origin){dir, true}, NULL),
                     URLPOOL_OK);
    ck_assert_int_eq(urlp_tls_pem_add_dir(store, (struct urlp_tls_origin){dir, false}, NULL),
                     URLPOOL_E_TLS_CA_FILE);
    X509_STORE_free(store);
    test_dir_remove(dir);
}
END_TEST

RUN_TESTS("tls_pem", pem__every_certificate_is_added_once,
          pem__blocks_of_other_kinds_are_passed_over, pem__text_without_certificates_adds_none,
          pem__malformed_certificate_is_refused_when_somebody_named_it,
          pem__malformed_certificate_is_passed_over_in_a_systems_bundle,
          der__is_one_certificate_and_nothing_behind_it, file__that_cannot_be_read_is_named,
          file__without_end_is_not_read_to_the_end, dir__gives_the_files_named_by_hash,
          dir__that_cannot_be_read_is_named,
          dir__dangling_link_is_passed_over_only_in_a_systems_directory)
