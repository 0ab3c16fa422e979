/* Private keys of every form, and what is said of those that cannot be read. */

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tls_key.h"
#include "support/certs.h"
#include "support/run_tests.h"

#define PASSWORD "correct horse"

static enum urlpool_code read_key(const void *data, size_t len, const char *password,
                                  const struct test_cert *wanted, struct urlpool_error *err)
{
    EVP_PKEY *key;

    *err = (struct urlpool_error){0};
    key = urlp_tls_key_read(data, len, "here.pem", password, err);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ck_assert_int_eq(key == NULL, err->code != URLPOOL_OK);
    if (key == NULL) {
        ck_assert_ptr_nonnull(strstr(err->message, "here.pem"));
        ck_assert_ptr_null(strstr(err->message, PASSWORD));
        return err->code;
    }
    ck_assert_int_eq(EVP_PKEY_cmp(key, wanted->key), 1);
    EVP_PKEY_free(key);
    return URLPOOL_OK;
}

static void expect_text(const char *text, const char *password, const struct test_cert *wanted,
                        enum urlpool_code code)
{
    struct urlpool_error err;

    ck_assert_msg(read_key(text, strlen(text), password, wanted, &err) == code, "%s: %s",
                  urlpool_code_name(err.code), err.message);
}

static struct test_cert *with_key(int rsa_bits, bool is_ed25519)
{
    return test_cert_new(
        &(struct test_cert_options){.rsa_bits = rsa_bits, .is_ed25519 = is_ed25519}, NULL);
}

START_TEST(key__of_each_kind_is_read)
{
    struct test_cert *certs[] = {with_key(0, false), with_key(2048, false), with_key(0, true)};

    for (size_t i = 0; i < 3; i++) {
        char *plain = test_cert_key_pem(certs[i]);
        size_t len;
        uint8_t *der = test_cert_key_der(certs[i], NULL, &len);
        struct urlpool_error err;

        expect_text(plain, NULL, certs[i], URLPOOL_OK);
        expect_text(plain, PASSWORD, certs[i], URLPOOL_OK); /* of no meaning here */
        ck_assert_int_eq(read_key(der, len, NULL, certs[i], &err), URLPOOL_OK);
        free(plain);
        free(der);
        test_cert_free(certs[i]);
    }
}
END_TEST

/* expect_encrypted: right, wrong and no password. */
static void expect_encrypted(const void *data, size_t len, const struct test_cert *cert)
{
    static const char *const wrong[] = {"", "correct", PASSWORD " ", "Correct horse"};
    struct urlpool_error err;

    ck_assert_int_eq(read_key(data, len, PASSWORD, cert, &err), URLPOOL_OK);
    ck_assert_int_eq(read_key(data, len, NULL, cert, &err), URLPOOL_E_TLS_KEY_PASSWORD);
    ck_assert_str_eq(err.message, "client key in here.pem: encrypted, a password is required");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_int_eq(read_key(data, len, wrong[i], cert, &err), URLPOOL_E_TLS_KEY_PASSWORD);
        ck_assert_str_eq(err.message, "client key in here.pem: encrypted with another password");
    }
}

START_TEST(key__that_is_encrypted_needs_its_password)
{
    struct test_cert *certs[] = {with_key(0, false), with_key(2048, false)};

    for (size_t i = 0; i < 2; i++) {
        char *pem = test_cert_key_encrypted(certs[i], PASSWORD, false);
        char *old = test_cert_key_encrypted(certs[i], PASSWORD, true);
        size_t len;
        uint8_t *der = test_cert_key_der(certs[i], PASSWORD, &len);

        ck_assert_ptr_nonnull(strstr(pem, "BEGIN ENCRYPTED PRIVATE KEY"));
        ck_assert_ptr_nonnull(strstr(old, "Proc-Type: 4,ENCRYPTED"));
        expect_encrypted(pem, strlen(pem), certs[i]);
        expect_encrypted(old, strlen(old), certs[i]);
        expect_encrypted(der, len, certs[i]);
        free(pem);
        free(old);
        free(der);
        test_cert_free(certs[i]);
    }
}
END_TEST

/* One password in 256 passes the padding: what comes out then is still not taken for a key. */
START_TEST(key__of_no_wrong_password_is_called_malformed)
{
    struct test_cert *cert = with_key(0, false);
    char *text = test_cert_key_encrypted(cert, PASSWORD, true);
    struct urlpool_error err;

    for (unsigned i = 0; i < 2000; i++) {
        char wrong[32];

        (void)snprintf(wrong, sizeof(wrong), "wrong %u", i);
        ck_assert_int_eq(read_key(text, strlen(text), wrong, cert, &err),
                         URLPOOL_E_TLS_KEY_PASSWORD);
    }
    free(text);
    test_cert_free(cert);
}
END_TEST

START_TEST(key__is_the_first_among_other_blocks)
{
    struct test_cert *first = with_key(0, false);
    struct test_cert *second = with_key(0, false);
    char *cert_pem = test_cert_pem(first);
    char *first_pem = test_cert_key_pem(first);
    char *second_pem = test_cert_key_pem(second);
    char *all = NULL;

    ck_assert_int_gt(asprintf(&all,
                              "words before\n%s-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
                              "-----END EC PARAMETERS-----\n%s%s",
                              cert_pem, first_pem, second_pem),
                     0);
    expect_text(all, NULL, first, URLPOOL_OK);
    free(all);
    free(cert_pem);
    free(first_pem);
    free(second_pem);
    test_cert_free(first);
    test_cert_free(second);
}
END_TEST

START_TEST(key__that_is_none_is_refused)
{
    struct test_cert *cert = with_key(0, false);
    char *cert_pem = test_cert_pem(cert);
    static const char *const texts[] = {
        "",
        "no key",
        "0",
        "0\x82\x01",
        "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nMAA=\n",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n",
        ("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: NO-SUCH-CIPHER,00\n\n"
         "MAA=\n-----END RSA PRIVATE KEY-----\n"),
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        expect_text(texts[i], PASSWORD, NULL, URLPOOL_E_TLS_CLIENT_CERT);
    }
    expect_text(cert_pem, NULL, NULL, URLPOOL_E_TLS_CLIENT_CERT);
    free(cert_pem);
    test_cert_free(cert);
}
END_TEST

START_TEST(key__with_bytes_behind_it_is_refused)
{
    struct test_cert *cert = with_key(0, false);
    const char *passwords[] = {NULL, PASSWORD};

    for (size_t i = 0; i < 2; i++) {
        size_t len;
        uint8_t *der = test_cert_key_der(cert, passwords[i], &len);
        uint8_t *longer = calloc(1, len + 1);
        struct urlpool_error err;

        memcpy(longer, der, len);
        ck_assert_int_eq(read_key(longer, len, passwords[i], cert, &err), URLPOOL_OK);
        ck_assert_int_eq(read_key(longer, len + 1, passwords[i], cert, &err),
                         URLPOOL_E_TLS_CLIENT_CERT);
        free(der);
        free(longer);
    }
    test_cert_free(cert);
}
END_TEST

START_TEST(key__cut_anywhere_is_refused)
{
    struct test_cert *cert = with_key(0, false);
    size_t len;
    uint8_t *der = test_cert_key_der(cert, NULL, &len);

    for (size_t i = 0; i < len; i++) {
        uint8_t *cut = malloc(i > 0 ? i : 1);
        struct urlpool_error err;

        memcpy(cut, der, i);
        ck_assert_int_eq(read_key(cut, i, NULL, cert, &err), URLPOOL_E_TLS_CLIENT_CERT);
        free(cut);
    }
    free(der);
    test_cert_free(cert);
}
END_TEST

RUN_TESTS("tls_key", key__of_each_kind_is_read, key__that_is_encrypted_needs_its_password,
          key__of_no_wrong_password_is_called_malformed, key__is_the_first_among_other_blocks,
          key__that_is_none_is_refused, key__with_bytes_behind_it_is_refused,
          key__cut_anywhere_is_refused)
