/* The cache of TLS sessions: who may be resumed, and with which ticket.
 *
 * Invariants: `by_key` and `by_age` hold the same peers; a peer holds at least one ticket, oldest
 * first; no more than keys_max peers. A session of TLS 1.3 leaves the cache when it is given out,
 * one of TLS 1.2 stays. Everything is freed after the lock is given up.
 *
 * Decides nothing about trust: only sessions of verified handshakes are put here, each with what
 * its peer was judged by, and whoever resumes one holds that against what he asks for. */

#include "net/tls_session.h"

#include <openssl/ssl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/list.h"
#include "base/map.h"
#include "base/no_fork.h"
#include "base/sync.h"
#include "net/tls_library.h"

struct ticket {
    SSL_SESSION *session;
    struct urlp_tls_judgement *judgement;
};

struct peer {
    struct urlp_list link; /* in by_age */
    struct urlp_tls_session_key key;
    struct ticket tickets[URLP_TLS_TICKETS_A_KEY];
    size_t num_tickets;
};

struct urlp_tls_sessions {
    struct urlp_mutex mutex;
    size_t keys_max;
    struct {
        struct urlp_map by_key;
        struct urlp_list by_age; /* of peers, last used first */
    } locked URLP_GUARDED;
};

struct urlp_tls_session_key urlp_tls_session_key_make(uint64_t tls_serial, uint16_t port,
                                                      struct urlp_span host)
{
    struct urlp_tls_session_key key;
    uint8_t *at = key.bytes;

    memcpy(at, &tls_serial, sizeof(tls_serial));
    at += sizeof(tls_serial);
    memcpy(at, &port, sizeof(port));
    at += sizeof(port);
    memcpy(at, host.data, host.len);
    key.len = sizeof(tls_serial) + sizeof(port) + host.len;
    return key;
}

void urlp_tls_session_key_add_way(struct urlp_tls_session_key *key, struct urlp_span via)
{
    key->bytes[key->len++] = 0; /* no host holds it, so no host looks like one with a way */
    memcpy(key->bytes + key->len, via.data, via.len);
    key->len += via.len;
}

struct urlp_tls_sessions *urlp_tls_sessions_new(size_t keys_max, struct urlpool_error *err)
{
    struct urlp_tls_sessions *sessions = urlp_zalloc(sizeof(*sessions));

    if (sessions == NULL) {
        (void)urlp_fail_nomem(err);
        return NULL;
    }
    urlp_mutex_init(&sessions->mutex);
    sessions->keys_max = keys_max;
    urlp_mutex_lock(&sessions->mutex);
    urlp_list_init(&sessions->locked.by_age);
    urlp_mutex_unlock(&sessions->mutex);
    return sessions;
}

static void free_ticket(struct ticket ticket)
{
    urlp_no_fork_begin();
    SSL_SESSION_free(ticket.session);
    urlp_tls_judgement_unref(ticket.judgement);
    urlp_no_fork_end();
}

/* free_peer accepts NULL; the peer is in no cache any more. */
static void free_peer(struct peer *peer)
{
    if (peer == NULL) {
        return;
    }
    for (size_t i = 0; i < peer->num_tickets; i++) {
        free_ticket(peer->tickets[i]);
    }
    urlp_free(peer);
}

/* take_any takes a peer out of the list of a cache that ends; NULL when none is left. */
static struct peer *take_any(struct urlp_tls_sessions *sessions) URLP_MAY_BLOCK
{
    struct peer *peer = NULL;

    urlp_mutex_lock(&sessions->mutex);
    if (!urlp_list_is_empty(&sessions->locked.by_age)) {
        peer = URLP_CONTAINER(sessions->locked.by_age.next, struct peer, link);
        urlp_list_remove(&peer->link);
    }
    urlp_mutex_unlock(&sessions->mutex);
    return peer;
}

void urlp_tls_sessions_free(struct urlp_tls_sessions *sessions)
{
    struct peer *peer;

    if (sessions == NULL) {
        return;
    }
    while ((peer = take_any(sessions)) != NULL) {
        free_peer(peer);
    }
    urlp_mutex_lock(&sessions->mutex);
    urlp_map_deinit(&sessions->locked.by_key);
    urlp_mutex_unlock(&sessions->mutex);
    urlp_mutex_deinit(&sessions->mutex);
    urlp_free(sessions);
}

static struct peer *find(struct urlp_tls_sessions *sessions,
                         const struct urlp_tls_session_key *key) URLP_HOLDS_LOCK
{
    return urlp_map_get(&sessions->locked.by_key, key->bytes, key->len);
}

static void remove_peer(struct urlp_tls_sessions *sessions, struct peer *peer) URLP_HOLDS_LOCK
{
    (void)urlp_map_remove(&sessions->locked.by_key, peer->key.bytes, peer->key.len);
    urlp_list_remove(&peer->link);
}

static void touch(struct urlp_tls_sessions *sessions, struct peer *peer) URLP_HOLDS_LOCK
{
    urlp_list_remove(&peer->link);
    urlp_list_push_front(&sessions->locked.by_age, &peer->link);
}

/* add_peer puts the empty `fresh` into the cache and returns the peer that had to go for it, NULL
 * when none did, or `fresh` itself when there is no room. */
static struct peer *add_peer(struct urlp_tls_sessions *sessions, struct peer *fresh) URLP_HOLDS_LOCK
{
    struct peer *oldest;

    if (urlp_map_put(&sessions->locked.by_key, fresh->key.bytes, fresh->key.len, fresh) !=
        URLPOOL_OK) {
        return fresh;
    }
    urlp_list_push_front(&sessions->locked.by_age, &fresh->link);
    if (sessions->locked.by_key.len <= sessions->keys_max) {
        return NULL;
    }
    oldest = URLP_CONTAINER(sessions->locked.by_age.prev, struct peer, link);
    remove_peer(sessions, oldest);
    return oldest;
}

/* add_ticket returns the ticket that had to go for it, or zero bytes. */
static struct ticket add_ticket(struct peer *peer, struct ticket ticket)
{
    struct ticket oldest = {NULL, NULL};

    if (peer->num_tickets == URLP_TLS_TICKETS_A_KEY) {
        oldest = peer->tickets[0];
        peer->num_tickets--;
        memmove(peer->tickets, peer->tickets + 1, peer->num_tickets * sizeof(peer->tickets[0]));
    }
    peer->tickets[peer->num_tickets++] = ticket;
    return oldest;
}

static bool is_worth_keeping(const struct urlp_tls_sessions *sessions, const SSL_SESSION *session)
{
    const uint8_t *ticket;
    size_t ticket_len = 0;

    if (sessions == NULL || sessions->keys_max == 0 || !SSL_SESSION_is_resumable(session)) {
        return false;
    }
    SSL_SESSION_get0_ticket(session, &ticket, &ticket_len);
    return ticket_len <= URLP_TLS_TICKET_BYTES_MAX;
}

void urlp_tls_sessions_put(struct urlp_tls_sessions *sessions,
                           const struct urlp_tls_session_key *key, SSL_SESSION *session,
                           struct urlp_tls_judgement *judgement)
{
    struct ticket ticket = {session, judgement};
    struct ticket gone_ticket = {NULL, NULL};
    struct peer *fresh = NULL;
    struct peer *gone = NULL;
    struct peer *peer;

    if (judgement == NULL || !is_worth_keeping(sessions, session)) {
        return;
    }
    fresh = urlp_zalloc(sizeof(*fresh));
    if (fresh == NULL) {
        return; /* the next handshake is a full one */
    }
    fresh->key = *key;
    urlp_list_init(&fresh->link);
    SSL_SESSION_up_ref(session);
    (void)urlp_tls_judgement_ref(judgement);

    urlp_mutex_lock(&sessions->mutex);
    peer = find(sessions, key);
    if (peer == NULL) {
        gone = add_peer(sessions, fresh);
        peer = gone == fresh ? NULL : fresh;
        fresh = NULL;
    }
    if (peer != NULL) {
        touch(sessions, peer);
        gone_ticket = add_ticket(peer, ticket);
    }
    urlp_mutex_unlock(&sessions->mutex);

    if (peer == NULL) {
        gone_ticket = ticket;
    }
    free_ticket(gone_ticket);
    free_peer(gone);
    free_peer(fresh);
}

static bool is_good(const struct ticket *ticket, int64_t now)
{
    const SSL_SESSION *session = ticket->session;

    return now < urlp_tls_judgement_good_until(ticket->judgement) &&
           now < urlp_tls_library_session_end(session);
}

SSL_SESSION *urlp_tls_sessions_take(struct urlp_tls_sessions *sessions,
                                    const struct urlp_tls_session_key *key,
                                    struct urlp_tls_judgement **out_judgement)
{
    const int64_t now = urlp_wall_seconds();
    struct ticket ticket = {NULL, NULL};
    struct peer *gone = NULL;
    struct peer *peer;

    *out_judgement = NULL;
    if (sessions == NULL) {
        return NULL;
    }
    urlp_mutex_lock(&sessions->mutex);
    peer = find(sessions, key);
    if (peer != NULL && is_good(&peer->tickets[peer->num_tickets - 1], now)) {
        ticket = peer->tickets[peer->num_tickets - 1];
        touch(sessions, peer);
        if (urlp_tls_library_is_single_use(ticket.session)) {
            peer->num_tickets--;
        } else {
            SSL_SESSION_up_ref(ticket.session);
            (void)urlp_tls_judgement_ref(ticket.judgement);
        }
    } else if (peer != NULL) {
        gone = peer; /* what is older than the newest is no better */
    }
    if (peer != NULL && peer->num_tickets == 0) {
        gone = peer;
    }
    if (gone != NULL) {
        remove_peer(sessions, gone);
    }
    urlp_mutex_unlock(&sessions->mutex);
    free_peer(gone);
    *out_judgement = ticket.judgement;
    return ticket.session;
}

void urlp_tls_sessions_forget(struct urlp_tls_sessions *sessions,
                              const struct urlp_tls_session_key *key)
{
    struct peer *peer;

    if (sessions == NULL) {
        return;
    }
    urlp_mutex_lock(&sessions->mutex);
    peer = find(sessions, key);
    if (peer != NULL) {
        remove_peer(sessions, peer);
    }
    urlp_mutex_unlock(&sessions->mutex);
    free_peer(peer);
}

size_t urlp_tls_sessions_count(struct urlp_tls_sessions *sessions,
                               const struct urlp_tls_session_key *key)
{
    const struct peer *peer;
    size_t num;

    urlp_mutex_lock(&sessions->mutex);
    peer = find(sessions, key);
    num = peer != NULL ? peer->num_tickets : 0;
    urlp_mutex_unlock(&sessions->mutex);
    return num;
}
