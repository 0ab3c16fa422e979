#ifndef TESTS_SUPPORT_FAILING_CALLS_H
#define TESTS_SUPPORT_FAILING_CALLS_H

#include <stdbool.h>
#include <stddef.h>

/* The system calls of the library, which fail where a test asks for it. Only a program that is
 * linked by urlp_failing_calls_test (tests/e2e/CMakeLists.txt) sees them: there the objects of the
 * library, and nothing else, call the functions of failing_calls.c in place of the system's. So the
 * servers of a test go on undisturbed, and c-ares' sockets, which the library makes and moves, do
 * not. */

/* Every call that can fail, or end otherwise than was asked for. */
enum failing_call {
    CALL_SOCKET,
    CALL_CONNECT,
    CALL_BIND,
    CALL_SETSOCKOPT,
    CALL_GETSOCKOPT,
    CALL_GETPEERNAME,
    CALL_SENDMSG,
    CALL_SENDFILE,
    CALL_RECV,
    CALL_LOOK, /* recv with MSG_PEEK */
    CALL_RECVFROM,
    CALL_SHUTDOWN,
    CALL_POLL,
    CALL_CLOSE,
    CALL_EVENTFD,
    CALL_EPOLL_CREATE,
    CALL_EPOLL_CTL,
    CALL_EPOLL_WAIT,
    CALL_TIMERFD_CREATE,
    CALL_READ,
    CALL_PREAD,
    CALL_WRITE,
    CALL_OPEN, /* openat, too */
    CALL_OPENDIR,
    CALL_READDIR,
    CALL_STAT,
    CALL_FSTAT,
    CALL_FCNTL,
    CALL_LSEEK,
    CALL_IF_NAMETOINDEX,
    CALL_GETADDRINFO,
    CALL_GETRANDOM,
    CALL_PTHREAD_CREATE,
    CALL_COND_WAIT,
    CALL_SIGTIMEDWAIT,
    CALL_MMAP,
    CALL_MADVISE,
    CALL_ATFORK,
    CALL_NUM
};

/* What happens instead. */
enum failing_trick {
    TRICK_NONE = 0,
    TRICK_REFUSE, /* it does nothing, and fails */
    TRICK_BREAK,  /* it fails, and the connection is gone */
    TRICK_DO,     /* it does what it was to do, and fails */
    TRICK_ONE,    /* it moves one byte */
    TRICK_TELL,   /* it succeeds, and tells of the error (SO_ERROR) */
    TRICK_SPARE   /* it succeeds, and has done nothing: a spurious wake-up */
};

/* struct failing_way is one way of one call to go wrong. */
struct failing_way {
    enum failing_call call;
    enum failing_trick trick;
    int os_errno; /* of getaddrinfo its own code */
    const char *name;
    bool is_invisible; /* nothing may come of it but what comes without it */
};

extern const struct failing_way failing_ways[];
extern const size_t num_failing_ways;

const char *failing_call_name(enum failing_call call);

/* failing_calls_arm lets the `nth` call of `way` from now go wrong, and with `all_later` those
 * behind it; NULL: none. Counts begin anew. */
void failing_calls_arm(const struct failing_way *way, unsigned nth, bool all_later);

/* failing_calls_has_failed says whether one went wrong since then, failing_calls_num how often
 * `call` was made. */
bool failing_calls_has_failed(void);
unsigned failing_calls_num(enum failing_call call);

#endif /* TESTS_SUPPORT_FAILING_CALLS_H */
