/* What a peer was found good by, kept beside its sessions.
 *
 * A verdict follows from the configuration (roots, checks, pins), the name, the certificates and
 * the time, and from nothing else; as long as these are the same, so is the verdict. All of them
 * are compared here, also those that the key of a session holds already: a session that came by a
 * wrong key is judged anew.
 *
 * Decides nothing about trust, and knows nothing of sessions. */

#include "net/tls_judgement.h"

#include <openssl/stack.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/ref.h"

struct urlp_tls_judgement {
    struct urlp_ref ref;
    uint64_t tls_serial;
    bool skips_chain, skips_name;
    bool is_ip;
    uint8_t pins[URLP_TLS_PIN_BYTES];    /* the digest of all that were looked at */
    int64_t good_from, good_until;       /* wall seconds */
    STACK_OF(CRYPTO_BUFFER) * presented; /* references */
    size_t host_len;
    char host[]; /* that it was judged for */
};

/* copy_chain takes a reference of each certificate; NULL out of memory. */
static STACK_OF(CRYPTO_BUFFER) * copy_chain(const STACK_OF(CRYPTO_BUFFER) * presented)
{
    STACK_OF(CRYPTO_BUFFER) *copy = sk_CRYPTO_BUFFER_new_null();

    for (size_t i = 0; copy != NULL && i < sk_CRYPTO_BUFFER_num(presented); i++) {
        CRYPTO_BUFFER *cert = sk_CRYPTO_BUFFER_value(presented, i);

        if (!sk_CRYPTO_BUFFER_push(copy, cert)) {
            sk_CRYPTO_BUFFER_pop_free(copy, CRYPTO_BUFFER_free);
            return NULL;
        }
        CRYPTO_BUFFER_up_ref(cert);
    }
    return copy;
}

struct urlp_tls_judgement *urlp_tls_judgement_new(const struct urlp_tls_matter *matter,
                                                  const struct urlp_tls_verdict *verdict)
{
    const struct urlp_span host = matter->identity->host;
    struct urlp_tls_judgement *judgement = urlp_zalloc(sizeof(*judgement) + host.len);

    if (judgement == NULL) {
        return NULL;
    }
    judgement->presented = copy_chain(matter->presented);
    if (judgement->presented == NULL) {
        urlp_free(judgement);
        return NULL;
    }
    urlp_ref_init(&judgement->ref);
    judgement->tls_serial = matter->tls_serial;
    judgement->skips_chain = matter->checks->skips_chain;
    judgement->skips_name = matter->checks->skips_name;
    judgement->is_ip = matter->identity->is_ip;
    memcpy(judgement->pins, matter->checks->pins.digest, sizeof(judgement->pins));
    judgement->good_from = verdict->good_from;
    judgement->good_until = verdict->good_until;
    judgement->host_len = host.len;
    memcpy(judgement->host, host.data, host.len);
    return judgement;
}

struct urlp_tls_judgement *urlp_tls_judgement_ref(struct urlp_tls_judgement *judgement)
{
    if (judgement != NULL) {
        urlp_ref_take(&judgement->ref);
    }
    return judgement;
}

void urlp_tls_judgement_unref(struct urlp_tls_judgement *judgement)
{
    if (judgement == NULL || !urlp_ref_drop(&judgement->ref)) {
        return;
    }
    sk_CRYPTO_BUFFER_pop_free(judgement->presented, CRYPTO_BUFFER_free);
    urlp_free(judgement);
}

static bool is_same_chain(const STACK_OF(CRYPTO_BUFFER) * a, const STACK_OF(CRYPTO_BUFFER) * b)
{
    if (sk_CRYPTO_BUFFER_num(a) != sk_CRYPTO_BUFFER_num(b)) {
        return false;
    }
    for (size_t i = 0; i < sk_CRYPTO_BUFFER_num(a); i++) {
        const CRYPTO_BUFFER *one = sk_CRYPTO_BUFFER_value(a, i);
        const CRYPTO_BUFFER *other = sk_CRYPTO_BUFFER_value(b, i);

        if (CRYPTO_BUFFER_len(one) != CRYPTO_BUFFER_len(other) ||
            memcmp(CRYPTO_BUFFER_data(one), CRYPTO_BUFFER_data(other), CRYPTO_BUFFER_len(one)) !=
                0) {
            return false;
        }
    }
    return true;
}

static bool is_same_identity(const struct urlp_tls_judgement *judgement,
                             const struct urlp_tls_identity *identity)
{
    return judgement->is_ip == identity->is_ip && judgement->host_len == identity->host.len &&
           memcmp(judgement->host, identity->host.data, judgement->host_len) == 0;
}

static bool are_same_checks(const struct urlp_tls_judgement *judgement,
                            const struct urlp_tls_checks *checks)
{
    return judgement->skips_chain == checks->skips_chain &&
           judgement->skips_name == checks->skips_name &&
           memcmp(judgement->pins, checks->pins.digest, sizeof(judgement->pins)) == 0;
}

bool urlp_tls_judgement_holds(const struct urlp_tls_judgement *judgement,
                              const struct urlp_tls_matter *matter)
{
    int64_t now;

    if (judgement == NULL || judgement->tls_serial != matter->tls_serial ||
        !are_same_checks(judgement, matter->checks) ||
        !is_same_identity(judgement, matter->identity) ||
        !is_same_chain(judgement->presented, matter->presented)) {
        return false;
    }
    now = urlp_wall_seconds();
    return now >= judgement->good_from && now < judgement->good_until;
}

int64_t urlp_tls_judgement_good_until(const struct urlp_tls_judgement *judgement)
{
    return judgement->good_until;
}
