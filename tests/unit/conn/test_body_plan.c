/* How a body is to be sent: how it is measured, what is refused, and the way back. */

#include <errno.h>
#include <fcntl.h>
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

RUN_TESTS("body_plan", plan__of_bytes_is_their_length_unless_chunked_is_asked_for,
          plan__of_a_file_is_what_is_left_of_it, plan__of_a_pipe_is_chunked_and_cannot_be_rewound,
          plan__refuses_what_is_no_body, rewind__of_a_pipe_fails_once_a_byte_was_taken)
