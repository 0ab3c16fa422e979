/* CONNECT: a tunnel through a proxy, made with a connection object of its own that lives for this
 * one exchange. Bytes that came behind the answer belong to the tunnel. */

#include "conn/tunnel.h"

#include "base/alloc.h"
#include "base/error.h"
#include "conn/turn.h"
#include "net/tcp.h"

/* collect_fields puts Host first, then the caller's lines but for a Host of its own: it would have
 * to say the same (RFC 9110 section 7.2). */
static enum urlpool_code collect_fields(const struct urlp_tunnel *tunnel,
                                        const struct urlp_buf *authority, struct urlp_buf *out)
{
    size_t num_headers = tunnel->headers == NULL ? 0 : urlpool_headers_count(tunnel->headers);
    struct urlp_field field = {urlp_span_of("Host"),
                               urlp_span_make(authority->data, authority->len)};
    enum urlpool_code code = urlp_buf_append(out, &field, sizeof(field));
    size_t i;

    for (i = 0; i < num_headers && code == URLPOOL_OK; i++) {
        field = urlp_headers_field(tunnel->headers, i);
        if (!urlp_span_is_nocase(field.name, "Host")) {
            code = urlp_buf_append(out, &field, sizeof(field));
        }
    }
    if (code == URLPOOL_OK && tunnel->authorization.len > 0) {
        field = (struct urlp_field){urlp_span_of("Proxy-Authorization"), tunnel->authorization};
        code = urlp_buf_append(out, &field, sizeof(field));
    }
    return code;
}

/* ask sends CONNECT and hears the answer's head. */
static enum urlpool_code ask(struct urlpool_connection *connection,
                             const struct urlp_tunnel *tunnel, const struct urlp_buf *authority,
                             const struct urlp_call *call, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_buf fields = {0};
    struct urlp_request_head head = {.method = urlp_span_of("CONNECT")};
    struct urlp_exchange exchange = {
        .head = &head, .read_ms = -1, .write_ms = -1, .data_bytes_max = -1};
    struct urlp_call unmarked = *call; /* the steps of this request are one step of the caller's */
    enum urlpool_code code = URLPOOL_OK;

    unmarked.marks = NULL;
    if (collect_fields(tunnel, authority, &fields) != URLPOOL_OK) {
        code = urlp_fail_nomem(err);
        goto done;
    }
    head.target = urlp_span_make(authority->data, authority->len);
    head.fields = (const struct urlp_field *)(const void *)fields.data;
    head.num_fields = fields.len / sizeof(struct urlp_field);
    code = urlp_turn_begin(connection, &exchange, &unmarked, err);
    if (code == URLPOOL_OK) {
        code = urlp_turn_put(connection, NULL, 0, err);
    }
    if (code == URLPOOL_OK && !urlp_turn_is_over(connection)) {
        urlp_turn_sent(connection);
    }
    if (code == URLPOOL_OK) {
        code = urlp_turn_hear(connection, err);
    }
done:
    urlp_buf_deinit(&fields);
    return code;
}

/* rename_failure says in the proxy's terms what went wrong on the way to its answer. */
static void rename_failure(const struct urlp_buf *authority, const struct urlpool_error *why,
                           struct urlpool_error *err)
{
    enum urlpool_code code = why->code;

    if (code == URLPOOL_E_READ_TIMEOUT || code == URLPOOL_E_WRITE_TIMEOUT) {
        code = URLPOOL_E_CONNECT_TIMEOUT;
    } else if (code != URLPOOL_E_TOTAL_TIMEOUT && code != URLPOOL_E_CANCELLED &&
               code != URLPOOL_E_NOMEM && code != URLPOOL_E_HEADER) {
        code = URLPOOL_E_PROXY;
    }
    urlp_fail(err, code, URLPOOL_PHASE_PROXY, "tunnel to %.*s: %s", (int)authority->len,
              (const char *)authority->data, why->message);
    if (err != NULL) {
        err->cause = code == why->code ? URLPOOL_OK : why->code;
        err->os_errno = why->os_errno;
    }
}

/* refuse reports an answer other than 2xx. What a 407 asks for is said with it. */
static void refuse(const struct urlp_buf *authority, const struct urlp_response_head *head,
                   struct urlpool_error *err)
{
    size_t index = 0;
    const struct urlp_field *challenge =
        head->status == 407
            ? urlp_fields_find(head->fields, head->num_fields, "Proxy-Authenticate", &index)
            : NULL;
    struct urlp_span asked = challenge != NULL ? challenge->value : urlp_span_make(NULL, 0);

    urlp_fail(err, URLPOOL_E_PROXY, URLPOOL_PHASE_PROXY, "tunnel to %.*s refused: %d%s%s%s%s",
              (int)authority->len, (const char *)authority->data, head->status,
              head->reason.len > 0 ? " " : "", urlp_quote(head->reason.data, head->reason.len).text,
              asked.len > 0 ? "; asked for is " : "", urlp_quote(asked.data, asked.len).text);
    if (err != NULL) {
        err->http_status = head->status;
    }
}

/* take_stream takes the stream out of `connection`, in front of it the bytes that came already. */
static struct urlp_stream *take_stream(struct urlpool_connection *connection,
                                       struct urlpool_error *err)
{
    struct urlp_inbox *in = &connection->in;
    struct urlp_stream *stream = connection->stream;

    if (urlp_inbox_len(in) == 0) {
        return stream;
    }
    return urlp_prefix_wrap(stream, in->data + in->at, urlp_inbox_len(in), err);
}

/* keep_answer leaves the fields of `head` with who asked for them. */
static enum urlpool_code keep_answer(const struct urlp_response_head *head,
                                     struct urlpool_headers **out_answer, struct urlpool_error *err)
{
    struct urlpool_headers *fields = urlp_headers_from_fields(head->fields, head->num_fields, NULL);

    if (fields == NULL) {
        return urlp_fail_nomem(err);
    }
    urlpool_headers_free(*out_answer);
    *out_answer = fields;
    return URLPOOL_OK;
}

/* talk holds the exchange over `connection`. */
static struct urlp_stream *talk(struct urlpool_connection *connection,
                                const struct urlp_tunnel *tunnel, const struct urlp_call *call,
                                struct urlpool_headers **out_answer,
                                struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_buf authority = {0};
    struct urlp_stream *stream = NULL;
    struct urlpool_error why;
    const struct urlp_h1_event *answer = &connection->turn.answer;

    if (urlp_origin_append_authority(&tunnel->target, true, &authority) != URLPOOL_OK) {
        urlp_fail_nomem(err);
        goto done;
    }
    if (ask(connection, tunnel, &authority, call, &why) != URLPOOL_OK) {
        rename_failure(&authority, &why, err);
        goto done;
    }
    urlp_call_trace(call, URLPOOL_TRACE_TUNNELLED, (const char *)authority.data, authority.len,
                    answer->head->status);
    if (keep_answer(answer->head, out_answer, err) != URLPOOL_OK) {
        goto done;
    }
    if (answer->type != URLP_H1_SWITCHED) {
        refuse(&authority, answer->head, err);
        goto done;
    }
    stream = take_stream(connection, err);
done:
    urlp_buf_deinit(&authority);
    return stream;
}

struct urlp_stream *urlp_tunnel_wrap(struct urlp_stream *inner, const struct urlp_tunnel *tunnel,
                                     const struct urlpool_limits *limits,
                                     const struct urlp_call *call,
                                     struct urlpool_headers **out_answer, struct urlpool_error *err)
{
    struct urlpool_connection *connection = urlp_connection_create(&tunnel->target, limits, err);
    struct urlp_stream *stream = NULL;

    if (connection == NULL) {
        return NULL;
    }
    if (urlp_connection_attach(connection, inner, err) == URLPOOL_OK) {
        stream = talk(connection, tunnel, call, out_answer, err);
    }
    connection->stream = NULL; /* the caller's, or the new stream's */
    urlp_connection_end(connection, false);
    return stream;
}
