/* What each system call can do wrong: what the manual gives it, or the kernel is known to, and that
 * has any bearing on its caller. */

#include <errno.h>
#include <netdb.h>

#include "support/failing_calls.h"

#define REFUSE(call, number)                       \
    {                                              \
        call, TRICK_REFUSE, number, #number, false \
    }
#define BREAK(call, number)                       \
    {                                             \
        call, TRICK_BREAK, number, #number, false \
    }
#define UNSEEN(call, number)                      \
    {                                             \
        call, TRICK_REFUSE, number, #number, true \
    }
#define DONE_BUT(call, number)                             \
    {                                                      \
        call, TRICK_DO, number, #number " when done", true \
    }
#define TELL(number)                                                \
    {                                                               \
        CALL_GETSOCKOPT, TRICK_TELL, number, #number " told", false \
    }
#define ONE_BYTE(call)                       \
    {                                        \
        call, TRICK_ONE, 0, "one byte", true \
    }

const struct failing_way failing_ways[] = {
    REFUSE(CALL_SOCKET, EMFILE),
    REFUSE(CALL_SOCKET, ENFILE),
    REFUSE(CALL_SOCKET, ENOBUFS),
    REFUSE(CALL_SOCKET, ENOMEM),
    REFUSE(CALL_SOCKET, EACCES),
    REFUSE(CALL_SOCKET, EAFNOSUPPORT),
    DONE_BUT(CALL_CONNECT, EINTR),
    REFUSE(CALL_CONNECT, EADDRNOTAVAIL),
    REFUSE(CALL_CONNECT, ENETUNREACH),
    REFUSE(CALL_CONNECT, EHOSTUNREACH),
    REFUSE(CALL_CONNECT, ECONNREFUSED),
    REFUSE(CALL_CONNECT, ETIMEDOUT),
    REFUSE(CALL_CONNECT, ENOBUFS),
    REFUSE(CALL_CONNECT, ENOMEM),
    REFUSE(CALL_CONNECT, EPERM),
    REFUSE(CALL_CONNECT, EAGAIN),
    REFUSE(CALL_BIND, EADDRINUSE),
    REFUSE(CALL_BIND, EADDRNOTAVAIL),
    REFUSE(CALL_BIND, ENOBUFS),
    REFUSE(CALL_BIND, EACCES),
    REFUSE(CALL_SETSOCKOPT, ENOBUFS),
    REFUSE(CALL_SETSOCKOPT, ENOMEM),
    REFUSE(CALL_SETSOCKOPT, EINVAL),
    REFUSE(CALL_SETSOCKOPT, ENOPROTOOPT),
    REFUSE(CALL_GETSOCKOPT, ENOBUFS),
    REFUSE(CALL_GETSOCKOPT, ENOMEM),
    TELL(ECONNREFUSED),
    TELL(ETIMEDOUT),
    TELL(EHOSTUNREACH),
    TELL(ENETUNREACH),
    TELL(ECONNRESET),
    REFUSE(CALL_GETPEERNAME, ENOBUFS),
    REFUSE(CALL_GETPEERNAME, ENOTCONN),
    UNSEEN(CALL_SENDMSG, EINTR),
    UNSEEN(CALL_SENDMSG, EAGAIN),
    ONE_BYTE(CALL_SENDMSG),
    BREAK(CALL_SENDMSG, ECONNRESET),
    BREAK(CALL_SENDMSG, EPIPE),
    REFUSE(CALL_SENDMSG, ENOBUFS),
    REFUSE(CALL_SENDMSG, ENOMEM),
    BREAK(CALL_SENDMSG, ETIMEDOUT),
    BREAK(CALL_SENDMSG, ENETUNREACH),
    UNSEEN(CALL_SENDFILE, EINTR),
    UNSEEN(CALL_SENDFILE, EAGAIN),
    ONE_BYTE(CALL_SENDFILE),
    UNSEEN(CALL_SENDFILE, EINVAL), /* a file system without it: the file is read */
    REFUSE(CALL_SENDFILE, EIO),
    BREAK(CALL_SENDFILE, ECONNRESET),
    BREAK(CALL_SENDFILE, EPIPE),
    REFUSE(CALL_SENDFILE, ENOMEM),
    BREAK(CALL_SENDFILE, ETIMEDOUT),
    UNSEEN(CALL_RECV, EINTR),
    UNSEEN(CALL_RECV, EAGAIN),
    ONE_BYTE(CALL_RECV),
    REFUSE(CALL_RECV, ECONNRESET),
    REFUSE(CALL_RECV, ETIMEDOUT),
    REFUSE(CALL_RECV, ENOBUFS),
    REFUSE(CALL_RECV, ENOMEM),
    REFUSE(CALL_RECV, EHOSTUNREACH),
    UNSEEN(CALL_LOOK, EINTR),
    REFUSE(CALL_LOOK, EAGAIN),
    REFUSE(CALL_LOOK, ECONNRESET),
    REFUSE(CALL_LOOK, ETIMEDOUT),
    REFUSE(CALL_LOOK, ENOMEM),
    UNSEEN(CALL_RECVFROM, EINTR),
    UNSEEN(CALL_RECVFROM, EAGAIN),
    REFUSE(CALL_RECVFROM, ECONNREFUSED),
    REFUSE(CALL_RECVFROM, ENOMEM),
    REFUSE(CALL_SHUTDOWN, ENOTCONN),
    UNSEEN(CALL_POLL, EINTR),
    REFUSE(CALL_POLL, ENOMEM),
    REFUSE(CALL_POLL, EINVAL), /* more descriptors than RLIMIT_NOFILE */
    DONE_BUT(CALL_CLOSE, EINTR),
    DONE_BUT(CALL_CLOSE, EIO),
    REFUSE(CALL_EVENTFD, EMFILE),
    REFUSE(CALL_EVENTFD, ENFILE),
    REFUSE(CALL_EVENTFD, ENOMEM),
    REFUSE(CALL_EPOLL_CREATE, EMFILE),
    REFUSE(CALL_EPOLL_CREATE, ENFILE),
    REFUSE(CALL_EPOLL_CREATE, ENOMEM),
    REFUSE(CALL_EPOLL_CTL, ENOMEM),
    REFUSE(CALL_EPOLL_CTL, ENOSPC),
    UNSEEN(CALL_EPOLL_WAIT, EINTR),
    REFUSE(CALL_TIMERFD_CREATE, EMFILE),
    REFUSE(CALL_TIMERFD_CREATE, ENFILE),
    REFUSE(CALL_TIMERFD_CREATE, ENOMEM),
    UNSEEN(CALL_READ, EINTR),
    ONE_BYTE(CALL_READ),
    REFUSE(CALL_READ, EIO),
    REFUSE(CALL_READ, ENOMEM),
    UNSEEN(CALL_PREAD, EINTR),
    ONE_BYTE(CALL_PREAD),
    REFUSE(CALL_PREAD, EIO),
    UNSEEN(CALL_WRITE, EINTR),
    ONE_BYTE(CALL_WRITE),
    REFUSE(CALL_WRITE, ENOSPC),
    UNSEEN(CALL_OPEN, EINTR),
    REFUSE(CALL_OPEN, EMFILE),
    REFUSE(CALL_OPEN, ENFILE),
    REFUSE(CALL_OPEN, ENOMEM),
    REFUSE(CALL_OPEN, EACCES),
    REFUSE(CALL_OPEN, EIO),
    REFUSE(CALL_OPENDIR, EMFILE),
    REFUSE(CALL_OPENDIR, ENFILE),
    REFUSE(CALL_OPENDIR, ENOMEM),
    REFUSE(CALL_OPENDIR, EACCES),
    REFUSE(CALL_READDIR, EIO),
    REFUSE(CALL_READDIR, ENOMEM),
    REFUSE(CALL_STAT, ENOMEM),
    REFUSE(CALL_STAT, EACCES),
    REFUSE(CALL_STAT, EIO),
    REFUSE(CALL_FSTAT, ENOMEM),
    REFUSE(CALL_FSTAT, EIO),
    REFUSE(CALL_FCNTL, EBADF),
    REFUSE(CALL_LSEEK, ESPIPE),
    REFUSE(CALL_IF_NAMETOINDEX, ENODEV),
    REFUSE(CALL_IF_NAMETOINDEX, EMFILE),
    REFUSE(CALL_GETADDRINFO, EAI_MEMORY),
    REFUSE(CALL_GETADDRINFO, EAI_AGAIN),
    REFUSE(CALL_GETADDRINFO, EAI_FAIL),
    REFUSE(CALL_GETADDRINFO, EAI_NONAME),
    UNSEEN(CALL_GETRANDOM, EINTR),
    UNSEEN(CALL_GETRANDOM, EAGAIN),
    UNSEEN(CALL_GETRANDOM, ENOSYS),
    ONE_BYTE(CALL_GETRANDOM),
    REFUSE(CALL_PTHREAD_CREATE, EAGAIN),
    REFUSE(CALL_PTHREAD_CREATE, ENOMEM),
    {CALL_COND_WAIT, TRICK_SPARE, 0, "spurious wake-up", true},
    UNSEEN(CALL_SIGTIMEDWAIT, EINTR),
    UNSEEN(CALL_MMAP, ENOMEM), /* what follows is done without the page */
    UNSEEN(CALL_MADVISE, EINVAL),
    UNSEEN(CALL_ATFORK, ENOMEM),
};
const size_t num_failing_ways = sizeof(failing_ways) / sizeof(failing_ways[0]);

static const char *const names[CALL_NUM] = {
    [CALL_SOCKET] = "socket",
    [CALL_CONNECT] = "connect",
    [CALL_BIND] = "bind",
    [CALL_SETSOCKOPT] = "setsockopt",
    [CALL_GETSOCKOPT] = "getsockopt",
    [CALL_GETPEERNAME] = "getpeername",
    [CALL_SENDMSG] = "sendmsg",
    [CALL_SENDFILE] = "sendfile",
    [CALL_RECV] = "recv",
    [CALL_LOOK] = "recv to look",
    [CALL_RECVFROM] = "recvfrom",
    [CALL_SHUTDOWN] = "shutdown",
    [CALL_POLL] = "poll",
    [CALL_CLOSE] = "close",
    [CALL_EVENTFD] = "eventfd",
    [CALL_EPOLL_CREATE] = "epoll_create1",
    [CALL_EPOLL_CTL] = "epoll_ctl",
    [CALL_EPOLL_WAIT] = "epoll_wait",
    [CALL_TIMERFD_CREATE] = "timerfd_create",
    [CALL_READ] = "read",
    [CALL_PREAD] = "pread",
    [CALL_WRITE] = "write",
    [CALL_OPEN] = "open",
    [CALL_OPENDIR] = "opendir",
    [CALL_READDIR] = "readdir",
    [CALL_STAT] = "stat",
    [CALL_FSTAT] = "fstat",
    [CALL_FCNTL] = "fcntl",
    [CALL_LSEEK] = "lseek",
    [CALL_IF_NAMETOINDEX] = "if_nametoindex",
    [CALL_GETADDRINFO] = "getaddrinfo",
    [CALL_GETRANDOM] = "getrandom",
    [CALL_PTHREAD_CREATE] = "pthread_create",
    [CALL_COND_WAIT] = "pthread_cond_wait",
    [CALL_SIGTIMEDWAIT] = "sigtimedwait",
    [CALL_MMAP] = "mmap",
    [CALL_MADVISE] = "madvise",
    [CALL_ATFORK] = "pthread_atfork",
};

const char *failing_call_name(enum failing_call call)
{
    return names[call];
}
