/* What every field of struct urlpool_limits comes to at zero, at URLPOOL_NONE and at a value, and
 * what is refused. That each limit is also kept is for the transcripts (r046, r098, r102 and the
 * tolerances in r010, r035, r039, r084). */

#include <stdint.h>

#include "h1/bounds.h"
#include "support/run_tests.h"

static struct urlp_h1_bounds bounds_of(const struct urlpool_limits *limits)
{
    struct urlp_h1_bounds bounds = {0};
    struct urlpool_error err;

    ck_assert_int_eq(urlp_h1_bounds_of(limits, &bounds, &err), URLPOOL_OK);
    return bounds;
}

static void check_defaults(struct urlp_h1_bounds bounds)
{
    ck_assert_uint_eq(bounds.line_bytes_max, 65536);
    ck_assert_uint_eq(bounds.head_bytes_max, 262144);
    ck_assert_uint_eq(bounds.trailer_bytes_max, 16384);
    ck_assert_uint_eq(bounds.chunk_line_bytes_max, 4096);
    ck_assert_uint_eq(bounds.fields_max, 200);
    ck_assert_uint_eq(bounds.interims_max, 32);
    ck_assert(!bounds.refuse_bare_lf);
    ck_assert(!bounds.refuse_missing_reason);
    ck_assert(!bounds.refuse_obs_fold);
    ck_assert(!bounds.refuse_chunk_blanks);
}

START_TEST(bounds__are_the_defaults_without_limits)
{
    check_defaults(bounds_of(NULL));
}
END_TEST

START_TEST(bounds__are_the_defaults_where_limits_are_zero)
{
    check_defaults(bounds_of(&(struct urlpool_limits){0}));
}
END_TEST

START_TEST(bounds__are_zero_where_limits_say_none)
{
    struct urlp_h1_bounds bounds = bounds_of(&(struct urlpool_limits){
        .line_bytes_max = URLPOOL_NONE,
        .head_bytes_max = URLPOOL_NONE,
        .trailer_bytes_max = URLPOOL_NONE,
        .chunk_line_bytes_max = URLPOOL_NONE,
        .fields_max = URLPOOL_NONE,
        .interims_max = URLPOOL_NONE,
        .codings_max = URLPOOL_NONE,
        .coding_ratio_max = URLPOOL_NONE,
        .coding_window_max = URLPOOL_NONE,
    });

    ck_assert_uint_eq(bounds.line_bytes_max, 0);
    ck_assert_uint_eq(bounds.head_bytes_max, 0);
    ck_assert_uint_eq(bounds.trailer_bytes_max, 0);
    ck_assert_uint_eq(bounds.chunk_line_bytes_max, 0);
    ck_assert_uint_eq(bounds.fields_max, 0);
    ck_assert_uint_eq(bounds.interims_max, 0);
}
END_TEST

START_TEST(bounds__are_the_values_given)
{
    struct urlp_h1_bounds bounds = bounds_of(&(struct urlpool_limits){
        .line_bytes_max = 1,
        .head_bytes_max = 2,
        .trailer_bytes_max = 3,
        .chunk_line_bytes_max = 4,
        .fields_max = 5,
        .interims_max = 6,
        .refuse_bare_lf = true,
        .refuse_missing_reason = true,
        .refuse_obs_fold = true,
        .refuse_chunk_blanks = true,
    });

    ck_assert_uint_eq(bounds.line_bytes_max, 1);
    ck_assert_uint_eq(bounds.head_bytes_max, 2);
    ck_assert_uint_eq(bounds.trailer_bytes_max, 3);
    ck_assert_uint_eq(bounds.chunk_line_bytes_max, 4);
    ck_assert_uint_eq(bounds.fields_max, 5);
    ck_assert_uint_eq(bounds.interims_max, 6);
    ck_assert(bounds.refuse_bare_lf);
    ck_assert(bounds.refuse_missing_reason);
    ck_assert(bounds.refuse_obs_fold);
    ck_assert(bounds.refuse_chunk_blanks);
}
END_TEST

START_TEST(bounds__of_what_is_sent_are_never_below_the_defaults)
{
    struct urlp_h1_bounds small =
        bounds_of(&(struct urlpool_limits){.line_bytes_max = 1, .fields_max = URLPOOL_NONE});
    struct urlp_h1_bounds large = bounds_of(&(struct urlpool_limits){
        .line_bytes_max = 100000, .head_bytes_max = 300000, .fields_max = 300});

    ck_assert_uint_eq(small.sent_line_bytes_max, 65536);
    ck_assert_uint_eq(small.sent_head_bytes_max, 262144);
    ck_assert_uint_eq(small.sent_fields_max, 200);
    ck_assert_uint_eq(large.sent_line_bytes_max, 100000);
    ck_assert_uint_eq(large.sent_head_bytes_max, 300000);
    ck_assert_uint_eq(large.sent_fields_max, 300);
}
END_TEST

/* refused checks that `limits` are, and that nothing is written then. */
static void refused(const struct urlpool_limits *limits)
{
    struct urlp_h1_bounds bounds = {.line_bytes_max = 7};
    struct urlpool_error err;

    ck_assert_int_eq(urlp_h1_bounds_of(limits, &bounds, &err), URLPOOL_E_INVALID);
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    ck_assert_uint_eq(bounds.line_bytes_max, 7);
    ck_assert_uint_eq(bounds.head_bytes_max, 0);
}

START_TEST(bounds__refuse_a_negative_number)
{
    refused(&(struct urlpool_limits){.line_bytes_max = -3});
    refused(&(struct urlpool_limits){.head_bytes_max = INT64_MIN});
    refused(&(struct urlpool_limits){.trailer_bytes_max = -3});
    refused(&(struct urlpool_limits){.chunk_line_bytes_max = -3});
    refused(&(struct urlpool_limits){.fields_max = -3});
    refused(&(struct urlpool_limits){.interims_max = INT32_MIN});
    refused(&(struct urlpool_limits){.codings_max = -3});
    refused(&(struct urlpool_limits){.coding_ratio_max = -3});
    refused(&(struct urlpool_limits){.coding_window_max = -3});
}
END_TEST

START_TEST(bounds__refuse_to_be_without_a_bound)
{
    refused(&(struct urlpool_limits){.line_bytes_max = URLPOOL_NO_TIMEOUT});
    refused(&(struct urlpool_limits){.head_bytes_max = URLPOOL_NO_TIMEOUT});
    refused(&(struct urlpool_limits){.trailer_bytes_max = URLPOOL_NO_TIMEOUT});
    refused(&(struct urlpool_limits){.chunk_line_bytes_max = URLPOOL_NO_TIMEOUT});
    refused(&(struct urlpool_limits){.fields_max = URLPOOL_NO_TIMEOUT});
    refused(&(struct urlpool_limits){.interims_max = URLPOOL_NO_TIMEOUT});
    refused(&(struct urlpool_limits){.codings_max = URLPOOL_NO_TIMEOUT});
    refused(&(struct urlpool_limits){.coding_ratio_max = URLPOOL_NO_TIMEOUT});
    refused(&(struct urlpool_limits){.coding_window_max = URLPOOL_NO_TIMEOUT});
}
END_TEST

START_TEST(bounds__refuse_every_reserved_byte_that_is_not_zero)
{
    struct urlpool_limits limits = {0};

    for (size_t i = 0; i < sizeof(limits.reserved); i++) {
        limits.reserved[i] = 1;
        refused(&limits);
        limits.reserved[i] = 0;
    }
}
END_TEST

RUN_TESTS("bounds", bounds__are_the_defaults_without_limits,
          bounds__are_the_defaults_where_limits_are_zero, bounds__are_zero_where_limits_say_none,
          bounds__are_the_values_given, bounds__of_what_is_sent_are_never_below_the_defaults,
          bounds__refuse_a_negative_number, bounds__refuse_to_be_without_a_bound,
          bounds__refuse_every_reserved_byte_that_is_not_zero)
