/* The content codings of a body, undone.
 *
 * Coded bytes are taken from where the codec shows them, in the connection's inbox, and come out in
 * the reader's memory. A decoder works best on much at a time, so the inbox is made wider for it
 * once the peer has filled it. */

#include "base/error.h"
#include "conn/body_reader.h"

enum urlpool_code urlp_body_make_decoder(struct urlp_answer *answer,
                                         struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_error why;
    enum urlpool_code code = URLPOOL_OK;
    char *codings = NULL;

    answer->is_decoder_made = true;
    if (answer->keep_encoded || !answer->has_codings) {
        return URLPOOL_OK;
    }
    codings = urlpool_headers_get_all(answer->headers, "Content-Encoding");
    if (codings == NULL) {
        code = urlp_fail_nomem(&why);
    } else {
        code = urlp_decoder_new(urlp_span_of(codings), answer->codings_max,
                                answer->coding_ratio_max, &answer->decoder, &why);
        if (code == URLPOOL_OK) {
            urlp_decoder_set_window_max(answer->decoder, answer->coding_window_max);
        }
    }
    urlpool_string_free(codings);
    return code == URLPOOL_OK ? URLPOOL_OK : urlp_body_fail(answer, &why, err);
}

/* decode_step undoes some of what is pending; `*out_len` is 0 when that yields nothing. */
static enum urlpool_code decode_step(struct urlp_answer *answer, void *buf, size_t len,
                                     size_t *out_len, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_error why;
    struct urlp_decoder_io io = {answer->pending, answer->pending_len, buf, len};
    enum urlpool_code code = urlp_decoder_step(answer->decoder, &io, &why);

    if (code != URLPOOL_OK) {
        return urlp_body_fail(answer, &why, err);
    }
    *out_len = len - io.out_cap;
    /* Nothing put and input left over: the coded data has ended, what follows is padding. */
    if (answer->pending_len > 0) {
        urlp_body_used(answer,
                       *out_len == 0 ? answer->pending_len : answer->pending_len - io.in_len);
    }
    return URLPOOL_OK;
}

enum urlpool_code urlp_body_decode(struct urlp_answer *answer, void *buf, size_t len,
                                   size_t *out_len, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_error why;
    enum urlpool_code code = URLPOOL_OK;

    for (;;) {
        code = decode_step(answer, buf, len, out_len, err);
        if (code != URLPOOL_OK || *out_len > 0) {
            return code;
        }
        if (answer->pending_len > 0) {
            continue;
        }
        if (answer->state == URLP_BODY_WHOLE) {
            break;
        }
        if (answer->state == URLP_BODY_OPEN) { /* else what was used up ended in a fault */
            urlp_wire_widen(answer->connection);
        }
        code = urlp_body_wait(answer, &answer->call, err);
        if (code != URLPOOL_OK) {
            return code;
        }
    }
    if (urlp_decoder_finish(answer->decoder, &why) != URLPOOL_OK) {
        return urlp_body_fail(answer, &why, err);
    }
    return URLPOOL_OK;
}
