/* Request bodies of every kind, as acts of scenarios. */

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/scenarios.h"

enum {
    LARGE_BYTES = 300000
};

#define TEXT "some text of a file"

static enum urlpool_code post(struct scene *scene, struct urlpool_body body, const char *path,
                              const char *data, struct urlpool_error *err)
{
    const struct urlpool_request_options options = {.body = body};

    return scene_get(scene, "PUT", path, &options, data, err);
}

SCENARIO_ACT(act_post_bytes)
{
    return post(scene, urlpool_body_bytes("abc", 3), "/echo", "abc", err);
}

SCENARIO_ACT(act_post_large)
{
    static char large[LARGE_BYTES];

    return post(scene, urlpool_body_bytes(large, sizeof(large)), "/length", "300000", err);
}

SCENARIO_ACT(act_post_chunked)
{
    struct urlpool_body body = urlpool_body_json("{\"a\": 1}");

    body.chunked = true;
    return post(scene, body, "/echo", "{\"a\": 1}", err);
}

SCENARIO_ACT(act_post_expecting)
{
    struct urlpool_body body = urlpool_body_bytes("abc", 3);

    body.expect_continue = true;
    body.expect_ms = 2;
    return post(scene, body, "/echo", "abc", err);
}

SCENARIO_ACT(act_post_trailers)
{
    struct urlpool_headers *trailers = urlpool_headers_new(err);
    struct urlpool_body body = urlpool_body_bytes("abc", 3);
    enum urlpool_code code = trailers != NULL ? URLPOOL_OK : err->code;

    code = code == URLPOOL_OK ? urlpool_headers_add(trailers, "X", "y", err) : code;
    body.trailers = trailers;
    code = code == URLPOOL_OK ? post(scene, body, "/echo", "abc", err) : code;
    urlpool_headers_free(trailers);
    return code;
}

SCENARIO_ACT(act_put_file)
{
    const int fd = open(scene->text_path, O_RDONLY | O_CLOEXEC);
    enum urlpool_code code;

    ck_assert_int_ge(fd, 0);
    code = post(scene, urlpool_body_fd(fd), "/echo", TEXT, err);
    close(fd);
    return code;
}

/* act_put_large_file sends one that goes to a plain connection without being read. */
SCENARIO_ACT(act_put_large_file)
{
    const int fd = open(scene->large_path, O_RDONLY | O_CLOEXEC);
    enum urlpool_code code;

    ck_assert_int_ge(fd, 0);
    code = post(scene, urlpool_body_fd(fd), "/length", "100000", err);
    close(fd);
    return code;
}

SCENARIO_ACT(act_put_pipe)
{
    int fds[2];
    enum urlpool_code code;

    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    ck_assert_int_eq(write(fds[1], "abc", 3), 3);
    close(fds[1]);
    code = post(scene, urlpool_body_fd(fds[0]), "/echo", "abc", err);
    close(fds[0]);
    return code;
}

static enum urlpool_code give(void *user, void *buf, size_t len, size_t *out_len,
                              struct urlpool_error *err)
{
    size_t *at = user;

    (void)err;
    *out_len = *at < 9 ? 3 : 0;
    ck_assert_uint_ge(len, 3);
    memcpy(buf, "abc", *out_len);
    *at += *out_len;
    return URLPOOL_OK;
}

static enum urlpool_code rewind_it(void *user, struct urlpool_error *err)
{
    (void)err;
    *(size_t *)user = 0;
    return URLPOOL_OK;
}

SCENARIO_ACT(act_post_callback)
{
    size_t at = 0;

    return post(scene, urlpool_body_callback(give, rewind_it, &at, 0), "/echo", "abcabcabc", err);
}

SCENARIO_ACT(act_post_multipart)
{
    struct urlpool_form *form = urlpool_form_new(err);
    const struct urlpool_part part = {
        .name = "p", .data = "bytes", .data_len = 5, .filename = "b.txt"};
    enum urlpool_code code = form != NULL ? URLPOOL_OK : err->code;

    code = code == URLPOOL_OK ? urlpool_form_add(form, "a", "1", err) : code;
    code = code == URLPOOL_OK ? urlpool_form_add_file(form, "f", scene->text_path, err) : code;
    code = code == URLPOOL_OK ? urlpool_form_add_part(form, &part, err) : code;
    code =
        code == URLPOOL_OK ? post(scene, urlpool_body_multipart(form), "/echo", NULL, err) : code;
    urlpool_form_free(form);
    return code;
}

SCENARIO_ACT(act_post_form)
{
    struct urlpool_form *form = urlpool_form_new(err);
    enum urlpool_code code = form != NULL ? URLPOOL_OK : err->code;

    code = code == URLPOOL_OK ? urlpool_form_add(form, "a", "1 2", err) : code;
    code = code == URLPOOL_OK ? urlpool_form_add(form, "b", "\xc3\xbc", err) : code;
    code = code == URLPOOL_OK ? post(scene, urlpool_body_form(form), "/echo", "a=1+2&b=%C3%BC", err)
                              : code;
    urlpool_form_free(form);
    return code;
}
