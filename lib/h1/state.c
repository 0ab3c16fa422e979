/* The HTTP/1.1 state machine. Everything that moves a connection from one state to another is in
 * this file; everything else in lib/h1 only asks. The two sides move apart from one another: a
 * server may answer before the request is sent whole. */

#include "h1/state.h"

#include <stddef.h>

#include "base/count.h"

/* One row per move the protocol allows; a move with no row is an error. A request is begun on both
 * sides at once, and so only where both have a row for it: never while the last request is not sent
 * whole, the last response not read whole, or the connection to be closed. */
static const struct {
    enum urlp_h1_role role;
    enum urlp_h1_state from;
    enum urlp_h1_trigger saw;
    enum urlp_h1_state to;
} moves[] = {
    {URLP_H1_CLIENT, URLP_H1_IDLE,       URLP_H1_SAW_REQUEST,       URLP_H1_SENDING   },
    {URLP_H1_CLIENT, URLP_H1_SENDING,    URLP_H1_SAW_REQUEST_END,   URLP_H1_DONE      },
    {URLP_H1_CLIENT, URLP_H1_DONE,       URLP_H1_SAW_REQUEST,       URLP_H1_SENDING   },

    {URLP_H1_SERVER, URLP_H1_IDLE,       URLP_H1_SAW_REQUEST,       URLP_H1_OWES_HEAD },
    {URLP_H1_SERVER, URLP_H1_OWES_HEAD,  URLP_H1_SAW_INFORMATIONAL, URLP_H1_OWES_HEAD },
    {URLP_H1_SERVER, URLP_H1_OWES_HEAD,  URLP_H1_SAW_SWITCH,        URLP_H1_TUNNEL    },
    {URLP_H1_SERVER, URLP_H1_OWES_HEAD,  URLP_H1_SAW_RESPONSE,      URLP_H1_SENDING   },
    {URLP_H1_SERVER, URLP_H1_SENDING,    URLP_H1_SAW_END,           URLP_H1_DONE      },
    {URLP_H1_SERVER, URLP_H1_SENDING,    URLP_H1_SAW_LAST_END,      URLP_H1_MUST_CLOSE},
    {URLP_H1_SERVER, URLP_H1_DONE,       URLP_H1_SAW_REQUEST,       URLP_H1_OWES_HEAD },

    {URLP_H1_SERVER, URLP_H1_IDLE,       URLP_H1_SAW_CLOSE,         URLP_H1_MUST_CLOSE},
    {URLP_H1_SERVER, URLP_H1_DONE,       URLP_H1_SAW_CLOSE,         URLP_H1_MUST_CLOSE},
    {URLP_H1_SERVER, URLP_H1_TUNNEL,     URLP_H1_SAW_CLOSE,         URLP_H1_MUST_CLOSE},
    {URLP_H1_SERVER, URLP_H1_MUST_CLOSE, URLP_H1_SAW_CLOSE,         URLP_H1_MUST_CLOSE},
};

enum urlp_h1_state urlp_h1_state_after(enum urlp_h1_role role, enum urlp_h1_state from,
                                       enum urlp_h1_trigger saw)
{
    for (size_t i = 0; i < URLP_COUNT_OF(moves); i++) {
        if (moves[i].role == role && moves[i].from == from && moves[i].saw == saw) {
            return moves[i].to;
        }
    }
    return URLP_H1_ERROR;
}
