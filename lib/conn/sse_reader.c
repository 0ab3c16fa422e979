/* Server-sent events out of a streamed response.
 *
 * The end of a stream is good only where it was announced and between two events: a connection that
 * merely closes says nothing, so that is an error too. The caller asks again, with the last id. */

#include "urlpool/sse.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/option.h"
#include "conn/body_reader.h"
#include "http/sse.h"

#define EVENT_BYTES_MAX ((int64_t)16 * 1024 * 1024)

struct urlpool_sse {
    struct urlp_answer *answer;
    struct urlp_sse parser;
};

/* is_event_stream says whether Content-Type is text/event-stream, whatever its parameters. */
static bool is_event_stream(const struct urlpool_response *response)
{
    struct urlp_span type = {0};
    const char *value = urlpool_response_header(response, "Content-Type");
    size_t len = 0;

    if (value == NULL) {
        return false;
    }
    while (value[len] != '\0' && value[len] != ';') {
        len++;
    }
    type = urlp_span_trim(urlp_span_make(value, len));
    return urlp_span_is_nocase(type, "text/event-stream");
}

static enum urlpool_code check_stream(const struct urlpool_response *response,
                                      struct urlpool_error *err)
{
    if (response == NULL) {
        return urlp_fail_null(err);
    }
    if (response->data != NULL) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "the body is not streamed");
    }
    if (response->status != 200 || !is_event_stream(response)) {
        (void)urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                        "the answer is no event stream: status %d", response->status);
        if (err != NULL) {
            err->http_status = response->status;
        }
        return URLPOOL_E_INVALID;
    }
    return URLPOOL_OK;
}

struct urlpool_sse *urlpool_sse_new(struct urlpool_response *response, int64_t event_bytes_max,
                                    struct urlpool_error *err)
{
    int64_t most = 0;
    struct urlpool_sse *sse = NULL;

    if (check_stream(response, err) != URLPOOL_OK ||
        urlp_option_resolve("event_bytes_max", event_bytes_max, EVENT_BYTES_MAX, &most, err) !=
            URLPOOL_OK) {
        return NULL;
    }
    sse = urlp_zalloc(sizeof(*sse));
    if (sse == NULL) {
        (void)urlp_fail_nomem(err);
        return NULL;
    }
    sse->answer = (struct urlp_answer *)(void *)response;
    sse->parser.bytes_max = most;
    return sse;
}

/* meet_end is the end of the body, which may yet be too early for the events. */
static enum urlpool_code meet_end(struct urlpool_sse *sse, bool *out_at_end,
                                  struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_error why;
    const char *complaint = NULL;

    if (!urlp_sse_is_between(&sse->parser)) {
        complaint = "the event stream ended in the middle of an event";
    } else if (sse->answer->body_kind == URLP_H1_BODY_UNTIL_CLOSE) {
        complaint = "the event stream ended with its connection";
    }
    if (complaint != NULL) {
        (void)urlp_fail(&why, URLPOOL_E_INCOMPLETE_READ, URLPOOL_PHASE_BODY, "%s", complaint);
        return urlp_body_fail(sse->answer, &why, err);
    }
    *out_at_end = true;
    return URLPOOL_OK;
}

/* show makes the parser's event the caller's. */
static void show(const struct urlpool_sse *sse, struct urlpool_sse_event *out)
{
    *out = (struct urlpool_sse_event){
        .event = (const char *)sse->parser.event.data,
        .data = (const char *)sse->parser.data.data,
        .data_len = sse->parser.data.len,
        .id = urlpool_sse_last_event_id(sse),
        .retry_ms = urlpool_sse_retry_ms(sse),
    };
}

enum urlpool_code urlpool_sse_next(struct urlpool_sse *sse, struct urlpool_sse_event *out,
                                   bool *out_at_end, struct urlpool_error *err) URLP_MAY_BLOCK
{
    bool has_event = false;

    if (sse == NULL || out == NULL || out_at_end == NULL) {
        return urlp_fail_null(err);
    }
    while (!has_event) {
        struct urlpool_error why;
        const uint8_t *data = NULL;
        size_t len = 0;
        size_t used = 0;
        enum urlpool_code code = urlp_body_peek(sse->answer, &data, &len, err);

        if (code != URLPOOL_OK) {
            return code;
        }
        if (len == 0) {
            return meet_end(sse, out_at_end, err);
        }
        if (urlp_sse_next(&sse->parser, data, len, &used, &has_event, &why) != URLPOOL_OK) {
            return urlp_body_fail(sse->answer, &why, err);
        }
        urlp_body_skip(sse->answer, used);
    }
    show(sse, out);
    *out_at_end = false;
    return URLPOOL_OK;
}

const char *urlpool_sse_last_event_id(const struct urlpool_sse *sse)
{
    return sse == NULL || sse->parser.last_id.data == NULL ? ""
                                                           : (const char *)sse->parser.last_id.data;
}

int64_t urlpool_sse_retry_ms(const struct urlpool_sse *sse)
{
    return sse == NULL || !sse->parser.has_retry ? -1 : sse->parser.retry_ms;
}

void urlpool_sse_free(struct urlpool_sse *sse)
{
    if (sse != NULL) {
        urlp_sse_deinit(&sse->parser);
        urlp_free(sse);
    }
}
