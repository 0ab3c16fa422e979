/* Bodies of the bench server: one long text of words, and coded forms of it, all in files of
 * memory. */

#define _GNU_SOURCE
#include <brotli/encode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "server.h"

enum {
    LETTERS_BYTES = 64 << 20,
    NUM_WORDS = 4096,
    WORD_MAX = 12,
    CODED_MAX = 16,
    ZLIB_LEVEL = 5,
    BROTLI_LEVEL = 4,
    ZSTD_LEVEL = 3,
    GZIP_WINDOW = 15 + 16
};

/* map_file makes room for `len` bytes. */
static uint8_t *map_file(size_t len, int *out_fd)
{
    uint8_t *bytes;

    *out_fd = memfd_create("body", MFD_CLOEXEC);
    if (*out_fd < 0 || ftruncate(*out_fd, (off_t)len) != 0) {
        die("memfd");
    }
    bytes = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, *out_fd, 0);
    if (bytes == MAP_FAILED) {
        die("mmap");
    }
    return bytes;
}

static uint32_t draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static void write_letters(uint8_t *bytes, size_t len)
{
    static char words[NUM_WORDS][WORD_MAX + 1];
    uint64_t state = 1;
    size_t at = 0;

    for (size_t i = 0; i < NUM_WORDS; i++) {
        const size_t word_len = 2 + draw(&state) % (WORD_MAX - 2);

        for (size_t k = 0; k < word_len; k++) {
            words[i][k] = (char)('a' + draw(&state) % 26);
        }
        words[i][word_len] = ' ';
    }
    while (at < len) {
        const char *word = words[draw(&state) % NUM_WORDS];

        for (size_t k = 0; at < len && word[k] != '\0'; k++) {
            bytes[at++] = (uint8_t)word[k];
        }
    }
}

const struct content *content_letters(void)
{
    static struct content letters;

    if (letters.bytes == NULL) {
        uint8_t *bytes = map_file(LETTERS_BYTES, &letters.fd);

        write_letters(bytes, LETTERS_BYTES);
        letters.bytes = bytes;
        letters.len = LETTERS_BYTES;
    }
    return &letters;
}

static size_t code_gzip(uint8_t *out, size_t room, uint8_t *in, size_t len)
{
    z_stream z = {.next_in = in, .avail_in = (uInt)len, .next_out = out, .avail_out = (uInt)room};

    if (deflateInit2(&z, ZLIB_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflate(&z, Z_FINISH) != Z_STREAM_END) {
        die("gzip");
    }
    deflateEnd(&z);
    return z.total_out;
}

static size_t code(const char *coding, uint8_t *out, size_t room, uint8_t *in, size_t len)
{
    size_t out_len = room;

    if (strcmp(coding, "gzip") == 0) {
        return code_gzip(out, room, in, len);
    }
    if (strcmp(coding, "zstd") == 0) {
        out_len = ZSTD_compress(out, room, in, len, ZSTD_LEVEL);
        if (ZSTD_isError(out_len)) {
            die("zstd");
        }
        return out_len;
    }
    if (BrotliEncoderCompress(BROTLI_LEVEL, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, len, in,
                              &out_len, out) != BROTLI_TRUE) {
        die("brotli");
    }
    return out_len;
}

const struct content *content_coded(const char *coding, size_t len)
{
    static struct coded {
        char coding[8];
        size_t decoded_len;
        struct content content;
    } all[CODED_MAX];
    const struct content *letters = content_letters();
    struct coded *coded = all;
    uint8_t *plain, *bytes;

    while (coded->content.bytes != NULL) {
        if (coded->decoded_len == len && strcmp(coded->coding, coding) == 0) {
            return &coded->content;
        }
        if (++coded == all + CODED_MAX) {
            die("too many coded bodies");
        }
    }
    plain = malloc(len);
    if (plain == NULL) {
        die("memory");
    }
    for (size_t at = 0; at < len; at += letters->len) {
        memcpy(plain + at, letters->bytes, len - at < letters->len ? len - at : letters->len);
    }
    bytes = map_file(len + len / 8 + 4096, &coded->content.fd);
    coded->content.len = code(coding, bytes, len + len / 8 + 4096, plain, len);
    coded->content.bytes = bytes;
    coded->decoded_len = len;
    snprintf(coded->coding, sizeof(coded->coding), "%s", coding);
    free(plain);
    return &coded->content;
}
