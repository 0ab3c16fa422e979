/* The lower floor: a caller who speaks for itself, step by step, as on http.client's
 * HTTPConnection.
 *
 * The order is enforced: putrequest, putheader, endheaders, send, getresponse, the whole response,
 * and only then the next request. Framing is never left open: what the caller does not say is added
 * at endheaders, and bytes that were not announced are refused. A failure to send or to read closes
 * the connection; the next request may open it again. */

#include "conn/floor.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/option.h"
#include "conn/body_reader.h"
#include "conn/turn.h"
#include "http/method.h"

/* floor_ended is told when a response needs the connection no more. */
static void floor_ended(void *user, struct urlpool_connection *connection,
                        const struct urlp_connection_verdict *verdict)
{
    (void)user;
    if (!verdict->is_reusable) {
        urlp_connection_shut(connection, verdict->is_polite);
    }
}

/* begin_total starts the clock of the whole request. */
static void begin_total(struct urlpool_connection *connection)
{
    struct urlp_floor *floor = connection->floor;

    floor->call = urlp_floor_call(connection, floor->timeout.total_ms);
    floor->call.total_by = floor->call.by;
}

/* put_automatic adds Host and Accept-Encoding, unless told not to. `authority` is that of a target
 * in absolute form, or empty. */
static enum urlpool_code put_automatic(struct urlpool_connection *connection, unsigned skip,
                                       struct urlp_buf *authority, struct urlpool_error *err)
{
    struct urlp_floor *floor = connection->floor;
    const struct urlp_origin *origin =
        floor->tunnel_host.text.len > 0 ? &floor->tunnel.target : &connection->origin;
    struct urlp_span value = urlp_span_of("identity");
    enum urlpool_code code = URLPOOL_OK;

    if ((skip & URLPOOL_SKIP_HOST) == 0) {
        if (authority->len == 0 &&
            urlp_origin_append_authority(origin, false, authority) != URLPOOL_OK) {
            return urlp_fail_nomem(err);
        }
        value = urlp_span_make(authority->data, authority->len);
        code = urlp_floor_head_add(floor, urlp_span_of("Host"), &value, 1, err);
    }
    if (code == URLPOOL_OK && (skip & URLPOOL_SKIP_ACCEPT_ENCODING) == 0) {
        value = urlp_span_of("identity");
        code = urlp_floor_head_add(floor, urlp_span_of("Accept-Encoding"), &value, 1, err);
    }
    return code;
}

enum urlpool_code urlpool_connection_putrequest(struct urlpool_connection *connection,
                                                const char *method, const char *target,
                                                unsigned skip, struct urlpool_error *err)
{
    struct urlp_span target_span = urlp_span_of(target == NULL || target[0] == '\0' ? "/" : target);
    struct urlp_buf authority = {0};
    enum urlpool_code code;

    if (connection == NULL || method == NULL) {
        return urlp_fail_null(err);
    }
    if (connection->floor->state != URLP_FLOOR_IDLE || connection->response != NULL) {
        return urlp_fail(err, URLPOOL_E_CANNOT_SEND_REQUEST, URLPOOL_PHASE_NONE, "%s",
                         connection->floor->state == URLP_FLOOR_REQUEST_STARTED
                             ? "the last request is not sent yet"
                             : "you must have read the whole response before you can send a new "
                               "request");
    }
    begin_total(connection);
    code = urlp_floor_check_target(urlp_span_of(method), target_span, &authority, err);
    if (code == URLPOOL_OK) {
        code = urlp_floor_head_begin(connection->floor, urlp_span_of(method), target_span, err);
    }
    if (code == URLPOOL_OK) {
        code = put_automatic(connection, skip, &authority, err);
    }
    if (code == URLPOOL_OK) {
        connection->floor->state = URLP_FLOOR_REQUEST_STARTED;
    }
    urlp_buf_deinit(&authority);
    return code;
}

/* The most values that one putheader takes. */
#define VALUES_MAX 64

enum urlpool_code urlpool_connection_putheader(struct urlpool_connection *connection,
                                               const char *name, const char *const *values,
                                               size_t num_values, struct urlpool_error *err)
{
    struct urlp_span spans[VALUES_MAX];
    size_t i;

    if (connection == NULL || name == NULL || (values == NULL && num_values > 0)) {
        return urlp_fail_null(err);
    }
    if (connection->floor->state != URLP_FLOOR_REQUEST_STARTED) {
        return urlp_fail(err, URLPOOL_E_CANNOT_SEND_HEADER, URLPOOL_PHASE_NONE,
                         "no request has been started");
    }
    if (num_values > VALUES_MAX) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "%zu values, and %d are the most", num_values, VALUES_MAX);
    }
    for (i = 0; i < num_values; i++) {
        if (values[i] == NULL) {
            return urlp_fail_null(err);
        }
        spans[i] = urlp_span_of(values[i]);
    }
    return urlp_floor_head_add(connection->floor, urlp_span_of(name), spans, num_values, err);
}

/* put_length adds Content-Length. */
static enum urlpool_code put_length(struct urlp_floor *floor, int64_t len,
                                    struct urlpool_error *err)
{
    struct urlp_buf text = {0};
    struct urlp_span value;
    enum urlpool_code code = urlp_buf_append_number(&text, (uint64_t)len);

    if (code != URLPOOL_OK) {
        return urlp_fail_nomem(err);
    }
    value = urlp_span_make(text.data, text.len);
    code = urlp_floor_head_add(floor, urlp_span_of("Content-Length"), &value, 1, err);
    urlp_buf_deinit(&text);
    return code;
}

/* put_framing says how the body is framed, unless the caller has said so: by its length when that
 * is known, else chunked; 0 for a method that usually has a body and now has none. */
static enum urlpool_code put_framing(struct urlp_floor *floor, const struct urlp_body_plan *plan,
                                     struct urlpool_error *err)
{
    struct urlp_span method = urlp_span_make(floor->text.data, floor->method_len);
    struct urlp_span chunked = urlp_span_of("chunked");

    if (urlp_floor_head_has(floor, "Content-Length") ||
        urlp_floor_head_has(floor, "Transfer-Encoding")) {
        return URLPOOL_OK;
    }
    if (plan->len < 0) {
        return urlp_floor_head_add(floor, urlp_span_of("Transfer-Encoding"), &chunked, 1, err);
    }
    if (plan->has_body || urlp_method_expects_body(method)) {
        return put_length(floor, plan->len, err);
    }
    return URLPOOL_OK;
}

/* put_trailer announces the fields behind the body. */
static enum urlpool_code put_trailer(struct urlp_floor *floor,
                                     const struct urlpool_headers *trailers,
                                     struct urlpool_error *err)
{
    struct urlp_buf names = {0};
    struct urlp_span value;
    enum urlpool_code code = URLPOOL_OK;

    if (urlp_headers_append_names(trailers, &names) != URLPOOL_OK) {
        return urlp_fail_nomem(err);
    }
    value = urlp_span_make(names.data, names.len);
    if (value.len > 0) {
        code = urlp_floor_head_add(floor, urlp_span_of("Trailer"), &value, 1, err);
    }
    urlp_buf_deinit(&names);
    return code;
}

/* put_content says what the body tells of itself, unless the caller has. */
static enum urlpool_code put_content(struct urlp_floor *floor, const struct urlp_body_plan *plan,
                                     struct urlpool_error *err)
{
    struct urlp_span type = urlp_span_of(plan->content_type);
    struct urlp_span expectation = urlp_span_of("100-continue");
    enum urlpool_code code = URLPOOL_OK;

    if (plan->content_type != NULL && !urlp_floor_head_has(floor, "Content-Type")) {
        code = urlp_floor_head_add(floor, urlp_span_of("Content-Type"), &type, 1, err);
    }
    if (code == URLPOOL_OK && plan->trailers != NULL && !urlp_floor_head_has(floor, "Trailer")) {
        code = put_trailer(floor, plan->trailers, err);
    }
    if (code == URLPOOL_OK && plan->expect_ms >= 0 && !urlp_floor_head_has(floor, "Expect")) {
        code = urlp_floor_head_add(floor, urlp_span_of("Expect"), &expectation, 1, err);
    }
    return code;
}

/* refresh closes an idle connection whose peer has closed it, or has sent what nobody asked for:
 * such bytes must never be taken for an answer. One of a parent process is closed, too. */
static void refresh(struct urlpool_connection *connection)
{
    bool is_closed = false;

    if (connection->stream != NULL &&
        (connection->num_requests > 0 || urlp_connection_is_foreign(connection)) &&
        !urlp_connection_look(connection, &is_closed)) {
        urlp_connection_shut(connection, true);
    }
}

/* end_failed closes the connection after a turn that cannot be gone on with. */
static void end_failed(struct urlpool_connection *connection, struct urlpool_error *err)
{
    urlp_turn_failed(connection, err);
    urlp_floor_close(connection, false);
}

/* mark_sent tells the codec that the request is whole, when it is. */
static void mark_sent(struct urlpool_connection *connection) URLP_MAY_BLOCK
{
    connection->floor->is_sent_whole = true;
    if (!urlp_turn_is_over(connection)) {
        urlp_turn_sent(connection);
    }
}

/* send_head sends the head, and the body when there is one. */
static enum urlpool_code send_head(struct urlpool_connection *connection,
                                   struct urlp_body_plan *plan,
                                   struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_floor *floor = connection->floor;
    enum urlpool_code code = plan->has_body ? urlp_turn_put_body(connection, plan, err)
                                            : urlp_turn_put(connection, NULL, 0, err);

    if (code != URLPOOL_OK) {
        end_failed(connection, err);
        return code;
    }
    floor->state = URLP_FLOOR_REQUEST_SENT;
    floor->send_left = plan->has_body ? 0 : connection->turn.body_len;
    floor->is_sent_whole = false;
    if (floor->send_left == 0) {
        mark_sent(connection);
    }
    return URLPOOL_OK;
}

/* begin_turn opens the connection, where it must be, and writes the head. */
static enum urlpool_code begin_turn(struct urlpool_connection *connection,
                                    struct urlp_body_plan *plan,
                                    struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_floor *floor = connection->floor;
    struct urlp_request_head head;
    const struct urlp_exchange exchange = {.head = &head,
                                           .body = plan,
                                           .read_ms = floor->timeout.read_ms,
                                           .write_ms = floor->timeout.write_ms,
                                           .data_bytes_max = floor->data_bytes_max,
                                           .keep_encoded = floor->keep_encoded};
    enum urlpool_code code = put_framing(floor, plan, err);

    if (code == URLPOOL_OK) {
        code = put_content(floor, plan, err);
    }
    urlp_marks_begin(&floor->marks, urlp_now_ns());
    floor->call.marks = &floor->marks;
    if (code == URLPOOL_OK) {
        code = urlp_floor_open(connection, &floor->call, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_floor_head_finish(floor, &head, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_turn_begin(connection, &exchange, &floor->call, err);
    }
    return code;
}

enum urlpool_code urlpool_connection_endheaders(struct urlpool_connection *connection,
                                                const struct urlpool_body *body,
                                                struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_floor *floor = NULL;
    struct urlp_body_plan plan = {0};
    enum urlpool_code code;

    if (connection == NULL) {
        return urlp_fail_null(err);
    }
    floor = connection->floor;
    if (floor->state != URLP_FLOOR_REQUEST_STARTED) {
        return urlp_fail(err, URLPOOL_E_CANNOT_SEND_HEADER, URLPOOL_PHASE_NONE,
                         "no request has been started");
    }
    refresh(connection);
    if (connection->stream == NULL && (floor->no_auto_open || floor->opener == NULL)) {
        return urlp_fail(err, URLPOOL_E_NOT_CONNECTED, URLPOOL_PHASE_CONNECT, "not connected");
    }
    code = urlp_body_plan_make(&plan, body, err);
    if (code == URLPOOL_OK) {
        code = begin_turn(connection, &plan, err);
    }
    if (code != URLPOOL_OK) {
        floor->state = URLP_FLOOR_IDLE;
    } else {
        code = send_head(connection, &plan, err);
    }
    urlp_body_plan_deinit(&plan);
    return code;
}

/* put_part sends `len` bytes of the body as the head has announced it. */
static enum urlpool_code put_part(struct urlpool_connection *connection, const void *data,
                                  size_t len, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_floor *floor = connection->floor;
    char prefix[URLP_H1_CHUNK_PREFIX_MAX];
    struct urlp_iovec runs[3] = {
        {prefix, 0  },
        {data,   len},
        {"\r\n", 2  }
    };
    struct urlp_iovec last = {urlp_h1_last_chunk, sizeof(urlp_h1_last_chunk)};

    if (floor->send_left >= 0) {
        floor->send_left -= (int64_t)len;
        return urlp_turn_put(connection, &runs[1], 1, err);
    }
    if (len == 0) {
        floor->send_left = 0;
        return urlp_turn_put(connection, &last, 1, err);
    }
    runs[0].len = urlp_h1_chunk_prefix(prefix, len);
    return urlp_turn_put(connection, runs, 3, err);
}

/* check_part refuses bytes that were not announced. */
static enum urlpool_code check_part(struct urlpool_connection *connection, size_t len,
                                    struct urlpool_error *err)
{
    const struct urlp_floor *floor = connection->floor;

    if (floor->state != URLP_FLOOR_REQUEST_SENT) {
        return urlp_fail(err,
                         connection->stream == NULL && floor->state == URLP_FLOOR_IDLE
                             ? URLPOOL_E_NOT_CONNECTED
                             : URLPOOL_E_CANNOT_SEND_REQUEST,
                         URLPOOL_PHASE_SEND, "no head has been sent that these bytes belong to");
    }
    if (floor->is_sent_whole ? len > 0
                             : floor->send_left >= 0 && len > (uint64_t)floor->send_left) {
        enum urlpool_code code =
            urlp_fail(err, URLPOOL_E_BODY, URLPOOL_PHASE_SEND,
                      "%zu bytes of request body, and %lld of those announced are left", len,
                      (long long)floor->send_left);

        end_failed(connection, err);
        return code;
    }
    return URLPOOL_OK;
}

enum urlpool_code urlpool_connection_send(struct urlpool_connection *connection, const void *data,
                                          size_t len, struct urlpool_error *err) URLP_MAY_BLOCK
{
    enum urlpool_code code;

    if (connection == NULL || (data == NULL && len > 0)) {
        return urlp_fail_null(err);
    }
    code = check_part(connection, len, err);
    if (code != URLPOOL_OK || connection->floor->is_sent_whole ||
        (len == 0 && connection->floor->send_left > 0)) {
        return code;
    }
    code = put_part(connection, data, len, err);
    if (code != URLPOOL_OK) {
        end_failed(connection, err);
        return code;
    }
    if (connection->floor->send_left == 0) {
        mark_sent(connection);
    }
    return URLPOOL_OK;
}

/* skip_for says which automatic fields the caller's make superfluous. */
static unsigned skip_for(const struct urlpool_headers *headers)
{
    unsigned skip = 0;

    if (headers != NULL && urlpool_headers_contains(headers, "Host")) {
        skip |= URLPOOL_SKIP_HOST;
    }
    if (headers != NULL && urlpool_headers_contains(headers, "Accept-Encoding")) {
        skip |= URLPOOL_SKIP_ACCEPT_ENCODING;
    }
    return skip;
}

enum urlpool_code urlpool_connection_request(struct urlpool_connection *connection,
                                             const char *method, const char *target,
                                             const struct urlpool_body *body,
                                             const struct urlpool_headers *headers,
                                             struct urlpool_error *err) URLP_MAY_BLOCK
{
    size_t num_headers = headers == NULL ? 0 : urlpool_headers_count(headers);
    enum urlpool_code code;
    size_t i;

    code = urlpool_connection_putrequest(connection, method, target, skip_for(headers), err);
    if (code != URLPOOL_OK) {
        return code;
    }
    for (i = 0; i < num_headers && code == URLPOOL_OK; i++) {
        struct urlp_field field = urlp_headers_field(headers, i);

        code = urlp_floor_head_add(connection->floor, field.name, &field.value, 1, err);
    }
    if (code == URLPOOL_OK) {
        code = urlpool_connection_endheaders(connection, body, err);
    }
    if (code != URLPOOL_OK) {
        connection->floor->state = URLP_FLOOR_IDLE;
    }
    return code;
}

struct urlpool_response *urlpool_connection_getresponse(struct urlpool_connection *connection,
                                                        struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_response_owner owner = {.ended = floor_ended};
    struct urlp_answer *answer = NULL;

    if (connection == NULL) {
        (void)urlp_fail_null(err);
        return NULL;
    }
    if (connection->floor->state != URLP_FLOOR_REQUEST_SENT) {
        (void)urlp_fail(err, URLPOOL_E_RESPONSE_NOT_READY, URLPOOL_PHASE_NONE, "%s",
                        connection->response != NULL ? "the last response is not read whole"
                                                     : "no request has been sent");
        return NULL;
    }
    if (urlp_turn_hear(connection, err) == URLPOOL_OK) {
        answer = urlp_answer_new(connection, err);
    }
    if (answer == NULL) {
        end_failed(connection, err);
        return NULL;
    }
    connection->floor->state = URLP_FLOOR_IDLE;
    urlp_response_set_owner(&answer->pub, &owner);
    return &answer->pub;
}
