/* Client certificates, shown to a server that asks for one. */

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/certs.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"
#include "support/tls_client.h"
#include "support/tls_scene.h"
#include "support/tls_server.h"

#define PASSWORD "correct horse"

/* struct mutual is a server that lets nobody in but who has a certificate of `ca`, and such a
 * client, whose certificate leads to `ca` over `middle`. */
struct mutual {
    struct test_cert *ca, *middle, *client;
    struct tls_scene scene;
    char *dir;
    char *cert_pem, *middle_pem, *key_pem; /* text */
};

static struct mutual begin(uint16_t max_version)
{
    struct mutual mutual = {.ca = test_ca("clients"), .dir = test_dir()};

    mutual.middle = test_cert_new(
        &(struct test_cert_options){.common_name = "middle", .is_ca = true}, mutual.ca);
    mutual.client = test_cert_new(
        &(struct test_cert_options){.common_name = "client", .usage = "clientAuth"}, mutual.middle);
    mutual.scene = tls_scene_begin(
        (struct tls_server_options){.max_version = max_version, .client_ca = mutual.ca});
    mutual.cert_pem = test_cert_pem(mutual.client);
    mutual.middle_pem = test_cert_pem(mutual.middle);
    mutual.key_pem = test_cert_key_pem(mutual.client);
    return mutual;
}

static void end(struct mutual *mutual)
{
    tls_scene_end(&mutual->scene);
    test_dir_remove(mutual->dir);
    free(mutual->cert_pem);
    free(mutual->middle_pem);
    free(mutual->key_pem);
    test_cert_free(mutual->client);
    test_cert_free(mutual->middle);
    test_cert_free(mutual->ca);
}

static char *joined(const char *first, const char *second, const char *third)
{
    char *text = NULL;

    ck_assert_int_gt(asprintf(&text, "%s%s%s", first, second, third), 0);
    return text;
}

/* is_let_in: over TLS 1.3 the server's refusal comes after the handshake. */
static bool is_let_in(struct mutual *mutual, struct urlpool_tls_options options)
{
    struct urlpool_error err = {0};
    const struct urlp_call call = test_call();
    struct urlp_stream *stream;
    enum urlp_end how = URLP_END_NONE;
    char byte;
    size_t len = 0;

    tls_scene_use(&mutual->scene, options);
    stream = tls_scene_dial(&mutual->scene, "localhost", &err);
    if (stream != NULL) {
        test_say(stream, "echo in");
        if (urlp_stream_read(stream, &byte, 1, &len, &how, &call, &err) == URLPOOL_OK) {
            ck_assert_int_eq(byte, 'i');
        }
        urlp_stream_free(stream, URLP_CLOSE_POLITE);
    }
    ck_assert_uint_eq(ERR_peek_error(), 0);
    if (err.code != URLPOOL_OK) {
        ck_assert_int_eq(err.code, URLPOOL_E_TLS);
    }
    return err.code == URLPOOL_OK;
}

/* expect_in: the server saw `num` certificates of the client, `nth` to come. */
static void expect_in(struct mutual *mutual, struct urlpool_tls_options options, unsigned num,
                      unsigned nth)
{
    ck_assert(is_let_in(mutual, options));
    ck_assert_uint_eq(tls_server_wait(mutual->scene.server, nth).num_client_certs, num);
}

static struct urlpool_error built(struct urlpool_tls_options options)
{
    struct urlpool_error err = {0};
    struct urlpool_tls *tls;

    options.insecure_no_verify = true; /* so no roots are read */
    tls = urlpool_tls_new(&options, &err);
    ck_assert_int_eq(tls == NULL, err.code != URLPOOL_OK);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    urlpool_tls_unref(tls);
    return err;
}

START_TEST(client__without_a_certificate_is_turned_away)
{
    static const uint16_t versions[] = {0, TLS1_2_VERSION};

    for (size_t i = 0; i < 2; i++) {
        struct mutual mutual = begin(versions[i]);

        ck_assert(!is_let_in(&mutual, (struct urlpool_tls_options){0}));
        end(&mutual);
    }
}
END_TEST

START_TEST(client__shows_its_chain_from_one_file)
{
    static const uint16_t versions[] = {0, TLS1_2_VERSION};

    for (size_t i = 0; i < 2; i++) {
        struct mutual mutual = begin(versions[i]);
        char *key_last = joined(mutual.cert_pem, mutual.middle_pem, mutual.key_pem);
        char *key_first = joined(mutual.key_pem, mutual.cert_pem, mutual.middle_pem);
        char *last = test_file(mutual.dir, "last.pem", key_last);
        char *first = test_file(mutual.dir, "first.pem", key_first);

        expect_in(&mutual, (struct urlpool_tls_options){.cert_file = last}, 2, 1);
        expect_in(&mutual, (struct urlpool_tls_options){.cert_file = first}, 2, 2);
        free(last);
        free(first);
        free(key_last);
        free(key_first);
        end(&mutual);
    }
}
END_TEST

START_TEST(client__shows_its_chain_from_two_files)
{
    struct mutual mutual = begin(0);
    struct test_cert *other = test_leaf("other", NULL);
    char *other_key = test_cert_key_pem(other);
    char *chain = joined(mutual.cert_pem, mutual.middle_pem, other_key);
    char *cert = test_file(mutual.dir, "cert.pem", chain);
    char *key = test_file(mutual.dir, "key.pem", mutual.key_pem);

    /* The key that is named counts, and not the one beside the certificate. */
    expect_in(&mutual, (struct urlpool_tls_options){.cert_file = cert, .key_file = key}, 2, 1);
    free(cert);
    free(key);
    free(chain);
    free(other_key);
    test_cert_free(other);
    end(&mutual);
}
END_TEST

START_TEST(client__shows_its_chain_from_memory)
{
    struct mutual mutual = begin(0);
    char *chain = joined(mutual.cert_pem, mutual.middle_pem, "");
    char *all = joined(chain, mutual.key_pem, "");
    size_t cert_len;
    size_t key_len;
    uint8_t *cert = test_cert_der(mutual.client, &cert_len);
    uint8_t *key = test_cert_key_der(mutual.client, NULL, &key_len);
    const struct urlpool_tls_options apart = {.cert_data = chain,
                                              .cert_data_len = strlen(chain),
                                              .key_data = key,
                                              .key_data_len = key_len};
    const struct urlpool_tls_options der = {.cert_data = cert,
                                            .cert_data_len = cert_len,
                                            .key_data = mutual.key_pem,
                                            .key_data_len = strlen(mutual.key_pem)};

    expect_in(&mutual, (struct urlpool_tls_options){.cert_data = all, .cert_data_len = strlen(all)},
              2, 1);
    expect_in(&mutual, apart, 2, 2);
    ck_assert(!is_let_in(&mutual, der)); /* nothing of DER leads to the root */
    ck_assert_int_eq(built(der).code, URLPOOL_OK);
    free(chain);
    free(all);
    free(cert);
    free(key);
    end(&mutual);
}
END_TEST

START_TEST(client__opens_its_key_with_the_password)
{
    struct mutual mutual = begin(0);
    char *key = test_cert_key_encrypted(mutual.client, PASSWORD, false);
    char *all = joined(mutual.cert_pem, mutual.middle_pem, key);
    struct urlpool_tls_options options = {
        .cert_data = all, .cert_data_len = strlen(all), .key_password = PASSWORD};
    struct urlpool_error err;

    expect_in(&mutual, options, 2, 1);
    options.key_password = NULL;
    err = built(options);
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_KEY_PASSWORD);
    ck_assert_str_eq(err.message, "client key in cert_data: encrypted, a password is required");
    options.key_password = "another";
    err = built(options);
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_KEY_PASSWORD);
    ck_assert_ptr_null(strstr(err.message, "another\""));
    free(key);
    free(all);
    end(&mutual);
}
END_TEST

START_TEST(client__with_keys_of_each_kind_is_let_in)
{
    static const struct test_cert_options kinds[] = {
        {.rsa_bits = 2048,   .usage = "clientAuth"},
        {.is_ed25519 = true, .usage = "clientAuth"},
    };
    struct mutual mutual = begin(0);

    for (unsigned i = 0; i < 2; i++) {
        struct test_cert *client = test_cert_new(&kinds[i], mutual.ca);
        char *cert = test_cert_pem(client);
        char *key = test_cert_key_pem(client);

        expect_in(&mutual,
                  (struct urlpool_tls_options){.cert_data = cert,
                                               .cert_data_len = strlen(cert),
                                               .key_data = key,
                                               .key_data_len = strlen(key)},
                  1, i + 1);
        free(cert);
        free(key);
        test_cert_free(client);
    }
    end(&mutual);
}
END_TEST

START_TEST(client__resumes_as_the_one_it_was)
{
    struct mutual mutual = begin(0);
    char *all = joined(mutual.cert_pem, mutual.middle_pem, mutual.key_pem);

    tls_scene_use(&mutual.scene,
                  (struct urlpool_tls_options){.cert_data = all, .cert_data_len = strlen(all)});
    for (int i = 0; i < 2; i++) {
        struct urlp_stream *stream = tls_scene_dial(&mutual.scene, "localhost", NULL);

        ck_assert_ptr_nonnull(stream);
        ck_assert_str_eq(test_ask(stream, "echo hello"), "hello");
        urlp_stream_free(stream, URLP_CLOSE_POLITE);
    }
    ck_assert_uint_eq(mutual.scene.counters.tls_resumed, 1);
    free(all);
    end(&mutual);
}
END_TEST

START_TEST(key__of_another_certificate_is_refused)
{
    struct test_cert *cert = test_leaf("a", NULL);
    struct test_cert *same_kind = test_leaf("b", NULL);
    struct test_cert *other_kind =
        test_cert_new(&(struct test_cert_options){.rsa_bits = 2048}, NULL);
    const struct test_cert *others[] = {same_kind, other_kind};
    char *cert_pem = test_cert_pem(cert);

    for (size_t i = 0; i < 2; i++) {
        char *key = test_cert_key_pem(others[i]);
        const struct urlpool_error err =
            built((struct urlpool_tls_options){.cert_data = cert_pem,
                                               .cert_data_len = strlen(cert_pem),
                                               .key_data = key,
                                               .key_data_len = strlen(key)});

        ck_assert_int_eq(err.code, URLPOOL_E_TLS_CLIENT_CERT);
        ck_assert_str_eq(err.message,
                         "client certificate in cert_data: the private key belongs to another");
        free(key);
    }
    free(cert_pem);
    test_cert_free(cert);
    test_cert_free(same_kind);
    test_cert_free(other_kind);
}
END_TEST

START_TEST(key__that_may_not_sign_is_told)
{
    struct test_cert *cert = test_ca("its key usage is to sign certificates");
    char *pem = test_cert_pem(cert);
    char *key = test_cert_key_pem(cert);
    const struct urlpool_error err =
        built((struct urlpool_tls_options){.cert_data = pem,
                                           .cert_data_len = strlen(pem),
                                           .key_data = key,
                                           .key_data_len = strlen(key)});

    ck_assert_int_eq(err.code, URLPOOL_E_TLS_CLIENT_CERT);
    ck_assert_str_eq(err.message,
                     "client certificate in cert_data: its key usage has no digital signature");
    free(key);
    free(pem);
    test_cert_free(cert);
}
END_TEST

START_TEST(file__that_cannot_be_read_is_told)
{
    struct test_cert *cert = test_leaf("a", NULL);
    char *pem = test_cert_pem(cert);
    struct urlpool_error err =
        built((struct urlpool_tls_options){.cert_file = "/nowhere/cert.pem"});

    ck_assert_int_eq(err.code, URLPOOL_E_TLS_CLIENT_CERT);
    ck_assert_int_eq(err.os_errno, ENOENT);
    ck_assert_ptr_nonnull(strstr(err.message, "/nowhere/cert.pem"));
    err = built((struct urlpool_tls_options){
        .cert_data = pem, .cert_data_len = strlen(pem), .key_file = "/nowhere/key.pem"});
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_CLIENT_CERT);
    ck_assert_ptr_nonnull(strstr(err.message, "/nowhere/key.pem"));
    err = built((struct urlpool_tls_options){.cert_file = "/"});
    ck_assert_int_eq(err.os_errno, EISDIR);
    free(pem);
    test_cert_free(cert);
}
END_TEST

START_TEST(certificate__that_is_none_is_refused)
{
    static const char *const texts[] = {
        "",
        "no certificate",
        "0",
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nMAA=\n",
    };
    struct test_cert *cert = test_leaf("a", NULL);
    char *key = test_cert_key_pem(cert);
    char *pem = test_cert_pem(cert);
    char *many = calloc(1, 17 * strlen(pem) + 1);
    struct urlpool_error err;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ck_assert_int_eq(built((struct urlpool_tls_options){.cert_data = texts[i],
                                                            .cert_data_len = strlen(texts[i]),
                                                            .key_data = key,
                                                            .key_data_len = strlen(key)})
                             .code,
                         URLPOOL_E_TLS_CLIENT_CERT);
    }
    ck_assert_int_eq(
        built((struct urlpool_tls_options){.cert_data = key, .cert_data_len = strlen(key)}).code,
        URLPOOL_E_TLS_CLIENT_CERT);
    for (int i = 0; i < 17; i++) {
        strcat(many, pem);
    }
    err = built((struct urlpool_tls_options){.cert_data = many,
                                             .cert_data_len = strlen(many),
                                             .key_data = key,
                                             .key_data_len = strlen(key)});
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_CLIENT_CERT);
    ck_assert_ptr_nonnull(strstr(err.message, "too many certificates"));
    free(many);
    free(pem);
    free(key);
    test_cert_free(cert);
}
END_TEST

START_TEST(certificate__without_a_key_is_refused)
{
    struct test_cert *cert = test_leaf("a", NULL);
    char *pem = test_cert_pem(cert);
    const struct urlpool_error err =
        built((struct urlpool_tls_options){.cert_data = pem, .cert_data_len = strlen(pem)});

    ck_assert_int_eq(err.code, URLPOOL_E_TLS_CLIENT_CERT);
    ck_assert_str_eq(err.message, "client key in cert_data: there is no private key in it");
    free(pem);
    test_cert_free(cert);
}
END_TEST

START_TEST(options__that_contradict_each_other_are_refused)
{
    const struct urlpool_tls_options rows[] = {
        {.key_file = "k"    },
        {                .key_data = "k",  .key_data_len = 1},
        {                .key_password = "p"                  },
        { .cert_file = "c", .cert_data = "c", .cert_data_len = 1},
        {                .cert_file = "c",    .key_file = "k", .key_data = "k", .key_data_len = 1},
        { .cert_data_len = 1                  },
        {                .cert_file = "c",    .key_data_len = 1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert_int_eq(built(rows[i]).code, URLPOOL_E_INVALID);
    }
}
END_TEST

START_TEST(files__each_failed_allocation_is_told)
{
    struct test_cert *cert = test_leaf("a", NULL);
    char *cert_pem = test_cert_pem(cert);
    char *key_pem = test_cert_key_pem(cert);
    char *dir = test_dir();
    char *cert_file = test_file(dir, "cert.pem", cert_pem);
    char *key_file = test_file(dir, "key.pem", key_pem);

    failing_allocator_install();
    for (uint64_t nth = 1;; nth++) {
        enum urlpool_code code;

        failing_allocator_fail_nth(nth);
        code =
            built((struct urlpool_tls_options){.cert_file = cert_file, .key_file = key_file}).code;
        ck_assert_int_eq(failing_allocator_num_live(), 0);
        if (!failing_allocator_has_failed()) {
            ck_assert_int_eq(code, URLPOOL_OK);
            ck_assert_uint_gt(nth, 3);
            break;
        }
        ck_assert_int_eq(code, URLPOOL_E_NOMEM);
    }
    free(cert_file);
    free(key_file);
    free(cert_pem);
    free(key_pem);
    test_dir_remove(dir);
    test_cert_free(cert);
}
END_TEST

RUN_TESTS("tls_client_cert", client__without_a_certificate_is_turned_away,
          client__shows_its_chain_from_one_file, client__shows_its_chain_from_two_files,
          client__shows_its_chain_from_memory, client__opens_its_key_with_the_password,
          client__with_keys_of_each_kind_is_let_in, client__resumes_as_the_one_it_was,
          key__of_another_certificate_is_refused, key__that_may_not_sign_is_told,
          file__that_cannot_be_read_is_told, certificate__that_is_none_is_refused,
          certificate__without_a_key_is_refused, options__that_contradict_each_other_are_refused,
          files__each_failed_allocation_is_told)
