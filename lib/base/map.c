/* Byte strings to pointers: open addressing, linear probing, at most three quarters full.
 *
 * Keys come from outside (host names of redirects), so they are hashed with SipHash-2-4 under a
 * seed that nobody outside can know: without that, chosen names make every look-up linear. Removing
 * moves later slots of the run back instead of leaving tombstones, so a map that is filled and
 * emptied for ever stays as fast as a new one. */

#include "base/map.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/random.h"
#include "base/sync.h"

#define NUM_SLOTS_MIN 8
#define SEED_BYTES    16

struct urlp_map_slot {
    void *value; /* NULL: the slot is free */
    char *key;
    size_t key_len;
    uint64_t hash;
};

static struct urlp_once seed_once = URLP_ONCE_INIT;
static uint8_t seed[SEED_BYTES];

static void make_seed(void)
{
    urlp_random_fill(seed, sizeof(seed));
}

static uint64_t hash_key(const void *key, size_t key_len)
{
    urlp_once_run(&seed_once, make_seed);
    return urlp_siphash24(seed, key, key_len);
}

static bool slot_has(const struct urlp_map_slot *slot, uint64_t hash, const void *key,
                     size_t key_len)
{
    return slot->hash == hash && slot->key_len == key_len &&
           (key_len == 0 || memcmp(slot->key, key, key_len) == 0);
}

/* find_slot returns the index of the slot that has the key, or of the free one that ends its run.
 * There always is one, since a map is never full. */
static size_t find_slot(const struct urlp_map *map, uint64_t hash, const void *key, size_t key_len)
{
    size_t mask = map->num_slots - 1;
    size_t i = (size_t)hash & mask;

    while (map->slots[i].value != NULL && !slot_has(&map->slots[i], hash, key, key_len)) {
        i = (i + 1) & mask;
    }
    return i;
}

void urlp_map_deinit(struct urlp_map *map)
{
    for (size_t i = 0; i < map->num_slots; i++) {
        urlp_free(map->slots[i].key);
    }
    urlp_free(map->slots);
    *map = (struct urlp_map){0};
}

void *urlp_map_get(const struct urlp_map *map, const void *key, size_t key_len)
{
    if (map->slots == NULL) {
        return NULL;
    }
    return map->slots[find_slot(map, hash_key(key, key_len), key, key_len)].value;
}

/* grow makes room for one more. */
static enum urlpool_code grow(struct urlp_map *map)
{
    size_t num_slots = map->num_slots != 0 ? map->num_slots * 2 : NUM_SLOTS_MIN;
    struct urlp_map wider = {.num_slots = num_slots, .len = map->len};

    if (map->slots != NULL && map->len + 1 <= map->num_slots / 4 * 3) {
        return URLPOOL_OK;
    }
    wider.slots = urlp_zalloc_array(num_slots, sizeof(wider.slots[0]));
    if (wider.slots == NULL) {
        return URLPOOL_E_NOMEM;
    }
    for (size_t i = 0; map->slots != NULL && i < map->num_slots; i++) {
        const struct urlp_map_slot *slot = &map->slots[i];

        if (slot->value != NULL) {
            wider.slots[find_slot(&wider, slot->hash, slot->key, slot->key_len)] = *slot;
        }
    }
    urlp_free(map->slots);
    *map = wider;
    return URLPOOL_OK;
}

enum urlpool_code urlp_map_put(struct urlp_map *map, const void *key, size_t key_len, void *value)
{
    struct urlp_map_slot added = {
        .value = value, .key_len = key_len, .hash = hash_key(key, key_len)};
    struct urlp_map_slot *slot = NULL;

    if (map->slots != NULL) {
        slot = &map->slots[find_slot(map, added.hash, key, key_len)];
    }
    if (slot != NULL && slot->value != NULL) {
        slot->value = value;
        return URLPOOL_OK;
    }
    added.key = urlp_strndup(key, key_len);
    if (added.key == NULL) {
        return URLPOOL_E_NOMEM;
    }
    if (grow(map) != URLPOOL_OK) {
        urlp_free(added.key);
        return URLPOOL_E_NOMEM;
    }
    map->slots[find_slot(map, added.hash, key, key_len)] = added;
    map->len++;
    return URLPOOL_OK;
}

/* close_gap moves the slots behind the free one at `gap` back, until each can be reached again from
 * where its hash points. */
static void close_gap(struct urlp_map *map, size_t gap)
{
    size_t mask = map->num_slots - 1;

    for (size_t i = (gap + 1) & mask; map->slots[i].value != NULL; i = (i + 1) & mask) {
        size_t home = (size_t)map->slots[i].hash & mask;

        /* Only a slot whose home does not lie behind the gap may move into it. */
        if (((i - home) & mask) >= ((i - gap) & mask)) {
            map->slots[gap] = map->slots[i];
            gap = i;
        }
    }
    map->slots[gap] = (struct urlp_map_slot){0};
}

void *urlp_map_remove(struct urlp_map *map, const void *key, size_t key_len)
{
    size_t at;
    void *value;

    if (map->slots == NULL) {
        return NULL;
    }
    at = find_slot(map, hash_key(key, key_len), key, key_len);
    value = map->slots[at].value;
    if (value == NULL) {
        return NULL;
    }
    urlp_free(map->slots[at].key);
    close_gap(map, at);
    map->len--;
    return value;
}

void *urlp_map_next(const struct urlp_map *map, size_t *cursor)
{
    while (*cursor < map->num_slots) {
        void *value = map->slots[(*cursor)++].value;

        if (value != NULL) {
            return value;
        }
    }
    return NULL;
}

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static uint64_t read_le64(const uint8_t *p, size_t len)
{
    uint64_t value = 0;

    for (size_t i = 0; i < len; i++) {
        value |= (uint64_t)p[i] << (8 * i);
    }
    return value;
}

static void sip_rounds(uint64_t v[4], int num_rounds)
{
    for (int i = 0; i < num_rounds; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate_left(v[1], 13) ^ v[0];
        v[3] = rotate_left(v[3], 16) ^ v[2];
        v[0] = rotate_left(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate_left(v[1], 17) ^ v[2];
        v[3] = rotate_left(v[3], 21) ^ v[0];
        v[2] = rotate_left(v[2], 32);
    }
}

static void sip_absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_rounds(v, 2);
    v[0] ^= word;
}

uint64_t urlp_siphash24(const uint8_t key[16], const void *data, size_t len)
{
    uint64_t k0 = read_le64(key, 8);
    uint64_t k1 = read_le64(key + 8, 8);
    /* "somepseudorandomlygeneratedbytes", as Aumasson and Bernstein have it */
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575U, k1 ^ 0x646f72616e646f6dU, k0 ^ 0x6c7967656e657261U,
                     k1 ^ 0x7465646279746573U};
    const uint8_t *p = data;
    size_t left = len;

    for (; left >= 8; left -= 8, p += 8) {
        sip_absorb(v, read_le64(p, 8));
    }
    sip_absorb(v, ((uint64_t)len << 56) | read_le64(p, left));
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
