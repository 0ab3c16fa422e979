#ifndef TESTS_SUPPORT_STAGES_H
#define TESTS_SUPPORT_STAGES_H

#include <semaphore.h>
#include <stdint.h>

#include "urlpool/urlpool.h"

#include "support/dns_server.h"
#include "support/http_server.h"
#include "support/loopback.h"

/* Each stage at which a request can come to a standstill, made to last: the peer says and does
 * nothing more. */
enum stage {
    STAGE_POOL,      /* every place is taken */
    STAGE_NAME,      /* the name server does not answer */
    STAGE_CONNECT,   /* SYN goes unanswered */
    STAGE_HANDSHAKE, /* the peer accepts and says nothing */
    STAGE_SEND,      /* the peer does not read a large body */
    STAGE_HEAD,      /* the peer does not answer */
    STAGE_BODY,      /* the body ends half-way, the connection does not */
    STAGE_NUM
};

/* struct stage_scene is one manager, and the request that will stand still. */
struct stage_scene {
    enum stage stage;
    enum urlpool_phase phase; /* in which it stands still */
    struct urlpool_manager *manager;
    const char *method;
    char url[128];
    struct urlpool_body body;
    struct urlpool_trace trace; /* posts `reached` */
    sem_t reached;              /* once the request has come to its standstill */

    struct test_server *server;
    struct dns_server *dns;
    struct loopback_hole hole;
    int listener;
    int accepted; /* SEND: the peer's end, from which nothing is read */
    struct urlpool_tls *tls;
    struct urlpool_response *held;
    void *bytes;
};

/* stage_begin sets the scene in the caller's memory; `timeout` is the manager's. */
void stage_begin(struct stage_scene *scene, enum stage stage,
                 const struct urlpool_timeout *timeout);
void stage_end(struct stage_scene *scene);

/* stage_await waits until the request, in another thread, stands still. */
void stage_await(struct stage_scene *scene);

const char *stage_name(enum stage stage);

#endif /* TESTS_SUPPORT_STAGES_H */
