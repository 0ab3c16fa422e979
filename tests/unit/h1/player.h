#ifndef TESTS_UNIT_H1_PLAYER_H
#define TESTS_UNIT_H1_PLAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "h1/codec.h"

/* The player gives the bytes of one response to a codec, in pieces, and writes down what the codec
 * says, one line an event:
 *
 *   interim 103 1.1 "Early Hints"         the head of an interim response, its fields behind it
 *   response 200 1.1 "OK"                 the final head
 *   switched 101 1.1 ""
 *   field Name: value
 *   body length 5                         none, length N, chunked or until-close
 *   data hello                            all of the body, however many events it came in
 *   end
 *   trailer Name: value
 *   error URLPOOL_E_BAD_FIELD             from urlp_h1_next or urlp_h1_end_of_stream
 *   waits                                 the bytes are used up, and it would have more
 *   keep-alive timeout=5 max=100          when the response gave either
 *   left 3                                bytes behind the end of the message
 *   reusable yes                          by the codec, and nothing is left
 *
 * Bytes are shown with \r \n \t \\ and \xNN. */

enum player_stop {
    PLAYER_WAIT, /* the stream stays open */
    PLAYER_EOF,
    PLAYER_CUT /* it ends as TLS without close_notify does */
};

struct player_input {
    const uint8_t *data;
    size_t len;
    enum player_stop stop;
};

/* How the bytes arrive: `first` of them, then pieces of `step` (0: all the rest at once). With
 * `direct` body bytes are read past the codec wherever it allows it. */
struct player_plan {
    size_t first;
    size_t step;
    bool direct;
};

/* player_play appends the events to `log`; what is left is `*out_left` bytes. Bytes are given in
 * blocks of their exact size, new ones each time, so that a sanitizer sees a read too far. */
void player_play(struct urlp_h1_codec *codec, const struct player_input *input,
                 const struct player_plan *plan, struct urlp_buf *log, size_t *out_left);

/* player_escape appends `len` bytes as they are shown in a log. */
void player_escape(struct urlp_buf *log, const void *data, size_t len);

#endif /* TESTS_UNIT_H1_PLAYER_H */
