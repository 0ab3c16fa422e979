#ifndef URLP_H1_FIELD_PARSER_H
#define URLP_H1_FIELD_PARSER_H

#include "urlpool/error.h"

#include "base/error.h"
#include "base/span.h"
#include "http/field.h"

/* urlp_h1_quote_name makes the name that a field line begins with fit for a message, with the
 * character that ends it too early: its value may be nobody's to read. */
struct urlp_quoted urlp_h1_quote_name(struct urlp_span line);

/* urlp_h1_parse_field_line reads one field line, given without its line end.
 *
 * Errors:  URLPOOL_E_BAD_FIELD; `out` is then untouched.
 * Spec:    RFC 9112 section 5. */
URLPOOL_MUST_USE enum urlpool_code urlp_h1_parse_field_line(struct urlp_span line,
                                                            enum urlpool_phase phase,
                                                            struct urlp_field *out,
                                                            struct urlpool_error *err);

/* urlp_h1_check_fold checks that the folded line `line` may belong to a field called `name`: a fold
 * in a field that frames the message could be read in two ways, so there it is refused.
 *
 * Errors:  URLPOOL_E_BAD_FIELD, URLPOOL_E_BAD_LENGTH, URLPOOL_E_TRANSFER_ENCODING.
 * Spec:    RFC 9112 section 5.2. */
URLPOOL_MUST_USE enum urlpool_code urlp_h1_check_fold(struct urlp_span name, struct urlp_span line,
                                                      struct urlpool_error *err);

#endif /* URLP_H1_FIELD_PARSER_H */
