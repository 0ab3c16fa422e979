#ifndef URLP_BASE_MAP_H
#define URLP_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"

/* struct urlp_map maps byte strings to pointers. Keys come from outside, so they are hashed with
 * SipHash-2-4 under a random seed of the process. Zero bytes are a valid empty map. */
struct urlp_map {
    struct urlp_map_slot *slots;
    size_t num_slots; /* a power of two, or 0 */
    size_t len;
};

void urlp_map_deinit(struct urlp_map *map); /* frees keys, not values */
void *urlp_map_get(const struct urlp_map *map, const void *key, size_t key_len);
/* urlp_map_put copies the key; `value` is not NULL; replaces. Errors: URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_map_put(struct urlp_map *map, const void *key,
                                                size_t key_len, void *value);
void *urlp_map_remove(struct urlp_map *map, const void *key, size_t key_len); /* NULL: was absent */
/* urlp_map_next walks: begin with *cursor 0; NULL at the end. No put or remove meanwhile. */
void *urlp_map_next(const struct urlp_map *map, size_t *cursor);

uint64_t urlp_siphash24(const uint8_t key[16], const void *data, size_t len);

#endif /* URLP_BASE_MAP_H */
