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

/* urlp_map_deinit empties `map`. It frees the keys, not what the values point to. */
void urlp_map_deinit(struct urlp_map *map);

/* urlp_map_get returns the value of the key, or NULL. */
void *urlp_map_get(const struct urlp_map *map, const void *key, size_t key_len);

/* urlp_map_put gives the key the value `value`, which is not NULL, instead of the one it may have.
 *
 * Owns:    the key is copied.
 * Errors:  URLPOOL_E_NOMEM; the map is unchanged then. */
URLPOOL_MUST_USE enum urlpool_code urlp_map_put(struct urlp_map *map, const void *key,
                                                size_t key_len, void *value);

/* urlp_map_remove takes the key out and returns its value; NULL when it had none. */
void *urlp_map_remove(struct urlp_map *map, const void *key, size_t key_len);

/* urlp_map_next walks over the values in any order: begin with *cursor 0; NULL at the end. No put
 * or remove meanwhile. */
void *urlp_map_next(const struct urlp_map *map, size_t *cursor);

/* urlp_siphash24 is the keyed hash under the map: SipHash-2-4 with 64 bits of result. */
uint64_t urlp_siphash24(const uint8_t key[16], const void *data, size_t len);

#endif /* URLP_BASE_MAP_H */
