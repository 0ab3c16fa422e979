/* Each system call of the library passes here, is counted, and goes wrong when its turn has come.
 * One call a kind is counted over all threads: which thread meets the failure is chance where
 * several make it, but only one does. */

#include "support/failing_calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

static const struct failing_way *_Atomic armed;
static _Atomic unsigned fail_nth;
static _Atomic int number; /* of `armed` */
static atomic_bool fails_on, has_failed;
static _Atomic unsigned nums[CALL_NUM];

void failing_calls_arm(const struct failing_way *way, unsigned nth, bool all_later)
{
    atomic_store(&armed, NULL);
    for (int i = 0; i < CALL_NUM; i++) {
        atomic_store(&nums[i], 0);
    }
    atomic_store(&has_failed, false);
    atomic_store(&fails_on, all_later);
    atomic_store(&fail_nth, nth);
    if (way != NULL) {
        atomic_store(&number, way->os_errno);
    }
    atomic_store(&armed, way);
}

bool failing_calls_has_failed(void)
{
    return atomic_load(&has_failed);
}

unsigned failing_calls_num(enum failing_call call)
{
    return atomic_load(&nums[call]);
}

/* trick_for says what this call meets, and sets errno where it fails. */
static enum failing_trick trick_for(enum failing_call call)
{
    const struct failing_way *way = atomic_load(&armed);
    const unsigned count = atomic_fetch_add(&nums[call], 1) + 1;
    const unsigned nth = atomic_load(&fail_nth);

    if (way == NULL || way->call != call || count < nth ||
        (count > nth && !atomic_load(&fails_on))) {
        return TRICK_NONE;
    }
    atomic_store(&has_failed, true);
    if (way->trick == TRICK_REFUSE || way->trick == TRICK_BREAK) {
        errno = way->os_errno;
    }
    return way->trick;
}

/* number_told is the error of the way that is under test, or was until just now. */
static int number_told(void)
{
    return atomic_load(&number);
}

static bool refuses(enum failing_call call)
{
    return trick_for(call) == TRICK_REFUSE;
}

/* done returns what a call gives that was done, and tells of an error all the same. */
static int done(enum failing_trick trick, int status)
{
    if (trick == TRICK_DO && (status == 0 || errno == EINPROGRESS)) {
        errno = number_told();
        return -1;
    }
    return status;
}

/* broken ends a connection for good when it is to be, and returns what the call gives. */
static int broken(enum failing_trick trick, int fd)
{
    const int saved_errno = errno;

    if (trick == TRICK_BREAK) {
        (void)shutdown(fd, SHUT_RDWR);
    }
    errno = saved_errno;
    return -1;
}

static size_t shorter(enum failing_trick trick, size_t len)
{
    return trick == TRICK_ONE && len > 1 ? 1 : len;
}

/* has_bytes says of a descriptor that less than was asked for may be moved: neither of datagrams
 * nor of counters. */
static bool has_bytes(int fd)
{
    struct stat about;

    return fstat(fd, &about) == 0 &&
           (S_ISREG(about.st_mode) || S_ISFIFO(about.st_mode) || S_ISCHR(about.st_mode));
}

static bool is_stream(int fd)
{
    int type = 0;
    socklen_t len = sizeof(type);

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

/* What the objects of the library call, each of the type of the function it stands for. */
__typeof__(socket) failing_socket;
__typeof__(connect) failing_connect;
__typeof__(bind) failing_bind;
__typeof__(setsockopt) failing_setsockopt;
__typeof__(getsockopt) failing_getsockopt;
__typeof__(getpeername) failing_getpeername;
__typeof__(sendmsg) failing_sendmsg;
__typeof__(sendfile) failing_sendfile;
__typeof__(recv) failing_recv;
__typeof__(recvfrom) failing_recvfrom;
__typeof__(shutdown) failing_shutdown;
__typeof__(poll) failing_poll;
__typeof__(close) failing_close;
__typeof__(eventfd) failing_eventfd;
__typeof__(epoll_create1) failing_epoll_create1;
__typeof__(epoll_ctl) failing_epoll_ctl;
__typeof__(epoll_wait) failing_epoll_wait;
__typeof__(timerfd_create) failing_timerfd_create;
__typeof__(read) failing_read;
__typeof__(pread) failing_pread;
__typeof__(write) failing_write;
__typeof__(open) failing_open;
__typeof__(openat) failing_openat;
__typeof__(opendir) failing_opendir;
__typeof__(readdir) failing_readdir;
__typeof__(stat) failing_stat;
__typeof__(fstat) failing_fstat;
__typeof__(fcntl) failing_fcntl;
__typeof__(lseek) failing_lseek;
__typeof__(if_nametoindex) failing_if_nametoindex;
__typeof__(getaddrinfo) failing_getaddrinfo;
__typeof__(getrandom) failing_getrandom;
__typeof__(pthread_create) failing_pthread_create;
__typeof__(pthread_cond_wait) failing_pthread_cond_wait;
__typeof__(pthread_cond_clockwait) failing_pthread_cond_clockwait;
__typeof__(sigtimedwait) failing_sigtimedwait;
__typeof__(mmap) failing_mmap;
__typeof__(madvise) failing_madvise;
__typeof__(pthread_atfork) failing_pthread_atfork;

/* --- sockets --- */

int failing_socket(int domain, int type, int protocol)
{
    return refuses(CALL_SOCKET) ? -1 : socket(domain, type, protocol);
}

int failing_connect(int fd, const struct sockaddr *address, socklen_t len)
{
    const enum failing_trick trick = trick_for(CALL_CONNECT);

    return trick == TRICK_REFUSE ? -1 : done(trick, connect(fd, address, len));
}

int failing_bind(int fd, const struct sockaddr *address, socklen_t len)
{
    return refuses(CALL_BIND) ? -1 : bind(fd, address, len);
}

int failing_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    return refuses(CALL_SETSOCKOPT) ? -1 : setsockopt(fd, level, name, value, len);
}

int failing_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    const enum failing_trick trick = trick_for(CALL_GETSOCKOPT);
    int status;

    if (trick == TRICK_REFUSE) {
        return -1;
    }
    status = getsockopt(fd, level, name, value, len);
    if (trick == TRICK_TELL && level == SOL_SOCKET && name == SO_ERROR) {
        *(int *)value = number_told();
    }
    return status;
}

int failing_getpeername(int fd, struct sockaddr *address, socklen_t *len)
{
    return refuses(CALL_GETPEERNAME) ? -1 : getpeername(fd, address, len);
}

ssize_t failing_sendmsg(int fd, const struct msghdr *message, int flags)
{
    const enum failing_trick trick = trick_for(CALL_SENDMSG);
    struct msghdr part = *message;
    struct iovec first;

    if (trick == TRICK_REFUSE || trick == TRICK_BREAK) {
        return broken(trick, fd);
    }
    if (trick == TRICK_ONE && is_stream(fd)) {
        first = (struct iovec){.iov_base = message->msg_iov[0].iov_base, .iov_len = 1};
        part.msg_iov = &first;
        part.msg_iovlen = 1;
    }
    return sendmsg(fd, &part, flags);
}

ssize_t failing_sendfile(int to, int from, off_t *offset, size_t len)
{
    const enum failing_trick trick = trick_for(CALL_SENDFILE);

    if (trick == TRICK_REFUSE || trick == TRICK_BREAK) {
        return broken(trick, to);
    }
    return sendfile(to, from, offset, shorter(trick, len));
}

ssize_t failing_recv(int fd, void *data, size_t len, int flags)
{
    const enum failing_trick trick = trick_for((flags & MSG_PEEK) != 0 ? CALL_LOOK : CALL_RECV);

    return trick == TRICK_REFUSE ? -1 : recv(fd, data, shorter(trick, len), flags);
}

ssize_t failing_recvfrom(int fd, void *data, size_t len, int flags, struct sockaddr *from,
                         socklen_t *from_len)
{
    return refuses(CALL_RECVFROM) ? -1 : recvfrom(fd, data, len, flags, from, from_len);
}

int failing_shutdown(int fd, int how)
{
    return refuses(CALL_SHUTDOWN) ? -1 : shutdown(fd, how);
}

unsigned failing_if_nametoindex(const char *name)
{
    return refuses(CALL_IF_NAMETOINDEX) ? 0 : if_nametoindex(name);
}

int failing_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                        struct addrinfo **out)
{
    return refuses(CALL_GETADDRINFO) ? number_told() : getaddrinfo(host, service, hints, out);
}

/* --- waiting --- */

int failing_poll(struct pollfd *fds, nfds_t num, int wait_ms)
{
    return refuses(CALL_POLL) ? -1 : poll(fds, num, wait_ms);
}

int failing_eventfd(unsigned count, int flags)
{
    return refuses(CALL_EVENTFD) ? -1 : eventfd(count, flags);
}

int failing_epoll_create1(int flags)
{
    return refuses(CALL_EPOLL_CREATE) ? -1 : epoll_create1(flags);
}

int failing_epoll_ctl(int epoll_fd, int what, int fd, struct epoll_event *event)
{
    return refuses(CALL_EPOLL_CTL) ? -1 : epoll_ctl(epoll_fd, what, fd, event);
}

int failing_epoll_wait(int epoll_fd, struct epoll_event *events, int max, int wait_ms)
{
    return refuses(CALL_EPOLL_WAIT) ? -1 : epoll_wait(epoll_fd, events, max, wait_ms);
}

int failing_timerfd_create(int clock, int flags)
{
    return refuses(CALL_TIMERFD_CREATE) ? -1 : timerfd_create(clock, flags);
}

/* --- descriptors and files --- */

int failing_close(int fd)
{
    return done(trick_for(CALL_CLOSE), close(fd));
}

ssize_t failing_read(int fd, void *data, size_t len)
{
    const enum failing_trick trick = trick_for(CALL_READ);

    if (trick == TRICK_REFUSE && (errno == EINTR || has_bytes(fd))) {
        return -1;
    }
    return read(fd, data, has_bytes(fd) ? shorter(trick, len) : len);
}

ssize_t failing_pread(int fd, void *data, size_t len, off_t at)
{
    const enum failing_trick trick = trick_for(CALL_PREAD);

    return trick == TRICK_REFUSE ? -1 : pread(fd, data, shorter(trick, len), at);
}

ssize_t failing_write(int fd, const void *data, size_t len)
{
    const enum failing_trick trick = trick_for(CALL_WRITE);

    if (trick == TRICK_REFUSE && (errno == EINTR || has_bytes(fd))) {
        return -1;
    }
    return write(fd, data, has_bytes(fd) ? shorter(trick, len) : len);
}

int failing_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list list;

    if ((flags & O_CREAT) != 0) {
        va_start(list, flags);
        mode = va_arg(list, mode_t);
        va_end(list);
    }
    return refuses(CALL_OPEN) ? -1 : open(path, flags, mode);
}

int failing_openat(int folder, const char *path, int flags, ...)
{
    return refuses(CALL_OPEN) ? -1 : openat(folder, path, flags);
}

DIR *failing_opendir(const char *path)
{
    return refuses(CALL_OPENDIR) ? NULL : opendir(path);
}

struct dirent *failing_readdir(DIR *dir)
{
    return refuses(CALL_READDIR) ? NULL : readdir(dir);
}

int failing_stat(const char *path, struct stat *out)
{
    return refuses(CALL_STAT) ? -1 : stat(path, out);
}

int failing_fstat(int fd, struct stat *out)
{
    return refuses(CALL_FSTAT) ? -1 : fstat(fd, out);
}

int failing_fcntl(int fd, int what, ...)
{
    return refuses(CALL_FCNTL) ? -1 : fcntl(fd, what);
}

off_t failing_lseek(int fd, off_t at, int whence)
{
    return refuses(CALL_LSEEK) ? -1 : lseek(fd, at, whence);
}

/* --- the rest --- */

ssize_t failing_getrandom(void *data, size_t len, unsigned flags)
{
    const enum failing_trick trick = trick_for(CALL_GETRANDOM);

    return trick == TRICK_REFUSE ? -1 : getrandom(data, shorter(trick, len), flags);
}

int failing_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                           void *(*run)(void *), void *arg)
{
    return refuses(CALL_PTHREAD_CREATE) ? number_told()
                                        : pthread_create(thread, attributes, run, arg);
}

int failing_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    return trick_for(CALL_COND_WAIT) == TRICK_SPARE ? 0 : pthread_cond_wait(cond, mutex);
}

int failing_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
                                   const struct timespec *at)
{
    return trick_for(CALL_COND_WAIT) == TRICK_SPARE
               ? 0
               : pthread_cond_clockwait(cond, mutex, clock, at);
}

int failing_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *wait)
{
    return refuses(CALL_SIGTIMEDWAIT) ? -1 : sigtimedwait(set, info, wait);
}

void *failing_mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
    return refuses(CALL_MMAP) ? MAP_FAILED : mmap(at, len, protection, flags, fd, offset);
}

int failing_madvise(void *at, size_t len, int advice)
{
    return refuses(CALL_MADVISE) ? -1 : madvise(at, len, advice);
}

int failing_pthread_atfork(void (*before)(void), void (*parent)(void), void (*child)(void))
{
    return refuses(CALL_ATFORK) ? number_told() : pthread_atfork(before, parent, child);
}
