#ifndef TESTS_UNIT_H1_TRANSCRIPT_H
#define TESTS_UNIT_H1_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "urlpool/limits.h"

#include "base/buf.h"
#include "http/field.h"
#include "player.h"

/* A transcript file holds cases; tests/transcripts/README.md says how it is written. */

#define TRANSCRIPT_EXCHANGES_MAX 8

/* struct transcript_exchange is a request, what came back, and what is to be made of it. */
struct transcript_exchange {
    struct urlp_buf request; /* the wire image, and what the head is made of */
    struct urlp_buf response;
    struct urlp_buf expected; /* the player's log */
    struct urlp_request_head head;
    struct urlp_field *fields;
    enum player_stop stop;
};

struct transcript_case {
    char *name;  /* file name and case name */
    size_t file; /* its number, from 0 */
    struct urlpool_limits limits;
    bool is_unsent; /* the request body stays unsent */
    size_t num_exchanges;
    struct transcript_exchange exchanges[TRANSCRIPT_EXCHANGES_MAX];
};

/* The cases of a file stand together. */
struct transcripts {
    struct transcript_case *cases;
    size_t num_cases;
    size_t num_files;
};

/* transcripts_load reads every .txt file of `directory`, in the order of their names; a file that
 * is not written as it should be ends the program with a message. Owns: the cases live for ever. */
struct transcripts transcripts_load(const char *directory);

#endif /* TESTS_UNIT_H1_TRANSCRIPT_H */
