/* The life of a scene in which a call stands still; the states themselves are in halt_kinds.c.
 *
 * A call stands still when its state is reached (an event of the trace, the peer's word, or that of
 * who makes the call) and its thread is seen asleep several times on end: one that has work to do,
 * or waits for a processor to do it on, is not. */

#include "support/halts.h"

#include <check.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/requests.h"

enum {
    SAMPLES = 3,
    SAMPLES_MAX = 5000, /* a millisecond each */
};

/* What the trace tells, and which time, for each sign that is its. */
static const struct {
    enum urlpool_trace_kind kind;
    int nth;
} events[] = {
    [AT_LEASED] = {URLPOOL_TRACE_LEASED,        1},
    [AT_REQUEST_HEAD] = {URLPOOL_TRACE_REQUEST_HEAD,  1},
    [AT_REQUEST_SENT] = {URLPOOL_TRACE_REQUEST_SENT,  1},
    [AT_RESPONSE_HEAD] = {URLPOOL_TRACE_RESPONSE_HEAD, 1},
    [AT_RETRY] = {URLPOOL_TRACE_RETRY,         1},
    [AT_SECOND_RETRY] = {URLPOOL_TRACE_RETRY,         2},
    [AT_REDIRECT] = {URLPOOL_TRACE_REDIRECT,      1},
};

static void note(void *user, const struct urlpool_trace_event *event)
{
    struct halt *halt = user;
    enum halt_sign sign = halt->kind->sign;

    if (event->kind == events[sign].kind && ++halt->num_events == events[sign].nth) {
        (void)sem_post(&halt->reached);
    }
}

void halt_begin(struct halt *halt, size_t index)
{
    halt_begin_within(halt, index, URLPOOL_NO_TIMEOUT);
}

void halt_begin_within(struct halt *halt, size_t index, int64_t limit_ms)
{
    ck_assert_uint_lt(index, HALT_NUM);
    memset(halt, 0, sizeof(*halt));
    halt->kind = &halt_kinds[index];
    halt->listener = halt->pipe_fds[0] = halt->pipe_fds[1] = -1;
    for (size_t i = 0; i < sizeof(halt->fillers) / sizeof(halt->fillers[0]); i++) {
        halt->fillers[i] = -1;
    }
    ck_assert_int_eq(sem_init(&halt->reached, 0, 0), 0);
    halt->method = "GET";
    halt->made_with.timeout = (struct urlpool_timeout){.connect_ms = limit_ms,
                                                       .read_ms = limit_ms,
                                                       .write_ms = limit_ms,
                                                       .total_ms = limit_ms,
                                                       .pool_ms = limit_ms};
    halt->options.trace = (struct urlpool_trace){.event = note, .user = halt};
    if (halt->kind->script != NULL) {
        halt->peer = silent_peer_start(halt->kind->script,
                                       halt->kind->sign == BY_PEER ? &halt->reached : NULL);
        (void)snprintf(halt->url, sizeof(halt->url), "http://127.0.0.1:%u/",
                       silent_peer_port(halt->peer));
    }
    if (halt->kind->set != NULL) {
        halt->kind->set(halt);
    }
    if (halt->manager == NULL) {
        halt->manager = test_manager(&halt->made_with);
    }
}

void halt_note_thread(struct halt *halt)
{
    atomic_store(&halt->thread, syscall(SYS_gettid));
}

enum urlpool_code halt_call(struct halt *halt, const struct urlpool_cancel *cancel,
                            struct urlpool_error *err)
{
    halt->options.cancel = cancel;
    halt_note_thread(halt);
    if (halt->kind->act != NULL) {
        return halt->kind->act(halt, err);
    }
    halt->response = urlpool_request(halt->manager, halt->method, halt->url, &halt->options, err);
    return halt->response == NULL ? err->code : URLPOOL_OK;
}

/* is_asleep says whether the thread of the call waits in a system call. */
static bool is_asleep(const struct halt *halt)
{
    char path[64];
    char state = '?';
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/self/task/%ld/stat", atomic_load(&halt->thread));
    file = fopen(path, "re");
    ck_assert_msg(file != NULL, "%s: the call is over", halt->kind->name);
    ck_assert_int_eq(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
    (void)fclose(file);
    return state == 'S';
}

void halt_await_rest(struct halt *halt)
{
    int num_asleep = 0;

    for (int i = 0; num_asleep < SAMPLES; i++) {
        ck_assert_msg(i < SAMPLES_MAX, "%s: no rest", halt->kind->name);
        num_asleep = is_asleep(halt) ? num_asleep + 1 : 0;
        (void)poll(NULL, 0, 1);
    }
}

void halt_await(struct halt *halt)
{
    if (halt->kind->sign == BY_QUEUE) {
        while (test_stats(halt->manager).waiting == 0) {
            sched_yield();
        }
    } else {
        while (sem_wait(&halt->reached) != 0) {
            /* a signal */
        }
    }
    halt_await_rest(halt);
}

void halt_signal(struct halt *halt, int number)
{
    ck_assert_int_eq(syscall(SYS_tgkill, getpid(), atomic_load(&halt->thread), number), 0);
}

void halt_part(struct halt *halt)
{
    if (halt->peer != NULL) {
        silent_peer_part(halt->peer);
    }
    if ((halt->server != NULL || halt->has_https) && halt->pipe_fds[1] >= 0) {
        ck_assert_int_eq(write(halt->pipe_fds[1], "", 1), 1);
    }
}

void halt_leave(struct halt *halt)
{
    urlpool_raw_stream_close(halt->raw);
    halt->raw = NULL;
    urlpool_response_free(halt->response);
    halt->response = NULL;
    urlpool_connection_free(halt->connection);
    halt->connection = NULL;
}

/* close_one closes a descriptor, if there is one. */
static void close_one(int fd)
{
    if (fd >= 0) {
        (void)close(fd);
    }
}

void halt_end(struct halt *halt)
{
    halt_leave(halt);
    halt_part(halt);
    urlpool_response_free(halt->held);
    urlpool_manager_free(halt->manager);
    urlpool_tls_unref(halt->tls);
    silent_peer_stop(halt->peer);
    test_server_stop(halt->server);
    if (halt->has_https) {
        https_scene_end(&halt->https);
    }
    if (halt->dns != NULL) {
        dns_server_stop(halt->dns);
    }
    if (halt->hole.listener > 0) {
        loopback_hole_close(&halt->hole);
    }
    close_one(halt->listener);
    for (size_t i = 0; i < sizeof(halt->fillers) / sizeof(halt->fillers[0]); i++) {
        close_one(halt->fillers[i]);
    }
    close_one(halt->pipe_fds[0]);
    close_one(halt->pipe_fds[1]);
    urlpool_headers_free(halt->headers);
    free(halt->bytes);
    sem_destroy(&halt->reached);
}
