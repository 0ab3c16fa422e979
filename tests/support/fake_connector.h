#ifndef TEST_SUPPORT_FAKE_CONNECTOR_H
#define TEST_SUPPORT_FAKE_CONNECTOR_H

#include <pthread.h>
#include <stdbool.h>

#include "pool/pool.h"

/* A connector without a network. Every connection has a number, from 1 on in the order of dialling,
 * and everything that is done to one is counted; the test says which dials fail, which wait, and
 * what a look shows. A connection that is ended twice, looked at by two threads at once, or ended
 * while used stops the test. Works from many threads. */

#define FAKE_CONNECTIONS_MAX 4096 /* numbers above it are not remembered one by one */

struct fake_connector {
    struct urlp_connector table; /* give it to urlp_pool_set_new */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int num_dials; /* begun */
    int num_opened;
    int num_ended;
    int num_polite; /* of num_ended */
    int num_looks;
    int num_rests;
    int num_tls_refs;        /* taken and not given back */
    int last_ended;          /* number of the connection */
    int num_halves;          /* there are now */
    int num_resumed;         /* halves a dial went on with */
    int last_resumed;        /* the number of the dial that had left it */
    int num_dropped;         /* halves */
    int64_t last_connect_ns; /* the deadline the last dial was given */
    /* scripts */
    int num_to_fail; /* the next dials fail with... */
    enum urlpool_code fail_code;
    int fail_errno;
    bool holds_dials; /* each dial waits for fake_let_dials, and can be broken off or cancelled */
    bool tcp_is_up;   /* those that begin now wait in a handshake: they cannot be broken off */
    bool is_deaf;     /* nor can these, but they do not say so */
    int connect_ms;   /* real time that a dial takes, at most, and can be broken off in */
    bool leaves_nothing; /* what is broken off leaves no half */
    int num_held;
    int let_fd;
    enum urlp_look looks[FAKE_CONNECTIONS_MAX];
    int num_gone_below;    /* connections of a lesser number lead to addresses that are gone */
    int num_asks;          /* of names */
    int64_t names_good_ms; /* what these return */
    void (*on_dial)(void *user); /* called in each dial, without a lock; NULL: nothing */
    void *on_dial_user;
};

void fake_connector_init(struct fake_connector *fake);
void fake_connector_deinit(struct fake_connector *fake);

/* fake_fail_dials lets the next `num` dials fail. */
void fake_fail_dials(struct fake_connector *fake, int num, enum urlpool_code code, int os_errno);

/* fake_hold_dials makes dials wait, fake_let_dials lets `num` of them go on, and
 * fake_await_held blocks until `num` wait. */
void fake_hold_dials(struct fake_connector *fake);
void fake_let_dials(struct fake_connector *fake, int num);
void fake_await_held(struct fake_connector *fake, int num);

/* fake_half_new makes what the `dial`th dial would leave when broken off. No dial is under way. */
struct urlp_half_dial *fake_half_new(struct fake_connector *fake, int dial);

/* fake_set_look says what a look at connection `number` shows from now on. */
void fake_set_look(struct fake_connector *fake, int number, enum urlp_look look);

/* fake_number is the number of a connection. */
int fake_number(const struct urlpool_connection *connection);

/* fake_use and fake_unuse bracket what a lease's thread does: two at once stop the test. */
void fake_use(struct urlpool_connection *connection);
void fake_unuse(struct urlpool_connection *connection);

/* fake_num_live is how many connections are open. */
int fake_num_live(struct fake_connector *fake);

#endif /* TEST_SUPPORT_FAKE_CONNECTOR_H */
