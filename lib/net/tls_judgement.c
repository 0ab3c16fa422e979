/* What a peer was found good by, kept beside its sessions.
 *
 * A verdict follows from the configuration (roots, checks, pins), the name, the certificates and
 * the time, and from nothing else; as long as these are the same, so is the verdict. All of them
 * are compared here, also those that the key of a session holds already: a session that came by a
 * wrong key is judged anew.
 *
 * Decides nothing about trust, and knows nothing of sessions. */

#include "net/tls_judgement.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/ref.h"

struct urlp_tls_judgement {
    struct urlp_ref ref;
    uint64_t tls_serial;
    bool skips_chain, skips_name;
    bool is_ip;
    uint8_t pins[URLP_TLS_PIN_BYTES]; /* the digest of all that were looked at */
    int64_t good_from, good_until;    /* wall seconds */
    struct urlp_tls_shown *shown;     /* references */
    size_t host_len;
    char host[]; /* that it was judged for */
};

struct urlp_tls_judgement *urlp_tls_judgement_new(const struct urlp_tls_matter *matter,
                                                  const struct urlp_tls_verdict *verdict)
{
    const struct urlp_span host = matter->identity->host;
    struct urlp_tls_judgement *judgement = urlp_zalloc(sizeof(*judgement) + host.len);

    if (judgement == NULL) {
        return NULL;
    }
    judgement->shown = urlp_tls_shown_copy(matter->shown);
    if (judgement->shown == NULL) {
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
    if (host.len > 0) {
        memcpy(judgement->host, host.data, host.len);
    }
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
    urlp_tls_shown_free(judgement->shown);
    urlp_free(judgement);
}

static bool is_same_identity(const struct urlp_tls_judgement *judgement,
                             const struct urlp_tls_identity *identity)
{
    return judgement->is_ip == identity->is_ip &&
           urlp_span_equals(urlp_span_make(judgement->host, judgement->host_len), identity->host);
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
        !urlp_tls_shown_equals(judgement->shown, matter->shown)) {
        return false;
    }
    now = urlp_wall_seconds();
    return now >= judgement->good_from && now < judgement->good_until;
}

int64_t urlp_tls_judgement_good_until(const struct urlp_tls_judgement *judgement)
{
    return judgement->good_until;
}
