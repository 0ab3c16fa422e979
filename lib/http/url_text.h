#ifndef URLP_HTTP_URL_TEXT_H
#define URLP_HTTP_URL_TEXT_H

#include <stddef.h>

#include "urlpool/error.h"

#include "base/span.h"

/* The parts of a URL whose bytes may be percent-encoded; each keeps other bytes as they are. */
enum urlp_url_part {
    URLP_URL_USERINFO,
    URLP_URL_PATH,
    URLP_URL_QUERY,
    URLP_URL_FRAGMENT
};

/* urlp_url_check_bytes refuses what no part of a URL may hold: controls, space, backslash.
 *
 * Errors:  URLPOOL_E_URL; the message names the byte and its place, never the text. */
URLPOOL_MUST_USE enum urlpool_code urlp_url_check_bytes(struct urlp_span text,
                                                        struct urlpool_error *err);

/* urlp_url_is_unreserved says whether `c` means the same with and without percent-encoding.
 *
 * Spec:    RFC 3986 section 2.3. */
bool urlp_url_is_unreserved(unsigned char c);

/* urlp_url_write_triplet writes "%XX" for `c` at `out` and returns the end of it.
 *
 * Spec:    RFC 3986 section 2.1. */
char *urlp_url_write_triplet(char *out, unsigned char c);

/* urlp_url_write_part writes `in` at `out` in its normal form and returns the end of it: triplets
 * in upper case, unreserved bytes decoded, whatever `part` may not hold encoded, a lone '%' too.
 * The normal form of a normal form is itself.
 *
 * Sizes:   at most 3 bytes for each of `in`.
 * Spec:    RFC 3986 sections 2.4, 3, 6.2.2. */
char *urlp_url_write_part(char *out, struct urlp_span in, enum urlp_url_part part);

/* urlp_url_decode writes `in` at `out` with every triplet as the byte it stands for, NUL too, and
 * returns how many bytes that are. What is no triplet stays as it is.
 *
 * Sizes:   at most one byte for each of `in`; `out` may be `in`.
 * Spec:    RFC 3986 section 2.1. */
size_t urlp_url_decode(char *out, struct urlp_span in);

/* urlp_url_remove_dot_segments takes "." and ".." out of the path in place and returns its new
 * length. Each byte is moved once and taken back at most once.
 *
 * Spec:    RFC 3986 section 5.2.4. */
size_t urlp_url_remove_dot_segments(char *path, size_t len);

#endif /* URLP_HTTP_URL_TEXT_H */
