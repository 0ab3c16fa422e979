/* Requests and what can be done with their answers, as acts of scenarios. */

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "support/scenarios.h"

enum {
    LARGE_BYTES = 100000
};

static const struct urlpool_request_options streamed = {.stream = true};

/* code_of is how a call ended that gives a pointer. */
static enum urlpool_code code_of(const void *out, const struct urlpool_error *err)
{
    return out != NULL ? URLPOOL_OK : err->code;
}

enum urlpool_code scene_get(struct scene *scene, const char *method, const char *path,
                            const struct urlpool_request_options *options, const char *data,
                            struct urlpool_error *err)
{
    char url[128];
    struct urlpool_response *response =
        urlpool_request(scene->manager, method, scene_url(scene, path, url), options, err);

    if (response == NULL) {
        return err->code;
    }
    if (data != NULL) {
        ck_assert_int_eq(response->status, 200);
        ck_assert_uint_eq(response->data_len, strlen(data));
        ck_assert_mem_eq(response->data, data, response->data_len);
    }
    urlpool_response_free(response);
    return URLPOOL_OK;
}

/* ask makes the scenario's request. */
static struct urlpool_response *ask(struct scene *scene,
                                    const struct urlpool_request_options *options,
                                    struct urlpool_error *err)
{
    return urlpool_request(scene->manager, "GET", scene->url, options, err);
}

static const char *path_of(const struct scene *scene)
{
    return scene->scenario->path != NULL ? scene->scenario->path : "/";
}

SCENARIO_ACT(act_get)
{
    return scene_get(scene, "GET", path_of(scene), NULL, "hello", err);
}

SCENARIO_ACT(act_get_twice)
{
    enum urlpool_code code = act_get(scene, err);

    return code == URLPOOL_OK ? act_get(scene, err) : code;
}

/* act_get_resumed makes a second connection, with the session of the first. */
SCENARIO_ACT(act_get_resumed)
{
    enum urlpool_code code = act_get_twice(scene, err);

    (void)urlpool_manager_close_idle(scene->manager);
    return code == URLPOOL_OK ? act_get(scene, err) : code;
}

SCENARIO_ACT(act_get_stale)
{
    enum urlpool_code code = scene_get(scene, "GET", "/", NULL, "hello", err);

    return code == URLPOOL_OK ? scene_get(scene, "GET", "/stale", NULL, "hello", err) : code;
}

SCENARIO_ACT(act_get_as_somebody)
{
    char url[192];
    struct urlpool_response *response;

    (void)snprintf(url, sizeof(url), "http://me:secret@127.0.0.1:%d/hop",
                   test_server_port(scene->server));
    response = urlpool_request(scene->manager, "GET", url, NULL, err);
    if (response == NULL) {
        return err->code;
    }
    ck_assert_ptr_null(strstr(response->url, "secret"));
    urlpool_response_free(response);
    return URLPOOL_OK;
}

/* act_get_with_fields puts a form behind the query, and more headers into the head than it has room
 * for by itself. */
SCENARIO_ACT(act_get_with_fields)
{
    const struct urlpool_headers_choice choice = {.accept_encoding = true, .basic_auth = "me:x"};
    struct urlpool_headers *headers = urlpool_headers_make(&choice, err);
    struct urlpool_form *form = headers != NULL ? urlpool_form_new(err) : NULL;
    const struct urlpool_request_options options = {.headers = headers, .fields = form};
    enum urlpool_code code = code_of(form, err);

    for (int i = 0; i < 40 && code == URLPOOL_OK; i++) {
        code = urlpool_form_add(form, "name", "value", err);
        code = code == URLPOOL_OK ? urlpool_headers_add(headers, "X", "y", err) : code;
    }
    if (code == URLPOOL_OK) {
        code = scene_get(scene, "GET", "/?b", &options, "hello", err);
    }
    urlpool_form_free(form);
    urlpool_headers_free(headers);
    return code;
}

SCENARIO_ACT(act_get_with_merged_headers)
{
    struct urlpool_headers *headers = urlpool_headers_new(err);
    const struct urlpool_request_options options = {.headers = headers, .merge_headers = true};
    enum urlpool_code code = code_of(headers, err);

    code = code == URLPOOL_OK ? urlpool_headers_add(headers, "X", "y", err) : code;
    code = code == URLPOOL_OK ? scene_get(scene, "GET", "/", &options, "hello", err) : code;
    urlpool_headers_free(headers);
    return code;
}

SCENARIO_ACT(act_get_into)
{
    char memory[16];
    const struct urlpool_request_options options = {
        .into = {.buf = memory, .len = sizeof(memory)}
    };

    return scene_get(scene, "GET", path_of(scene), &options, "hello", err);
}

SCENARIO_ACT(act_get_recycled)
{
    struct urlpool_request_options options = {0};
    struct urlpool_response *response = NULL;
    enum urlpool_code code = URLPOOL_OK;

    for (int i = 0; i < 3 && code == URLPOOL_OK; i++) {
        options.recycle = response;
        response = ask(scene, &options, err);
        code = code_of(response, err);
    }
    urlpool_response_free(response);
    return code;
}

SCENARIO_ACT(act_get_taken)
{
    struct urlpool_response *response = ask(scene, NULL, err);
    enum urlpool_code code = code_of(response, err);
    uint8_t *data = NULL;
    size_t len = 0;

    if (code == URLPOOL_OK) {
        code = urlpool_response_take_data(response, &data, &len, err);
    }
    urlpool_response_free(response);
    ck_assert(code != URLPOOL_OK || len == LARGE_BYTES);
    urlpool_data_free(data);
    return code;
}

SCENARIO_ACT(act_get_partial)
{
    const struct urlpool_request_options options = {.keep_partial = true,
                                                    .retries = {.total = URLPOOL_NONE}};
    struct urlpool_response *response = ask(scene, &options, err);

    if (response == NULL) {
        return err->code;
    }
    ck_assert_uint_le(response->data_len, 5);
    ck_assert_int_ne(response->error_code, URLPOOL_OK);
    urlpool_response_free(response);
    return URLPOOL_OK;
}

/* act_get_told looks at all that a response tells of its way. */
SCENARIO_ACT(act_get_told)
{
    struct urlpool_response *response = ask(scene, NULL, err);

    if (response == NULL) {
        return err->code;
    }
    ck_assert_ptr_nonnull(urlpool_response_peer(response).address);
    ck_assert_int_gt(urlpool_response_timings(response).total_ns, 0);
    for (size_t i = 0; i < urlpool_response_num_hops(response); i++) {
        ck_assert_ptr_nonnull(urlpool_response_hop(response, i).url);
    }
    (void)urlpool_response_trailers(response);
    urlpool_response_free(response);
    return URLPOOL_OK;
}

SCENARIO_ACT(act_get_with_cancel)
{
    struct urlpool_cancel *cancel = urlpool_cancel_new(err);
    const struct urlpool_request_options options = {.cancel = cancel};
    enum urlpool_code code = code_of(cancel, err);

    code = code == URLPOOL_OK ? scene_get(scene, "GET", "/", &options, "hello", err) : code;
    urlpool_cancel_free(cancel);
    return code;
}

SCENARIO_ACT(act_read)
{
    struct urlpool_response *response = ask(scene, &streamed, err);
    enum urlpool_code code = code_of(response, err);
    char piece[4096];
    size_t len = 1, sum = 0;

    while (code == URLPOOL_OK && len > 0) {
        code = urlpool_response_read(response, piece, sizeof(piece), &len, err);
        ck_assert(code != URLPOOL_OK || len == 0 || (piece[0] == 'l' && piece[len - 1] == 'l'));
        sum += len;
    }
    urlpool_response_free(response);
    ck_assert(code != URLPOOL_OK || sum == LARGE_BYTES);
    return code;
}

SCENARIO_ACT(act_read_lines)
{
    static const char *const lines[] = {"one", "two", "3"};
    struct urlpool_response *response = ask(scene, &streamed, err);
    enum urlpool_code code = code_of(response, err);
    bool is_at_end = false;
    size_t num = 0;

    while (code == URLPOOL_OK && !is_at_end) {
        char line[16];
        size_t len;

        code = urlpool_response_read_line(response, line, sizeof(line), &len, &is_at_end, err);
        if (code == URLPOOL_OK && !is_at_end) {
            ck_assert_uint_lt(num, 3);
            ck_assert_str_eq(line, lines[num++]);
        }
    }
    urlpool_response_free(response);
    ck_assert(code != URLPOOL_OK || num == 3);
    return code;
}

SCENARIO_ACT(act_read_chunks)
{
    struct urlpool_response *response = ask(scene, &streamed, err);
    enum urlpool_code code = code_of(response, err);
    size_t len = 1;

    while (code == URLPOOL_OK && len > 0) {
        char piece[16];
        bool is_end;

        code = urlpool_response_read_chunk(response, piece, sizeof(piece), &len, &is_end, err);
    }
    if (code == URLPOOL_OK) {
        ck_assert_uint_eq(urlpool_headers_count(urlpool_response_trailers(response)), 2);
    }
    urlpool_response_free(response);
    return code;
}

SCENARIO_ACT(act_peek_and_drain)
{
    struct urlpool_response *response = ask(scene, &streamed, err);
    enum urlpool_code code = code_of(response, err);
    const uint8_t *data;
    size_t len;

    if (code == URLPOOL_OK) {
        code = urlpool_response_peek(response, &data, &len, err);
        ck_assert(code != URLPOOL_OK || len > 0);
        urlpool_response_drain(response);
    }
    urlpool_response_free(response);
    return code;
}

static enum urlpool_code add_up(void *user, const void *data, size_t len, struct urlpool_error *err)
{
    (void)data;
    (void)err;
    *(size_t *)user += len;
    return URLPOOL_OK;
}

SCENARIO_ACT(act_stream)
{
    struct urlpool_response *response = ask(scene, &streamed, err);
    enum urlpool_code code = code_of(response, err);
    size_t sum = 0;

    code = code == URLPOOL_OK ? urlpool_response_stream(response, add_up, &sum, err) : code;
    urlpool_response_free(response);
    ck_assert(code != URLPOOL_OK || sum == LARGE_BYTES);
    return code;
}

SCENARIO_ACT(act_shut_down)
{
    struct urlpool_response *response = ask(scene, &streamed, err);
    const enum urlpool_code code = code_of(response, err);

    if (code == URLPOOL_OK) {
        urlpool_response_shutdown(response);
    }
    urlpool_response_free(response);
    return code;
}

SCENARIO_ACT(act_events)
{
    struct urlpool_response *response = ask(scene, &streamed, err);
    struct urlpool_sse *sse = response != NULL ? urlpool_sse_new(response, 0, err) : NULL;
    enum urlpool_code code = code_of(sse, err);
    bool is_at_end = false;
    int num = 0;

    while (code == URLPOOL_OK && !is_at_end) {
        struct urlpool_sse_event event;

        code = urlpool_sse_next(sse, &event, &is_at_end, err);
        num += code == URLPOOL_OK && !is_at_end;
    }
    urlpool_sse_free(sse);
    urlpool_response_free(response);
    ck_assert(code != URLPOOL_OK || num == 2);
    return code;
}

/* talk says a word over the stream of an upgraded connection and hears it again. */
static enum urlpool_code talk(struct urlpool_raw_stream *stream, struct urlpool_error *err)
{
    enum urlpool_code code = urlpool_raw_stream_write(stream, "word", 4, err);
    char heard[4];
    size_t have = 0;

    while (code == URLPOOL_OK && have < sizeof(heard)) {
        size_t len = 0;

        code = urlpool_raw_stream_read(stream, heard + have, sizeof(heard) - have, &len, err);
        ck_assert(code != URLPOOL_OK || len > 0);
        have += len;
    }
    ck_assert(code != URLPOOL_OK || memcmp(heard, "word", 4) == 0);
    return code;
}

SCENARIO_ACT(act_upgrade)
{
    struct urlpool_headers *headers = urlpool_headers_new(err);
    const struct urlpool_request_options options = {.headers = headers};
    enum urlpool_code code = code_of(headers, err);
    struct urlpool_response *response = NULL;
    struct urlpool_raw_stream *stream = NULL;

    code = code == URLPOOL_OK ? urlpool_headers_add(headers, "Connection", "Upgrade", err) : code;
    code = code == URLPOOL_OK ? urlpool_headers_add(headers, "Upgrade", "echo", err) : code;
    if (code == URLPOOL_OK) {
        response = ask(scene, &options, err);
        code = code_of(response, err);
    }
    if (code == URLPOOL_OK) {
        stream = urlpool_response_upgrade(response, err);
        code = code_of(stream, err);
    }
    code = code == URLPOOL_OK ? talk(stream, err) : code;
    urlpool_response_free(response);
    urlpool_raw_stream_close(stream);
    urlpool_headers_free(headers);
    return code;
}
