/* Pins: the peer must have this very certificate (a fingerprint), or one of these keys.
 *
 * A fingerprint is a digest of the whole certificate; its length says which digest. A pin is the
 * SHA-256 of the key alone (RFC 7469 section 2.4), so that it outlives the certificate. What does
 * not match is told in full: both sides are public.
 *
 * Whether chain and name are looked at besides is not decided here. */

#include "net/tls_pins.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/alloc.h"
#include "base/count.h"
#include "base/error.h"

#define PIN_BEGINNING "sha256//"
#define BASE64_LEN    44 /* of 32 bytes */

static const struct digest {
    size_t len;
    const char *name;
    const EVP_MD *(*get)(void);
} digests[] = {
    {16, "MD5",     EVP_md5   },
    {20, "SHA-1",   EVP_sha1  },
    {32, "SHA-256", EVP_sha256},
};

static const struct digest *digest_of(size_t len)
{
    for (size_t i = 0; i < URLP_COUNT_OF(digests); i++) {
        if (digests[i].len == len) {
            return &digests[i];
        }
    }
    return NULL;
}

static enum urlpool_code refuse(struct urlpool_error *err, const char *what, struct urlp_span text)
{
    return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "%s: \"%s\"", what,
                     urlp_quote(text.data, text.len).text);
}

/* read_fingerprint reads pairs of hexadecimal digits, with or without a colon between pairs. */
static enum urlpool_code read_fingerprint(struct urlp_tls_pins *pins, const char *text,
                                          struct urlpool_error *err)
{
    static const char what[] = "assert_fingerprint is no MD5, SHA-1 or SHA-256 in hexadecimal";
    const struct urlp_span all = urlp_span_of(text);
    size_t len = 0;

    while (*text != '\0') {
        const int high = urlp_hex_value((unsigned char)text[0]);
        const int low = high < 0 ? -1 : urlp_hex_value((unsigned char)text[1]);

        if (low < 0 || len == sizeof(pins->fingerprint)) {
            return refuse(err, what, all);
        }
        pins->fingerprint[len++] = (uint8_t)(high << 4 | low);
        text += 2;
        text += text[0] == ':' && text[1] != '\0';
    }
    if (digest_of(len) == NULL) {
        return refuse(err, what, all);
    }
    pins->fingerprint_len = len;
    return URLPOOL_OK;
}

/* read_pin: the digest's 32 octets fill 42 characters and most of the 43rd. */
static bool read_pin(struct urlp_span text, uint8_t out[URLP_TLS_PIN_BYTES])
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t begin = sizeof(PIN_BEGINNING) - 1;
    uint8_t room[BASE64_LEN / 4 * 3];

    if (text.len != begin + BASE64_LEN || memcmp(text.data, PIN_BEGINNING, begin) != 0 ||
        strspn(text.data + begin, alphabet) != BASE64_LEN - 1 ||
        text.data[begin + BASE64_LEN - 1] != '=' ||
        EVP_DecodeBlock(room, (const uint8_t *)text.data + begin, BASE64_LEN) < 0) {
        return false;
    }
    memcpy(out, room, URLP_TLS_PIN_BYTES);
    return true;
}

/* read_pins reads "sha256//…;sha256//…". */
static enum urlpool_code read_pins(struct urlp_tls_pins *pins, const char *text,
                                   struct urlpool_error *err)
{
    size_t num = 1;

    for (const char *at = text; *at != '\0'; at++) {
        num += *at == ';';
    }
    pins->keys = urlp_zalloc(num * sizeof(pins->keys[0]));
    if (pins->keys == NULL) {
        return urlp_fail_nomem(err);
    }
    for (size_t i = 0; i < num; i++) {
        const struct urlp_span one = urlp_span_make(text, strcspn(text, ";"));

        if (!read_pin(one, pins->keys[i])) {
            return refuse(err, "pins must be sha256// and a SHA-256 in base 64", one);
        }
        text += one.len + 1;
    }
    pins->num_keys = num;
    return URLPOOL_OK;
}

/* fold adds `bytes`, one digest at most, to the digest of what was before. */
static bool fold(struct urlp_tls_pins *pins, const uint8_t *bytes, size_t len)
{
    uint8_t both[2 * URLP_TLS_PIN_BYTES] = {0};

    memcpy(both, pins->digest, sizeof(pins->digest));
    memcpy(both + sizeof(pins->digest), bytes, len);
    return EVP_Digest(both, sizeof(both), pins->digest, NULL, EVP_sha256(), NULL) == 1;
}

/* set_digest makes one digest of everything that is given. */
static bool set_digest(struct urlp_tls_pins *pins)
{
    const uint8_t len = (uint8_t)pins->fingerprint_len;
    bool is_done = true;

    if (pins->fingerprint_len > 0) {
        is_done = fold(pins, &len, 1) && fold(pins, pins->fingerprint, pins->fingerprint_len);
    }
    for (size_t i = 0; is_done && i < pins->num_keys; i++) {
        is_done = fold(pins, pins->keys[i], sizeof(pins->keys[i]));
    }
    return is_done;
}

enum urlpool_code urlp_tls_pins_init(struct urlp_tls_pins *pins,
                                     const struct urlpool_tls_options *options,
                                     struct urlpool_error *err)
{
    enum urlpool_code code = URLPOOL_OK;

    *pins = (struct urlp_tls_pins){0};
    if (options->assert_fingerprint != NULL) {
        code = read_fingerprint(pins, options->assert_fingerprint, err);
    }
    if (code == URLPOOL_OK && options->pins != NULL) {
        code = read_pins(pins, options->pins, err);
    }
    return code == URLPOOL_OK && !set_digest(pins) ? urlp_fail_nomem(err) : code;
}

void urlp_tls_pins_deinit(struct urlp_tls_pins *pins)
{
    urlp_free(pins->keys);
    *pins = (struct urlp_tls_pins){0};
}

bool urlp_tls_pins_are_given(const struct urlp_tls_pins *pins)
{
    return pins->fingerprint_len > 0 || pins->num_keys > 0;
}

static void format_hex(const uint8_t *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

static enum urlpool_code check_fingerprint(const struct urlp_tls_pins *pins,
                                           const struct urlp_tls_shown *shown,
                                           struct urlpool_error *err)
{
    const struct digest *digest = digest_of(pins->fingerprint_len);
    uint8_t found[EVP_MAX_MD_SIZE];
    char wanted_hex[2 * URLP_TLS_PIN_BYTES + 1];
    char found_hex[2 * EVP_MAX_MD_SIZE + 1];

    if (digest == NULL || !urlp_tls_shown_digest(shown, digest->get(), found)) {
        return urlp_fail_nomem(err);
    }
    if (CRYPTO_memcmp(found, pins->fingerprint, digest->len) == 0) {
        return URLPOOL_OK;
    }
    format_hex(pins->fingerprint, digest->len, wanted_hex);
    format_hex(found, digest->len, found_hex);
    return urlp_fail(err, URLPOOL_E_TLS_PIN, URLPOOL_PHASE_TLS,
                     "%s of the certificate is %s, not %s", digest->name, found_hex, wanted_hex);
}

/* key_digest is the SHA-256 of the SubjectPublicKeyInfo of `leaf`. */
static bool key_digest(const X509 *leaf, uint8_t out[URLP_TLS_PIN_BYTES])
{
    uint8_t *der = NULL;
    const int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);
    const bool is_done = len > 0 && EVP_Digest(der, (size_t)len, out, NULL, EVP_sha256(), NULL);

    OPENSSL_free(der);
    return is_done;
}

static enum urlpool_code check_keys(const struct urlp_tls_pins *pins, const X509 *leaf,
                                    struct urlp_span host, struct urlpool_error *err)
{
    uint8_t found[URLP_TLS_PIN_BYTES];
    uint8_t text[BASE64_LEN + 1];

    if (!key_digest(leaf, found)) {
        return urlp_fail_nomem(err);
    }
    for (size_t i = 0; i < pins->num_keys; i++) {
        if (CRYPTO_memcmp(found, pins->keys[i], sizeof(found)) == 0) {
            return URLPOOL_OK;
        }
    }
    (void)EVP_EncodeBlock(text, found, sizeof(found));
    return urlp_fail(err, URLPOOL_E_TLS_PIN, URLPOOL_PHASE_TLS,
                     "key of %s is " PIN_BEGINNING "%s, which is not pinned",
                     urlp_quote(host.data, host.len).text, (const char *)text);
}

enum urlpool_code urlp_tls_pins_check(const struct urlp_tls_pins *pins,
                                      const struct urlp_tls_shown *shown, const X509 *leaf,
                                      struct urlp_span host, struct urlpool_error *err)
{
    enum urlpool_code code = URLPOOL_OK;

    if (pins->fingerprint_len > 0) {
        code = check_fingerprint(pins, shown, err);
    }
    if (code == URLPOOL_OK && pins->num_keys > 0) {
        code = check_keys(pins, leaf, host, err);
    }
    return code;
}
