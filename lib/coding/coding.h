#ifndef URLP_CODING_CODING_H
#define URLP_CODING_CODING_H

#include <stdbool.h>

#include "urlpool/error.h"

#include "coding/decoder.h"

/* struct urlp_coding is how one content coding is undone; `state` is what `open` made. */
struct urlp_coding {
    const char *name; /* as in Content-Encoding, any case */
    /* open makes the state of a new stream. Errors: NULL out of memory. */
    void *(*open)(void);
    /* step has the contract of urlp_decoder_step, for this one coding. */
    enum urlpool_code (*step)(void *state, struct urlp_decoder_io *io, struct urlpool_error *err);
    /* is_complete reports whether the stream may end here: before its first byte, or at its end. */
    bool (*is_complete)(const void *state);
    void (*close)(void *state);
    /* set_window_max comes before the first step; NULL: there is one window only, and it is small.
     */
    void (*set_window_max)(void *state, size_t window_max);
};

extern const struct urlp_coding urlp_coding_gzip;
extern const struct urlp_coding urlp_coding_x_gzip;
extern const struct urlp_coding urlp_coding_deflate;
extern const struct urlp_coding urlp_coding_br;   /* where URLP_HAS_BROTLI */
extern const struct urlp_coding urlp_coding_zstd; /* where URLP_HAS_ZSTD */

/* urlp_coding_find returns the coding called `name`, in any case; NULL when it is unknown. */
const struct urlp_coding *urlp_coding_find(struct urlp_span name);

/* urlp_zlib_library, and its siblings, write name and version, "zlib/1.2.13", as snprintf does. */
int urlp_zlib_library(char *out, size_t out_size);
int urlp_brotli_library(char *out, size_t out_size);
int urlp_zstd_library(char *out, size_t out_size);

#endif /* URLP_CODING_CODING_H */
