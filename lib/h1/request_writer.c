/* The one place where a request becomes bytes. Everything is checked here, whoever asked for it and
 * whatever was checked before, so that no path around a check exists: method, target, names and
 * values byte by byte, then the fields that frame the message or speak to the connection. */

#include "h1/request_writer.h"

#include <string.h>

#include "base/alloc.h"
#include "base/count.h"
#include "base/error.h"
#include "h1/framing.h"
#include "h1/persistence.h"
#include "http/method.h"

#define VERSION_TEXT " HTTP/1.1\r\n"

static enum urlpool_code refuse(struct urlpool_error *err, const char *what, struct urlp_span value)
{
    return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_SEND, "%s: \"%s\"", what,
                     urlp_quote(value.data, value.len).text);
}

/* refuse_target does not show the query: a form may stand there, with what is nobody's to read. */
static enum urlpool_code refuse_target(struct urlpool_error *err, const char *what,
                                       struct urlp_span target)
{
    const char *rest = "";
    size_t len = 0;

    while (len < target.len && target.data[len] != '?' && target.data[len] != '#') {
        len++;
    }
    if (len < target.len) {
        rest = target.data[len] == '?' ? "?..." : "#...";
    }
    return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_SEND, "%s: \"%s%s\"", what,
                     urlp_quote(target.data, len).text, rest);
}

/* is_of_name says whether `c` may stand in a reg-name (RFC 3986 section 3.2.2). */
static bool is_of_name(char c)
{
    return urlp_byte_is((unsigned char)c, URLP_BYTE_UNRESERVED | URLP_BYTE_SUB_DELIM) || c == '%';
}

static bool is_of_address(char c)
{
    return urlp_hex_value((unsigned char)c) >= 0 || c == ':' || c == '.';
}

/* bracketed_len is the length of the address in brackets that `value` begins with; 0 when there is
 * none. A zone has no meaning to the peer (RFC 6874 section 4), so none is allowed. */
static size_t bracketed_len(struct urlp_span value)
{
    size_t i = 1;

    while (i < value.len && is_of_address(value.data[i])) {
        i++;
    }
    return i > 1 && i < value.len && value.data[i] == ']' ? i + 1 : 0;
}

/* host_len is the length of the host that `value` begins with; 0 when there is none. */
static size_t host_len(struct urlp_span value)
{
    size_t i = 0;

    if (value.len > 0 && value.data[0] == '[') {
        return bracketed_len(value);
    }
    while (i < value.len && is_of_name(value.data[i])) {
        i++;
    }
    return i;
}

/* is_authority checks uri-host [ ":" port ], no userinfo (RFC 9110 section 7.2). */
static bool is_authority(struct urlp_span value, bool needs_port)
{
    size_t at = host_len(value);
    struct urlp_span port;
    uint64_t number;

    if (at == 0) {
        return false;
    }
    if (at == value.len) {
        return !needs_port;
    }
    port = urlp_span_make(value.data + at + 1, value.len - at - 1);
    return value.data[at] == ':' && urlp_span_to_u64(port, &number) && number <= 65535;
}

/* is_absolute checks that `target` begins as scheme "://" (RFC 9112 section 3.2.2). */
static bool is_absolute(struct urlp_span target)
{
    size_t at = 0;

    while (at < target.len && urlp_is_alpha((unsigned char)target.data[at])) {
        at++;
    }
    return at > 0 && target.len > at + 3 && target.data[at] == ':' && target.data[at + 1] == '/' &&
           target.data[at + 2] == '/';
}

static enum urlpool_code check_request_line(const struct urlp_request_head *head,
                                            struct urlpool_error *err)
{
    struct urlp_span target = head->target;

    if (!urlp_method_is_valid(head->method)) {
        return refuse(err, "method is not a token", head->method);
    }
    if (!urlp_target_is_valid(target)) {
        return refuse_target(
            err, "request target is empty or holds a blank, a control or a non-ASCII byte", target);
    }
    if (memchr(target.data, '#', target.len) != NULL) {
        return refuse_target(err, "request target holds a fragment", target);
    }
    /* RFC 9112 section 3.2: which form goes with which method. */
    if (urlp_span_is(head->method, "CONNECT")) {
        return is_authority(target, true)
                   ? URLPOOL_OK
                   : refuse_target(err, "target of CONNECT is not host and port", target);
    }
    if (urlp_span_is(target, "*") && urlp_span_is(head->method, "OPTIONS")) {
        return URLPOOL_OK;
    }
    if (target.data[0] != '/' && !is_absolute(target)) {
        return refuse_target(err, "request target begins neither with a slash nor with a scheme",
                             target);
    }
    return URLPOOL_OK;
}

/* What a field is to the framing of the message, or to the connection. */
enum role {
    ROLE_HOST,
    ROLE_CONTENT_LENGTH,
    ROLE_TRANSFER_ENCODING,
    ROLE_EXPECT,
    ROLE_CONNECTION,
    ROLE_TE,
    ROLE_UPGRADE,
    ROLE_PROXY_CONNECTION,
    NUM_ROLES
};

static const struct urlp_span role_names[NUM_ROLES] = {
    [ROLE_HOST] = URLP_SPAN("Host"),
    [ROLE_CONTENT_LENGTH] = URLP_SPAN("Content-Length"),
    [ROLE_TRANSFER_ENCODING] = URLP_SPAN("Transfer-Encoding"),
    [ROLE_EXPECT] = URLP_SPAN("Expect"),
    [ROLE_CONNECTION] = URLP_SPAN("Connection"),
    [ROLE_TE] = URLP_SPAN("TE"),
    [ROLE_UPGRADE] = URLP_SPAN("Upgrade"),
    [ROLE_PROXY_CONNECTION] = URLP_SPAN("Proxy-Connection"),
};

/* struct cast says which lines of a head have a role. */
struct cast {
    const struct urlp_request_head *head;
    size_t num[NUM_ROLES];
    struct urlp_span value[NUM_ROLES]; /* of the first; empty when there is none */
};

/* The roles by the length of their names, which is another for each. */
static const enum role roles_by_len[] = {
    [2] = ROLE_TE,
    [4] = ROLE_HOST,
    [6] = ROLE_EXPECT,
    [7] = ROLE_UPGRADE,
    [10] = ROLE_CONNECTION,
    [14] = ROLE_CONTENT_LENGTH,
    [16] = ROLE_PROXY_CONNECTION,
    [17] = ROLE_TRANSFER_ENCODING,
};

/* role_of is the role of a field of that name; NUM_ROLES when it has none. */
static enum role role_of(struct urlp_span name)
{
    const enum role role = name.len < URLP_COUNT_OF(roles_by_len) ? roles_by_len[name.len] : 0;

    return urlp_span_equals_nocase(name, role_names[role]) ? role : NUM_ROLES;
}

static void find_cast(const struct urlp_request_head *head, struct cast *out)
{
    *out = (struct cast){.head = head};
    for (size_t i = 0; i < head->num_fields; i++) {
        const enum role role = role_of(head->fields[i].name);

        if (role < NUM_ROLES && out->num[role]++ == 0) {
            out->value[role] = head->fields[i].value;
        }
    }
}

/* names says whether the list that the lines of `role` make has the member `token`. */
static bool names(const struct cast *cast, enum role role, const char *token)
{
    return cast->num[role] > 0 && urlp_fields_have_token(cast->head->fields, cast->head->num_fields,
                                                         role_names[role].data, token);
}

/* check_field_lines looks at each line by itself. */
static enum urlpool_code check_field_lines(const struct urlp_request_head *head,
                                           const struct urlp_h1_bounds *bounds,
                                           struct urlpool_error *err)
{
    for (size_t i = 0; i < head->num_fields; i++) {
        const struct urlp_field *field = &head->fields[i];

        if (!urlp_field_name_is_valid(field->name)) {
            return refuse(err, "field name is not a token", field->name);
        }
        if (!urlp_field_value_is_valid(field->value)) {
            return refuse(err, "control character in the value of a field", field->name);
        }
        if (field->name.len + field->value.len + 4 > bounds->sent_line_bytes_max) {
            return refuse(err, "field line longer than we would read", field->name);
        }
    }
    if (head->num_fields > bounds->sent_fields_max) {
        return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_SEND, "more than %zu field lines",
                         bounds->sent_fields_max);
    }
    return URLPOOL_OK;
}

/* check_framing: "A sender MUST NOT send a Content-Length header field in any message that contains
 * a Transfer-Encoding header field" (RFC 9112 section 6.2), and neither of them twice. */
static enum urlpool_code check_framing(const struct cast *cast, struct urlpool_error *err)
{
    const size_t num_lengths = cast->num[ROLE_CONTENT_LENGTH];
    const size_t num_codings = cast->num[ROLE_TRANSFER_ENCODING];
    const struct urlp_span length_text = cast->value[ROLE_CONTENT_LENGTH];
    const struct urlp_span coding = cast->value[ROLE_TRANSFER_ENCODING];
    int64_t length = 0;
    bool has_body;
    uint64_t plain;

    if (num_lengths + num_codings > 1) {
        return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_SEND,
                         "more than one of Content-Length and Transfer-Encoding");
    }
    if (num_lengths > 0 &&
        (!urlp_h1_parse_length(length_text, &length) || !urlp_span_to_u64(length_text, &plain))) {
        return refuse(err, "Content-Length is not a number", length_text);
    }
    if (num_codings > 0 && !urlp_span_is_nocase(coding, "chunked")) {
        return refuse(err, "Transfer-Encoding is not \"chunked\"", coding);
    }
    has_body = num_codings > 0 || length > 0;
    /* RFC 9110 section 10.1.1: "A client MUST NOT generate a 100-continue expectation in a request
     * that does not include content." */
    if (!has_body && names(cast, ROLE_EXPECT, "100-continue")) {
        return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_SEND,
                         "Expect: 100-continue in a request without a body");
    }
    /* Section 9.3.8: "A client MUST NOT send content in a TRACE request." */
    if (has_body && urlp_span_is(cast->head->method, "TRACE")) {
        return urlp_fail(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND, "TRACE cannot carry a body");
    }
    return URLPOOL_OK;
}

/* check_connection looks at what Connection names. RFC 9110 section 7.6.1: "A sender MUST NOT send
 * a connection option corresponding to a field that is intended for all recipients of the content."
 */
static enum urlpool_code check_connection(const struct cast *cast, struct urlpool_error *err)
{
    static const char *const for_all[] = {"Host",         "Content-Length", "Transfer-Encoding",
                                          "Content-Type", "Cache-Control",  "Authorization"};

    for (size_t i = 0; cast->num[ROLE_CONNECTION] > 0 && i < URLP_COUNT_OF(for_all); i++) {
        if (names(cast, ROLE_CONNECTION, for_all[i])) {
            return refuse(err, "Connection names a field that is for every recipient",
                          urlp_span_of(for_all[i]));
        }
    }
    return URLPOOL_OK;
}

/* check_hops looks at the other fields that speak to the next hop only. */
static enum urlpool_code check_hops(const struct cast *cast, struct urlpool_error *err)
{
    /* RFC 9110 sections 7.8 and 10.1.4: a sender of Upgrade or TE MUST also send the connection
     * option of that name. */
    static const enum role named_in_connection[] = {ROLE_UPGRADE, ROLE_TE};

    for (size_t i = 0; i < URLP_COUNT_OF(named_in_connection); i++) {
        const enum role role = named_in_connection[i];

        if (cast->num[role] > 0 && !names(cast, ROLE_CONNECTION, role_names[role].data)) {
            return refuse(err, "field that Connection has to name and does not", role_names[role]);
        }
    }
    /* RFC 9112 section 7.4: "A client MUST NOT send the chunked transfer coding name in TE". */
    if (names(cast, ROLE_TE, "chunked")) {
        return refuse(err, "TE names chunked", cast->value[ROLE_TE]);
    }
    /* RFC 9112 appendix C.2.2: clients are to leave it alone. */
    if (cast->num[ROLE_PROXY_CONNECTION] > 0) {
        return refuse(err, "field that is no part of HTTP", role_names[ROLE_PROXY_CONNECTION]);
    }
    return URLPOOL_OK;
}

static enum urlpool_code check_host(const struct cast *cast, struct urlpool_error *err)
{
    const struct urlp_request_head *head = cast->head;

    /* RFC 9112 section 3.2: "A client MUST send a Host header field in all HTTP/1.1 request
     * messages"; RFC 9110 section 7.2: "as the first field in the header section". */
    if (head->num_fields == 0 || !urlp_span_is_nocase(head->fields[0].name, "Host") ||
        cast->num[ROLE_HOST] != 1) {
        return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_SEND,
                         "Host is not the first field, or not there once");
    }
    if (!is_authority(head->fields[0].value, false)) {
        return refuse(err, "Host is not a host with or without a port", head->fields[0].value);
    }
    return URLPOOL_OK;
}

/* check_trace: "A client MUST NOT generate fields in a TRACE request containing sensitive data that
 * might be disclosed by the response" (RFC 9110 section 9.3.8). */
static enum urlpool_code check_trace(const struct urlp_request_head *head,
                                     struct urlpool_error *err)
{
    if (!urlp_span_is(head->method, "TRACE")) {
        return URLPOOL_OK;
    }
    for (size_t i = 0; i < head->num_fields; i++) {
        if (urlp_field_is_secret(head->fields[i].name)) {
            return refuse(err, "TRACE would show", head->fields[i].name);
        }
    }
    return URLPOOL_OK;
}

/* section_len is how long the field section is on the wire, the empty line included. */
static size_t section_len(const struct urlp_request_head *head)
{
    size_t len = 2;

    if (head->ready != NULL) {
        return head->ready->bytes.len;
    }
    for (size_t i = 0; i < head->num_fields; i++) {
        len += head->fields[i].name.len + head->fields[i].value.len + 4;
    }
    return len;
}

static size_t line_len(const struct urlp_request_head *head)
{
    return head->method.len + 1 + head->target.len + sizeof(VERSION_TEXT) - 1;
}

/* check_fields looks at the lines, and at what those say that have a role. */
static enum urlpool_code check_fields(const struct urlp_request_head *head,
                                      const struct urlp_h1_bounds *bounds,
                                      struct urlpool_error *err)
{
    enum urlpool_code code = check_field_lines(head, bounds, err);
    struct cast cast;

    if (code != URLPOOL_OK) {
        return code;
    }
    find_cast(head, &cast);
    code = check_host(&cast, err);
    if (code == URLPOOL_OK) {
        code = check_framing(&cast, err);
    }
    if (code == URLPOOL_OK) {
        code = check_connection(&cast, err);
    }
    return code == URLPOOL_OK ? check_hops(&cast, err) : code;
}

enum urlpool_code urlp_h1_check_request(const struct urlp_request_head *head,
                                        const struct urlp_h1_bounds *bounds,
                                        struct urlpool_error *err)
{
    enum urlpool_code code = check_request_line(head, err);

    if (code == URLPOOL_OK && head->ready == NULL) {
        code = check_fields(head, bounds, err);
    }
    if (code == URLPOOL_OK) {
        code = check_trace(head, err);
    }
    if (code != URLPOOL_OK) {
        return code;
    }
    /* RFC 9110 section 2.3: we must be able to read elements as long as those we generate. */
    if (line_len(head) > bounds->sent_line_bytes_max) {
        return refuse_target(err, "request line longer than we would read", head->target);
    }
    if (line_len(head) + section_len(head) > bounds->sent_head_bytes_max) {
        return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_SEND,
                         "request head longer than %zu bytes", bounds->sent_head_bytes_max);
    }
    return URLPOOL_OK;
}

/* put copies `text` to `to` and returns the end of it. */
static uint8_t *put(uint8_t *to, struct urlp_span text)
{
    if (text.len > 0) {
        memcpy(to, text.data, text.len);
    }
    return to + text.len;
}

/* put_fields copies the field section of `head` to `to` and returns the end of it. */
static uint8_t *put_fields(uint8_t *to, const struct urlp_request_head *head)
{
    if (head->ready != NULL) {
        return put(to, head->ready->bytes);
    }
    for (size_t i = 0; i < head->num_fields; i++) {
        to = put(to, head->fields[i].name);
        to = put(to, urlp_span_of(": "));
        to = put(to, head->fields[i].value);
        to = put(to, urlp_span_of("\r\n"));
    }
    return put(to, urlp_span_of("\r\n"));
}

enum urlpool_code urlp_h1_append_request(const struct urlp_request_head *head, struct urlp_buf *out)
{
    size_t len = line_len(head) + section_len(head);
    enum urlpool_code code = urlp_buf_reserve(out, len);
    uint8_t *to;

    if (code != URLPOOL_OK) {
        return code;
    }
    to = out->data + out->len;
    to = put(to, head->method);
    to = put(to, urlp_span_of(" "));
    to = put(to, head->target);
    to = put(to, urlp_span_of(VERSION_TEXT));
    (void)put_fields(to, head);
    out->len += len;
    return URLPOOL_OK;
}

/* has_no_role says whether no line but Host's has a role. */
static bool has_no_role(const struct urlp_request_head *head)
{
    size_t num_hosts = 0;

    for (size_t i = 0; i < head->num_fields; i++) {
        const enum role role = role_of(head->fields[i].name);

        if (role != NUM_ROLES && role != ROLE_HOST) {
            return false;
        }
        num_hosts += role == ROLE_HOST ? 1 : 0;
    }
    return num_hosts == 1;
}

struct urlp_ready_fields *urlp_h1_ready_fields_new(const struct urlp_request_head *head)
{
    const size_t len = section_len(head);
    struct urlp_ready_fields *ready;
    struct urlp_field *fields;
    char *at;

    if (!head->is_checked || !has_no_role(head)) {
        return NULL;
    }
    ready = urlp_alloc(sizeof(*ready) + head->num_fields * sizeof(*fields) + len);
    if (ready == NULL) {
        return NULL;
    }
    fields = (struct urlp_field *)(ready + 1);
    at = (char *)(fields + head->num_fields);
    *ready = (struct urlp_ready_fields){fields, head->num_fields, urlp_span_make(at, len)};
    (void)put_fields((uint8_t *)at, head);
    for (size_t i = 0; i < head->num_fields; i++) {
        const struct urlp_field *from = &head->fields[i];

        fields[i].name = urlp_span_make(at, from->name.len);
        fields[i].value = urlp_span_make(at + from->name.len + 2, from->value.len);
        at += from->name.len + 2 + from->value.len + 2;
    }
    return ready;
}

/* check_trailer looks at one line. Values are not shown: they may be secret. */
static enum urlpool_code check_trailer(struct urlp_field field, const struct urlp_h1_bounds *bounds,
                                       struct urlpool_error *err)
{
    if (!urlp_field_name_is_valid(field.name)) {
        return refuse(err, "trailer name is not a token", field.name);
    }
    if (!urlp_field_may_trail(field.name)) {
        return refuse(err, "field that cannot be a trailer", field.name);
    }
    if (!urlp_field_value_is_valid(field.value)) {
        return refuse(err, "control character in the value of a trailer", field.name);
    }
    if (field.name.len + field.value.len + 4 > bounds->sent_line_bytes_max) {
        return refuse(err, "trailer longer than we would read", field.name);
    }
    return URLPOOL_OK;
}

enum urlpool_code urlp_h1_append_trailers(const struct urlpool_headers *trailers,
                                          const struct urlp_h1_bounds *bounds, struct urlp_buf *out,
                                          struct urlpool_error *err)
{
    const size_t num = urlpool_headers_count(trailers);
    size_t len = 0;
    uint8_t *to;

    for (size_t i = 0; i < num; i++) {
        const struct urlp_field field = urlp_headers_field(trailers, i);
        const enum urlpool_code code = check_trailer(field, bounds, err);

        if (code != URLPOOL_OK) {
            return code;
        }
        len += field.name.len + field.value.len + 4;
    }
    if (num > bounds->sent_fields_max || len > bounds->sent_trailer_bytes_max) {
        return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_SEND,
                         "%zu trailers of %zu bytes, and %zu of %zu bytes are the most", num, len,
                         bounds->sent_fields_max, bounds->sent_trailer_bytes_max);
    }
    len += sizeof("0\r\n\r\n") - 1;
    if (urlp_buf_reserve(out, len) != URLPOOL_OK) {
        return urlp_fail_nomem(err);
    }
    to = put(out->data + out->len, urlp_span_of("0\r\n"));
    for (size_t i = 0; i < num; i++) {
        const struct urlp_field field = urlp_headers_field(trailers, i);

        to = put(to, field.name);
        to = put(to, urlp_span_of(": "));
        to = put(to, field.value);
        to = put(to, urlp_span_of("\r\n"));
    }
    (void)put(to, urlp_span_of("\r\n"));
    out->len += len;
    return URLPOOL_OK;
}
