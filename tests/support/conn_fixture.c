/* A connection over a scripted stream, for the tests of lib/conn. */

#include "support/conn_fixture.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "conn/wire.h"

enum {
    FIELDS_MAX = 32
};

static const char *const kinds[] = {
    [URLPOOL_TRACE_LEASED] = "LEASED",        [URLPOOL_TRACE_RESOLVED] = "RESOLVED",
    [URLPOOL_TRACE_CONNECTED] = "CONNECTED",  [URLPOOL_TRACE_TUNNELLED] = "TUNNELLED",
    [URLPOOL_TRACE_SECURED] = "SECURED",      [URLPOOL_TRACE_REQUEST_HEAD] = "REQUEST",
    [URLPOOL_TRACE_REQUEST_SENT] = "SENT",    [URLPOOL_TRACE_FIRST_BYTE] = "FIRST",
    [URLPOOL_TRACE_INTERIM_HEAD] = "INTERIM", [URLPOOL_TRACE_RESPONSE_HEAD] = "RESPONSE",
    [URLPOOL_TRACE_BODY_END] = "END",         [URLPOOL_TRACE_RETRY] = "RETRY",
    [URLPOOL_TRACE_REDIRECT] = "REDIRECT",    [URLPOOL_TRACE_CLOSED] = "CLOSED",
};

static void record(void *user, const struct urlpool_trace_event *event)
{
    struct fixture *fixture = user;
    size_t len = strlen(fixture->traced);

    (void)snprintf(fixture->traced + len, sizeof(fixture->traced) - len, "%s %lld%s%.*s\n",
                   kinds[event->kind], (long long)event->number, event->text_len > 0 ? " " : "",
                   (int)event->text_len, event->text == NULL ? "" : event->text);
}

static void ended(void *user, struct urlpool_connection *connection,
                  const struct urlp_connection_verdict *verdict)
{
    struct fixture *fixture = user;

    ck_assert_ptr_eq(connection, fixture->connection);
    fixture->num_ended++;
    fixture->verdict = *verdict;
}

void fixture_begin(struct fixture *fixture)
{
    *fixture = (struct fixture){.script = script_new(),
                                .method = "GET",
                                .target = "/",
                                .fields = "",
                                .read_ms = -1,
                                .write_ms = -1,
                                .data_bytes_max = -1};
    fixture->trace = (struct urlpool_trace){.event = record, .user = fixture};
    fixture->call =
        (struct urlp_call){.by = URLP_NEVER, .total_by = URLP_NEVER, .trace = &fixture->trace};
}

void fixture_end(struct fixture *fixture)
{
    urlp_connection_end(fixture->connection, true);
    urlp_body_plan_deinit(&fixture->plan);
    script_free(fixture->script);
}

void fixture_open(struct fixture *fixture)
{
    const struct urlp_origin origin = {.host = urlp_span_of("a"), .port = 80};

    if (fixture->connection != NULL) {
        return;
    }
    fixture->connection = urlp_connection_create(&origin, &fixture->limits, NULL);
    ck_assert_ptr_nonnull(fixture->connection);
    ck_assert_int_eq(
        urlp_connection_attach(fixture->connection, script_open(fixture->script), NULL),
        URLPOOL_OK);
}

/* parse_fields makes fields of lines. */
static size_t parse_fields(const char *lines, struct urlp_field *out)
{
    size_t num = 0;

    out[num++] = (struct urlp_field){urlp_span_of("Host"), urlp_span_of("a")};
    while (*lines != '\0') {
        const char *end = strchr(lines, '\n');
        const char *colon = strchr(lines, ':');

        ck_assert_uint_lt(num, FIELDS_MAX);
        out[num].name = urlp_span_make(lines, (size_t)(colon - lines));
        out[num].value = urlp_span_trim(urlp_span_make(colon + 1, (size_t)(end - colon - 1)));
        num++;
        lines = end + 1;
    }
    return num;
}

struct urlpool_response *fixture_exchange(struct fixture *fixture)
{
    struct urlp_field fields[FIELDS_MAX];
    const struct urlp_request_head head = {.method = urlp_span_of(fixture->method),
                                           .target = urlp_span_of(fixture->target),
                                           .fields = fields,
                                           .num_fields = parse_fields(fixture->fields, fields)};
    const struct urlp_exchange exchange = {.head = &head,
                                           .body = &fixture->plan,
                                           .read_ms = fixture->read_ms,
                                           .write_ms = fixture->write_ms,
                                           .data_bytes_max = fixture->data_bytes_max,
                                           .keep_encoded = fixture->keep_encoded};
    const struct urlp_response_owner owner = {ended, fixture, fixture->keeps_place};
    struct urlpool_response *response = NULL;

    fixture_open(fixture);
    urlp_body_plan_deinit(&fixture->plan);
    if (urlp_body_plan_make(&fixture->plan, &fixture->body, &fixture->err) != URLPOOL_OK) {
        return NULL;
    }
    if (fixture->planned != NULL) {
        fixture->planned(fixture);
    }
    response = urlp_connection_exchange(fixture->connection, &exchange, &fixture->call,
                                        &fixture->facts, &fixture->err);
    if (response != NULL) {
        urlp_response_set_owner(response, &owner);
    }
    return response;
}

struct urlpool_response *fixture_answer(struct fixture *fixture, const char *text)
{
    struct urlpool_response *response;

    script_give(fixture->script, text);
    response = fixture_exchange(fixture);
    ck_assert_msg(response != NULL, "%s", fixture->err.message);
    return response;
}

void fixture_expect_body(struct fixture *fixture, struct urlpool_response *response,
                         const char *body)
{
    ck_assert_msg(urlpool_response_read_all(response, &fixture->err) == URLPOOL_OK, "%s",
                  fixture->err.message);
    ck_assert_str_eq((const char *)response->data, body);
    ck_assert_uint_eq(response->data_len, strlen(body));
}

void fixture_expect_end(const struct fixture *fixture, unsigned num_ended, bool is_reusable)
{
    ck_assert_uint_eq(fixture->num_ended, num_ended);
    ck_assert_int_eq(fixture->verdict.is_reusable, is_reusable);
}

void fixture_finish(struct fixture *fixture, struct urlpool_response *response)
{
    urlpool_response_free(response);
    ck_assert_uint_eq(fixture->num_ended, 1);
    fixture_end(fixture);
}
