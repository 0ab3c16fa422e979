/* Maps, and the hash under them. */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/map.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

#define NUM_KEYS 1000

static int values[NUM_KEYS];

static size_t make_key(char key[16], int number)
{
    return (size_t)snprintf(key, 16, "key-%d", number);
}

/* The vectors of the reference implementation: key 00…0f, the message 00, 01, 02, … of each length,
 * the result as bytes in little-endian order. */
static const uint8_t sip_vectors[64][8] = {
    {0x31, 0x0e, 0x0e, 0xdd, 0x47, 0xdb, 0x6f, 0x72},
    {0xfd, 0x67, 0xdc, 0x93, 0xc5, 0x39, 0xf8, 0x74},
    {0x5a, 0x4f, 0xa9, 0xd9, 0x09, 0x80, 0x6c, 0x0d},
    {0x2d, 0x7e, 0xfb, 0xd7, 0x96, 0x66, 0x67, 0x85},
    {0xb7, 0x87, 0x71, 0x27, 0xe0, 0x94, 0x27, 0xcf},
    {0x8d, 0xa6, 0x99, 0xcd, 0x64, 0x55, 0x76, 0x18},
    {0xce, 0xe3, 0xfe, 0x58, 0x6e, 0x46, 0xc9, 0xcb},
    {0x37, 0xd1, 0x01, 0x8b, 0xf5, 0x00, 0x02, 0xab},
    {0x62, 0x24, 0x93, 0x9a, 0x79, 0xf5, 0xf5, 0x93},
    {0xb0, 0xe4, 0xa9, 0x0b, 0xdf, 0x82, 0x00, 0x9e},
    {0xf3, 0xb9, 0xdd, 0x94, 0xc5, 0xbb, 0x5d, 0x7a},
    {0xa7, 0xad, 0x6b, 0x22, 0x46, 0x2f, 0xb3, 0xf4},
    {0xfb, 0xe5, 0x0e, 0x86, 0xbc, 0x8f, 0x1e, 0x75},
    {0x90, 0x3d, 0x84, 0xc0, 0x27, 0x56, 0xea, 0x14},
    {0xee, 0xf2, 0x7a, 0x8e, 0x90, 0xca, 0x23, 0xf7},
    {0xe5, 0x45, 0xbe, 0x49, 0x61, 0xca, 0x29, 0xa1},
    {0xdb, 0x9b, 0xc2, 0x57, 0x7f, 0xcc, 0x2a, 0x3f},
    {0x94, 0x47, 0xbe, 0x2c, 0xf5, 0xe9, 0x9a, 0x69},
    {0x9c, 0xd3, 0x8d, 0x96, 0xf0, 0xb3, 0xc1, 0x4b},
    {0xbd, 0x61, 0x79, 0xa7, 0x1d, 0xc9, 0x6d, 0xbb},
    {0x98, 0xee, 0xa2, 0x1a, 0xf2, 0x5c, 0xd6, 0xbe},
    {0xc7, 0x67, 0x3b, 0x2e, 0xb0, 0xcb, 0xf2, 0xd0},
    {0x88, 0x3e, 0xa3, 0xe3, 0x95, 0x67, 0x53, 0x93},
    {0xc8, 0xce, 0x5c, 0xcd, 0x8c, 0x03, 0x0c, 0xa8},
    {0x94, 0xaf, 0x49, 0xf6, 0xc6, 0x50, 0xad, 0xb8},
    {0xea, 0xb8, 0x85, 0x8a, 0xde, 0x92, 0xe1, 0xbc},
    {0xf3, 0x15, 0xbb, 0x5b, 0xb8, 0x35, 0xd8, 0x17},
    {0xad, 0xcf, 0x6b, 0x07, 0x63, 0x61, 0x2e, 0x2f},
    {0xa5, 0xc9, 0x1d, 0xa7, 0xac, 0xaa, 0x4d, 0xde},
    {0x71, 0x65, 0x95, 0x87, 0x66, 0x50, 0xa2, 0xa6},
    {0x28, 0xef, 0x49, 0x5c, 0x53, 0xa3, 0x87, 0xad},
    {0x42, 0xc3, 0x41, 0xd8, 0xfa, 0x92, 0xd8, 0x32},
    {0xce, 0x7c, 0xf2, 0x72, 0x2f, 0x51, 0x27, 0x71},
    {0xe3, 0x78, 0x59, 0xf9, 0x46, 0x23, 0xf3, 0xa7},
    {0x38, 0x12, 0x05, 0xbb, 0x1a, 0xb0, 0xe0, 0x12},
    {0xae, 0x97, 0xa1, 0x0f, 0xd4, 0x34, 0xe0, 0x15},
    {0xb4, 0xa3, 0x15, 0x08, 0xbe, 0xff, 0x4d, 0x31},
    {0x81, 0x39, 0x62, 0x29, 0xf0, 0x90, 0x79, 0x02},
    {0x4d, 0x0c, 0xf4, 0x9e, 0xe5, 0xd4, 0xdc, 0xca},
    {0x5c, 0x73, 0x33, 0x6a, 0x76, 0xd8, 0xbf, 0x9a},
    {0xd0, 0xa7, 0x04, 0x53, 0x6b, 0xa9, 0x3e, 0x0e},
    {0x92, 0x59, 0x58, 0xfc, 0xd6, 0x42, 0x0c, 0xad},
    {0xa9, 0x15, 0xc2, 0x9b, 0xc8, 0x06, 0x73, 0x18},
    {0x95, 0x2b, 0x79, 0xf3, 0xbc, 0x0a, 0xa6, 0xd4},
    {0xf2, 0x1d, 0xf2, 0xe4, 0x1d, 0x45, 0x35, 0xf9},
    {0x87, 0x57, 0x75, 0x19, 0x04, 0x8f, 0x53, 0xa9},
    {0x10, 0xa5, 0x6c, 0xf5, 0xdf, 0xcd, 0x9a, 0xdb},
    {0xeb, 0x75, 0x09, 0x5c, 0xcd, 0x98, 0x6c, 0xd0},
    {0x51, 0xa9, 0xcb, 0x9e, 0xcb, 0xa3, 0x12, 0xe6},
    {0x96, 0xaf, 0xad, 0xfc, 0x2c, 0xe6, 0x66, 0xc7},
    {0x72, 0xfe, 0x52, 0x97, 0x5a, 0x43, 0x64, 0xee},
    {0x5a, 0x16, 0x45, 0xb2, 0x76, 0xd5, 0x92, 0xa1},
    {0xb2, 0x74, 0xcb, 0x8e, 0xbf, 0x87, 0x87, 0x0a},
    {0x6f, 0x9b, 0xb4, 0x20, 0x3d, 0xe7, 0xb3, 0x81},
    {0xea, 0xec, 0xb2, 0xa3, 0x0b, 0x22, 0xa8, 0x7f},
    {0x99, 0x24, 0xa4, 0x3c, 0xc1, 0x31, 0x57, 0x24},
    {0xbd, 0x83, 0x8d, 0x3a, 0xaf, 0xbf, 0x8d, 0xb7},
    {0x0b, 0x1a, 0x2a, 0x32, 0x65, 0xd5, 0x1a, 0xea},
    {0x13, 0x50, 0x79, 0xa3, 0x23, 0x1c, 0xe6, 0x60},
    {0x93, 0x2b, 0x28, 0x46, 0xe4, 0xd7, 0x06, 0x66},
    {0xe1, 0x91, 0x5f, 0x5c, 0xb1, 0xec, 0xa4, 0x6c},
    {0xf3, 0x25, 0x96, 0x5c, 0xa1, 0x6d, 0x62, 0x9f},
    {0x57, 0x5f, 0xf2, 0x8e, 0x60, 0x38, 0x1b, 0xe5},
    {0x72, 0x45, 0x06, 0xeb, 0x4c, 0x32, 0x8a, 0x95},
};

START_TEST(siphash__gives_the_reference_vectors)
{
    uint8_t key[16];
    uint8_t message[64];

    for (uint8_t i = 0; i < 16; i++) {
        key[i] = i;
    }
    for (uint8_t i = 0; i < 64; i++) {
        message[i] = i;
    }
    for (size_t len = 0; len < 64; len++) {
        uint64_t expected = 0;

        for (int i = 7; i >= 0; i--) {
            expected = expected << 8 | sip_vectors[len][i];
        }
        ck_assert_msg(urlp_siphash24(key, message, len) == expected, "length %zu", len);
    }
}
END_TEST

START_TEST(siphash__does_not_care_about_alignment)
{
    const uint8_t key[16] = {1};
    _Alignas(8) char bytes[40];

    for (size_t shift = 0; shift < 8; shift++) {
        memcpy(bytes + shift, "www.example.com and more", 24);
        ck_assert(urlp_siphash24(key, bytes + shift, 24) ==
                  urlp_siphash24(key, "www.example.com and more", 24));
    }
}
END_TEST

START_TEST(map__empty_has_nothing)
{
    struct urlp_map map = {0};
    size_t cursor = 0;

    ck_assert_ptr_null(urlp_map_get(&map, "a", 1));
    ck_assert_ptr_null(urlp_map_remove(&map, "a", 1));
    ck_assert_ptr_null(urlp_map_next(&map, &cursor));
    urlp_map_deinit(&map);
}
END_TEST

START_TEST(map__keeps_what_was_put)
{
    struct urlp_map map = {0};
    char key[16];

    for (int i = 0; i < NUM_KEYS; i++) {
        ck_assert_int_eq(urlp_map_put(&map, key, make_key(key, i), &values[i]), URLPOOL_OK);
    }
    ck_assert_uint_eq(map.len, NUM_KEYS);
    for (int i = 0; i < NUM_KEYS; i++) {
        ck_assert_ptr_eq(urlp_map_get(&map, key, make_key(key, i)), &values[i]);
    }
    ck_assert_ptr_null(urlp_map_get(&map, key, make_key(key, NUM_KEYS)));
    urlp_map_deinit(&map);
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
}
END_TEST

START_TEST(map__put_replaces)
{
    struct urlp_map map = {0};

    ck_assert_int_eq(urlp_map_put(&map, "a", 1, &values[0]), URLPOOL_OK);
    ck_assert_int_eq(urlp_map_put(&map, "a", 1, &values[1]), URLPOOL_OK);
    ck_assert_uint_eq(map.len, 1);
    ck_assert_ptr_eq(urlp_map_get(&map, "a", 1), &values[1]);
    urlp_map_deinit(&map);
}
END_TEST

START_TEST(map__keys_are_bytes_and_copied)
{
    struct urlp_map map = {0};
    char key[] = {'a', '\0', 'b'};

    ck_assert_int_eq(urlp_map_put(&map, key, 3, &values[0]), URLPOOL_OK);
    ck_assert_int_eq(urlp_map_put(&map, key, 1, &values[1]), URLPOOL_OK);
    ck_assert_int_eq(urlp_map_put(&map, "", 0, &values[2]), URLPOOL_OK);
    key[2] = 'c';
    ck_assert_ptr_null(urlp_map_get(&map, key, 3));
    ck_assert_ptr_eq(urlp_map_get(&map, "a\0b", 3), &values[0]);
    ck_assert_ptr_eq(urlp_map_get(&map, "a", 1), &values[1]);
    ck_assert_ptr_eq(urlp_map_get(&map, NULL, 0), &values[2]);
    urlp_map_deinit(&map);
}
END_TEST

/* Against a plain array: whatever order of puts and removes, both know the same. */
START_TEST(map__agrees_with_a_plain_array_through_puts_and_removes)
{
    struct urlp_map map = {0};
    bool is_in[64] = {false};
    uint32_t random = 12345;
    size_t len = 0;
    char key[16];

    for (int step = 0; step < 20000; step++) {
        int number;
        void *old;

        random = random * 1664525 + 1013904223;
        number = (int)(random >> 26);
        if (random & 0x10000) {
            ck_assert_int_eq(urlp_map_put(&map, key, make_key(key, number), &values[number]),
                             URLPOOL_OK);
            len += !is_in[number];
            is_in[number] = true;
        } else {
            old = urlp_map_remove(&map, key, make_key(key, number));
            ck_assert_ptr_eq(old, is_in[number] ? &values[number] : NULL);
            len -= is_in[number];
            is_in[number] = false;
        }
        ck_assert_uint_eq(map.len, len);
        number = (int)(random >> 8 & 63);
        ck_assert_ptr_eq(urlp_map_get(&map, key, make_key(key, number)),
                         is_in[number] ? &values[number] : NULL);
    }
    urlp_map_deinit(&map);
    ck_assert_int_eq(urlp_alloc_num_blocks(), 0);
}
END_TEST

START_TEST(map__does_not_grow_when_keys_come_and_go)
{
    struct urlp_map map = {0};
    char key[16];

    for (int i = 0; i < 100000; i++) {
        ck_assert_int_eq(urlp_map_put(&map, key, make_key(key, i), &values[0]), URLPOOL_OK);
        ck_assert_ptr_eq(urlp_map_remove(&map, key, make_key(key, i)), &values[0]);
    }
    ck_assert_uint_eq(map.len, 0);
    ck_assert_uint_le(map.num_slots, 8);
    urlp_map_deinit(&map);
}
END_TEST

START_TEST(map__walk_meets_every_value_once)
{
    struct urlp_map map = {0};
    bool is_met[NUM_KEYS] = {false};
    size_t cursor = 0;
    int num_met = 0;
    char key[16];
    int *value;

    for (int i = 0; i < NUM_KEYS; i++) {
        ck_assert_int_eq(urlp_map_put(&map, key, make_key(key, i), &values[i]), URLPOOL_OK);
    }
    while ((value = urlp_map_next(&map, &cursor)) != NULL) {
        ck_assert(!is_met[value - values]);
        is_met[value - values] = true;
        num_met++;
    }
    ck_assert_int_eq(num_met, NUM_KEYS);
    urlp_map_deinit(&map);
}
END_TEST

START_TEST(map__is_unchanged_when_memory_runs_out)
{
    struct urlp_map map = {0};
    int num_failures = 0;
    char key[16];

    failing_allocator_install();
    for (int i = 0; i < 20; i++) {
        for (uint64_t n = 1;; n++) {
            int64_t num_live = failing_allocator_num_live();
            enum urlpool_code code;

            failing_allocator_fail_nth(n);
            code = urlp_map_put(&map, key, make_key(key, i), &values[i]);
            if (!failing_allocator_has_failed()) {
                ck_assert_int_eq(code, URLPOOL_OK);
                break;
            }
            num_failures++;
            ck_assert_int_eq(code, URLPOOL_E_NOMEM);
            ck_assert_uint_eq(map.len, (size_t)i);
            ck_assert_ptr_null(urlp_map_get(&map, key, make_key(key, i)));
            ck_assert_int_eq(failing_allocator_num_live(), num_live);
        }
    }
    ck_assert_int_gt(num_failures, 20);
    for (int i = 0; i < 20; i++) {
        ck_assert_ptr_eq(urlp_map_get(&map, key, make_key(key, i)), &values[i]);
    }
    urlp_map_deinit(&map);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
}
END_TEST

/* first_of_walk is the first value of a walk over 64 keys: where they stand depends on the seed. */
static int first_of_walk(void)
{
    struct urlp_map map = {0};
    size_t cursor = 0;
    char key[16];
    int *first;

    for (int i = 0; i < 64; i++) {
        ck_assert_int_eq(urlp_map_put(&map, key, make_key(key, i), &values[i]), URLPOOL_OK);
    }
    first = urlp_map_next(&map, &cursor);
    urlp_map_deinit(&map);
    return (int)(first - values);
}

START_TEST(map__is_seeded_anew_in_each_process)
{
    int firsts[8];
    int num_different = 0;

    /* Each child makes its own seed, as the parent has made none yet. */
    for (int i = 0; i < 8; i++) {
        pid_t pid;
        int pipe_fds[2];

        ck_assert_int_eq(pipe(pipe_fds), 0);
        pid = fork();
        if (pid == 0) {
            int first = first_of_walk();

            _exit(write(pipe_fds[1], &first, sizeof(first)) == (ssize_t)sizeof(first) ? 0 : 1);
        }
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        ck_assert_int_eq(read(pipe_fds[0], &firsts[i], sizeof(firsts[i])), sizeof(firsts[i]));
        num_different += firsts[i] != firsts[0];
        (void)close(pipe_fds[0]);
        (void)close(pipe_fds[1]);
    }
    ck_assert_int_gt(num_different, 0); /* all alike by chance: once in 64^7 */
}
END_TEST

RUN_TESTS("map", siphash__gives_the_reference_vectors, siphash__does_not_care_about_alignment,
          map__empty_has_nothing, map__keeps_what_was_put, map__put_replaces,
          map__keys_are_bytes_and_copied, map__agrees_with_a_plain_array_through_puts_and_removes,
          map__does_not_grow_when_keys_come_and_go, map__walk_meets_every_value_once,
          map__is_unchanged_when_memory_runs_out, map__is_seeded_anew_in_each_process)
