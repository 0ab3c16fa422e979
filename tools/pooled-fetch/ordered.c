/* Bodies in the order of their URLs.
 *
 * `next` is the index whose turn it is. Only the holder of that ticket writes to the descriptor, so
 * writing needs no lock. A ticket that ends in its turn writes out the finished ones behind it. */

#include "ordered.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "text.h"

enum {
    KEPT_IN_MEMORY = 256 * 1024,
    COPY_STEP = 65536
};

struct pf_ticket {
    struct pf_ordered *ordered;
    size_t index;
    struct pf_text kept;
    FILE *file; /* where `kept` goes when it grows too long */
    bool has_ended;
};

struct pf_ordered {
    int fd;
    size_t num_ahead;
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    struct {
        size_t next;
        size_t last;                /* what is behind it is dropped */
        int os_errno;               /* of the write that failed, or 0 */
        struct pf_ticket **tickets; /* by index modulo num_ahead */
    } locked;
};

int pf_write_all(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t written = write(fd, at, len);

        if (written < 0 && errno == EAGAIN) { /* somebody made our terminal or pipe non-blocking */
            struct pollfd wait = {.fd = fd, .events = POLLOUT};
            (void)poll(&wait, 1, -1);
        } else if (written < 0 && errno != EINTR) {
            return -1;
        }
        if (written > 0) {
            at += written;
            len -= (size_t)written;
        }
    }
    return 0;
}

struct pf_ordered *pf_ordered_new(int fd, size_t num_ahead)
{
    struct pf_ordered *ordered = pf_alloc(sizeof(*ordered));

    ordered->fd = fd;
    ordered->num_ahead = num_ahead;
    ordered->locked.last = SIZE_MAX;
    ordered->locked.tickets = pf_alloc(num_ahead * sizeof(*ordered->locked.tickets));
    (void)pthread_mutex_init(&ordered->mutex, NULL);
    (void)pthread_cond_init(&ordered->moved, NULL);
    return ordered;
}

void pf_ordered_free(struct pf_ordered *ordered)
{
    if (ordered == NULL) {
        return;
    }
    (void)pthread_cond_destroy(&ordered->moved);
    (void)pthread_mutex_destroy(&ordered->mutex);
    free(ordered->locked.tickets);
    free(ordered);
}

struct pf_ticket *pf_ordered_begin(struct pf_ordered *ordered, size_t index)
{
    struct pf_ticket *ticket = pf_alloc(sizeof(*ticket));

    ticket->ordered = ordered;
    ticket->index = index;
    (void)pthread_mutex_lock(&ordered->mutex);
    while (index >= ordered->locked.next + ordered->num_ahead) {
        (void)pthread_cond_wait(&ordered->moved, &ordered->mutex);
    }
    ordered->locked.tickets[index % ordered->num_ahead] = ticket;
    (void)pthread_mutex_unlock(&ordered->mutex);
    return ticket;
}

/* has_turn says whether `ticket` may write through, and whether all it writes is dropped;
 * `*out_errno` is that of a failed write. */
static bool has_turn(struct pf_ticket *ticket, bool *out_is_dropped, int *out_errno)
{
    struct pf_ordered *ordered = ticket->ordered;
    bool result;

    (void)pthread_mutex_lock(&ordered->mutex);
    result = ordered->locked.next == ticket->index;
    *out_is_dropped = ticket->index > ordered->locked.last;
    *out_errno = ordered->locked.os_errno;
    (void)pthread_mutex_unlock(&ordered->mutex);
    return result;
}

static int keep(struct pf_ticket *ticket, const void *data, size_t len)
{
    if (ticket->file == NULL && ticket->kept.len + len <= KEPT_IN_MEMORY) {
        pf_text_add(&ticket->kept, data, len);
        return 0;
    }
    if (ticket->file == NULL) {
        ticket->file = tmpfile();
        if (ticket->file == NULL) {
            return -1;
        }
    }
    return fwrite(data, 1, len, ticket->file) == len ? 0 : -1;
}

static int write_out_file(struct pf_ticket *ticket)
{
    char *buf = pf_alloc(COPY_STEP);
    int result = fflush(ticket->file);
    size_t got;

    rewind(ticket->file);
    while (result == 0 && (got = fread(buf, 1, COPY_STEP, ticket->file)) > 0) {
        result = pf_write_all(ticket->ordered->fd, buf, got);
    }
    if (result == 0 && ferror(ticket->file)) {
        result = -1;
    }
    free(buf);
    return result;
}

static void drop_kept(struct pf_ticket *ticket)
{
    if (ticket->file != NULL) {
        (void)fclose(ticket->file);
        ticket->file = NULL;
    }
    pf_text_free(&ticket->kept);
}

/* write_out_kept writes what waited; for the ticket whose turn it is. */
static int write_out_kept(struct pf_ticket *ticket)
{
    int result = 0;
    int saved_errno = 0;

    if (ticket->kept.len > 0) {
        result = pf_write_all(ticket->ordered->fd, ticket->kept.data, ticket->kept.len);
    }
    if (result == 0 && ticket->file != NULL) {
        result = write_out_file(ticket);
    }
    saved_errno = errno;
    drop_kept(ticket);
    errno = saved_errno;
    return result;
}

static void note_failure(struct pf_ordered *ordered)
{
    int os_errno = errno != 0 ? errno : EIO;

    (void)pthread_mutex_lock(&ordered->mutex);
    if (ordered->locked.os_errno == 0) {
        ordered->locked.os_errno = os_errno;
    }
    (void)pthread_mutex_unlock(&ordered->mutex);
    errno = os_errno;
}

int pf_ticket_write(struct pf_ticket *ticket, const void *data, size_t len)
{
    int os_errno = 0;
    bool is_dropped = false;
    bool is_mine = has_turn(ticket, &is_dropped, &os_errno);
    int result;

    if (os_errno != 0) {
        errno = os_errno;
        return -1;
    }
    if (is_dropped) {
        return 0;
    }
    if (!is_mine) {
        return keep(ticket, data, len);
    }
    result = write_out_kept(ticket);
    if (result == 0) {
        result = pf_write_all(ticket->ordered->fd, data, len);
    }
    if (result != 0) {
        note_failure(ticket->ordered);
    }
    return result;
}

/* pass_turn gives the turn on, and returns the next ticket when it has ended already. */
static struct pf_ticket *pass_turn(struct pf_ordered *ordered)
{
    struct pf_ticket **place;
    struct pf_ticket *next;

    (void)pthread_mutex_lock(&ordered->mutex);
    ordered->locked.tickets[ordered->locked.next % ordered->num_ahead] = NULL;
    ordered->locked.next++;
    place = &ordered->locked.tickets[ordered->locked.next % ordered->num_ahead];
    next = *place != NULL && (*place)->has_ended ? *place : NULL;
    (void)pthread_cond_broadcast(&ordered->moved);
    (void)pthread_mutex_unlock(&ordered->mutex);
    return next;
}

void pf_ticket_end(struct pf_ticket *ticket)
{
    struct pf_ordered *ordered = ticket->ordered;

    (void)pthread_mutex_lock(&ordered->mutex);
    ticket->has_ended = true;
    if (ordered->locked.next != ticket->index) {
        ticket = NULL; /* whoever has the turn comes by */
    }
    (void)pthread_mutex_unlock(&ordered->mutex);
    while (ticket != NULL) {
        struct pf_ticket *done = ticket;
        bool is_dropped = false;
        int os_errno = 0;

        (void)has_turn(done, &is_dropped, &os_errno);
        if (is_dropped) {
            drop_kept(done);
        } else if (write_out_kept(done) != 0) {
            note_failure(ordered);
        }
        ticket = pass_turn(ordered);
        free(done);
    }
}

void pf_ordered_end_with(struct pf_ordered *ordered, size_t index)
{
    (void)pthread_mutex_lock(&ordered->mutex);
    if (index < ordered->locked.last) {
        ordered->locked.last = index;
    }
    (void)pthread_mutex_unlock(&ordered->mutex);
}

bool pf_ordered_has_failed(struct pf_ordered *ordered)
{
    bool result;

    (void)pthread_mutex_lock(&ordered->mutex);
    result = ordered->locked.os_errno != 0;
    (void)pthread_mutex_unlock(&ordered->mutex);
    return result;
}
