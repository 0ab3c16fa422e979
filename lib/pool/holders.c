/* Who has what, and for how long: the lines that describe a pool, and the connections that seem to
 * be forgotten.
 *
 * A holder is noted where a place changes hands, under the lock that is held for it anyway, in
 * memory that is there anyway: the seat's, or the waiter's. It costs two links and a short copy, no
 * allocation and no system call. Of a request only method and path are noted, never query, userinfo
 * or fields, which may hold secrets.
 *
 * Leaks are told after unlock, each once. */

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "pool/upkeep.h"

/* As many of a kind are told one by one. */
#define NUM_TOLD_MAX 8

/* --- noting ----------------------------------------------------------------------------------- */

/* put_what puts as much of `text` as there is room for, from `at` on, and returns where it ends. */
static size_t put_what(struct urlp_holder *holder, size_t at, struct urlp_span text)
{
    size_t room = sizeof(holder->what) - at;
    size_t len = text.len < room ? text.len : room;

    memcpy(holder->what + at, text.data, len);
    return at + len;
}

/* put_purpose writes "GET /slow" and returns how long that is. */
static size_t put_purpose(struct urlp_holder *holder, const struct urlp_purpose *purpose)
{
    size_t at = put_what(holder, 0, purpose->method);

    if (at < sizeof(holder->what)) {
        holder->what[at++] = ' ';
    }
    return put_what(holder, at, purpose->path.len > 0 ? purpose->path : urlp_span_of("/"));
}

void urlp_holder_begin(struct urlp_holder *holder, const struct urlp_call *call, int64_t now_ns)
{
    holder->since_ns = now_ns;
    holder->thread = urlp_thread_id();
    holder->is_told = false;
    holder->what_len =
        call->purpose != NULL ? (uint8_t)put_purpose(holder, call->purpose) : (uint8_t)0;
}

void urlp_seat_hold(struct urlpool_pool *pool, struct urlp_seat *seat,
                    const struct urlp_holder *who, int64_t now_ns)
{
    if (who != &seat->holder) {
        seat->holder.thread = who->thread;
        seat->holder.what_len = who->what_len;
        memcpy(seat->holder.what, who->what, who->what_len);
    }
    seat->holder.since_ns = now_ns;
    seat->holder.is_told = false;
    urlp_list_push_back(&pool->locked.held, &seat->in_pool);
    urlp_upkeep_expect(pool->core, urlp_ns_after_ms(now_ns, pool->set->settings.leak_ms));
}

/* --- describing ------------------------------------------------------------------------------- */

/* describe_one appends "held 3.2 s by thread 4711: GET /slow". */
static enum urlpool_code describe_one(const struct urlp_holder *holder, const char *verb,
                                      int64_t now_ns, struct urlp_buf *out)
{
    int64_t tenths = (now_ns - holder->since_ns) / ((int64_t)100 * URLP_NS_PER_MS);

    return urlp_buf_printf(out, "%s %" PRId64 ".%d s by thread %" PRId64 "%s%s", verb, tenths / 10,
                           (int)(tenths % 10), holder->thread, holder->what_len > 0 ? ": " : "",
                           urlp_quote(holder->what, holder->what_len).text);
}

/* How a list of holders is told. */
struct kind {
    const char *verb;
    size_t from_link; /* from the link in the list to the holder */
};

static enum urlpool_code describe_all(const struct urlp_list *list, const struct kind *kind,
                                      int64_t now_ns, struct urlp_buf *out)
{
    enum urlpool_code code = URLPOOL_OK;
    size_t num = 0;

    for (const struct urlp_list *link = list->next; link != list; link = link->next) {
        const struct urlp_holder *holder = (const void *)((const char *)link + kind->from_link);

        num++;
        if (num > NUM_TOLD_MAX || code != URLPOOL_OK) {
            continue;
        }
        code = urlp_buf_append_text(out, "; ");
        code = code == URLPOOL_OK ? describe_one(holder, kind->verb, now_ns, out) : code;
    }
    if (num > NUM_TOLD_MAX && code == URLPOOL_OK) {
        code = urlp_buf_printf(out, "; and %zu more %s", num - NUM_TOLD_MAX, kind->verb);
    }
    return code;
}

enum urlpool_code urlp_holders_describe(const struct urlpool_pool *pool, int64_t now_ns,
                                        struct urlp_buf *out)
{
    const size_t in_seat = offsetof(struct urlp_seat, holder) - offsetof(struct urlp_seat, in_pool);
    const struct kind held = {"held", in_seat};
    const struct kind dialling = {"dialling", in_seat};
    const struct kind waiting = {"waiting", offsetof(struct urlp_waiter, who) -
                                                offsetof(struct urlp_waiter, link)};
    enum urlpool_code code = describe_all(&pool->locked.held, &held, now_ns, out);

    if (code == URLPOOL_OK) {
        code = describe_all(&pool->locked.dialled, &dialling, now_ns, out);
    }
    return code == URLPOOL_OK ? describe_all(&pool->locked.waiters, &waiting, now_ns, out) : code;
}

/* --- leaks ------------------------------------------------------------------------------------ */

/* How leaks are looked for: those held for `held_ms` and not told yet. */
struct search {
    int64_t now_ns;
    int64_t held_ms;
    bool is_counted;
    struct urlp_buf told; /* of struct leak, and behind each its text */
};

struct leak {
    int64_t held_ms;
    size_t text_len;
};

/* note_leak writes down a leak to be told after unlock. Without memory for it, it is counted and
 * not told. */
static void note_leak(struct search *search, const struct urlpool_pool *pool,
                      const struct urlp_holder *holder)
{
    const size_t before = search->told.len;
    struct leak leak = {.held_ms = (search->now_ns - holder->since_ns) / URLP_NS_PER_MS};
    enum urlpool_code code = urlp_buf_append(&search->told, &leak, sizeof(leak));
    const size_t text_at = search->told.len;

    if (code == URLPOOL_OK) {
        code = urlp_buf_printf(&search->told, "%s ", pool->name);
    }
    if (code == URLPOOL_OK) {
        code = describe_one(holder, "held", search->now_ns, &search->told);
    }
    if (code != URLPOOL_OK) {
        search->told.len = before;
        return;
    }
    leak.text_len = search->told.len - text_at;
    memcpy(search->told.data + before, &leak, sizeof(leak));
}

static void search_pool(struct urlpool_pool *pool, struct search *search) URLP_HOLDS_LOCK
{
    for (struct urlp_list *link = pool->locked.held.next; link != &pool->locked.held;
         link = link->next) {
        struct urlp_holder *holder = &URLP_CONTAINER(link, struct urlp_seat, in_pool)->holder;

        if (search->now_ns < urlp_ns_after_ms(holder->since_ns, search->held_ms)) {
            return; /* the others are held for less */
        }
        if (holder->is_told) {
            continue;
        }
        holder->is_told = true;
        URLP_TALLY(pool, leaks, search->is_counted ? 1 : 0);
        if (pool->set->settings.trace != NULL) {
            note_leak(search, pool, holder);
        }
    }
}

static void tell(const struct urlp_buf *told, const struct urlpool_trace *trace) URLP_MAY_BLOCK
{
    const struct urlp_call call = {.by = URLP_NEVER, .total_by = URLP_NEVER, .trace = trace};
    size_t at = 0;

    while (at < told->len) {
        struct leak leak;

        memcpy(&leak, told->data + at, sizeof(leak));
        at += sizeof(leak);
        urlp_call_trace(&call, URLPOOL_TRACE_LEAK, (const char *)told->data + at, leak.text_len,
                        leak.held_ms);
        at += leak.text_len;
    }
}

static void search_and_tell(struct urlp_pool_set *set, struct search *search) URLP_MAY_BLOCK
{
    struct urlp_pool_core *core = urlp_core_of(set);

    if (core == NULL) {
        return;
    }
    urlp_mutex_lock(&core->mutex);
    search->now_ns = urlp_boot_ns();
    for (struct urlp_list *link = core->locked.all.next; link != &core->locked.all;
         link = link->next) {
        search_pool(URLP_CONTAINER(link, struct urlpool_pool, locked.in_all), search);
    }
    urlp_mutex_unlock(&core->mutex);
    tell(&search->told, set->settings.trace);
    urlp_buf_deinit(&search->told);
}

void urlp_pool_set_tell_leaks(struct urlp_pool_set *set)
{
    struct search search = {.is_counted = true, .held_ms = set->settings.leak_ms};

    if (search.held_ms >= 0) {
        search_and_tell(set, &search);
    }
}

void urlp_pool_set_tell_held(struct urlp_pool_set *set)
{
    struct search search = {.is_counted = false};

    search_and_tell(set, &search);
}

/* leak_due_in is urlp_leak_due_ns of one pool. */
static int64_t leak_due_in(const struct urlpool_pool *pool) URLP_HOLDS_LOCK
{
    for (const struct urlp_list *link = pool->locked.held.next; link != &pool->locked.held;
         link = link->next) {
        const struct urlp_holder *holder =
            &URLP_CONTAINER(link, const struct urlp_seat, in_pool)->holder;

        if (!holder->is_told) {
            return urlp_ns_after_ms(holder->since_ns, pool->set->settings.leak_ms);
        }
    }
    return INT64_MAX;
}

int64_t urlp_leak_due_ns(struct urlp_pool_core *core, struct urlpool_pool **out)
{
    int64_t first_ns = INT64_MAX;

    for (struct urlp_list *link = core->locked.all.next; link != &core->locked.all;
         link = link->next) {
        struct urlpool_pool *pool = URLP_CONTAINER(link, struct urlpool_pool, locked.in_all);
        int64_t due_ns;

        if (pool->set->settings.leak_ms < 0) {
            return INT64_MAX; /* of one set are all */
        }
        due_ns = leak_due_in(pool);
        if (due_ns < first_ns) {
            first_ns = due_ns;
            *out = pool;
        }
    }
    return first_ns;
}
