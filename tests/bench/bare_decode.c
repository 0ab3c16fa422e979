/* The content codings by their libraries alone. */

#include <brotli/decode.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "bare.h"

enum {
    GZIP_WINDOW = 15 + 16
};

static uint64_t inflate_all(const uint8_t *data, size_t len, uint8_t *buf)
{
    z_stream z = {.next_in = (uint8_t *)(uintptr_t)data, .avail_in = (uInt)len};
    uint64_t total = 0;
    int result;

    if (inflateInit2(&z, GZIP_WINDOW) != Z_OK) {
        bench_die("inflateInit2");
    }
    do {
        z.next_out = buf;
        z.avail_out = BENCH_PIECE;
        result = inflate(&z, Z_NO_FLUSH);
        total += BENCH_PIECE - z.avail_out;
    } while (result == Z_OK);
    if (result != Z_STREAM_END) {
        bench_die("inflate");
    }
    inflateEnd(&z);
    return total;
}

static uint64_t unbrotli_all(const uint8_t *data, size_t len, uint8_t *buf)
{
    BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    BrotliDecoderResult result;
    uint64_t total = 0;

    do {
        size_t room = BENCH_PIECE;
        uint8_t *next = buf;

        result = BrotliDecoderDecompressStream(state, &len, &data, &room, &next, NULL);
        total += BENCH_PIECE - room;
    } while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT);
    if (result != BROTLI_DECODER_RESULT_SUCCESS) {
        bench_die("brotli");
    }
    BrotliDecoderDestroyInstance(state);
    return total;
}

static uint64_t unzstd_all(const uint8_t *data, size_t len, uint8_t *buf)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer in = {data, len, 0};
    uint64_t total = 0;
    size_t result;

    do {
        ZSTD_outBuffer out = {buf, BENCH_PIECE, 0};

        result = ZSTD_decompressStream(context, &out, &in);
        if (ZSTD_isError(result)) {
            bench_die("zstd");
        }
        total += out.pos;
    } while (result != 0);
    ZSTD_freeDCtx(context);
    return total;
}

uint64_t bare_decode(const char *coding, const uint8_t *data, size_t len, uint8_t *buf)
{
    if (strncmp(coding, "gzip", 4) == 0) {
        return inflate_all(data, len, buf);
    }
    return strncmp(coding, "br", 2) == 0 ? unbrotli_all(data, len, buf)
                                         : unzstd_all(data, len, buf);
}
