/* Options of TLS: what is refused before anything is read, and what a handshake makes of the rest.
 * Roots are in test_tls_roots.c, whom a certificate is for in test_tls_identity.c. */

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "net/tls_context.h"
#include "support/certs.h"
#include "support/run_tests.h"
#include "support/tls_client.h"
#include "support/tls_kit.h"
#include "support/tls_scene.h"
#include "support/tls_server.h"

/* built gives the error of building `options`, URLPOOL_OK when there was none. */
static struct urlpool_error built(struct urlpool_tls_options options)
{
    struct urlpool_error err = {0};
    struct urlpool_tls *tls;

    options.insecure_no_verify = true; /* so no roots are read */
    tls = urlpool_tls_new(&options, &err);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ck_assert_int_eq(tls == NULL, err.code != URLPOOL_OK);
    urlpool_tls_unref(tls);
    return err;
}

/* spoken shakes hands and gives version and cipher, "" when it came to nothing. */
static const char *spoken(struct tls_scene *scene, const char **out_cipher)
{
    struct urlpool_error err = {0};
    struct urlp_stream *stream = tls_scene_dial(scene, "localhost", &err);
    const char *version = "";
    bool is_resumed;

    *out_cipher = "";
    ck_assert_uint_eq(ERR_peek_error(), 0);
    if (stream == NULL) {
        ck_assert_int_eq(err.code, URLPOOL_E_TLS);
        ck_assert_int_eq(err.phase, URLPOOL_PHASE_TLS);
        return "";
    }
    ck_assert(urlp_tls_describe(stream, &version, out_cipher, &is_resumed));
    urlp_stream_free(stream, URLP_CLOSE_POLITE); /* the strings are static */
    return version;
}

/* version_spoken is what comes of `options` with a server that speaks `version_min` to
 * `version_max`; 0: whatever it can. */
static const char *version_spoken(struct urlpool_tls_options options, uint16_t version_min,
                                  uint16_t version_max)
{
    struct tls_scene scene = tls_scene_begin(
        (struct tls_server_options){.min_version = version_min, .max_version = version_max});
    const char *cipher;
    const char *version;

    tls_scene_use(&scene, options);
    version = spoken(&scene, &cipher);
    tls_scene_end(&scene);
    return version;
}

START_TEST(version__is_1_2_or_1_3_by_default)
{
    const struct urlpool_tls_options options = {.version_min = URLPOOL_TLS_DEFAULT};

    ck_assert_str_eq(version_spoken(options, 0, TLS1_1_VERSION), "");
    ck_assert_str_eq(version_spoken(options, 0, TLS1_2_VERSION), "TLSv1.2");
    ck_assert_str_eq(version_spoken(options, 0, 0), "TLSv1.3");
}
END_TEST

START_TEST(version__min_refuses_a_peer_below_it)
{
    ck_assert_str_eq(version_spoken((struct urlpool_tls_options){.version_min = URLPOOL_TLS_1_3}, 0,
                                    TLS1_2_VERSION),
                     "");
    ck_assert_str_eq(
        version_spoken((struct urlpool_tls_options){.version_min = URLPOOL_TLS_1_3}, 0, 0),
        "TLSv1.3");
    ck_assert_str_eq(version_spoken((struct urlpool_tls_options){.version_min = URLPOOL_TLS_1_2}, 0,
                                    TLS1_2_VERSION),
                     "TLSv1.2");
}
END_TEST

START_TEST(version__max_is_not_exceeded)
{
    ck_assert_str_eq(
        version_spoken((struct urlpool_tls_options){.version_max = URLPOOL_TLS_1_2}, 0, 0),
        "TLSv1.2");
    ck_assert_str_eq(version_spoken((struct urlpool_tls_options){.version_max = URLPOOL_TLS_1_2},
                                    TLS1_3_VERSION, 0),
                     "");
    ck_assert_str_eq(
        version_spoken((struct urlpool_tls_options){.version_max = URLPOOL_TLS_1_3}, 0, 0),
        "TLSv1.3");
}
END_TEST

START_TEST(version__that_is_none_is_refused)
{
    const int numbers[] = {-1, 1, 10, 11, 14, TLS1_2_VERSION};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct urlpool_tls_options options = {0};

        options.version_min = (enum urlpool_tls_version)numbers[i];
        ck_assert_int_eq(built(options).code, URLPOOL_E_INVALID);
        options = (struct urlpool_tls_options){0};
        options.version_max = (enum urlpool_tls_version)numbers[i];
        ck_assert_int_eq(built(options).code, URLPOOL_E_INVALID);
    }
}
END_TEST

START_TEST(version__min_above_max_is_refused)
{
    ck_assert_int_eq(built((struct urlpool_tls_options){.version_min = URLPOOL_TLS_1_3,
                                                        .version_max = URLPOOL_TLS_1_2})
                         .code,
                     URLPOOL_E_INVALID);
    ck_assert_int_eq(built((struct urlpool_tls_options){.version_min = URLPOOL_TLS_1_3,
                                                        .version_max = URLPOOL_TLS_1_3})
                         .code,
                     URLPOOL_OK);
}
END_TEST

/* cipher_spoken is what comes of `ciphers` over TLS 1.2. */
static const char *cipher_spoken(const char *ciphers)
{
    struct tls_scene scene =
        tls_scene_begin((struct tls_server_options){.max_version = TLS1_2_VERSION});
    const char *cipher;

    tls_scene_use(&scene, (struct urlpool_tls_options){.ciphers = ciphers});
    (void)spoken(&scene, &cipher);
    tls_scene_end(&scene);
    return cipher;
}

START_TEST(ciphers__are_the_only_ones_offered)
{
    ck_assert_str_eq(cipher_spoken("ECDHE-ECDSA-AES256-GCM-SHA384"),
                     "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    ck_assert_str_eq(cipher_spoken("ECDHE-ECDSA-CHACHA20-POLY1305"),
                     "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
    ck_assert_str_eq(cipher_spoken("ECDHE-RSA-AES128-GCM-SHA256"), ""); /* its key is ECDSA */
}
END_TEST

/* As they stand in configurations everywhere: what is not there any more is passed over, by
 * BoringSSL and OpenSSL alike, and nothing is offered that proves nobody. */
START_TEST(ciphers__are_lists_as_curl_has_them)
{
    static const char *const lists[] = {
        "ALL",
        "DEFAULT",
        "HIGH",
        "ECDHE",
        "aECDSA",
        "AESGCM",
        "TLSv1.2",
        "SHA",
        "HIGH:!aNULL",
        "HIGH:!aNULL:!MD5",
        "HIGH:!aNULL:!eNULL:!EXPORT:!DES:!RC4:!MD5:!PSK:!SRP:!CAMELLIA",
        "ALL:!ADH:!LOW:!EXP:!MD5:@STRENGTH",
        "DEFAULT@SECLEVEL=1",
        "DEFAULT:@SECLEVEL=0",
        "!aNULL:HIGH",
        "EECDH+AESGCM:EDH+AESGCM",
        "kEECDH+AESGCM kEDH+AESGCM, aRSA;HIGH",
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
        "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
        "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:DES-CBC3-SHA:RC4-MD5",
        "kRSA:+AES256:ECDHE",
    };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const struct urlpool_tls_options options = {.ciphers = lists[i],
                                                    .insecure_no_verify = true};
        struct urlpool_error err = {0};
        struct urlpool_tls *tls = urlpool_tls_new(&options, &err);
        const STACK_OF(SSL_CIPHER) * chosen;

        ck_assert_msg(tls != NULL, "%s", err.message);
        chosen = SSL_CTX_get_ciphers(tls->context);
        for (int k = 0; k < (int)sk_SSL_CIPHER_num(chosen); k++) {
            const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(chosen, k);
            const int proof = SSL_CIPHER_get_auth_nid(cipher);

            ck_assert_msg((proof == NID_auth_rsa || proof == NID_auth_ecdsa ||
                           proof == NID_auth_any /* TLS 1.3 */) &&
                              SSL_CIPHER_get_bits(cipher, NULL) > 0,
                          "%s: %s", lists[i], SSL_CIPHER_get_name(cipher));
        }
        urlpool_tls_unref(tls);
        ck_assert_msg(cipher_spoken(lists[i])[0] != '\0', "%s", lists[i]);
    }
}
END_TEST

START_TEST(ciphers__may_be_groups_where_the_library_has_them)
{
    const char *group = "[ECDHE-ECDSA-AES256-GCM-SHA384|ECDHE-ECDSA-AES128-GCM-SHA256]";

    if (tls_kit_is_openssl()) {
        const struct urlpool_error err = built((struct urlpool_tls_options){.ciphers = group});

        ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
        return;
    }
    ck_assert_str_ne(cipher_spoken(group), "");
}
END_TEST

START_TEST(ciphers__unknown_or_empty_are_refused)
{
    static char a_long_word[600];
    static const char *const lists[] = {"",
                                        "no such cipher",
                                        "ECDHE-ECDSA-AES256-GCM-SHA384:x",
                                        "NULL-SHA",
                                        "eNULL",
                                        "!ALL",
                                        "RC4-SHA",
                                        "EXPORT",
                                        "aNULL",
                                        "ADH",
                                        "PSK",
                                        "SRP",
                                        "aPSK",
                                        "MD5",
                                        "HIGH:!NOPE",
                                        "HIGH:-",
                                        "ALL@SECLEVEL=2",
                                        "@STRENGTH",
                                        "HIGH:ECDHE+",
                                        "TLS_AES_128_GCM_SHA256",
                                        a_long_word};

    memset(a_long_word, 'A', sizeof(a_long_word) - 1);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const struct urlpool_error err = built((struct urlpool_tls_options){.ciphers = lists[i]});

        ck_assert_msg(err.code == URLPOOL_E_INVALID, "%s", lists[i]);
        ck_assert_ptr_nonnull(strstr(err.message, "ciphers"));
    }
}
END_TEST

RUN_TESTS("tls_options", version__is_1_2_or_1_3_by_default, version__min_refuses_a_peer_below_it,
          version__max_is_not_exceeded, version__that_is_none_is_refused,
          version__min_above_max_is_refused, ciphers__are_the_only_ones_offered,
          ciphers__are_lists_as_curl_has_them, ciphers__may_be_groups_where_the_library_has_them,
          ciphers__unknown_or_empty_are_refused)
