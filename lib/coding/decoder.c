/* A stack of codings: each layer reads from the link before it and writes to the link behind it,
 * the first from the caller's input, the last to the caller's output. A link is a small buffer of
 * fixed size, refilled only when it is empty, so what is held never grows with what the data expand
 * to. Work is bounded too: bytes that go in, or from layer to layer, and never come out end in an
 * error, and so does a long body that is out of all proportion to what was sent. */

#include "coding/decoder.h"

#include "urlpool/export.h"

#include "base/alloc.h"
#include "base/error.h"
#include "coding/coding.h"

#define CODINGS_MAX_DEFAULT 5
#define LINK_BYTES          16384
/* No encoder puts this much in front of the first byte it yields, or behind the last. */
#define BARREN_BYTES_MAX 1048576
/* gzip reaches 1032 : 1 at most; more is for br, zstd and codings within codings. */
#define RATIO_MAX_DEFAULT 2000
/* What comes out before the ratio counts: a short body does no harm however well it was coded. */
#define RATIO_FREE_BYTES   16777216
#define WINDOW_MAX_DEFAULT 16777216
/* The least that br and zstd can ask for. */
#define WINDOW_MIN 1024

struct layer {
    const struct urlp_coding *coding;
    void *state;
    /* The link behind this layer: bytes at..at+len wait for the next one. The last has none. */
    uint8_t *link;
    size_t link_at;
    size_t link_len;
};

struct urlp_decoder {
    bool has_failed;
    struct urlpool_error failure;
    size_t barren_bytes; /* gone into layers since the last byte of output */
    uint64_t ratio_max;
    uint64_t in_bytes;
    uint64_t out_bytes;
    size_t num_layers;
    struct layer layers[]; /* in the order they are undone */
};

/* next_coding takes the next member off `rest`, identity left out: it is no coding. */
static bool next_coding(struct urlp_span *rest, struct urlp_span *out_name)
{
    while (urlp_span_split_list(rest, out_name)) {
        if (!urlp_span_is_nocase(*out_name, "identity")) {
            return true;
        }
    }
    return false;
}

/* count_codings gives how many layers `codings` names, and whether all of them are known. */
static size_t count_codings(struct urlp_span codings, bool *out_all_known)
{
    struct urlp_span name;
    size_t count = 0;

    *out_all_known = true;
    while (next_coding(&codings, &name)) {
        count++;
        if (urlp_coding_find(name) == NULL) {
            *out_all_known = false;
        }
    }
    return count;
}

static bool open_layer(struct layer *layer, const struct urlp_coding *coding, bool is_last)
{
    layer->coding = coding;
    layer->state = coding->open();
    layer->link = is_last ? NULL : urlp_alloc(LINK_BYTES);
    return layer->state != NULL && (is_last || layer->link != NULL);
}

/* open_layers fills the layers from the last to the first: codings are named in the order they were
 * applied (RFC 9110 section 8.4). */
static bool open_layers(struct urlp_decoder *decoder, struct urlp_span codings)
{
    struct urlp_span name;
    size_t i = decoder->num_layers;

    while (next_coding(&codings, &name)) {
        bool is_last = i == decoder->num_layers;

        if (!open_layer(&decoder->layers[--i], urlp_coding_find(name), is_last)) {
            return false;
        }
    }
    return true;
}

/* limit_of: 0 is the default, URLPOOL_NONE zero itself. */
static size_t limit_of(int given, size_t by_default)
{
    return given == 0 ? by_default : given < 0 ? 0 : (size_t)given;
}

enum urlpool_code urlp_decoder_new(struct urlp_span codings, int codings_max, int ratio_max,
                                   struct urlp_decoder **out, struct urlpool_error *err)
{
    size_t max = limit_of(codings_max, CODINGS_MAX_DEFAULT);
    bool all_known;
    size_t count = count_codings(codings, &all_known);
    struct urlp_decoder *decoder;

    if (count > max) {
        return urlp_fail(err, URLPOOL_E_DECODE, URLPOOL_PHASE_BODY,
                         "%zu content codings, more than %zu", count, max);
    }
    if (count == 0 || !all_known) {
        *out = NULL;
        return URLPOOL_OK;
    }
    decoder = urlp_zalloc(sizeof(*decoder) + count * sizeof(decoder->layers[0]));
    if (decoder == NULL) {
        return urlp_fail_nomem(err);
    }
    decoder->num_layers = count;
    decoder->ratio_max = limit_of(ratio_max, RATIO_MAX_DEFAULT);
    if (!open_layers(decoder, codings)) {
        urlp_decoder_free(decoder);
        return urlp_fail_nomem(err);
    }
    *out = decoder;
    return URLPOOL_OK;
}

void urlp_decoder_set_window_max(struct urlp_decoder *decoder, int window_max)
{
    size_t max = limit_of(window_max, WINDOW_MAX_DEFAULT);

    if (max < WINDOW_MIN) {
        max = WINDOW_MIN;
    }
    for (size_t i = 0; decoder != NULL && i < decoder->num_layers; i++) {
        if (decoder->layers[i].coding->set_window_max != NULL) {
            decoder->layers[i].coding->set_window_max(decoder->layers[i].state, max);
        }
    }
}

void urlp_decoder_free(struct urlp_decoder *decoder)
{
    if (decoder == NULL) {
        return;
    }
    for (size_t i = 0; i < decoder->num_layers; i++) {
        if (decoder->layers[i].state != NULL) {
            decoder->layers[i].coding->close(decoder->layers[i].state);
        }
        urlp_free(decoder->layers[i].link);
    }
    urlp_free(decoder);
}

/* fail makes decoder->failure the answer to everything from now on. */
static enum urlpool_code fail(struct urlp_decoder *decoder, struct urlpool_error *err)
{
    decoder->has_failed = true;
    return urlp_fail_with(err, &decoder->failure);
}

/* run_layer lets layer `i` work once, from its link to the next; `io` is the caller's. */
static enum urlpool_code run_layer(struct urlp_decoder *decoder, size_t i,
                                   struct urlp_decoder_io *io, bool *out_has_moved)
{
    struct layer *layer = &decoder->layers[i];
    struct layer *before = i > 0 ? &decoder->layers[i - 1] : NULL;
    bool is_last = i + 1 == decoder->num_layers;
    struct urlp_decoder_io own = *io;
    enum urlpool_code code;
    size_t in_len;
    size_t out_cap;

    if (before != NULL) {
        own.in = before->link + before->link_at;
        own.in_len = before->link_len;
    }
    if (!is_last) {
        own.out = layer->link;
        own.out_cap = layer->link_len == 0 ? LINK_BYTES : 0;
    }
    in_len = own.in_len;
    out_cap = own.out_cap;
    code = layer->coding->step(layer->state, &own, &decoder->failure);
    *out_has_moved = own.in_len != in_len || own.out_cap != out_cap;
    if (before != NULL) {
        before->link_at += in_len - own.in_len;
        before->link_len = own.in_len;
    } else {
        io->in = own.in;
        io->in_len = own.in_len;
    }
    if (is_last) {
        io->out = own.out;
        io->out_cap = own.out_cap;
    } else if (out_cap > 0) {
        layer->link_at = 0;
        layer->link_len = out_cap - own.out_cap;
        decoder->barren_bytes += layer->link_len;
    }
    return code;
}

/* check_growth ends what grows without use: within the layers, or at their end. */
static enum urlpool_code check_growth(struct urlp_decoder *decoder)
{
    uint64_t counted =
        decoder->out_bytes > RATIO_FREE_BYTES ? decoder->out_bytes - RATIO_FREE_BYTES : 0;

    if (decoder->barren_bytes > BARREN_BYTES_MAX) {
        return urlp_fail(&decoder->failure, URLPOOL_E_DECODE, URLPOOL_PHASE_BODY,
                         "more than %d coded bytes that yield nothing", BARREN_BYTES_MAX);
    }
    /* Divided, not multiplied: neither can overflow. */
    if (counted > 0 &&
        (decoder->ratio_max == 0 || counted / decoder->ratio_max > decoder->in_bytes)) {
        return urlp_fail(&decoder->failure, URLPOOL_E_DECODE, URLPOOL_PHASE_BODY,
                         "body expands to more than %llu times what was sent",
                         (unsigned long long)decoder->ratio_max);
    }
    return URLPOOL_OK;
}

/* run_layers lets every layer work once. */
static enum urlpool_code run_layers(struct urlp_decoder *decoder, struct urlp_decoder_io *io,
                                    bool *out_has_moved)
{
    size_t in_len = io->in_len;
    size_t out_cap = io->out_cap;

    *out_has_moved = false;
    for (size_t i = 0; i < decoder->num_layers; i++) {
        bool layer_has_moved;
        enum urlpool_code code = run_layer(decoder, i, io, &layer_has_moved);

        if (code != URLPOOL_OK) {
            return code;
        }
        *out_has_moved = *out_has_moved || layer_has_moved;
    }
    decoder->barren_bytes += in_len - io->in_len;
    if (io->out_cap != out_cap) {
        decoder->barren_bytes = 0;
    }
    decoder->in_bytes += in_len - io->in_len;
    decoder->out_bytes += out_cap - io->out_cap;
    return check_growth(decoder);
}

enum urlpool_code urlp_decoder_step(struct urlp_decoder *decoder, struct urlp_decoder_io *io,
                                    struct urlpool_error *err)
{
    bool has_moved = true;

    if (decoder->has_failed) {
        return fail(decoder, err);
    }
    while (has_moved) {
        if (run_layers(decoder, io, &has_moved) != URLPOOL_OK) {
            return fail(decoder, err);
        }
        has_moved = has_moved && io->out_cap > 0;
    }
    return URLPOOL_OK;
}

enum urlpool_code urlp_decoder_finish(struct urlp_decoder *decoder, struct urlpool_error *err)
{
    if (decoder->has_failed) {
        return fail(decoder, err);
    }
    for (size_t i = 0; i < decoder->num_layers; i++) {
        const struct layer *layer = &decoder->layers[i];

        if (!layer->coding->is_complete(layer->state) || layer->link_len > 0) {
            (void)urlp_fail(&decoder->failure, URLPOOL_E_DECODE, URLPOOL_PHASE_BODY,
                            "%s body ends too early", layer->coding->name);
            return fail(decoder, err);
        }
    }
    return URLPOOL_OK;
}
