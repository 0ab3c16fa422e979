#ifndef URLP_HTTP_FIELD_H
#define URLP_HTTP_FIELD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "urlpool/headers.h"

#include "base/buf.h"
#include "base/span.h"

/* struct urlp_field is one field line as spans; value without surrounding white space. */
struct urlp_field {
    struct urlp_span name;
    struct urlp_span value;
};

/* struct urlp_response_head is what the codec makes of a head. Spans and array are the codec's. */
struct urlp_response_head {
    int status;  /* 100..999 */
    int version; /* 10 or 11 */
    struct urlp_span reason;
    const struct urlp_field *fields;
    size_t num_fields;
    uint64_t absent_lens;   /* bit n: no name has n bytes, modulo 64; zero when that is not known */
    struct urlp_span bytes; /* the section: all spans above point into it, and end within */
};

/* struct urlp_ready_fields is a field section that was checked and written once and goes with any
 * number of heads. Besides Host no line of it frames the message or speaks to the connection. */
struct urlp_ready_fields {
    const struct urlp_field *fields; /* Host first; spans into `bytes` */
    size_t num_fields;
    struct urlp_span bytes; /* as on the wire, the empty line included */
};

/* struct urlp_request_head is what is to be sent, in this order. */
struct urlp_request_head {
    struct urlp_span method;
    struct urlp_span target;         /* as on the wire: origin-form, authority-form, "*" */
    const struct urlp_field *fields; /* Host first; framing fields included */
    size_t num_fields;
    bool is_checked;                       /* h1 has found it fit to send */
    const struct urlp_ready_fields *ready; /* what `fields` are as bytes; NULL: not written yet */
};

/* urlp_field_name_is_valid says whether `name` is a token.
 *
 * Spec:    RFC 9110 section 5.1. */
static inline bool urlp_field_name_is_valid(struct urlp_span name)
{
    return urlp_span_is_token(name);
}

/* urlp_field_value_is_valid says whether `value` may be sent: no control but HTAB, obs-text as it
 * is; empty is valid.
 *
 * Spec:    RFC 9110 section 5.5. */
bool urlp_field_value_is_valid(struct urlp_span value);

/* urlp_field_value_len is how many bytes of `text` may stand in a value: all before the first
 * control but HTAB. */
size_t urlp_field_value_len(struct urlp_span text);

/* urlp_target_is_valid says whether `target` may stand in a request line: not empty, VCHAR only.
 *
 * Spec:    RFC 9112 section 3.2. */
bool urlp_target_is_valid(struct urlp_span target);

/* urlp_fields_find returns the first line of that name at or after `*index`, and moves `*index`
 * behind it; NULL when there is none. Inline, for the compiler knows the length of most names. */
static inline const struct urlp_field *urlp_fields_find(const struct urlp_field *fields,
                                                        size_t num_fields, const char *name,
                                                        size_t *index)
{
    const struct urlp_span wanted = urlp_span_of(name);

    for (size_t i = *index; i < num_fields; i++) {
        /* Almost always the length is another one. */
        if (fields[i].name.len == wanted.len && urlp_span_equals_nocase(fields[i].name, wanted)) {
            *index = i + 1;
            return &fields[i];
        }
    }
    *index = num_fields;
    return NULL;
}

/* urlp_head_find is urlp_fields_find in a head that was received, from its first line on. That
 * there is none it mostly knows by the length of the name. */
static inline const struct urlp_field *urlp_head_find(const struct urlp_response_head *head,
                                                      const char *name, size_t *index)
{
    if (*index == 0 && (head->absent_lens >> strlen(name) % 64 & 1) != 0) {
        *index = head->num_fields;
        return NULL;
    }
    return urlp_fields_find(head->fields, head->num_fields, name, index);
}

/* urlp_fields_have_token says whether the list that all lines called `name` make together has the
 * member `token`, in any case.
 *
 * Spec:    RFC 9110 section 5.6.1. */
static inline bool urlp_fields_have_token(const struct urlp_field *fields, size_t num_fields,
                                          const char *name, const char *token)
{
    const struct urlp_field *field;
    size_t index = 0;

    while ((field = urlp_fields_find(fields, num_fields, name, &index)) != NULL) {
        if (urlp_span_list_has(field->value, urlp_span_of(token))) {
            return true;
        }
    }
    return false;
}

/* urlp_headers_from_fields makes a headers object in one allocation, from a head's lines, which
 * were checked by whoever read them.
 *
 * Owns:    the caller frees the result with urlpool_headers_free.
 * Errors:  NULL with URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE struct urlpool_headers *urlp_headers_from_fields(const struct urlp_field *fields,
                                                                  size_t num_fields,
                                                                  struct urlpool_error *err);
/* urlp_headers_size_over is what urlp_headers_over takes. */
size_t urlp_headers_size_over(size_t num_fields);
/* urlp_headers_over makes a headers object, never to be changed, in the caller's memory, of lines
 * that are strings already: a NUL stands behind each name and value.
 *
 * Sizes:   `memory` is aligned as for any object, and has urlp_headers_size_over bytes.
 * Owns:    it ends with that memory, not by urlpool_headers_free; the strings outlive it. */
const struct urlpool_headers *urlp_headers_over(void *memory, const struct urlp_field *fields,
                                                size_t num_fields);
/* urlp_headers_field shows line `index` of `headers` as spans; index < urlpool_headers_count. */
struct urlp_field urlp_headers_field(const struct urlpool_headers *headers, size_t index);

/* urlp_headers_merged_fields writes the lines that urlpool_headers_merge of `more` into `headers`
 * would leave, without copying their bytes, and returns how many there are. Either may be NULL.
 *
 * Sizes:   `out` has room for the lines of both.
 * Owns:    spans are the lists', until their next change. */
size_t urlp_headers_merged_fields(const struct urlpool_headers *headers,
                                  const struct urlpool_headers *more, struct urlp_field *out);

/* urlp_headers_append_names appends the names of `headers` (may be NULL), each once, joined by ",
 * ": what Trailer says.
 *
 * Errors:  those of urlp_buf_reserve; `out` is unchanged then.
 * Spec:    RFC 9110 section 6.6.2. */
URLPOOL_MUST_USE enum urlpool_code urlp_headers_append_names(const struct urlpool_headers *headers,
                                                             struct urlp_buf *out);

/* urlp_field_is_secret says whether values of that name are masked in logs: Authorization, Cookie
 * and their kin. */
bool urlp_field_is_secret(struct urlp_span name);

/* urlp_field_may_trail says whether a field of that name may stand in a trailer section: none that
 * frames or routes the message, modifies the request, authenticates, or says what the content is.
 *
 * Spec:    RFC 9110 section 6.5.1. */
bool urlp_field_may_trail(struct urlp_span name);

#endif /* URLP_HTTP_FIELD_H */
