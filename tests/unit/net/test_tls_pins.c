/* Fingerprints and pins as text: what is read, and what is refused. */

#include <stdlib.h>
#include <string.h>

#include "net/tls_pins.h"
#include "support/certs.h"
#include "support/run_tests.h"

/* SHA-256, SHA-1 and MD5 of nothing. */
#define SHA256_HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA1_HEX   "da39a3ee5e6b4b0d3255bfef95601890afd80709"
#define MD5_HEX    "d41d8cd98f00b204e9800998ecf8427e"
#define PIN        "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

/* read_pins reads both texts; the message of a refusal stands in `err`. */
static enum urlpool_code read_pins(const char *fingerprint, const char *pins,
                                   struct urlp_tls_pins *out, struct urlpool_error *err)
{
    const struct urlpool_tls_options options = {.assert_fingerprint = fingerprint, .pins = pins};

    return urlp_tls_pins_init(out, &options, err);
}

static void expect_refusal(const char *fingerprint, const char *pins)
{
    struct urlpool_error err = {0};
    struct urlp_tls_pins read;

    ck_assert_msg(read_pins(fingerprint, pins, &read, &err) == URLPOOL_E_INVALID, "%s %s",
                  fingerprint != NULL ? fingerprint : "-", pins != NULL ? pins : "-");
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    ck_assert(!urlp_tls_pins_are_given(&read) || pins == NULL);
    urlp_tls_pins_deinit(&read);
}

START_TEST(pins__none_are_none)
{
    struct urlp_tls_pins read;

    ck_assert_int_eq(read_pins(NULL, NULL, &read, NULL), URLPOOL_OK);
    ck_assert(!urlp_tls_pins_are_given(&read));
    urlp_tls_pins_deinit(&read);
}
END_TEST

START_TEST(fingerprint__is_read_in_any_case_with_or_without_colons)
{
    static const struct {
        const char *text;
        size_t len;
    } rows[] = {
        {SHA256_HEX,                                                    32},
        {SHA1_HEX,                                                      20},
        {MD5_HEX,                                                       16},
        {"D41D8CD98F00B204E9800998ECF8427E",                            16},
        {"d4:1d:8c:d9:8f:00:b2:04:e9:80:09:98:ec:f8:42:7e",             16},
        {"D4:1d8cd98f00b204e9:800998ecf8427E",                          16},
        {"DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF:95:60:18:90:AF:D8:07:09", 20},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct urlp_tls_pins read;

        ck_assert_int_eq(read_pins(rows[i].text, NULL, &read, NULL), URLPOOL_OK);
        ck_assert_uint_eq(read.fingerprint_len, rows[i].len);
        ck_assert_uint_eq(read.fingerprint[1],
                          rows[i].len == 32 ? 0xb0 : (rows[i].len == 20 ? 0x39 : 0x1d));
        ck_assert(urlp_tls_pins_are_given(&read));
        urlp_tls_pins_deinit(&read);
    }
}
END_TEST

START_TEST(fingerprint__of_another_form_is_refused)
{
    static const char *const texts[] = {
        "",
        ":",
        "0",
        "d41d8cd98f00b204e9800998ecf8427",      /* a digit short */
        "d41d8cd98f00b204e9800998ecf842",       /* a byte short */
        "d41d8cd98f00b204e9800998ecf8427e0",    /* a digit too many */
        "d41d8cd98f00b204e9800998ecf8427e00",   /* a byte too many */
        "d41d8cd98f00b204e9800998ecf8427g",     /* no digit */
        "d:41d8cd98f00b204e9800998ecf8427e",    /* a colon within a byte */
        "d4::1d8cd98f00b204e9800998ecf8427e",   /* two */
        ":d41d8cd98f00b204e9800998ecf8427e",    /* before */
        "d41d8cd98f00b204e9800998ecf8427e:",    /* behind */
        " d41d8cd98f00b204e9800998ecf8427e",    /* blanks */
        "md5:d41d8cd98f00b204e9800998ecf8427e", /* a word */
        SHA256_HEX "00",                        /* longer than any */
        SHA256_HEX SHA256_HEX,
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        expect_refusal(texts[i], NULL);
    }
}
END_TEST

START_TEST(pins__are_read_as_curl_reads_them)
{
    struct urlp_tls_pins read;

    ck_assert_int_eq(read_pins(NULL, PIN, &read, NULL), URLPOOL_OK);
    ck_assert_uint_eq(read.num_keys, 1);
    ck_assert_uint_eq(read.keys[0][0], 0xe3);
    ck_assert_uint_eq(read.keys[0][31], 0x55);
    urlp_tls_pins_deinit(&read);
    ck_assert_int_eq(read_pins(NULL, PIN ";" PIN ";" PIN, &read, NULL), URLPOOL_OK);
    ck_assert_uint_eq(read.num_keys, 3);
    ck_assert_uint_eq(read.keys[2][31], 0x55);
    urlp_tls_pins_deinit(&read);
    urlp_tls_pins_deinit(&read);
}
END_TEST

START_TEST(pins__of_another_form_are_refused)
{
    static const char *const texts[] = {
        "",
        ";",
        PIN ";",
        ";" PIN,
        PIN ";;" PIN,
        PIN " ",
        PIN "; " PIN,
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "sha1//2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        "SHA256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "sha256//",
        "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF==", /* 31 bytes */
        "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU5", /* 33 */
        "sha256//47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=", /* for URLs */
        "/etc/key.pem",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        expect_refusal(NULL, texts[i]);
    }
}
END_TEST

START_TEST(pins__the_message_names_the_one_that_is_wrong)
{
    struct urlpool_error err = {0};
    struct urlp_tls_pins read;

    ck_assert_int_eq(read_pins(NULL, PIN ";sha1//x;" PIN, &read, &err), URLPOOL_E_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "\"sha1//x\""));
    urlp_tls_pins_deinit(&read);
}
END_TEST

RUN_TESTS("tls_pins", pins__none_are_none, fingerprint__is_read_in_any_case_with_or_without_colons,
          fingerprint__of_another_form_is_refused, pins__are_read_as_curl_reads_them,
          pins__of_another_form_are_refused, pins__the_message_names_the_one_that_is_wrong)
