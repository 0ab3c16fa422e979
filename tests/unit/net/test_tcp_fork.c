/* What a forked child can do with its parent's TCP stream: nothing, and it disturbs nobody. */

#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/tcp.h"
#include "support/loopback.h"
#include "support/run_tests.h"

/* REQUIRE ends the child when the condition is not so. */
#define REQUIRE(condition)                                                        \
    do {                                                                          \
        if (!(condition)) {                                                       \
            fprintf(stderr, "in the child, line %d: %s\n", __LINE__, #condition); \
            _exit(1);                                                             \
        }                                                                         \
    } while (0)

static const struct urlp_call no_bound = {.by = {INT64_MAX}, .total_by = {INT64_MAX}};

/* use_in_child uses and frees a parent's stream, whose descriptor's number is `fd`. */
static void use_in_child(struct urlp_stream *stream, int fd)
{
    struct urlp_iovec run = {"x", 1};
    struct urlpool_error err;
    enum urlp_end end;
    size_t len = 0;
    char byte;
    int mine[2];
    bool took_number;

    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, mine) == 0);
    took_number = mine[0] == fd || mine[1] == fd; /* so that a slip would be seen */
    REQUIRE(took_number);
    REQUIRE(urlp_stream_read(stream, &byte, 1, &len, &end, &no_bound, &err) == URLPOOL_E_FORKED);
    REQUIRE(err.code == URLPOOL_E_FORKED);
    REQUIRE(urlp_stream_write(stream, &run, 1, &len, &no_bound, &err) == URLPOOL_E_FORKED);
    REQUIRE(urlp_stream_idle_state(stream) == URLP_IDLE_CLOSED);
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    REQUIRE(write(mine[0], "y", 1) == 1); /* the child's own sockets are whole */
    REQUIRE(read(mine[1], &byte, 1) == 1 && byte == 'y');
    _exit(0);
}

START_TEST(tcp__of_the_parent_is_of_no_use_to_a_child)
{
    int fds[2];
    struct urlp_stream *stream;
    struct urlp_iovec run = {"hello", 5};
    struct urlpool_error err;
    char text[6] = "";
    size_t len = 0;
    int status = 0;
    pid_t child;

    loopback_pair(fds);
    stream = urlp_tcp_wrap(fds[0], &err);
    ck_assert_ptr_nonnull(stream);
    child = fork();
    if (child == 0) {
        close(fds[1]);
        use_in_child(stream, fds[0]);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);

    ck_assert_int_eq(urlp_stream_write(stream, &run, 1, &len, &no_bound, &err), URLPOOL_OK);
    ck_assert_int_eq(read(fds[1], text, 5), 5);
    ck_assert_str_eq(text, "hello");
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    close(fds[1]);
}
END_TEST

START_TEST(tcp__ends_for_its_peer_though_a_child_lives)
{
    int fds[2];
    int hold[2];
    struct urlp_stream *stream;
    char byte;
    pid_t child;

    loopback_pair(fds);
    ck_assert_int_eq(pipe(hold), 0);
    stream = urlp_tcp_wrap(fds[0], NULL);
    child = fork();
    if (child == 0) {
        close(hold[1]);
        (void)!read(hold[0], &byte, 1); /* lives until the parent has seen */
        _exit(0);
    }
    urlp_stream_free(stream, URLP_CLOSE_POLITE);
    ck_assert_int_eq(read(fds[1], &byte, 1), 0); /* with the child's copy open it would hang */
    close(hold[1]);
    close(hold[0]);
    close(fds[1]);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

RUN_TESTS("tcp_fork", tcp__of_the_parent_is_of_no_use_to_a_child,
          tcp__ends_for_its_peer_though_a_child_lives)
