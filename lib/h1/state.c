/* The HTTP/1.1 state machine. Everything that moves a connection from one state to another is in
 * this file; everything else in lib/h1 only asks. The two sides move apart from one another: a
 * server may answer before the request is sent whole. */

#include "h1/state.h"

/* One line per move the protocol allows; what has none is an error, which is zero. A request is
 * begun on both sides at once, and so only where both have a line for it: never while the last
 * request is not sent whole, the last response not read whole, or the connection to be closed. */
static const enum urlp_h1_state
    moves[URLP_H1_SERVER + 1][URLP_H1_TUNNEL + 1][URLP_H1_SAW_CLOSE + 1] = {
        [URLP_H1_CLIENT][URLP_H1_IDLE][URLP_H1_SAW_REQUEST] = URLP_H1_SENDING,
        [URLP_H1_CLIENT][URLP_H1_SENDING][URLP_H1_SAW_REQUEST_END] = URLP_H1_DONE,
        [URLP_H1_CLIENT][URLP_H1_DONE][URLP_H1_SAW_REQUEST] = URLP_H1_SENDING,
        [URLP_H1_SERVER][URLP_H1_IDLE][URLP_H1_SAW_REQUEST] = URLP_H1_OWES_HEAD,
        [URLP_H1_SERVER][URLP_H1_OWES_HEAD][URLP_H1_SAW_INFORMATIONAL] = URLP_H1_OWES_HEAD,
        [URLP_H1_SERVER][URLP_H1_OWES_HEAD][URLP_H1_SAW_SWITCH] = URLP_H1_TUNNEL,
        [URLP_H1_SERVER][URLP_H1_OWES_HEAD][URLP_H1_SAW_RESPONSE] = URLP_H1_SENDING,
        [URLP_H1_SERVER][URLP_H1_SENDING][URLP_H1_SAW_END] = URLP_H1_DONE,
        [URLP_H1_SERVER][URLP_H1_SENDING][URLP_H1_SAW_LAST_END] = URLP_H1_MUST_CLOSE,
        [URLP_H1_SERVER][URLP_H1_DONE][URLP_H1_SAW_REQUEST] = URLP_H1_OWES_HEAD,
        [URLP_H1_SERVER][URLP_H1_IDLE][URLP_H1_SAW_CLOSE] = URLP_H1_MUST_CLOSE,
        [URLP_H1_SERVER][URLP_H1_DONE][URLP_H1_SAW_CLOSE] = URLP_H1_MUST_CLOSE,
        [URLP_H1_SERVER][URLP_H1_TUNNEL][URLP_H1_SAW_CLOSE] = URLP_H1_MUST_CLOSE,
        [URLP_H1_SERVER][URLP_H1_MUST_CLOSE][URLP_H1_SAW_CLOSE] = URLP_H1_MUST_CLOSE,
};

enum urlp_h1_state urlp_h1_state_after(enum urlp_h1_role role, enum urlp_h1_state from,
                                       enum urlp_h1_trigger saw)
{
    return moves[role][from][saw];
}
