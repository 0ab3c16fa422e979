#ifndef URLP_BASE_BLOCK_SSE2_H
#define URLP_BASE_BLOCK_SSE2_H

#include <emmintrin.h>
#include <stddef.h>

/* base/block.h for x86-64. Bytes are compared as signed numbers, which have those above 0x7f below
 * all others. */

#define URLP_BLOCK_BYTES 16

/* urlp_block_first is the index of the lowest bit of `mask`, or URLP_BLOCK_BYTES. */
static inline size_t urlp_block_first(__m128i mask)
{
    return (size_t)__builtin_ctz((unsigned)_mm_movemask_epi8(mask) | 1U << URLP_BLOCK_BYTES);
}

/* urlp_block_between marks the bytes from `first` to `last`. */
static inline __m128i urlp_block_between(__m128i bytes, char first, char last)
{
    return _mm_and_si128(_mm_cmpgt_epi8(bytes, _mm_set1_epi8((char)(first - 1))),
                         _mm_cmplt_epi8(bytes, _mm_set1_epi8((char)(last + 1))));
}

/* urlp_block_name_len says how many of the first bytes at `data` are letters, digits or "-". */
static inline size_t urlp_block_name_len(const char *data)
{
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)data);
    const __m128i small = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    const __m128i fits = _mm_or_si128(
        _mm_or_si128(urlp_block_between(small, 'a', 'z'), urlp_block_between(bytes, '0', '9')),
        _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')));

    return urlp_block_first(_mm_cmpeq_epi8(fits, _mm_setzero_si128()));
}

/* urlp_block_value_len says how many of the first bytes at `data` may stand in a field value. */
static inline size_t urlp_block_value_len(const char *data)
{
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)data);
    const __m128i is_tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
    const __m128i is_low = urlp_block_between(bytes, 0, 0x1f);
    const __m128i is_delete = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));

    return urlp_block_first(_mm_or_si128(_mm_andnot_si128(is_tab, is_low), is_delete));
}

#endif /* URLP_BASE_BLOCK_SSE2_H */
