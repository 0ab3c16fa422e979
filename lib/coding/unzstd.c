/* zstd (RFC 8878): any number of frames, skippable ones among them, checksums checked by libzstd.
 * A frame may ask for a window of 8 MiB and no more (RFC 9659), and for no dictionary.
 *
 * The four bytes that begin a frame are held here, looked at, and given to libzstd by themselves.
 * It therefore never sees a frame in one piece, in which case it would not look at the window, nor
 * one of its older formats: what is taken does not depend on the pieces that come. */

/* For ZSTD_createDCtx_advanced alone: the one way to give libzstd an allocator. */
#define ZSTD_STATIC_LINKING_ONLY

#include <stdio.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/alloc.h"
#include "base/error.h"
#include "coding/coding.h"

#define WINDOW_LOG_MAX 23
#define WINDOW_LOG_MIN 10 /* less is none (RFC 8878 section 3.1.1.1.2) */
#define MAGIC_LEN      4

struct unzstd {
    ZSTD_DCtx *zstd;
    uint8_t magic[MAGIC_LEN];
    size_t magic_len; /* of the frame to come */
    bool is_in_frame;
    bool holds_output; /* all room was used last time; there may be more */
};

static void *zstd_alloc(void *opaque, size_t size)
{
    (void)opaque;
    return urlp_alloc(size);
}

static void zstd_free(void *opaque, void *block)
{
    (void)opaque;
    urlp_free(block);
}

static void close_zstd(void *state)
{
    struct unzstd *unzstd = state;

    (void)ZSTD_freeDCtx(unzstd->zstd);
    urlp_free(unzstd);
}

static void *open_zstd(void)
{
    const ZSTD_customMem memory = {zstd_alloc, zstd_free, NULL};
    struct unzstd *unzstd = urlp_zalloc(sizeof(*unzstd));

    if (unzstd == NULL) {
        return NULL;
    }
    unzstd->zstd = ZSTD_createDCtx_advanced(memory);
    if (unzstd->zstd == NULL ||
        ZSTD_isError(ZSTD_DCtx_setParameter(unzstd->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
        close_zstd(unzstd);
        return NULL;
    }
    return unzstd;
}

static void set_window_max(void *state, size_t window_max)
{
    const struct unzstd *unzstd = state;
    int window_log = WINDOW_LOG_MAX;

    while (window_log > WINDOW_LOG_MIN && (size_t)1 << window_log > window_max) {
        window_log--;
    }
    (void)ZSTD_DCtx_setParameter(unzstd->zstd, ZSTD_d_windowLogMax, window_log);
}

static bool is_complete(const void *state)
{
    const struct unzstd *unzstd = state;

    return !unzstd->is_in_frame && unzstd->magic_len == 0;
}

static enum urlpool_code fail_zstd(const char *why, struct urlpool_error *err)
{
    return urlp_fail(err, URLPOOL_E_DECODE, URLPOOL_PHASE_BODY, "bad zstd body: %s", why);
}

/* is_frame_magic: RFC 8878 section 3.1.1, or 3.1.2, a skippable frame. */
static bool is_frame_magic(const uint8_t magic[MAGIC_LEN])
{
    uint32_t value =
        (uint32_t)magic[3] << 24 | (uint32_t)magic[2] << 16 | (uint32_t)magic[1] << 8 | magic[0];

    return value == ZSTD_MAGICNUMBER ||
           (value & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
}

/* run_zstd gives libzstd `in` and notes where in a frame that leads. */
static enum urlpool_code run_zstd(struct unzstd *unzstd, ZSTD_inBuffer *in, ZSTD_outBuffer *out,
                                  struct urlpool_error *err)
{
    size_t result = ZSTD_decompressStream(unzstd->zstd, out, in);

    if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation) {
        return urlp_fail_nomem(err);
    }
    if (ZSTD_isError(result)) {
        return fail_zstd(ZSTD_getErrorName(result), err);
    }
    unzstd->is_in_frame = result != 0;
    return URLPOOL_OK;
}

static enum urlpool_code take_head(struct unzstd *unzstd, struct urlp_decoder_io *io,
                                   struct urlpool_error *err)
{
    uint8_t nowhere = 0;
    ZSTD_outBuffer none = {&nowhere, 0, 0};
    ZSTD_inBuffer magic = {unzstd->magic, MAGIC_LEN, 0};

    while (unzstd->magic_len < MAGIC_LEN && io->in_len > 0) {
        unzstd->magic[unzstd->magic_len++] = *io->in++;
        io->in_len--;
    }
    if (unzstd->magic_len < MAGIC_LEN) {
        return URLPOOL_OK;
    }
    if (!is_frame_magic(unzstd->magic)) {
        return fail_zstd("no frame where one should begin", err);
    }
    unzstd->magic_len = 0;
    return run_zstd(unzstd, &magic, &none, err);
}

static enum urlpool_code take_data(struct unzstd *unzstd, struct urlp_decoder_io *io,
                                   struct urlpool_error *err)
{
    uint8_t nowhere = 0;
    ZSTD_inBuffer in = {io->in, io->in_len, 0};
    ZSTD_outBuffer out = {io->out_cap > 0 ? io->out : &nowhere, io->out_cap, 0};
    enum urlpool_code code = run_zstd(unzstd, &in, &out, err);

    unzstd->holds_output = unzstd->is_in_frame && out.pos == out.size;
    io->in += in.pos;
    io->in_len -= in.pos;
    if (out.pos > 0) {
        io->out += out.pos;
        io->out_cap -= out.pos;
    }
    return code;
}

/* can_advance: libzstd takes a call with nothing to do for a fault when it is made too often. */
static bool can_advance(const struct unzstd *unzstd, const struct urlp_decoder_io *io)
{
    return unzstd->holds_output ? io->out_cap > 0 : io->in_len > 0;
}

static enum urlpool_code step(void *state, struct urlp_decoder_io *io, struct urlpool_error *err)
{
    struct unzstd *unzstd = state;
    enum urlpool_code code = URLPOOL_OK;

    while (code == URLPOOL_OK && can_advance(unzstd, io)) {
        code = unzstd->is_in_frame ? take_data(unzstd, io, err) : take_head(unzstd, io, err);
    }
    return code;
}

const struct urlp_coding urlp_coding_zstd = {"zstd",      open_zstd,  step,
                                             is_complete, close_zstd, set_window_max};

int urlp_zstd_library(char *out, size_t out_size)
{
    return snprintf(out, out_size, "zstd/%s", ZSTD_versionString());
}
