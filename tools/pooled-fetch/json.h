#ifndef POOLED_FETCH_JSON_H
#define POOLED_FETCH_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

/* struct pf_json writes one JSON value. `key` is NULL inside an array. With `is_pretty` every
 * member has a line of its own. */
struct pf_json {
    struct pf_text *out;
    bool is_pretty;
    bool needs_comma;
    unsigned depth;
};

void pf_json_begin(struct pf_json *json, const char *key); /* an object */
void pf_json_end(struct pf_json *json);
/* pf_json_string writes a string, NULL as null; bytes that are no UTF-8 as U+FFFD. */
void pf_json_string(struct pf_json *json, const char *key, const char *value);
void pf_json_int(struct pf_json *json, const char *key, int64_t value);
void pf_json_number(struct pf_json *json, const char *key, double value, int decimals);
void pf_json_bool(struct pf_json *json, const char *key, bool value);

#endif /* POOLED_FETCH_JSON_H */
