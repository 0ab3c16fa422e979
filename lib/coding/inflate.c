/* gzip and deflate, by zlib. A gzip stream is any number of members one behind the other; the CRC
 * and the length of each are checked by zlib. "deflate" is a zlib stream by the RFC and a raw one
 * from some servers: its first two bytes tell. Bytes behind the end of either are ignored, and
 * never come out. */

#include <limits.h>
#include <stdio.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "coding/coding.h"

#define WINDOW_BITS      15
#define WINDOW_BITS_GZIP (WINDOW_BITS + 16)
#define WINDOW_BITS_RAW  (-WINDOW_BITS)
#define HEAD_LEN         2

enum stage {
    STAGE_HEAD, /* the first two bytes of a stream, or of another member, are coming in */
    STAGE_DATA,
    STAGE_BEHIND /* the end is past; the rest is ignored */
};

struct inflater {
    z_stream zlib;
    bool is_gzip;
    bool is_zlib_open;
    bool has_ended_once; /* a gzip member is complete */
    enum stage stage;
    uint8_t head[HEAD_LEN];
    size_t head_len;
    size_t head_used; /* of it, given to zlib */
};

static void *zlib_alloc(void *opaque, unsigned num, unsigned size)
{
    size_t bytes;

    (void)opaque;
    return __builtin_mul_overflow((size_t)num, (size_t)size, &bytes) ? NULL : urlp_alloc(bytes);
}

static void zlib_free(void *opaque, void *block)
{
    (void)opaque;
    urlp_free(block);
}

static void *open_inflater(bool is_gzip)
{
    struct inflater *inflater = urlp_zalloc(sizeof(*inflater));

    if (inflater != NULL) {
        inflater->is_gzip = is_gzip;
        inflater->zlib.zalloc = zlib_alloc;
        inflater->zlib.zfree = zlib_free;
    }
    return inflater;
}

static void *open_gzip(void)
{
    return open_inflater(true);
}

static void *open_deflate(void)
{
    return open_inflater(false);
}

static void close_inflater(void *state)
{
    struct inflater *inflater = state;

    if (inflater->is_zlib_open) {
        (void)inflateEnd(&inflater->zlib);
    }
    urlp_free(inflater);
}

static bool is_complete(const void *state)
{
    const struct inflater *inflater = state;

    if (inflater->stage == STAGE_HEAD) {
        /* Behind a whole member a single byte that could begin another is no member. */
        return inflater->head_len == 0 || inflater->has_ended_once;
    }
    return inflater->stage == STAGE_BEHIND;
}

/* is_zlib_head: RFC 1950 section 2.2, method 8, window of at most 32 KiB, check bits. */
static bool is_zlib_head(const uint8_t head[HEAD_LEN])
{
    return (head[0] & 0x0f) == 8 && head[0] >> 4 <= 7 && (head[0] << 8 | head[1]) % 31 == 0;
}

/* is_gzip_head: RFC 1952 section 2.3.1. */
static bool is_gzip_head(const uint8_t head[HEAD_LEN])
{
    return head[0] == 0x1f && head[1] == 0x8b;
}

static enum urlpool_code fail_zlib(const struct inflater *inflater, int result,
                                   struct urlpool_error *err)
{
    const char *why = inflater->zlib.msg;

    if (result == Z_MEM_ERROR) {
        return urlp_fail_nomem(err);
    }
    if (why == NULL) {
        why = result == Z_NEED_DICT ? "it needs a dictionary" : "corrupt data";
    }
    return urlp_fail(err, URLPOOL_E_DECODE, URLPOOL_PHASE_BODY, "bad %s body: %s",
                     inflater->is_gzip ? "gzip" : "deflate", why);
}

/* begin_data is called with both bytes of the head there. */
static enum urlpool_code begin_data(struct inflater *inflater, struct urlpool_error *err)
{
    int bits = is_zlib_head(inflater->head) ? WINDOW_BITS : WINDOW_BITS_RAW;
    int result;

    if (inflater->has_ended_once && !is_gzip_head(inflater->head)) {
        inflater->stage = STAGE_BEHIND;
        return URLPOOL_OK;
    }
    if (inflater->is_zlib_open) {
        result = inflateReset(&inflater->zlib);
    } else {
        result = inflateInit2(&inflater->zlib, inflater->is_gzip ? WINDOW_BITS_GZIP : bits);
        inflater->is_zlib_open = result == Z_OK;
    }
    if (result != Z_OK) {
        return fail_zlib(inflater, result, err);
    }
    inflater->stage = STAGE_DATA;
    inflater->head_used = 0;
    return URLPOOL_OK;
}

static enum urlpool_code take_head(struct inflater *inflater, struct urlp_decoder_io *io,
                                   struct urlpool_error *err)
{
    while (inflater->head_len < HEAD_LEN && io->in_len > 0) {
        inflater->head[inflater->head_len++] = *io->in++;
        io->in_len--;
    }
    return inflater->head_len < HEAD_LEN ? URLPOOL_OK : begin_data(inflater, err);
}

static unsigned clamp(size_t len)
{
    return len < UINT_MAX ? (unsigned)len : UINT_MAX;
}

/* inflate_from runs zlib once over `*in`, moving all pointers on, and returns its result. */
static int inflate_from(struct inflater *inflater, const uint8_t **in, size_t *in_len,
                        struct urlp_decoder_io *io)
{
    z_stream *zlib = &inflater->zlib;
    uint8_t nowhere = 0; /* zlib wants a place to put nothing, too */
    unsigned in_given = clamp(*in_len);
    unsigned out_given = clamp(io->out_cap);
    int result;

    zlib->next_in = (z_const Bytef *)*in;
    zlib->avail_in = in_given;
    zlib->next_out = out_given > 0 ? io->out : &nowhere;
    zlib->avail_out = out_given;
    result = inflate(zlib, Z_NO_FLUSH);
    *in += in_given - zlib->avail_in;
    *in_len -= in_given - zlib->avail_in;
    if (out_given > 0) {
        io->out += out_given - zlib->avail_out;
    }
    io->out_cap -= out_given - zlib->avail_out;
    return result;
}

/* take_data runs zlib over the held head, then over the input. */
static enum urlpool_code take_data(struct inflater *inflater, struct urlp_decoder_io *io,
                                   struct urlpool_error *err)
{
    int result;

    if (inflater->head_used < HEAD_LEN) {
        const uint8_t *head = inflater->head + inflater->head_used;
        size_t head_len = HEAD_LEN - inflater->head_used;

        result = inflate_from(inflater, &head, &head_len, io);
        inflater->head_used = HEAD_LEN - head_len;
    } else {
        result = inflate_from(inflater, &io->in, &io->in_len, io);
    }
    if (result == Z_STREAM_END) {
        inflater->stage = inflater->is_gzip ? STAGE_HEAD : STAGE_BEHIND;
        inflater->has_ended_once = true;
        inflater->head_len = 0;
        return URLPOOL_OK;
    }
    /* Z_BUF_ERROR is no error: nothing could be done with what was given. */
    return result == Z_OK || result == Z_BUF_ERROR ? URLPOOL_OK : fail_zlib(inflater, result, err);
}

/* advance does one thing and reports whether there was one to do. */
static bool advance(struct inflater *inflater, struct urlp_decoder_io *io,
                    enum urlpool_code *out_code, struct urlpool_error *err)
{
    enum stage stage = inflater->stage;
    size_t head_used = inflater->head_used;
    size_t in_len = io->in_len;
    size_t out_cap = io->out_cap;

    if (stage == STAGE_BEHIND) {
        io->in += io->in_len;
        io->in_len = 0;
        *out_code = URLPOOL_OK;
        return false;
    }
    *out_code = stage == STAGE_HEAD ? take_head(inflater, io, err) : take_data(inflater, io, err);
    return inflater->stage != stage || inflater->head_used != head_used || io->in_len != in_len ||
           io->out_cap != out_cap;
}

static enum urlpool_code step(void *state, struct urlp_decoder_io *io, struct urlpool_error *err)
{
    enum urlpool_code code;

    while (advance(state, io, &code, err) && code == URLPOOL_OK) {
        /* until all input is taken or all room is used */
    }
    return code;
}

const struct urlp_coding urlp_coding_gzip = {"gzip",      open_gzip,      step,
                                             is_complete, close_inflater, NULL};
const struct urlp_coding urlp_coding_x_gzip = {"x-gzip",    open_gzip,      step,
                                               is_complete, close_inflater, NULL};
const struct urlp_coding urlp_coding_deflate = {"deflate",   open_deflate,   step,
                                                is_complete, close_inflater, NULL};

int urlp_zlib_library(char *out, size_t out_size)
{
    return snprintf(out, out_size, "zlib/%s", zlibVersion());
}
