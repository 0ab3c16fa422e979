/* The calls that can stand still, other than a request. */

#include "support/halt_acts.h"

#include <check.h>

#include "support/requests.h"

enum {
    READ_BYTES = 16
};

enum urlpool_code halt_acquire(struct halt *halt, struct urlpool_error *err)
{
    struct urlpool_pool *pool = urlpool_manager_pool_for_url(halt->manager, halt->url, err);
    struct urlpool_connection *connection;

    ck_assert_ptr_nonnull(pool);
    connection = urlpool_pool_acquire(pool, NULL, halt->options.cancel, err);
    urlpool_pool_unref(pool);
    return connection == NULL ? err->code : URLPOOL_OK;
}

/* begin_to_read has the head of a streamed response, and says that its reading begins. */
static enum urlpool_code begin_to_read(struct halt *halt, struct urlpool_error *err)
{
    halt->options.stream = true;
    halt->response = urlpool_request(halt->manager, halt->method, halt->url, &halt->options, err);
    if (halt->response == NULL) {
        return err->code;
    }
    (void)sem_post(&halt->reached);
    return URLPOOL_OK;
}

enum urlpool_code halt_read(struct halt *halt, struct urlpool_error *err)
{
    enum urlpool_code code = begin_to_read(halt, err);
    char buf[READ_BYTES];
    size_t len = 1;

    while (code == URLPOOL_OK && len > 0) {
        code = urlpool_response_read(halt->response, buf, sizeof(buf), &len, err);
    }
    return code;
}

enum urlpool_code halt_read_exact(struct halt *halt, struct urlpool_error *err)
{
    char buf[READ_BYTES];
    size_t len;
    enum urlpool_code code = begin_to_read(halt, err);

    return code != URLPOOL_OK
               ? code
               : urlpool_response_read_exact(halt->response, buf, sizeof(buf), &len, err);
}

enum urlpool_code halt_read_line(struct halt *halt, struct urlpool_error *err)
{
    char buf[READ_BYTES];
    size_t len;
    bool at_end;
    enum urlpool_code code = begin_to_read(halt, err);

    return code != URLPOOL_OK
               ? code
               : urlpool_response_read_line(halt->response, buf, sizeof(buf), &len, &at_end, err);
}

enum urlpool_code halt_read_chunk(struct halt *halt, struct urlpool_error *err)
{
    enum urlpool_code code = begin_to_read(halt, err);
    char buf[READ_BYTES];
    size_t len = 1;
    bool ends;

    while (code == URLPOOL_OK && len > 0) {
        code = urlpool_response_read_chunk(halt->response, buf, sizeof(buf), &len, &ends, err);
    }
    return code;
}

enum urlpool_code halt_read_all(struct halt *halt, struct urlpool_error *err)
{
    enum urlpool_code code = begin_to_read(halt, err);

    return code != URLPOOL_OK ? code : urlpool_response_read_all(halt->response, err);
}

static enum urlpool_code take(void *user, const void *data, size_t len, struct urlpool_error *err)
{
    (void)user;
    (void)data;
    (void)len;
    (void)err;
    return URLPOOL_OK;
}

enum urlpool_code halt_stream(struct halt *halt, struct urlpool_error *err)
{
    enum urlpool_code code = begin_to_read(halt, err);

    return code != URLPOOL_OK ? code : urlpool_response_stream(halt->response, take, NULL, err);
}

enum urlpool_code halt_events(struct halt *halt, struct urlpool_error *err)
{
    enum urlpool_code code = begin_to_read(halt, err);
    struct urlpool_sse_event event;
    struct urlpool_sse *sse = NULL;
    bool at_end = false;

    if (code != URLPOOL_OK) {
        return code;
    }
    sse = urlpool_sse_new(halt->response, 0, err);
    ck_assert_ptr_nonnull(sse);
    while (code == URLPOOL_OK && !at_end) {
        code = urlpool_sse_next(sse, &event, &at_end, err);
    }
    urlpool_sse_free(sse);
    return code;
}

/* --- a connection that speaks another protocol --- */

/* begin_raw asks for another protocol and takes the stream. */
static enum urlpool_code begin_raw(struct halt *halt, struct urlpool_error *err)
{
    struct urlpool_headers *headers = urlpool_headers_new(err);
    enum urlpool_code code;

    ck_assert_ptr_nonnull(headers);
    ck_assert_int_eq(urlpool_headers_add(headers, "Connection", "Upgrade", err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(headers, "Upgrade", "other", err), URLPOOL_OK);
    halt->options.headers = headers;
    code = begin_to_read(halt, err);
    urlpool_headers_free(headers);
    if (code == URLPOOL_OK) {
        halt->raw = urlpool_response_upgrade(halt->response, err);
        ck_assert_ptr_nonnull(halt->raw);
    }
    return code;
}

enum urlpool_code halt_raw_read(struct halt *halt, struct urlpool_error *err)
{
    enum urlpool_code code = begin_raw(halt, err);
    char buf[READ_BYTES];
    size_t len;

    return code != URLPOOL_OK ? code
                              : urlpool_raw_stream_read(halt->raw, buf, sizeof(buf), &len, err);
}

enum urlpool_code halt_raw_write(struct halt *halt, struct urlpool_error *err)
{
    enum urlpool_code code = begin_raw(halt, err);
    static const char bytes[65536];

    while (code == URLPOOL_OK) {
        code = urlpool_raw_stream_write(halt->raw, bytes, sizeof(bytes), err);
    }
    return code;
}

/* --- the lower floor --- */

/* make_connection makes one to the host of the scene's URL. */
static void make_connection(struct halt *halt)
{
    struct urlpool_connection_options options = {
        .timeout = halt->made_with.timeout,
        .trace = halt->options.trace,
        .cancel = halt->options.cancel,
    };
    int port =
        halt->peer != NULL ? silent_peer_port(halt->peer) : loopback_port(halt->hole.listener);

    halt->connection = urlpool_connection_new("127.0.0.1", port, &options, &test_err);
    ck_assert_ptr_nonnull(halt->connection);
}

enum urlpool_code halt_connection_connect(struct halt *halt, struct urlpool_error *err)
{
    make_connection(halt);
    (void)sem_post(&halt->reached);
    return urlpool_connection_connect(halt->connection, err);
}

enum urlpool_code halt_getresponse(struct halt *halt, struct urlpool_error *err)
{
    enum urlpool_code code;

    make_connection(halt);
    code = urlpool_connection_request(halt->connection, "GET", "/", NULL, NULL, err);
    if (code == URLPOOL_OK) {
        halt->response = urlpool_connection_getresponse(halt->connection, err);
        code = halt->response == NULL ? err->code : URLPOOL_OK;
    }
    return code;
}
