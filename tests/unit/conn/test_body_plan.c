/* How a body is to be sent: how it is measured, what is refused, and the way back. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conn/body_plan.h"
#include "support/run_tests.h"

/* file_with is an unlinked file that holds `text`, its offset at the beginning. */
static int file_with(const char *text)
{
    char path[] = "/tmp/urlpool-body-XXXXXX";
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* check_framing plans `body`. */
static void check_framing(const struct urlpool_body *body, int64_t len, bool can_rewind)
{
    struct urlp_body_plan plan;
    struct urlpool_error err;
    enum urlpool_code code = urlp_body_plan_make(&plan, body, &err);

    ck_assert_msg(code == URLPOOL_OK, "%s", err.message);
    ck_assert_int_eq(plan.has_body, body != NULL && body->kind != URLPOOL_BODY_NONE);
    ck_assert_int_eq(plan.len, len);
    ck_assert_int_eq(plan.can_rewind || !plan.has_body, can_rewind);
    urlp_body_plan_deinit(&plan);
    ck_assert(!plan.has_body);
}

static void check_refused(const struct urlpool_body *body, enum urlpool_code code,
                          const char *message)
{
    struct urlp_body_plan plan;
    struct urlpool_error err;

    ck_assert_int_eq(urlp_body_plan_make(&plan, body, &err), code);
    ck_assert_int_eq(err.code, code);
    ck_assert_ptr_nonnull(strstr(err.message, message));
    ck_assert(!plan.has_body);
    urlp_body_plan_deinit(&plan);
}

START_TEST(plan__of_bytes_is_their_length_unless_chunked_is_asked_for)
{
    struct urlpool_body body = urlpool_body_bytes("hello", 5);
    struct urlpool_body none = {0};

    check_framing(NULL, 0, true);
    check_framing(&none, 0, true);
    check_framing(&body, 5, true);
    body.chunked = true;
    check_framing(&body, -1, true);
    none.chunked = true;
    check_framing(&none, 0, true);
}
END_TEST

START_TEST(plan__of_a_file_is_what_is_left_of_it)
{
    int fd = file_with("0123456789");
    struct urlpool_body body = urlpool_body_fd(fd);

    check_framing(&body, 10, true);
    ck_assert_int_eq(lseek(fd, 4, SEEK_SET), 4);
    check_framing(&body, 6, true);
    ck_assert_int_eq(lseek(fd, 40, SEEK_SET), 40);
    check_framing(&body, 0, true);
    body.chunked = true;
    check_framing(&body, -1, true);
    close(fd);
}
END_TEST

START_TEST(plan__of_a_pipe_is_chunked_and_cannot_be_rewound)
{
    int fds[2];
    struct urlpool_body body;

    ck_assert_int_eq(pipe(fds), 0);
    body = urlpool_body_fd(fds[0]);
    check_framing(&body, -1, false);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

START_TEST(plan__refuses_what_is_no_body)
{
    struct urlpool_body body = urlpool_body_bytes(NULL, 5);
    int fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    size_t i;

    check_refused(&body, URLPOOL_E_INVALID, "body.data");
    for (i = 0; i < sizeof(body.reserved); i++) {
        body = urlpool_body_bytes("x", 1);
        body.reserved[i] = 1;
        check_refused(&body, URLPOOL_E_INVALID, "body");
    }
    body = (struct urlpool_body){.kind = (enum urlpool_body_kind)7};
    check_refused(&body, URLPOOL_E_INVALID, "body.kind is 7");
    body = urlpool_body_fd(-1);
    check_refused(&body, URLPOOL_E_BODY, "descriptor -1");
    body = urlpool_body_fd(fd);
    check_refused(&body, URLPOOL_E_BODY, "directory");
    close(fd);
    fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    body = urlpool_body_fd(fd);
    check_refused(&body, URLPOOL_E_BODY, "descriptor");
    close(fd);
}
END_TEST

START_TEST(rewind__of_a_pipe_fails_once_a_byte_was_taken)
{
    int fds[2];
    struct urlpool_body body;
    struct urlp_body_plan plan;

    ck_assert_int_eq(pipe(fds), 0);
    body = urlpool_body_fd(fds[0]);
    ck_assert_int_eq(urlp_body_plan_make(&plan, &body, NULL), URLPOOL_OK);
    ck_assert(urlp_body_plan_can_rewind(&plan));
    ck_assert_int_eq(urlp_body_plan_rewind(&plan, NULL), URLPOOL_OK);
    plan.is_begun = true;
    ck_assert(!urlp_body_plan_can_rewind(&plan));
    ck_assert_int_eq(urlp_body_plan_rewind(&plan, NULL), URLPOOL_E_UNREWINDABLE);
    urlp_body_plan_deinit(&plan);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

static enum urlpool_code read_nothing(void *user, void *buf, size_t len, size_t *out_len,
                                      struct urlpool_error *err)
{
    (void)user;
    (void)buf;
    (void)len;
    (void)err;
    *out_len = 0;
    return URLPOOL_OK;
}

/* rewinding is what the callback for the way back answers, and how often it was called. */
static struct {
    enum urlpool_code code;
    const char *message;
    int num_calls;
} rewinding;

static enum urlpool_code rewind_it(void *user, struct urlpool_error *err)
{
    (void)user;
    rewinding.num_calls++;
    (void)snprintf(err->message, sizeof(err->message), "%s", rewinding.message);
    return rewinding.code;
}

START_TEST(plan__of_a_callback_has_the_length_that_it_was_given)
{
    struct urlpool_body body = urlpool_body_callback(read_nothing, rewind_it, NULL, 7);

    check_framing(&body, 7, true);
    body.length = 0;
    check_framing(&body, -1, true);
    body.length = URLPOOL_NONE;
    check_framing(&body, 0, true);
    body.rewind = NULL;
    check_framing(&body, 0, false);
    body.length = -1;
    check_refused(&body, URLPOOL_E_INVALID, "body.length is -1");
    body.length = -3;
    check_refused(&body, URLPOOL_E_INVALID, "body.length is -3");
    body.length = 7;
    body.read = NULL;
    check_refused(&body, URLPOOL_E_INVALID, "body.read");
}
END_TEST

START_TEST(plan__of_a_form_is_its_text_and_says_what_it_is)
{
    struct urlpool_form *form = urlpool_form_new(NULL);
    struct urlpool_body body = urlpool_body_form(form);
    struct urlp_body_plan plan;

    ck_assert_int_eq(urlpool_form_add(form, "a b", "c&d", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlp_body_plan_make(&plan, &body, NULL), URLPOOL_OK);
    ck_assert_int_eq(plan.len, 9);
    ck_assert_mem_eq(plan.segments[0].bytes.data, "a+b=c%26d", 9);
    ck_assert_str_eq(plan.content_type, "application/x-www-form-urlencoded");
    urlp_body_plan_deinit(&plan);
    body.content_type = "text/plain";
    ck_assert_int_eq(urlp_body_plan_make(&plan, &body, NULL), URLPOOL_OK);
    ck_assert_str_eq(plan.content_type, "text/plain");
    urlp_body_plan_deinit(&plan);
    body.content_type = ""; /* a field without a value would be no media type */
    ck_assert_int_eq(urlp_body_plan_make(&plan, &body, NULL), URLPOOL_OK);
    ck_assert_ptr_null(plan.content_type);
    urlp_body_plan_deinit(&plan);
    ck_assert_int_eq(urlpool_form_add_file(form, "f", "/etc/passwd", NULL), URLPOOL_OK);
    check_refused(&body, URLPOOL_E_INVALID, "");
    urlpool_form_free(form);
    body.form = NULL;
    check_refused(&body, URLPOOL_E_INVALID, "body.form");
    body = urlpool_body_multipart(NULL);
    check_refused(&body, URLPOOL_E_INVALID, "body.form");
}
END_TEST

/* named_file is a file with a name that holds `text`. */
static void named_file(char path[32], const char *text)
{
    int fd;

    strcpy(path, "/tmp/urlpool-part-XXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

START_TEST(plan__of_a_multipart_body_knows_its_length_where_each_part_has_one)
{
    struct urlpool_form *form = urlpool_form_new(NULL);
    struct urlpool_body body = urlpool_body_multipart(form);
    struct urlp_body_plan plan;
    char path[32];
    int fds[2];
    int64_t sum = 0;

    named_file(path, "0123456789");
    ck_assert_int_eq(urlpool_form_set_boundary(form, "b:1", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_form_add(form, "a", "1", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_form_add_file(form, "f", path, NULL), URLPOOL_OK);
    ck_assert_int_eq(urlp_body_plan_make(&plan, &body, NULL), URLPOOL_OK);
    ck_assert_str_eq(plan.content_type, "multipart/form-data; boundary=\"b:1\"");
    for (size_t i = 0; i < plan.num_segments; i++) {
        sum += plan.segments[i].len;
    }
    ck_assert_int_eq(plan.num_segments, 3);
    ck_assert_int_eq(plan.segments[1].kind, URLP_SEGMENT_FILE);
    ck_assert_int_eq(plan.segments[1].len, 10);
    ck_assert_int_eq(plan.len, sum);
    ck_assert(plan.can_rewind);
    urlp_body_plan_deinit(&plan);
    body.content_type = "multipart/mixed; boundary=\"b:1\"";
    ck_assert_int_eq(urlp_body_plan_make(&plan, &body, NULL), URLPOOL_OK);
    ck_assert_str_eq(plan.content_type, body.content_type);
    urlp_body_plan_deinit(&plan);

    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(
        urlpool_form_add_part(form, &(struct urlpool_part){.name = "p", .fd = fds[0]}, NULL),
        URLPOOL_OK);
    check_framing(&body, -1, false);
    close(fds[0]);
    close(fds[1]);
    check_refused(&body, URLPOOL_E_BODY, "descriptor");
    ck_assert_int_eq(unlink(path), 0);
    check_refused(&body, URLPOOL_E_BODY, path);
    urlpool_form_free(form);
}
END_TEST

START_TEST(plan__refuses_a_file_that_cannot_be_sent_and_names_it)
{
    static const char *const paths[] = {"/tmp", "/nowhere/to/be/found"};

    for (size_t i = 0; i < 2; i++) {
        struct urlpool_form *form = urlpool_form_new(NULL);
        struct urlpool_body body = urlpool_body_multipart(form);

        ck_assert_int_eq(urlpool_form_add_file(form, "f", paths[i], NULL), URLPOOL_OK);
        check_refused(&body, URLPOOL_E_BODY, paths[i]);
        urlpool_form_free(form);
    }
}
END_TEST

/* refuse_trailer plans a body with one trailer. */
static enum urlpool_code plan_trailer(const char *name)
{
    struct urlpool_headers *trailers = urlpool_headers_new(NULL);
    struct urlpool_body body = urlpool_body_bytes("x", 1);
    struct urlp_body_plan plan;
    struct urlpool_error err = {.message = ""};
    enum urlpool_code code;

    body.trailers = trailers;
    ck_assert_int_eq(urlpool_headers_add(trailers, name, "1", NULL), URLPOOL_OK);
    code = urlp_body_plan_make(&plan, &body, &err);
    ck_assert(code != URLPOOL_OK || plan.len == -1);
    ck_assert(code == URLPOOL_OK || strstr(err.message, name) != NULL);
    urlp_body_plan_deinit(&plan);
    urlpool_headers_free(trailers);
    return code;
}

START_TEST(plan__with_trailers_is_chunked_and_refuses_names_that_cannot_be_trailers)
{
    ck_assert_int_eq(plan_trailer("Checksum"), URLPOOL_OK);
    ck_assert_int_eq(plan_trailer("Content-Length"), URLPOOL_E_HEADER);
    ck_assert_int_eq(plan_trailer("transfer-encoding"), URLPOOL_E_HEADER);
    ck_assert_int_eq(plan_trailer("Authorization"), URLPOOL_E_HEADER);
}
END_TEST

/* expect_of plans a body that expects 100 (Continue). */
static int64_t expect_of(struct urlpool_body body, int64_t given_ms)
{
    struct urlp_body_plan plan;
    int64_t expect_ms;

    body.expect_continue = true;
    body.expect_ms = given_ms;
    ck_assert_int_eq(urlp_body_plan_make(&plan, &body, NULL), URLPOOL_OK);
    expect_ms = plan.expect_ms;
    urlp_body_plan_deinit(&plan);
    return expect_ms;
}

START_TEST(plan__waits_a_second_for_100_or_what_it_was_given)
{
    struct urlpool_body body = urlpool_body_bytes("x", 1);
    struct urlp_body_plan plan;

    ck_assert_int_eq(expect_of(body, 0), 1000);
    ck_assert_int_eq(expect_of(body, 20), 20);
    ck_assert_int_eq(expect_of(body, URLPOOL_NONE), 0);
    ck_assert_int_eq(expect_of(body, URLPOOL_NO_TIMEOUT), INT64_MAX);
    ck_assert_int_eq(expect_of(urlpool_body_bytes("", 0), 20), -1);
    body.expect_ms = 20;
    ck_assert_int_eq(urlp_body_plan_make(&plan, &body, NULL), URLPOOL_OK);
    ck_assert_int_eq(plan.expect_ms, -1); /* it was not asked for */
    urlp_body_plan_deinit(&plan);
    body.expect_continue = true;
    body.expect_ms = -7;
    check_refused(&body, URLPOOL_E_INVALID, "body.expect_ms");
}
END_TEST

START_TEST(rewind__of_a_callback_asks_it_once_bytes_were_taken)
{
    struct urlpool_body body = urlpool_body_callback(read_nothing, rewind_it, NULL, 7);
    struct urlp_body_plan plan;
    struct urlpool_error err;

    rewinding.code = URLPOOL_OK;
    rewinding.message = "";
    rewinding.num_calls = 0;
    ck_assert_int_eq(urlp_body_plan_make(&plan, &body, NULL), URLPOOL_OK);
    ck_assert_int_eq(urlp_body_plan_rewind(&plan, NULL), URLPOOL_OK);
    ck_assert_int_eq(rewinding.num_calls, 0);
    plan.is_begun = true;
    ck_assert_int_eq(urlp_body_plan_rewind(&plan, NULL), URLPOOL_OK);
    ck_assert_int_eq(rewinding.num_calls, 1);
    ck_assert(!plan.is_begun);
    plan.is_begun = true;
    rewinding.code = URLPOOL_E_SYSTEM;
    rewinding.message = "the tape is torn";
    ck_assert_int_eq(urlp_body_plan_rewind(&plan, &err), URLPOOL_E_UNREWINDABLE);
    ck_assert_str_eq(err.message, "the tape is torn");
    ck_assert_int_eq(err.cause, URLPOOL_E_SYSTEM);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_SEND);
    rewinding.message = "";
    ck_assert_int_eq(urlp_body_plan_rewind(&plan, &err), URLPOOL_E_UNREWINDABLE);
    ck_assert_str_eq(err.message, "a callback of the request body returned URLPOOL_E_SYSTEM");
    urlp_body_plan_deinit(&plan);
}
END_TEST

RUN_TESTS("body_plan", plan__of_bytes_is_their_length_unless_chunked_is_asked_for,
          plan__of_a_file_is_what_is_left_of_it, plan__of_a_pipe_is_chunked_and_cannot_be_rewound,
          plan__refuses_what_is_no_body, plan__of_a_callback_has_the_length_that_it_was_given,
          plan__of_a_form_is_its_text_and_says_what_it_is,
          plan__of_a_multipart_body_knows_its_length_where_each_part_has_one,
          plan__refuses_a_file_that_cannot_be_sent_and_names_it,
          plan__with_trailers_is_chunked_and_refuses_names_that_cannot_be_trailers,
          plan__waits_a_second_for_100_or_what_it_was_given,
          rewind__of_a_pipe_fails_once_a_byte_was_taken,
          rewind__of_a_callback_asks_it_once_bytes_were_taken)
