/* The TLS library's view of the stream below. Its own socket BIO reads twice a record and can raise
 * SIGPIPE; this one reads ahead, and MSG_NOSIGNAL comes from below.
 *
 * Reads and writes block in the stream below, within the call of the operation under way, so that
 * it never sees a transport that is not ready. The one exception is the look at an idle
 * connection: then nothing waits, and "not ready" is an answer.
 *
 * No other thread forks while one is inside the TLS library, except while it waits below.
 *
 * A peer may keep it busy with records that carry no application bytes (tickets, key
 * updates): an operation ends at its deadline, which the stream below keeps, a look after
 * LOOK_READS_MAX. */

#include "net/tls_bio.h"

#include <openssl/bio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/no_fork.h"

#define LOOK_READS_MAX 16

/* A look has told that bytes are there, so reading them does not wait, but for the rest of a record
 * where the stream below is TLS, too. */
#define LOOK_READ_MS 20

static size_t buffered(const struct urlp_tls_bio *bio)
{
    return bio->end - bio->begin;
}

bool urlp_tls_bio_has_bytes(const struct urlp_tls_bio *bio)
{
    return buffered(bio) > 0;
}

/* grow takes the large room once the small one was filled; without memory that has to do. */
static void grow(struct urlp_tls_bio *bio)
{
    if (bio->is_pressing && bio->large == NULL) {
        bio->large = urlp_alloc(URLP_TLS_AHEAD_LARGE);
    }
}

/* shrink gives the large room back once bytes no longer fill it. */
static void shrink(struct urlp_tls_bio *bio)
{
    if (!bio->is_pressing) {
        urlp_tls_bio_deinit(bio);
    }
}

/* read_below fills the empty buffer; false when that failed or the stream below has ended. */
static bool read_below(struct urlp_tls_bio *bio) URLP_MAY_BLOCK
{
    struct urlp_call look = {.by = URLP_AT_ONCE, .total_by = URLP_NEVER};
    const struct urlp_call *call = bio->is_looking ? &look : bio->call;
    enum urlp_end end = URLP_END_NONE;
    uint8_t *to;
    size_t room;
    size_t len = 0;

    grow(bio);
    to = bio->large != NULL ? bio->large : bio->small;
    room = bio->large != NULL ? URLP_TLS_AHEAD_LARGE : URLP_TLS_AHEAD_SMALL;
    bio->begin = bio->end = 0;
    urlp_no_fork_end();
    bio->code = urlp_stream_read(bio->inner, to, room, &len, &end, call, bio->err);
    if (bio->is_looking && bio->code == URLPOOL_E_READ_TIMEOUT) {
        look.by = urlp_deadline_in(LOOK_READ_MS);
        bio->code = urlp_stream_read(bio->inner, to, room, &len, &end, call, bio->err);
    }
    urlp_no_fork_begin();
    if (bio->code != URLPOOL_OK) {
        return false;
    }
    bio->end = len;
    bio->num_uncounted += bio->is_looking ? len : 0;
    bio->is_pressing = len == room;
    bio->is_at_end = len == 0;
    return len > 0;
}

static int take(struct urlp_tls_bio *bio, void *out, size_t len)
{
    const uint8_t *from = bio->large != NULL ? bio->large : bio->small;

    len = len < buffered(bio) ? len : buffered(bio);
    memcpy(out, from + bio->begin, len);
    bio->begin += len;
    if (buffered(bio) == 0) {
        shrink(bio);
    }
    return (int)len;
}

static int bio_read(BIO *handle, char *out, int len) URLP_MAY_BLOCK
{
    struct urlp_tls_bio *bio = BIO_get_data(handle);

    BIO_clear_retry_flags(handle);
    if (out == NULL || len <= 0) {
        return 0;
    }
    if (buffered(bio) > 0) {
        return take(bio, out, (size_t)len);
    }
    if (bio->is_refused) {
        return -1;
    }
    if (bio->is_at_end) {
        return 0;
    }
    if (bio->is_looking && urlp_stream_idle_state(bio->inner) == URLP_IDLE_QUIET) {
        BIO_set_retry_read(handle);
        return -1;
    }
    if (bio->is_looking && ++bio->num_reads > LOOK_READS_MAX) {
        return -1;
    }
    if (!read_below(bio)) {
        return bio->is_at_end ? 0 : -1;
    }
    return take(bio, out, (size_t)len);
}

static int bio_write(BIO *handle, const char *data, int len) URLP_MAY_BLOCK
{
    struct urlp_tls_bio *bio = BIO_get_data(handle);
    const struct urlp_call at_once = {.by = URLP_AT_ONCE, .total_by = URLP_NEVER};
    const struct urlp_iovec run = {data, (size_t)len};
    size_t written = 0;

    BIO_clear_retry_flags(handle);
    if (data == NULL || len <= 0) {
        return 0;
    }
    if (bio->is_cut) {
        return len;
    }
    urlp_no_fork_end();
    bio->code = urlp_stream_write(bio->inner, &run, 1, &written,
                                  bio->is_looking ? &at_once : bio->call, bio->err);
    urlp_no_fork_begin();
    return bio->code == URLPOOL_OK ? (int)written : -1;
}

static long bio_ctrl(BIO *handle, int command, long number, void *pointer)
{
    (void)handle;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH; /* nothing is held back */
}

/* Made once, kept for the life of the process. */
static struct {
    struct urlp_mutex mutex;
    BIO_METHOD *method URLP_GUARDED;
} shared = {.mutex = URLP_MUTEX_INIT};

static BIO_METHOD *make_method(void)
{
    BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "urlpool");

    if (made == NULL) {
        return NULL;
    }
    if (!BIO_meth_set_read(made, bio_read) || !BIO_meth_set_write(made, bio_write) ||
        !BIO_meth_set_ctrl(made, bio_ctrl)) {
        BIO_meth_free(made);
        return NULL;
    }
    return made;
}

/* find_method makes the method at the first call that has the memory for it. */
static const BIO_METHOD *find_method(void) URLP_MAY_BLOCK
{
    const BIO_METHOD *found;

    urlp_mutex_lock(&shared.mutex);
    if (shared.method == NULL) {
        shared.method = make_method();
    }
    found = shared.method;
    urlp_mutex_unlock(&shared.mutex);
    return found;
}

BIO *urlp_tls_bio_new(struct urlp_tls_bio *bio)
{
    const BIO_METHOD *found = find_method();
    BIO *handle = found != NULL ? BIO_new(found) : NULL;

    if (handle != NULL) {
        BIO_set_data(handle, bio);
        BIO_set_init(handle, 1);
    }
    return handle;
}

void urlp_tls_bio_deinit(struct urlp_tls_bio *bio)
{
    urlp_free(bio->large);
    bio->large = NULL;
}

void urlp_tls_bio_begin(struct urlp_tls_bio *bio, const struct urlp_call *call,
                        struct urlpool_error *err)
{
    urlp_no_fork_begin();
    bio->call = call;
    bio->err = err;
    bio->code = URLPOOL_OK;
    bio->num_reads = 0;
    bio->num_key_updates = 0;
    bio->is_looking = false;
    if (call != NULL && bio->num_uncounted > 0) {
        URLP_COUNT(call, bytes_received, bio->num_uncounted);
        bio->num_uncounted = 0;
    }
}

void urlp_tls_bio_begin_look(struct urlp_tls_bio *bio)
{
    urlp_tls_bio_begin(bio, NULL, NULL);
    bio->is_looking = true;
}

void urlp_tls_bio_end(struct urlp_tls_bio *bio)
{
    bio->call = NULL;
    bio->err = NULL;
    bio->is_looking = false;
    urlp_no_fork_end();
}
