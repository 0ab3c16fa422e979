/* What all threads know together of origins in trouble: retry budgets and shared pauses.
 *
 * An origin has a record only while its bucket is not full or its pause is not over; the number of
 * records is looked at without the lock, so that as long as all is well this costs a request
 * nothing. The records are bounded, and belong to one process: a forked child begins with none, and
 * leaves its parent's alone, whose lock may have been held.
 *
 * It decides nothing but whether there is a token: what follows is for policy/verdict to say. */

#include "client/origins.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fork.h"
#include "base/list.h"
#include "base/map.h"
#include "base/option.h"
#include "base/park.h"

enum {
    HUNDREDTHS = 100, /* of a token */
    PERCENT_DEFAULT = 10
};

struct record {
    struct urlp_list link;
    int64_t tokens; /* in hundredths */
    int64_t paused_until_ns;
    size_t key_len;
    uint8_t key[]; /* of key_of */
};

/* struct waiter is a thread that waits for the end of a pause. */
struct waiter {
    struct urlp_list link;
    struct urlp_park park;
};

struct urlp_origins_state {
    uint64_t generation; /* of urlp_fork_generation */
    _Atomic size_t num_records;
    struct urlp_mutex mutex;
    struct {
        struct urlp_map by_key;
        struct urlp_list used;    /* of records: the last asked about first */
        struct urlp_list waiting; /* of waiters */
    } locked URLP_GUARDED;
};

/* --- the state of this process ---------------------------------------------------------------- */

static struct urlp_origins_state *new_state(void) URLP_MAY_BLOCK
{
    struct urlp_origins_state *state = urlp_zalloc(sizeof(*state));

    if (state == NULL) {
        return NULL;
    }
    state->generation = urlp_fork_generation();
    urlp_mutex_init(&state->mutex);
    urlp_mutex_lock(&state->mutex); /* nobody else has it: for the analysis alone */
    urlp_list_init(&state->locked.used);
    urlp_list_init(&state->locked.waiting);
    urlp_mutex_unlock(&state->mutex);
    return state;
}

static void free_state(struct urlp_origins_state *state) URLP_MAY_BLOCK
{
    struct urlp_list *link;

    urlp_mutex_lock(&state->mutex);
    while ((link = state->locked.used.next) != &state->locked.used) {
        urlp_list_remove(link);
        urlp_free(URLP_CONTAINER(link, struct record, link));
    }
    urlp_map_deinit(&state->locked.by_key);
    urlp_mutex_unlock(&state->mutex);
    urlp_mutex_deinit(&state->mutex);
    urlp_free(state);
}

/* state_of is what this process knows; NULL: nothing. */
static struct urlp_origins_state *state_of(struct urlp_origins *origins)
{
    struct urlp_origins_state *state = atomic_load_explicit(&origins->state, memory_order_acquire);

    return state != NULL && urlp_fork_has_happened(state->generation) ? NULL : state;
}

/* make_state is state_of, and makes it when there is none yet; NULL out of memory. */
static struct urlp_origins_state *make_state(struct urlp_origins *origins) URLP_MAY_BLOCK
{
    struct urlp_origins_state *found = atomic_load_explicit(&origins->state, memory_order_acquire);
    struct urlp_origins_state *made;

    if (found != NULL && !urlp_fork_has_happened(found->generation)) {
        return found;
    }
    made = new_state();
    if (made == NULL || atomic_compare_exchange_strong(&origins->state, &found, made)) {
        return made;
    }
    free_state(made); /* another thread was faster */
    return found;
}

enum urlpool_code urlp_origins_make(struct urlp_origins *origins,
                                    const struct urlpool_retry_budget *budget,
                                    bool share_retry_after, struct urlpool_error *err)
{
    int64_t tokens = -1;
    int64_t percent = 0;
    enum urlpool_code code =
        urlp_option_check_reserved("retry_budget", budget->reserved, sizeof(budget->reserved), err);

    if (code == URLPOOL_OK) {
        code = urlp_option_resolve("retry_budget.tokens", budget->tokens, -1, &tokens, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_option_resolve("retry_budget.percent", budget->percent, PERCENT_DEFAULT,
                                   &percent, err);
    }
    if (code == URLPOOL_OK && (percent < 0 || percent > HUNDREDTHS)) {
        code = urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "retry_budget.percent is %" PRId32 ", and is to be 1 to 100",
                         budget->percent);
    }
    if (code != URLPOOL_OK) {
        return code;
    }
    origins->has_budget = tokens >= 0;
    origins->tokens_max = origins->has_budget ? tokens * HUNDREDTHS : 0;
    origins->refill = percent;
    origins->share_retry_after = share_retry_after;
    atomic_init(&origins->is_closed, false);
    atomic_init(&origins->state, NULL);
    return URLPOOL_OK;
}

void urlp_origins_deinit(struct urlp_origins *origins)
{
    struct urlp_origins_state *state = state_of(origins);

    if (state != NULL) {
        free_state(state);
    }
}

/* --- records ---------------------------------------------------------------------------------- */

struct key {
    size_t len;
    uint8_t bytes[4 + 2 * UINT8_MAX];
};

/* key_of writes scheme, port, zone and host. False when that is too long: then nothing is kept. */
static bool key_of(const struct urlp_origin *origin, struct key *out)
{
    uint8_t *at = out->bytes;
    const uint8_t head[] = {origin->is_https ? 1 : 0, (uint8_t)(origin->port >> 8),
                            (uint8_t)(origin->port & 0xff), (uint8_t)origin->zone.len};

    if (origin->zone.len > UINT8_MAX ||
        sizeof(head) + origin->zone.len + origin->host.len > sizeof(out->bytes)) {
        return false;
    }
    memcpy(at, head, sizeof(head));
    at += sizeof(head);
    if (origin->zone.len > 0) {
        memcpy(at, origin->zone.data, origin->zone.len);
        at += origin->zone.len;
    }
    memcpy(at, origin->host.data, origin->host.len);
    out->len = (size_t)(at - out->bytes) + origin->host.len;
    return true;
}

static void forget(struct urlp_origins_state *state, struct record *record) URLP_HOLDS_LOCK
{
    (void)urlp_map_remove(&state->locked.by_key, record->key, record->key_len);
    urlp_list_remove(&record->link);
    atomic_fetch_sub_explicit(&state->num_records, 1, memory_order_relaxed);
    urlp_free(record);
}

/* find gives the record of an origin, and forgets it when there is nothing in it any more; NULL. */
static struct record *find(const struct urlp_origins *origins, struct urlp_origins_state *state,
                           const struct key *key) URLP_HOLDS_LOCK
{
    struct record *record = urlp_map_get(&state->locked.by_key, key->bytes, key->len);

    if (record == NULL) {
        return NULL;
    }
    if (record->tokens >= origins->tokens_max && record->paused_until_ns <= urlp_now_ns()) {
        forget(state, record);
        return NULL;
    }
    urlp_list_remove(&record->link);
    urlp_list_push_front(&state->locked.used, &record->link);
    return record;
}

/* add makes the record of an origin that has none: with a full bucket, and no pause. */
static struct record *add(const struct urlp_origins *origins, struct urlp_origins_state *state,
                          const struct key *key) URLP_HOLDS_LOCK
{
    struct record *record;

    if (atomic_load_explicit(&state->num_records, memory_order_relaxed) >= URLP_ORIGINS_MAX) {
        forget(state, URLP_CONTAINER(state->locked.used.prev, struct record, link));
    }
    record = urlp_alloc(sizeof(*record) + key->len);
    if (record == NULL) {
        return NULL;
    }
    *record = (struct record){
        .tokens = origins->tokens_max, .paused_until_ns = INT64_MIN, .key_len = key->len};
    memcpy(record->key, key->bytes, key->len);
    if (urlp_map_put(&state->locked.by_key, key->bytes, key->len, record) != URLPOOL_OK) {
        urlp_free(record);
        return NULL;
    }
    urlp_list_push_front(&state->locked.used, &record->link);
    atomic_fetch_add_explicit(&state->num_records, 1, memory_order_relaxed);
    return record;
}

static struct record *find_or_add(const struct urlp_origins *origins,
                                  struct urlp_origins_state *state,
                                  const struct key *key) URLP_HOLDS_LOCK
{
    struct record *record = find(origins, state, key);

    return record != NULL ? record : add(origins, state, key);
}

/* known_state is state_of while it has records; else NULL. */
static struct urlp_origins_state *known_state(struct urlp_origins *origins)
{
    struct urlp_origins_state *state = state_of(origins);

    return state != NULL && atomic_load_explicit(&state->num_records, memory_order_relaxed) > 0
               ? state
               : NULL;
}

size_t urlp_origins_count(struct urlp_origins *origins)
{
    struct urlp_origins_state *state = state_of(origins);

    return state != NULL ? atomic_load_explicit(&state->num_records, memory_order_relaxed) : 0;
}

/* --- the budget ------------------------------------------------------------------------------- */

bool urlp_origins_take_token(struct urlp_origins *origins, const struct urlp_origin *origin)
{
    struct urlp_origins_state *state;
    struct record *record;
    struct key key;
    bool has_one = true;

    if (!origins->has_budget) {
        return true;
    }
    state = make_state(origins);
    if (state == NULL || !key_of(origin, &key)) {
        return true;
    }
    urlp_mutex_lock(&state->mutex);
    record = find_or_add(origins, state, &key);
    if (record != NULL) {
        has_one = record->tokens >= HUNDREDTHS;
        record->tokens -= has_one ? HUNDREDTHS : 0;
    }
    urlp_mutex_unlock(&state->mutex);
    return has_one;
}

void urlp_origins_note_success(struct urlp_origins *origins, const struct urlp_origin *origin)
{
    struct urlp_origins_state *state = origins->has_budget ? known_state(origins) : NULL;
    struct record *record;
    struct key key;

    if (state == NULL || !key_of(origin, &key)) {
        return;
    }
    urlp_mutex_lock(&state->mutex);
    record = find(origins, state, &key);
    if (record != NULL) {
        record->tokens += origins->refill;
        if (record->tokens > origins->tokens_max) {
            record->tokens = origins->tokens_max;
        }
        (void)find(origins, state, &key); /* forgets it if it is full now */
    }
    urlp_mutex_unlock(&state->mutex);
}

/* --- pauses ----------------------------------------------------------------------------------- */

void urlp_origins_pause(struct urlp_origins *origins, const struct urlp_origin *origin,
                        int64_t wait_ms)
{
    struct urlpool_deadline until = urlp_deadline_in(wait_ms);
    struct urlp_origins_state *state;
    struct record *record;
    struct key key;

    if (!origins->share_retry_after || wait_ms <= 0 || !key_of(origin, &key)) {
        return;
    }
    state = make_state(origins);
    if (state == NULL) {
        return;
    }
    urlp_mutex_lock(&state->mutex);
    record = find_or_add(origins, state, &key);
    if (record != NULL && record->paused_until_ns < until.at_ns) {
        record->paused_until_ns = until.at_ns;
    }
    urlp_mutex_unlock(&state->mutex);
}

/* paused_until is the end of an origin's pause; in the past: it has none. */
static struct urlpool_deadline paused_until(struct urlp_origins *origins,
                                            const struct urlp_origin *origin) URLP_MAY_BLOCK
{
    struct urlp_origins_state *state = origins->share_retry_after ? known_state(origins) : NULL;
    struct urlpool_deadline until = {INT64_MIN};
    struct record *record;
    struct key key;

    if (state == NULL || !key_of(origin, &key)) {
        return until;
    }
    urlp_mutex_lock(&state->mutex);
    record = find(origins, state, &key);
    if (record != NULL) {
        until.at_ns = record->paused_until_ns;
    }
    urlp_mutex_unlock(&state->mutex);
    return until;
}

/* fail_paused says that the caller has not waited to the end of a pause. */
static enum urlpool_code fail_paused(const struct urlp_origin *origin, enum urlpool_code code,
                                     struct urlpool_deadline until, struct urlpool_error *err)
{
    const bool is_v6 = memchr(origin->host.data, ':', origin->host.len) != NULL;
    const char *open = is_v6 ? "[" : "";
    const char *shut = is_v6 ? "]" : "";

    if (code == URLPOOL_E_CANCELLED) {
        return urlp_fail(err, code, URLPOOL_PHASE_POOL,
                         "cancelled while %s%s%s:%u was left alone, as it has asked by Retry-After",
                         open, urlp_quote(origin->host.data, origin->host.len).text, shut,
                         (unsigned)origin->port);
    }
    return urlp_fail(err, code, URLPOOL_PHASE_POOL,
                     "%s%s%s:%u has asked by Retry-After to be left alone for %" PRId64 " ms more",
                     open, urlp_quote(origin->host.data, origin->host.len).text, shut,
                     (unsigned)origin->port, (until.at_ns - urlp_now_ns()) / URLP_NS_PER_MS);
}

/* sleep_until waits until `wake`, a cancel, or that all pauses end. */
static enum urlpool_code sleep_until(struct urlp_origins *origins, const struct urlp_call *call,
                                     struct urlpool_deadline wake, enum urlp_park_end *out_end,
                                     struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_origins_state *state = state_of(origins);
    struct waiter waiter;

    if (urlp_park_init(&waiter.park, call->cancel, err) != URLPOOL_OK) {
        err->phase = URLPOOL_PHASE_POOL;
        return err->code;
    }
    *out_end = URLP_PARK_WOKEN;
    urlp_mutex_lock(&state->mutex);
    if (!atomic_load(&origins->is_closed)) {
        urlp_list_init(&waiter.link);
        urlp_list_push_back(&state->locked.waiting, &waiter.link);
        *out_end = urlp_park_wait(&waiter.park, &state->mutex, wake);
        urlp_list_remove(&waiter.link);
    }
    urlp_mutex_unlock(&state->mutex);
    urlp_park_deinit(&waiter.park);
    return URLPOOL_OK;
}

/* wait_to_end waits until `until`, and on when that is put off meanwhile. */
static enum urlpool_code wait_to_end(struct urlp_origins *origins, const struct urlp_origin *origin,
                                     struct urlpool_deadline until, const struct urlp_call *call,
                                     struct urlpool_error *err) URLP_MAY_BLOCK
{
    while (!urlp_deadline_has_passed(until)) {
        struct urlpool_deadline wake = urlpool_deadline_earliest(until, call->by);
        enum urlp_park_end end = URLP_PARK_WOKEN;
        struct urlpool_error why;

        if (sleep_until(origins, call, wake, &end, &why) != URLPOOL_OK) {
            return urlp_fail_with(err, &why);
        }
        if (end == URLP_PARK_WOKEN) {
            return URLPOOL_OK; /* closed: who goes on is told so */
        }
        if (end == URLP_PARK_CANCELLED) {
            return fail_paused(origin, URLPOOL_E_CANCELLED, until, err);
        }
        if (call->by.at_ns < until.at_ns) {
            enum urlpool_code code = urlp_call_timeout_code(call, URLPOOL_E_POOL_TIMEOUT);

            return fail_paused(origin, code, until, err);
        }
        until = paused_until(origins, origin);
    }
    return URLPOOL_OK;
}

/* ms_left is what is left of `ms` that began at `since_ns`; -1 is left of no bound. */
static int64_t ms_left(int64_t ms, int64_t since_ns)
{
    const int64_t gone_ms = (urlp_now_ns() - since_ns) / URLP_NS_PER_MS;

    return ms < 0 ? ms : (ms > gone_ms ? ms - gone_ms : 0);
}

enum urlpool_code urlp_origins_await(struct urlp_origins *origins, const struct urlp_origin *origin,
                                     int64_t *pool_ms, const struct urlp_call *call,
                                     struct urlpool_error *err)
{
    const struct urlpool_deadline until = paused_until(origins, origin);
    struct urlp_call bounded;
    int64_t since_ns;
    enum urlpool_code code;

    if (until.at_ns == INT64_MIN || urlp_deadline_has_passed(until)) {
        return URLPOOL_OK; /* almost always without a look at the clock */
    }
    since_ns = urlp_now_ns();
    bounded = urlp_call_until(call, *pool_ms);
    code = wait_to_end(origins, origin, until, &bounded, err);
    *pool_ms = ms_left(*pool_ms, since_ns);
    return code;
}

void urlp_origins_close(struct urlp_origins *origins)
{
    struct urlp_origins_state *state;
    struct urlp_list *link;

    atomic_store(&origins->is_closed, true);
    state = state_of(origins);
    if (state == NULL) {
        return;
    }
    urlp_mutex_lock(&state->mutex);
    for (link = state->locked.waiting.next; link != &state->locked.waiting; link = link->next) {
        urlp_park_wake(&URLP_CONTAINER(link, struct waiter, link)->park);
    }
    urlp_mutex_unlock(&state->mutex);
}
