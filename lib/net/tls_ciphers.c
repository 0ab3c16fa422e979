/* Which ciphers are offered over TLS 1.2: lists as the users of openssl and curl write them, for
 * either library.
 *
 * Each word is looked at by itself. One that the library knows is handed to it. One that is made of
 * names of algorithms only, but of which this library has none (DHE, RC4, aNULL), chooses nothing
 * and takes nothing out, and is passed over: lists are written for libraries of all ages. Whatever
 * else is there is a mistake, and is refused. Ciphers that prove nobody, or are for secrets and
 * passwords that nobody can give us, are chosen by no list. */

#include "net/tls_ciphers.h"

#include <openssl/err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/count.h"
#include "base/error.h"
#include "net/tls_error.h"
#include "net/tls_library.h"

/* Ephemeral keys only, no 64-bit block cipher. Those of TLS 1.3 are all good. */
static const char usual[] = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES";

#define BETWEEN_WORDS  ": ,;"
#define BETWEEN_PARTS  "+-_"
#define WORD_BYTES_MAX 256
#define NEVER_BYTES    64

/* What names of ciphers, and of kinds of ciphers, are made of. */
/* clang-format off */
static const char *const parts[] = {
    "128", "256", "3DES", "8", "ADH", "aDH", "aDSS", "AECDH", "aECDH", "aECDSA", "AES", "AES128",
    "AES256", "AESCCM", "AESCCM8", "AESGCM", "ALL", "aNULL", "aPSK", "ARIA", "ARIA128", "ARIA256",
    "ARIAGCM", "aRSA", "aSRP", "CAMELLIA", "CAMELLIA128", "CAMELLIA256", "CBC", "CBC3", "CCM",
    "CCM8", "CHACHA20", "COMPLEMENTOFALL", "COMPLEMENTOFDEFAULT", "DEFAULT", "DES", "DH", "DHE",
    "DSS", "ECDH", "ECDHE", "ECDSA", "EDE", "EDH", "EECDH", "eNULL", "EXP", "EXPORT", "EXPORT40",
    "EXPORT56", "FIPS", "GCM", "HIGH", "IDEA", "kDH", "kDHd", "kDHE", "kDHEPSK", "kDHr", "kECDH",
    "kECDHE", "kECDHEPSK", "kEDH", "kEECDH", "kPSK", "kRSA", "kRSAPSK", "kSRP", "LOW", "MD5",
    "MEDIUM", "NULL", "POLY1305", "PSK", "RC2", "RC4", "RSA", "SEED", "SHA", "SHA1", "SHA256",
    "SHA384", "SRP", "SSLv2", "SSLv3", "TLS", "TLSv1", "TLSv1.0", "TLSv1.2", "WITH",
};
/* clang-format on */

static bool is_part(const char *text, size_t len)
{
    for (size_t i = 0; i < URLP_COUNT_OF(parts); i++) {
        if (strlen(parts[i]) == len && memcmp(parts[i], text, len) == 0) {
            return true;
        }
    }
    return false;
}

/* is_of_the_language says whether a word is made of such parts alone. */
static bool is_of_the_language(const char *word)
{
    for (;;) {
        const size_t len = strcspn(word, BETWEEN_PARTS);

        if (!is_part(word, len)) {
            return false;
        }
        if (word[len] == '\0') {
            return true;
        }
        word += len + 1;
    }
}

/* next_word copies the next word of `*rest` and goes on behind it; "" at the end. One that begins
 * with '@' needs nothing between it and the word before.
 *
 * Errors:  false: it is too long. */
static bool next_word(const char **rest, char out[WORD_BYTES_MAX])
{
    const char *begin = *rest + strspn(*rest, BETWEEN_WORDS);
    size_t len = strcspn(begin, BETWEEN_WORDS "@");

    if (len == 0 && begin[0] == '@') {
        len = 1 + strcspn(begin + 1, BETWEEN_WORDS "@");
    }
    *rest = begin + len;
    if (len >= WORD_BYTES_MAX) {
        return false;
    }
    memcpy(out, begin, len);
    out[len] = '\0';
    return true;
}

/* is_low_level: ours is 1, and is not lowered. */
static bool is_low_level(const char *word)
{
    return strcmp(word, "@SECLEVEL=0") == 0 || strcmp(word, "@SECLEVEL=1") == 0;
}

/* ending_of is what takes out what is never offered; BoringSSL's groups, "[a|b]", allow of no '!',
 * and there it offers nothing of the kind by itself. */
static const char *ending_of(const char *list)
{
    return strchr(list, '[') != NULL ? "" : urlp_tls_library_never;
}

/* fail_set says why the library did not take a list. */
static enum urlpool_code fail_set(void)
{
    /* It may have no word for memory. */
    return ERR_peek_error() == 0 || urlp_tls_ran_out() ? URLPOOL_E_NOMEM : URLPOOL_E_INVALID;
}

/* try_word says whether the library knows a cipher by `name`. */
static enum urlpool_code try_word(SSL_CTX *context, const char *name)
{
    char rule[WORD_BYTES_MAX + NEVER_BYTES];

    (void)snprintf(rule, sizeof(rule), "%s%s", name, ending_of(name));
    return urlp_tls_library_set_ciphers(context, rule) ? URLPOOL_OK : fail_set();
}

static enum urlpool_code append(struct urlp_buf *list, struct urlp_span sign, const char *name)
{
    enum urlpool_code code = list->len > 0 ? urlp_buf_append(list, ":", 1) : URLPOOL_OK;

    if (code == URLPOOL_OK) {
        code = urlp_buf_append_span(list, sign);
    }
    return code == URLPOOL_OK ? urlp_buf_append_text(list, name) : code;
}

/* add puts `word` into the list for the library, if it is one that it knows.
 *
 * Errors:  URLPOOL_E_INVALID, URLPOOL_E_NOMEM; `err` is the caller's to fill. */
static enum urlpool_code add(SSL_CTX *context, const char *word, struct urlp_buf *list)
{
    const struct urlp_span sign = urlp_span_make(word, strchr("!-+", word[0]) != NULL ? 1 : 0);
    const char *bare = word + sign.len;
    const char *name = urlp_tls_library_cipher_name(bare);
    enum urlpool_code code;

    if (word[0] == '@') {
        if (strcmp(word, "@STRENGTH") == 0) {
            return append(list, sign, word);
        }
        return is_low_level(word) ? URLPOOL_OK : URLPOOL_E_INVALID;
    }
    code = try_word(context, name);
    if (code == URLPOOL_OK) {
        return append(list, sign, name);
    }
    return code == URLPOOL_E_INVALID && is_of_the_language(bare) ? URLPOOL_OK : code;
}

/* translate makes of `text` what the library knows. */
static enum urlpool_code translate(SSL_CTX *context, const char *text, struct urlp_buf *list)
{
    const char *ending = ending_of(text);
    char word[WORD_BYTES_MAX];
    enum urlpool_code code = URLPOOL_OK;

    while (code == URLPOOL_OK) {
        if (!next_word(&text, word)) {
            return URLPOOL_E_INVALID;
        }
        if (word[0] == '\0') {
            return urlp_buf_append(list, ending, strlen(ending) + 1);
        }
        code = add(context, word, list);
    }
    return code;
}

/* encrypts says whether every cipher chosen does. NULL-SHA is taken for one. */
static bool encrypts(const SSL_CTX *context)
{
    const STACK_OF(SSL_CIPHER) *chosen = SSL_CTX_get_ciphers(context);

    for (int i = 0; i < (int)sk_SSL_CIPHER_num(chosen); i++) {
        if (SSL_CIPHER_get_bits(sk_SSL_CIPHER_value(chosen, i), NULL) == 0) {
            return false;
        }
    }
    return true;
}

static enum urlpool_code set(SSL_CTX *context, const char *text)
{
    struct urlp_buf list = {0};
    enum urlpool_code code = translate(context, text, &list);

    if (code == URLPOOL_OK && !urlp_tls_library_set_ciphers(context, (const char *)list.data)) {
        code = fail_set();
    }
    urlp_buf_deinit(&list);
    return code;
}

enum urlpool_code urlp_tls_ciphers_set(SSL_CTX *context, const char *list,
                                       struct urlpool_error *err)
{
    enum urlpool_code code;

    if (list == NULL) {
        return urlp_tls_library_set_ciphers(context, usual) ? URLPOOL_OK : urlp_fail_nomem(err);
    }
    ERR_clear_error();
    code = set(context, list);
    if (code == URLPOOL_E_NOMEM) {
        return urlp_fail_nomem(err);
    }
    if (code != URLPOOL_OK) {
        return urlp_fail(err, code, URLPOOL_PHASE_NONE,
                         "ciphers \"%s\" is not a list of known ones",
                         urlp_quote(list, strlen(list)).text);
    }
    if (!encrypts(context)) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "ciphers \"%s\" has one that does not encrypt",
                         urlp_quote(list, strlen(list)).text);
    }
    return URLPOOL_OK;
}
