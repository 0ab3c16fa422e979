#ifndef URLP_H1_STATE_H
#define URLP_H1_STATE_H

enum urlp_h1_role {
    URLP_H1_CLIENT, /* we: the request */
    URLP_H1_SERVER  /* the peer: the response */
};

enum urlp_h1_state {
    URLP_H1_ERROR = 0,  /* zero, so that a move that is not in the table is an error */
    URLP_H1_IDLE,       /* nothing of an exchange yet */
    URLP_H1_OWES_HEAD,  /* the server has a request to answer */
    URLP_H1_SENDING,    /* a message has begun and is not complete */
    URLP_H1_DONE,       /* message complete, another may follow */
    URLP_H1_MUST_CLOSE, /* message complete or stream ended, nothing may follow */
    URLP_H1_TUNNEL      /* what follows is no longer HTTP */
};

enum urlp_h1_trigger {
    URLP_H1_SAW_REQUEST,
    URLP_H1_SAW_REQUEST_END,
    URLP_H1_SAW_INFORMATIONAL,
    URLP_H1_SAW_RESPONSE,
    URLP_H1_SAW_END,      /* of a response after which the connection may go on */
    URLP_H1_SAW_LAST_END, /* of a response after which it may not */
    URLP_H1_SAW_SWITCH,
    URLP_H1_SAW_CLOSE /* end of the stream, outside of a message */
};

/* urlp_h1_state_after returns the state of `role` that follows `from` when `saw` happens.
 *
 * Errors:  URLP_H1_ERROR when the protocol forbids it.
 * Spec:    RFC 9112 section 9. */
enum urlp_h1_state urlp_h1_state_after(enum urlp_h1_role role, enum urlp_h1_state from,
                                       enum urlp_h1_trigger saw);

#endif /* URLP_H1_STATE_H */
