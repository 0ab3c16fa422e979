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

static enum urlpool_code step(void *state, struct urlp_decoder_io *io, struct urlpool_error *err)
{
    struct unbrotli *unbrotli = state;

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

const struct urlp_coding urlp_coding_br = {"br", open_br, step, is_complete, close_br};

int urlp_brotli_library(char *out, size_t out_size)
{
    uint32_t version = BrotliDecoderVersion();

    return snprintf(out, out_size, "brotli/%u.%u.%u", (unsigned)(version >> 24),
                    (unsigned)(version >> 12 & 0xfff), (unsigned)(version & 0xfff));
}
