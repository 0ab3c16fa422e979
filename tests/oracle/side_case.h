#ifndef ORACLE_SIDE_CASE_H
#define ORACLE_SIDE_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <urlpool/urlpool.h>

#include "side_text.h"

/* struct side_case is what the lines of a block have said so far. Zero bytes: nothing. */
struct side_case {
    struct urlpool_manager *manager; /* made for the first request */
    struct urlpool_headers *manager_headers;
    struct urlpool_pool *pool; /* of "pool:", in place of the manager */
    char *pool_url;
    int num_requests;

    bool has_request; /* the rest is about that one */
    struct side_bytes method, url, body;
    struct urlpool_headers *headers;
    struct urlpool_request_options options;
    char methods[256]; /* of retries */
    char removed[256];
    size_t pieces; /* 0: read whole */
    struct urlpool_form *form;
    struct urlpool_headers_choice choice; /* headers that urlpool_headers_make is to make */
    bool has_choice;
    char chosen[4][256]; /* its strings, of "make:" */
    struct side_parts {  /* a body of pieces */
        struct side_bytes pieces[16];
        size_t num, next;
    } parts;
    struct urlpool_error refused; /* a header that the list did not take */
};

/* side_case_take learns from one line; ends the program when it cannot. */
void side_case_take(struct side_case *scene, const char *key, const char *value);
/* side_take_retries learns from a line "retries: ", and each of the next from one of that name. */
void side_take_retries(struct side_case *scene, const char *value);
void side_take_field(struct side_case *scene, const char *value);
void side_take_file(struct side_case *scene, const char *value);
void side_take_encode(struct side_case *scene, const char *value);
void side_take_boundary(struct side_case *scene, const char *value);
void side_take_make(struct side_case *scene, const char *value);
void side_take_body_parts(struct side_case *scene, const char *value);
/* side_case_get_ready makes the manager, once, and lets the options point where they have to. */
void side_case_get_ready(struct side_case *scene);
/* side_case_forget_request leaves only what belongs to the whole case. */
void side_case_forget_request(struct side_case *scene);
/* side_case_end ends the manager and forgets everything. */
void side_case_end(struct side_case *scene);

#endif /* ORACLE_SIDE_CASE_H */
