/* Encoders one upon another, in the server's process: what the inner one makes of a piece of zeros
 * goes through the outer ones, flushed, and onto the wire. */

#include "endless_bomb.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#if URLP_HAS_BROTLI
#include <brotli/encode.h>
#endif
#if URLP_HAS_ZSTD
#include <zstd.h>
#endif

enum {
    ZEROS = 1 << 20,
    ROOM = ZEROS + 4096,
    WINDOW_LOG = 18
};

struct coder {
    enum bomb_coding coding;
    z_stream zlib;
    void *other;
    unsigned char *room;
};

static void must(int holds)
{
    if (!holds) {
        abort();
    }
}

static void open_coder(struct coder *coder, const struct bomb_layer *layer)
{
    const int window_log = layer->window_log > 0 ? layer->window_log : WINDOW_LOG;
    static const int bits[] = {[BOMB_GZIP] = 31, [BOMB_ZLIB] = 15, [BOMB_RAW] = -15};

    (void)window_log;
    coder->coding = layer->coding;
    coder->room = malloc(ROOM);
    must(coder->room != NULL);
    switch (layer->coding) {
#if URLP_HAS_BROTLI
    case BOMB_BR:
        coder->other = BrotliEncoderCreateInstance(NULL, NULL, NULL);
        must(BrotliEncoderSetParameter(coder->other, BROTLI_PARAM_QUALITY, 5) &&
             BrotliEncoderSetParameter(coder->other, BROTLI_PARAM_LGWIN, (uint32_t)window_log));
        break;
#endif
#if URLP_HAS_ZSTD
    case BOMB_ZSTD:
        coder->other = ZSTD_createCCtx();
        must(!ZSTD_isError(ZSTD_CCtx_setParameter(coder->other, ZSTD_c_windowLog, window_log)));
        break;
#endif
    default:
        must(deflateInit2(&coder->zlib, 9, Z_DEFLATED, bits[layer->coding], 8,
                          Z_DEFAULT_STRATEGY) == Z_OK);
        break;
    }
}

/* code codes `len` bytes, and returns how many are in the coder's room then. */
static size_t code(struct coder *coder, const void *data, size_t len)
{
    switch (coder->coding) {
#if URLP_HAS_BROTLI
    case BOMB_BR: {
        const uint8_t *in = data;
        uint8_t *out = coder->room;
        size_t room = ROOM;

        must(BrotliEncoderCompressStream(coder->other, BROTLI_OPERATION_FLUSH, &len, &in, &room,
                                         &out, NULL));
        must(len == 0 && !BrotliEncoderHasMoreOutput(coder->other));
        return ROOM - room;
    }
#endif
#if URLP_HAS_ZSTD
    case BOMB_ZSTD: {
        ZSTD_inBuffer in = {data, len, 0};
        ZSTD_outBuffer out = {coder->room, ROOM, 0};

        must(ZSTD_compressStream2(coder->other, &out, &in, ZSTD_e_flush) == 0);
        return out.pos;
    }
#endif
    default:
        coder->zlib.next_in = (Bytef *)(uintptr_t)data;
        coder->zlib.avail_in = (uInt)len;
        coder->zlib.next_out = coder->room;
        coder->zlib.avail_out = ROOM;
        must(deflate(&coder->zlib, Z_SYNC_FLUSH) == Z_OK && coder->zlib.avail_in == 0);
        return ROOM - coder->zlib.avail_out;
    }
}

void bomb_say(struct flood_peer *peer, const struct bomb_layer layers[BOMB_LAYERS_MAX])
{
    static unsigned char zeros[ZEROS];
    struct coder coders[BOMB_LAYERS_MAX] = {0};
    size_t num = 0;
    const void *data;
    size_t len;

    while (num < BOMB_LAYERS_MAX && layers[num].coding != BOMB_END) {
        open_coder(&coders[num], &layers[num]);
        num++;
    }
    do {
        data = zeros;
        len = sizeof(zeros);
        for (size_t i = 0; i < num; i++) {
            len = code(&coders[i], data, len);
            data = coders[i].room;
        }
    } while (flood_say(peer, data, len));
}
