#ifndef TESTS_SUPPORT_CONN_FIXTURE_H
#define TESTS_SUPPORT_CONN_FIXTURE_H

#include "conn/connection.h"
#include "conn/response.h"
#include "support/script_stream.h"

/* A connection over a scripted stream, and what its owner and its trace sink were told. */

struct fixture {
    struct script *script;
    struct urlpool_connection *connection; /* NULL once the fixture has ended it */
    struct urlpool_limits limits;
    struct urlp_call call; /* no deadline, the sink below */
    struct urlpool_trace trace;
    char traced[4096]; /* "HEAD(GET / …) SENT(37) FIRST …", one a line */

    /* Of the exchange in hand. */
    const char *method, *target;
    const char *fields; /* lines, each ended by LF; "Host: a" stands before them */
    struct urlpool_body body;
    void (*planned)(struct fixture *fixture); /* called when the body is planned; NULL: nothing */
    struct urlp_body_plan plan;               /* of the body */
    int64_t read_ms, write_ms, data_bytes_max;
    bool keep_encoded;
    bool keeps_place; /* as a pool does */
    struct urlp_exchange_facts facts;
    struct urlpool_error err;

    /* What the owner of the response was told. */
    unsigned num_ended;
    struct urlp_connection_verdict verdict;
};

/* fixture_begin makes a fixture whose exchange is GET /, without bounds. The script is empty. */
void fixture_begin(struct fixture *fixture);
void fixture_end(struct fixture *fixture);

/* fixture_open makes the connection with `limits`, if that is not done. */
void fixture_open(struct fixture *fixture);

/* fixture_exchange sends the request and hears the answer. The fixture owns the response. NULL with
 * `err` set. */
struct urlpool_response *fixture_exchange(struct fixture *fixture);

/* fixture_answer is fixture_exchange for a script that gives `text` and must succeed. */
struct urlpool_response *fixture_answer(struct fixture *fixture, const char *text);

/* fixture_expect_body reads the rest of the body, which must be `body`, into `data`. */
void fixture_expect_body(struct fixture *fixture, struct urlpool_response *response,
                         const char *body);

/* fixture_expect_end fails the test unless the owner was told so often, and of that. */
void fixture_expect_end(const struct fixture *fixture, unsigned num_ended, bool is_reusable);

/* fixture_finish frees the response, of whose end the owner is told once in all, and ends. */
void fixture_finish(struct fixture *fixture, struct urlpool_response *response);

#endif /* TESTS_SUPPORT_CONN_FIXTURE_H */
