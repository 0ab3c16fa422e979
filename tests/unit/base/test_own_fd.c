/* Which descriptors a forked child still has. */

#include <fcntl.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own_fd.h"
#include "support/run_tests.h"

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* is_open_in_child forks and asks there. */
static bool is_open_in_child(int fd)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        _exit(is_open(fd) ? 1 : 0);
    }
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status) == 1;
}

static int open_one(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    return fd;
}

START_TEST(own_fd__is_not_open_in_a_child)
{
    int noted = open_one();
    int other = open_one();

    urlp_own_fd_note(noted);
    ck_assert(!is_open_in_child(noted));
    ck_assert(is_open_in_child(other));
    ck_assert(is_open(noted)); /* the parent's stays */
    ck_assert(!is_open_in_child(noted));
    urlp_own_fd_close(noted);
    close(other);
}
END_TEST

START_TEST(own_fd__is_forgotten_when_closed)
{
    int fd = open_one();
    int next;

    urlp_own_fd_note(fd);
    urlp_own_fd_close(fd);
    ck_assert(!is_open(fd));
    next = open_one(); /* the same number, and not ours */
    ck_assert_int_eq(next, fd);
    ck_assert(is_open_in_child(next));
    close(next);
}
END_TEST

START_TEST(own_fd__of_the_parent_is_the_childs_to_give_anew)
{
    int fd = open_one();
    int status = 0;
    pid_t child;

    urlp_own_fd_note(fd);
    child = fork();
    if (child == 0) {
        int mine = open_one(); /* takes the number that was closed */

        _exit(mine == fd && is_open_in_child(mine) ? 0 : 1); /* nobody has noted it here */
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    urlp_own_fd_close(fd);
}
END_TEST

START_TEST(own_fd__too_high_for_the_table_is_closed_all_the_same)
{
    int fd = open_one();
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 65536);

    urlp_own_fd_note(-1); /* nothing */
    if (high >= 0) {      /* else the limit of descriptors is lower, and there is no such thing */
        urlp_own_fd_note(high);
        ck_assert(is_open_in_child(high));
        urlp_own_fd_close(high);
        ck_assert(!is_open(high));
    }
    close(fd);
}
END_TEST

RUN_TESTS("own_fd", own_fd__is_not_open_in_a_child, own_fd__is_forgotten_when_closed,
          own_fd__of_the_parent_is_the_childs_to_give_anew,
          own_fd__too_high_for_the_table_is_closed_all_the_same)
