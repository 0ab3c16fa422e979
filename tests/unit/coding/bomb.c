/* A heap that knows how much is held, and a decoder of bombs upon it. */

#include "bomb.h"

#include <check.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "urlpool/memory.h"

#include "coding/decoder.h"

static struct urlpool_error err;
static size_t held_now;
static size_t held_most;

static void *count_allocate(void *user, size_t size)
{
    size_t *block = malloc(size + sizeof(max_align_t));

    (void)user;
    ck_assert_ptr_nonnull(block);
    *block = size;
    held_now += size;
    held_most = held_now > held_most ? held_now : held_most;
    return (char *)block + sizeof(max_align_t);
}

static void count_release(void *user, void *block)
{
    (void)user;
    if (block != NULL) {
        size_t *start = (size_t *)(void *)((char *)block - sizeof(max_align_t));

        held_now -= *start;
        free(start);
    }
}

static void *count_reallocate(void *user, void *block, size_t size)
{
    void *fresh = count_allocate(user, size);

    if (block != NULL) {
        size_t len = *(size_t *)(void *)((char *)block - sizeof(max_align_t));

        memcpy(fresh, block, len < size ? len : size);
        count_release(user, block);
    }
    return fresh;
}

static const struct urlpool_allocator counting = {
    .allocate = count_allocate, .reallocate = count_reallocate, .release = count_release};

void bomb_begin(void)
{
    ck_assert_int_eq(urlpool_set_allocator(&counting, &err), URLPOOL_OK);
}

void bomb_end(void)
{
    ck_assert_uint_eq(held_now, 0);
    ck_assert_int_eq(urlpool_set_allocator(NULL, &err), URLPOOL_OK);
}

void bomb_check(const char *codings, const struct urlp_buf *bomb, size_t expected_len,
                size_t held_max)
{
    struct urlp_decoder *decoder = NULL;
    struct urlp_decoder_io io = {.in = bomb->data, .in_len = bomb->len};
    size_t total = 0;
    size_t made;
    uint8_t out[1000];

    held_most = held_now;
    held_max += held_now;
    ck_assert_int_eq(urlp_decoder_new(urlp_span_of(codings), 0, INT_MAX, &decoder, &err),
                     URLPOOL_OK);
    do {
        io.out = out;
        io.out_cap = sizeof(out);
        ck_assert_int_eq(urlp_decoder_step(decoder, &io, &err), URLPOOL_OK);
        made = sizeof(out) - io.out_cap;
        total += made;
    } while (made > 0);
    ck_assert_uint_eq(total, expected_len);
    ck_assert_int_eq(urlp_decoder_finish(decoder, &err), URLPOOL_OK);
    ck_assert_uint_le(held_most, held_max);
    urlp_decoder_free(decoder);
}

enum urlpool_code window_fate(const char *codings, const struct urlp_buf *coded, int window_max)
{
    static uint8_t out[65536];
    struct urlp_decoder *decoder = NULL;
    struct urlp_decoder_io io = {coded->data, coded->len, out, sizeof(out)};
    enum urlpool_code code;

    ck_assert_int_eq(urlp_decoder_new(urlp_span_of(codings), 0, 0, &decoder, &err), URLPOOL_OK);
    urlp_decoder_set_window_max(decoder, window_max);
    code = urlp_decoder_step(decoder, &io, &err);
    urlp_decoder_free(decoder);
    return code;
}
