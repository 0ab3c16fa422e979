/* br, by Google's decoder (RFC 7932): one stream, its window at most 16 MiB. There is no checksum;
 * that the stream has an end is all that tells it is whole. Bytes behind that end are an error: br
 * knows no padding and no second stream. */

#include <brotli/decode.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "coding/coding.h"

struct unbrotli {
    BrotliDecoderState *brotli;
    bool has_begun;
    bool has_ended;
    size_t window_max; /* 0: whatever the standard allows */
};

static void *brotli_alloc(void *opaque, size_t size)
{
    (void)opaque;
    return urlp_alloc(size);
}

static void brotli_free(void *opaque, void *block)
{
    (void)opaque;
    urlp_free(block);
}

static void *open_br(void)
{
    struct unbrotli *unbrotli = urlp_zalloc(sizeof(*unbrotli));

    if (unbrotli == NULL) {
        return NULL;
    }
    unbrotli->brotli = BrotliDecoderCreateInstance(brotli_alloc, brotli_free, NULL);
    if (unbrotli->brotli == NULL) {
        urlp_free(unbrotli);
        return NULL;
    }
    return unbrotli;
}

static void close_br(void *state)
{
    struct unbrotli *unbrotli = state;

    BrotliDecoderDestroyInstance(unbrotli->brotli);
    urlp_free(unbrotli);
}

static bool is_complete(const void *state)
{
    const struct unbrotli *unbrotli = state;

    return unbrotli->has_ended || !unbrotli->has_begun;
}

static enum urlpool_code fail_brotli(const struct unbrotli *unbrotli, struct urlpool_error *err)
{
    BrotliDecoderErrorCode why = BrotliDecoderGetErrorCode(unbrotli->brotli);

    if (why <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
        why >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES) {
        return urlp_fail_nomem(err);
    }
    return urlp_fail(err, URLPOOL_E_DECODE, URLPOOL_PHASE_BODY, "bad br body: %s",
                     BrotliDecoderErrorString(why));
}

static void set_window_max(void *state, size_t window_max)
{
    ((struct unbrotli *)state)->window_max = window_max;
}

/* window_of reads the size of the window off the first byte of a stream (RFC 7932 section 9.1). */
static size_t window_of(uint8_t byte)
{
    const unsigned low = byte >> 1 & 7;
    const unsigned high = byte >> 4 & 7;

    if ((byte & 1) == 0) {
        return (size_t)1 << 16;
    }
    if (low > 0) {
        return (size_t)1 << (17 + low);
    }
    return (size_t)1 << (high > 0 ? 8 + high : 17);
}

/* check_window is called with the first byte of the stream there. */
static enum urlpool_code check_window(const struct unbrotli *unbrotli, uint8_t byte,
                                      struct urlpool_error *err)
{
    const size_t window = window_of(byte);

    if (unbrotli->window_max == 0 || window <= unbrotli->window_max) {
        return URLPOOL_OK;
    }
    return urlp_fail(err, URLPOOL_E_DECODE, URLPOOL_PHASE_BODY,
                     "bad br body: a window of %zu bytes, more than %zu", window,
                     unbrotli->window_max);
}

static enum urlpool_code step(void *state, struct urlp_decoder_io *io, struct urlpool_error *err)
{
    struct unbrotli *unbrotli = state;

    if (!unbrotli->has_begun && io->in_len > 0 &&
        check_window(unbrotli, *io->in, err) != URLPOOL_OK) {
        return URLPOOL_E_DECODE;
    }
    unbrotli->has_begun = unbrotli->has_begun || io->in_len > 0;
    if (!unbrotli->has_ended) {
        BrotliDecoderResult result = BrotliDecoderDecompressStream(
            unbrotli->brotli, &io->in_len, &io->in, &io->out_cap, &io->out, NULL);

        if (result == BROTLI_DECODER_RESULT_ERROR) {
            return fail_brotli(unbrotli, err);
        }
        unbrotli->has_ended = result == BROTLI_DECODER_RESULT_SUCCESS;
    }
    if (unbrotli->has_ended && io->in_len > 0) {
        return urlp_fail(err, URLPOOL_E_DECODE, URLPOOL_PHASE_BODY,
                         "bad br body: bytes behind its end");
    }
    return URLPOOL_OK;
}

const struct urlp_coding urlp_coding_br = {"br",        open_br,  step,
                                           is_complete, close_br, set_window_max};

int urlp_brotli_library(char *out, size_t out_size)
{
    uint32_t version = BrotliDecoderVersion();

    return snprintf(out, out_size, "brotli/%u.%u.%u", (unsigned)(version >> 24),
                    (unsigned)(version >> 12 & 0xfff), (unsigned)(version & 0xfff));
}
