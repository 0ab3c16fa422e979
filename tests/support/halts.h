#ifndef TESTS_SUPPORT_HALTS_H
#define TESTS_SUPPORT_HALTS_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "urlpool/urlpool.h"

#include "support/dns_server.h"
#include "support/https_scene.h"
#include "support/loopback.h"
#include "support/silent_peer.h"

/* Every state in which a call of the library can stand still, made to last for good: the peer says
 * and does nothing more, and no time limit is set but a test's own. Only that or a cancel ends it,
 * and no retry follows. */

enum {
    HALT_NUM = 51
};

struct halt;

/* enum halt_sign says by what it is known that the state is near. */
enum halt_sign {
    BY_PEER,   /* it has fallen silent */
    BY_ITSELF, /* who makes the call, or the scene */
    BY_QUEUE,  /* a thread waits for a place */
    AT_LEASED, /* what the trace tells */
    AT_REQUEST_HEAD,
    AT_REQUEST_SENT,
    AT_RESPONSE_HEAD,
    AT_RETRY,
    AT_SECOND_RETRY,
    AT_REDIRECT
};

/* struct halt_outcome is what is left of a call that was cancelled. */
struct halt_outcome {
    bool may_be_processed;
    bool is_fit;             /* another request to the same peer is answered then */
    unsigned left;           /* connections that somebody else holds, or that were home before */
    unsigned opened, closed; /* connections, those left among them; and why they were closed */
    enum urlpool_closed why;
    unsigned dial_failures;
};

/* struct halt_kind is one such state. */
struct halt_kind {
    const char *name; /* for people */
    enum urlpool_phase phase;
    void (*set)(struct halt *halt); /* peers, and the options of the manager and the request */
    enum urlpool_code (*act)(struct halt *halt, struct urlpool_error *err); /* NULL: a request */
    const struct silent_script *script;                                     /* of `peer` */
    enum halt_sign sign;
    const struct halt_outcome *outcome;
};

/* struct halt is the scene: one manager, and one call that will stand still. */
struct halt {
    const struct halt_kind *kind;
    struct urlpool_manager_options made_with;
    struct urlpool_manager *manager;
    struct urlpool_request_options options;
    const char *method;
    char url[128];
    char proxy_url[128];
    char socket_path[64];
    struct urlpool_response *response; /* the one that is read */
    struct urlpool_raw_stream *raw;
    struct urlpool_connection *connection;
    sem_t reached; /* posted once or more */
    int num_events;
    atomic_long thread; /* of the call */

    struct silent_peer *peer;
    struct https_scene https;
    bool has_https;
    struct test_server *server;
    struct dns_server *dns;
    struct loopback_hole hole;
    struct urlpool_tls *tls;
    int listener;
    int fillers[4]; /* of the queue of a Unix-domain socket */
    int pipe_fds[2];
    struct urlpool_headers *headers;
    void *bytes;
    struct urlpool_response *held;
};

/* halt_begin sets the scene of number `index` in the caller's memory; halt_begin_within one in
 * which every time limit of the manager is `limit_ms`. */
void halt_begin(struct halt *halt, size_t index);
void halt_begin_within(struct halt *halt, size_t index, int64_t limit_ms);
/* halt_call makes the call, which comes back with an error: its code is returned. `cancel` may be
 * NULL. */
enum urlpool_code halt_call(struct halt *halt, const struct urlpool_cancel *cancel,
                            struct urlpool_error *err);
/* halt_await waits until the call, in another thread, stands still: its state is reached, and its
 * thread sleeps. */
void halt_await(struct halt *halt);
/* halt_await_rest waits for the latter alone. */
void halt_await_rest(struct halt *halt);
/* halt_note_thread says that the calling thread is that of the call, as halt_call does. */
void halt_note_thread(struct halt *halt);
/* halt_signal sends a signal to the thread of the call. */
void halt_signal(struct halt *halt, int number);
/* halt_leave frees what the call has left to its caller. */
void halt_leave(struct halt *halt);
/* halt_part has the peer let go of who has gone, and be silent no more. */
void halt_part(struct halt *halt);
void halt_end(struct halt *halt);

/* What halts.c and halt_kinds.c tell each other. */
extern const struct halt_kind halt_kinds[HALT_NUM];

#endif /* TESTS_SUPPORT_HALTS_H */
