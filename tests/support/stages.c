/* The standstills of a request. The trace says when one is about to begin. A thread that waits for
 * a place says nothing, so there the figures are watched; and a request that is about to be sent
 * has not sent a byte yet, so there the peer's socket is. */

#include "support/stages.h"

#include <check.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/requests.h"

enum {
    UPLOAD_BYTES = 32 << 20, /* more than the sockets of both sides hold */
    BYTES_MS = 20000
};

/* What the trace tells just before each standstill; 0: nothing. */
static const struct {
    const char *name;
    enum urlpool_phase phase;
    enum urlpool_trace_kind before;
} stages[STAGE_NUM] = {
    [STAGE_POOL] = {"pool",      URLPOOL_PHASE_POOL,    0                          },
    [STAGE_NAME] = {"name",      URLPOOL_PHASE_RESOLVE, URLPOOL_TRACE_LEASED       },
    [STAGE_CONNECT] = {"connect",   URLPOOL_PHASE_CONNECT, URLPOOL_TRACE_LEASED       },
    [STAGE_HANDSHAKE] = {"handshake", URLPOOL_PHASE_TLS,     URLPOOL_TRACE_CONNECTED    },
    [STAGE_SEND] = {"send",      URLPOOL_PHASE_SEND,    URLPOOL_TRACE_REQUEST_HEAD },
    [STAGE_HEAD] = {"head",      URLPOOL_PHASE_HEAD,    URLPOOL_TRACE_REQUEST_SENT },
    [STAGE_BODY] = {"body",      URLPOOL_PHASE_BODY,    URLPOOL_TRACE_RESPONSE_HEAD},
};

static void note(void *user, const struct urlpool_trace_event *event)
{
    struct stage_scene *scene = user;

    if (event->kind == stages[scene->stage].before) {
        (void)sem_post(&scene->reached);
    }
}

static void answer(struct test_peer *peer, const struct test_request *request, void *user)
{
    const struct stage_scene *scene = user;

    if (strcmp(request->target, "/good") == 0) {
        test_peer_reply(peer, 200, NULL, "hello");
        return;
    }
    if (scene->stage == STAGE_BODY) {
        test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    }
    test_peer_stay(peer);
}

/* set_up gets ready what the stage needs before the manager is made; the port to ask is returned.
 */
static int set_up(struct stage_scene *scene, struct urlpool_manager_options *options)
{
    static const struct urlpool_tls_options anybody = {.insecure_no_verify = true};

    switch (scene->stage) {
    case STAGE_NAME:
        scene->dns = dns_server_start();
        dns_server_behave(scene->dns, "silent.example", DNS_A, DNS_DROPS);
        dns_server_behave(scene->dns, "silent.example", DNS_AAAA, DNS_DROPS);
        options->network.dns_servers = dns_server_address(scene->dns);
        return 80;
    case STAGE_CONNECT:
        scene->hole = loopback_hole_open("127.0.0.1", 0);
        return loopback_port(scene->hole.listener);
    case STAGE_HANDSHAKE:
        scene->tls = urlpool_tls_new(&anybody, &test_err);
        options->tls = scene->tls;
        scene->listener = loopback_listen("127.0.0.1", 0); /* nobody accepts, the kernel does */
        return loopback_port(scene->listener);
    case STAGE_SEND:
        scene->bytes = calloc(1, UPLOAD_BYTES);
        ck_assert_ptr_nonnull(scene->bytes);
        scene->body = urlpool_body_bytes(scene->bytes, UPLOAD_BYTES);
        scene->listener = loopback_listen("127.0.0.1", 0);
        return loopback_port(scene->listener);
    case STAGE_POOL:
        options->maxsize = 1;
        options->block = true;
        __attribute__((fallthrough));
    default:
        scene->server = test_server_start(answer, scene, NULL);
        return test_server_port(scene->server);
    }
}

void stage_begin(struct stage_scene *scene, enum stage stage, const struct urlpool_timeout *timeout)
{
    struct urlpool_manager_options options = {.retries = TEST_ONE_TRY};
    const struct urlpool_request_options unbounded = {
        .stream = true,
        .timeout = {.connect_ms = URLPOOL_NO_TIMEOUT,
                    .read_ms = URLPOOL_NO_TIMEOUT,
                    .write_ms = URLPOOL_NO_TIMEOUT,
                    .total_ms = URLPOOL_NO_TIMEOUT,
                    .pool_ms = URLPOOL_NO_TIMEOUT}
    };
    int port;

    memset(scene, 0, sizeof(*scene));
    scene->stage = stage;
    scene->phase = stages[stage].phase;
    scene->listener = -1;
    scene->accepted = -1;
    scene->method = stage == STAGE_SEND ? "PUT" : "GET";
    scene->trace = (struct urlpool_trace){.event = note, .user = scene};
    ck_assert_int_eq(sem_init(&scene->reached, 0, 0), 0);
    if (timeout != NULL) {
        options.timeout = *timeout;
    }
    port = set_up(scene, &options);
    scene->manager = test_manager(&options);
    snprintf(scene->url, sizeof(scene->url), "%s://%s:%d/%s",
             stage == STAGE_HANDSHAKE ? "https" : "http",
             stage == STAGE_NAME ? "silent.example" : "127.0.0.1", port,
             stage == STAGE_POOL ? "good" : "");
    if (stage == STAGE_POOL) {
        scene->held = urlpool_request(scene->manager, "GET", scene->url, &unbounded, &test_err);
        ck_assert_msg(scene->held != NULL, "%s", test_err.message);
    }
}

/* await_bytes waits until the first bytes of the request have come. */
static void await_bytes(struct stage_scene *scene)
{
    struct pollfd came = {.events = POLLIN};

    scene->accepted = accept(scene->listener, NULL, NULL);
    came.fd = scene->accepted;
    ck_assert_int_ge(came.fd, 0);
    ck_assert_int_eq(poll(&came, 1, BYTES_MS), 1);
}

void stage_await(struct stage_scene *scene)
{
    if (scene->stage != STAGE_POOL) {
        ck_assert_int_eq(sem_wait(&scene->reached), 0);
        if (scene->stage == STAGE_SEND) {
            await_bytes(scene);
        }
        return;
    }
    while (test_stats(scene->manager).waiting == 0) {
        sched_yield();
    }
}

void stage_end(struct stage_scene *scene)
{
    urlpool_response_free(scene->held);
    urlpool_manager_free(scene->manager);
    urlpool_tls_unref(scene->tls);
    test_server_stop(scene->server);
    if (scene->dns != NULL) {
        dns_server_stop(scene->dns);
    }
    if (scene->stage == STAGE_CONNECT) {
        loopback_hole_close(&scene->hole);
    }
    if (scene->listener >= 0) {
        close(scene->listener);
    }
    if (scene->accepted >= 0) {
        close(scene->accepted);
    }
    free(scene->bytes);
    sem_destroy(&scene->reached);
}

const char *stage_name(enum stage stage)
{
    return stages[stage].name;
}
