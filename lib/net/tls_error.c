/* What the TLS library says in its error queue, in one line a user can act on.
 *
 * The oldest entry of the queue is the cause, the later ones are its consequences. Alerts are what
 * the peer said of us; of our own findings the few that users meet have words of their own here. */

#include "net/tls_error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

#include "base/count.h"
#include "base/error.h"
#include "base/span.h"
#include "net/tls.h"
#include "net/tls_library.h"

/* reason_words gives own words for what users meet, or NULL. */
static const char *reason_words(int reason)
{
    static const struct {
        int reason;
        const char *words;
    } rows[] = {
        {SSL_R_HTTP_REQUEST,               "the peer does not speak TLS but HTTP"             },
        {SSL_R_HTTPS_PROXY_REQUEST,        "the peer does not speak TLS but HTTP"             },
        {SSL_R_WRONG_VERSION_NUMBER,       "the peer does not speak TLS"                      },
        {SSL_R_UNSUPPORTED_PROTOCOL,       "the peer offers no version of TLS that we accept" },
        {SSL_R_EXCESSIVE_MESSAGE_SIZE,     "the peer sent a message that is too long"         },
        {SSL_R_NO_RENEGOTIATION,           "the peer asks for renegotiation, which is refused"},
        {SSL_R_TLSV1_ALERT_USER_CANCELLED, "the peer gave up"                                 },
    };

    for (size_t i = 0; i < URLP_COUNT_OF(rows); i++) {
        if (rows[i].reason == reason) {
            return rows[i].words;
        }
    }
    return urlp_tls_library_words(reason);
}

bool urlp_tls_is_spoken(const struct urlpool_error *why)
{
    const int reason = ERR_GET_REASON(why->tls_code);

    return why->code != URLPOOL_E_TLS || ERR_GET_LIB(why->tls_code) != ERR_LIB_SSL ||
           (reason != SSL_R_HTTP_REQUEST && reason != SSL_R_HTTPS_PROXY_REQUEST &&
            reason != SSL_R_WRONG_VERSION_NUMBER);
}

/* plain_words makes "bad decrypt" of BoringSSL's "BAD_DECRYPT", and leaves OpenSSL's words as they
 * are. */
static void plain_words(const char *name, char *out, size_t out_size)
{
    size_t len = 0;

    for (; name[len] != '\0' && len + 1 < out_size; len++) {
        const char c = urlp_to_lower(name[len]);

        out[len] = (char)(c == '_' ? ' ' : c);
    }
    out[len] = '\0';
}

bool urlp_tls_ran_out(void)
{
    bool ran_out = false;
    unsigned long packed;

    while ((packed = ERR_get_error()) != 0) {
        ran_out = ran_out || ERR_GET_REASON(packed) == ERR_R_MALLOC_FAILURE;
    }
    return ran_out;
}

/* urlp_tls_is_alert: what a peer may say of us has the number of its alert above a thousand. */
bool urlp_tls_is_alert(unsigned long packed)
{
    const int reason = ERR_GET_REASON(packed);

    return ERR_GET_LIB(packed) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET &&
           reason <= SSL_AD_REASON_OFFSET + UINT8_MAX;
}

enum urlpool_code urlp_tls_fail(struct urlpool_error *err, enum urlpool_phase phase,
                                const char *what)
{
    const unsigned long packed = ERR_get_error();
    const int reason = ERR_GET_REASON(packed);
    const char *words = ERR_GET_LIB(packed) == ERR_LIB_SSL ? reason_words(reason) : NULL;
    const char *name = ERR_reason_error_string((uint32_t)packed);
    char lower[80];
    const bool ran_out = urlp_tls_ran_out(); /* as a consequence may be told of first */
    enum urlpool_code code;

    if (reason == ERR_R_MALLOC_FAILURE || ran_out) {
        return urlp_fail_nomem(err);
    }
    if (words != NULL) {
        code = urlp_fail(err, URLPOOL_E_TLS, phase, "%s: %s", what, words);
    } else if (urlp_tls_is_alert(packed)) {
        code = urlp_fail(err, URLPOOL_E_TLS, phase, "%s: the peer sent the alert %s", what,
                         SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET));
    } else if (name != NULL) {
        plain_words(name, lower, sizeof(lower));
        code = urlp_fail(err, URLPOOL_E_TLS, phase, "%s: %s", what, lower);
    } else {
        code = urlp_fail(err, URLPOOL_E_TLS, phase, "%s: broken", what);
    }
    if (err != NULL) {
        err->tls_code = (uint32_t)packed;
    }
    return code;
}

void urlp_tls_clear_errors(void)
{
    if (ERR_peek_error() != 0) {
        ERR_clear_error();
    }
}
