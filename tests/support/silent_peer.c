/* The peer that falls silent: one thread, one client at a time, blocking sockets. */

#include "support/silent_peer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/loopback.h"

struct silent_peer {
    struct silent_script script;
    sem_t *reached;
    int listener;
    pthread_t thread;
    pthread_mutex_t mutex; /* of what follows */
    int fd;                /* of the client, or -1 */
    bool is_good;
};

/* hear reads once; false: the client has gone. */
static bool hear(int fd)
{
    char bytes[65536];

    return recv(fd, bytes, sizeof(bytes), 0) > 0;
}

static bool say(int fd, const char *bytes, size_t len)
{
    return send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* play plays the script; false: the client is not to be waited for. */
static bool play(const struct silent_script *script, int fd)
{
    for (size_t i = 0; i < script->num_steps; i++) {
        const struct silent_step *step = &script->steps[i];
        bool goes_on =
            step->says != NULL ? say(fd, step->says, step->len) : !step->closes && hear(fd);

        if (!goes_on) {
            return false;
        }
    }
    return true;
}

static void serve(struct silent_peer *peer, int fd)
{
    struct pollfd gone = {.fd = fd, .events = POLLRDHUP};

    if (!play(&peer->script, fd)) {
        return;
    }
    if (peer->reached != NULL) {
        (void)sem_post(peer->reached);
    }
    if (peer->script.is_deaf) {
        (void)poll(&gone, 1, -1);
        return;
    }
    while (hear(fd)) {
        /* not listening */
    }
}

static void serve_well(int fd)
{
    static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood";

    while (hear(fd) && say(fd, good, sizeof(good) - 1)) {
        /* the next one */
    }
}

static void *run(void *arg)
{
    struct silent_peer *peer = arg;

    for (;;) {
        int fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
        bool is_good;

        if (fd < 0) {
            return NULL; /* shut down */
        }
        pthread_mutex_lock(&peer->mutex);
        peer->fd = fd;
        is_good = peer->is_good;
        pthread_mutex_unlock(&peer->mutex);
        if (is_good) {
            serve_well(fd);
        } else {
            serve(peer, fd);
        }
        pthread_mutex_lock(&peer->mutex);
        (void)close(fd);
        peer->fd = -1;
        pthread_mutex_unlock(&peer->mutex);
    }
}

struct silent_peer *silent_peer_start(const struct silent_script *script, sem_t *reached)
{
    struct silent_peer *peer = calloc(1, sizeof(*peer));

    if (peer == NULL) {
        abort();
    }
    peer->script = *script;
    peer->reached = reached;
    peer->fd = -1;
    peer->listener = loopback_listen("127.0.0.1", 0);
    pthread_mutex_init(&peer->mutex, NULL);
    if (pthread_create(&peer->thread, NULL, run, peer) != 0) {
        abort();
    }
    return peer;
}

/* end_client ends the client there is. */
static void end_client(struct silent_peer *peer, bool is_good)
{
    pthread_mutex_lock(&peer->mutex);
    peer->is_good = is_good;
    if (peer->fd >= 0) {
        (void)shutdown(peer->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&peer->mutex);
}

void silent_peer_part(struct silent_peer *peer)
{
    end_client(peer, true);
}

void silent_peer_stop(struct silent_peer *peer)
{
    if (peer == NULL) {
        return;
    }
    (void)shutdown(peer->listener, SHUT_RDWR);
    end_client(peer, true);
    pthread_join(peer->thread, NULL);
    (void)close(peer->listener);
    pthread_mutex_destroy(&peer->mutex);
    free(peer);
}

uint16_t silent_peer_port(const struct silent_peer *peer)
{
    return loopback_port(peer->listener);
}
