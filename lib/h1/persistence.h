#ifndef URLP_H1_PERSISTENCE_H
#define URLP_H1_PERSISTENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "h1/codec.h"
#include "http/field.h"

/* urlp_h1_says_close reports whether a Connection field has the option "close". Its members are
 * tokens, so a comma divides them also where it stands between quotation marks: a quotation mark
 * that is never closed must not hide what follows.
 *
 * Spec:    RFC 9110 section 7.6.1, RFC 9112 section 9.6. */
bool urlp_h1_says_close(const struct urlp_field *fields, size_t num_fields);

/* urlp_h1_agrees_to_stay reports whether the sender of `head` will keep the connection open.
 *
 * Spec:    RFC 9112 section 9.3. */
bool urlp_h1_agrees_to_stay(const struct urlp_response_head *head);

/* urlp_h1_read_keep_alive reads the Keep-Alive fields of `head`; of a parameter given twice the
 * smaller value counts. */
struct urlp_h1_keep_alive urlp_h1_read_keep_alive(const struct urlp_response_head *head);

/* urlp_h1_switch_is_asked_for reports whether the 101 in `head` names protocols, and only such as
 * `asked`, the list in the request's Upgrade.
 *
 * Spec:    RFC 9110 section 7.8. */
bool urlp_h1_switch_is_asked_for(const struct urlp_response_head *head, struct urlp_span asked);

#endif /* URLP_H1_PERSISTENCE_H */
