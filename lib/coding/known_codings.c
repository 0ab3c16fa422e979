/* Which codings there are: zlib's always, br and zstd where the build found their libraries. What
 * is offered in Accept-Encoding is what can be undone, no more. */

#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "coding/coding.h"

static const struct urlp_coding *const codings_known[] = {
    &urlp_coding_gzip, &urlp_coding_x_gzip, &urlp_coding_deflate,
#if URLP_HAS_BROTLI
    &urlp_coding_br,
#endif
#if URLP_HAS_ZSTD
    &urlp_coding_zstd,
#endif
};

static const char accept_encoding[] = "gzip, deflate"
#if URLP_HAS_BROTLI
                                      ", br"
#endif
#if URLP_HAS_ZSTD
                                      ", zstd"
#endif
    ;

static int (*const libraries[])(char *out, size_t out_size) = {
    urlp_zlib_library,
#if URLP_HAS_BROTLI
    urlp_brotli_library,
#endif
#if URLP_HAS_ZSTD
    urlp_zstd_library,
#endif
};

const struct urlp_coding *urlp_coding_find(struct urlp_span name)
{
    for (size_t i = 0; i < URLP_COUNT_OF(codings_known); i++) {
        if (urlp_span_is_nocase(name, codings_known[i]->name)) {
            return codings_known[i];
        }
    }
    return NULL;
}

const char *urlp_decoder_accept_encoding(void)
{
    return accept_encoding;
}

void urlp_decoder_libraries(char *out, size_t out_size)
{
    out[0] = '\0';
    for (size_t i = 0; i < URLP_COUNT_OF(libraries); i++) {
        size_t len = strlen(out);

        if (i > 0 && len + 1 < out_size) {
            out[len++] = ' ';
        }
        (void)libraries[i](out + len, out_size - len);
    }
}
