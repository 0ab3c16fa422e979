/* The tries that came before a response: what is kept of them, and how many. */

#include <string.h>

#include "conn/hops.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

static struct urlp_hop_note note_of(const char *method, const char *url, const char *location)
{
    return (struct urlp_hop_note){
        .method = urlp_span_of(method),
        .url = urlp_span_of(url),
        .code = location == NULL ? URLPOOL_E_RESET : URLPOOL_OK,
        .status = location == NULL ? 0 : 302,
        .location = location != NULL ? urlp_span_of(location) : (struct urlp_span){0},
    };
}

static void add(struct urlp_hops *hops, struct urlp_hop_note note)
{
    ck_assert_int_eq(urlp_hops_add(hops, &note), URLPOOL_OK);
}

START_TEST(hops__are_kept_in_their_order)
{
    struct urlp_hops hops = {0};
    struct urlpool_hop hop;

    add(&hops, note_of("PUT", "http://a/", NULL));
    add(&hops, note_of("GET", "http://b/", "http://c/"));
    add(&hops, note_of("", "", ""));
    ck_assert_uint_eq(urlp_hops_count(&hops), 3);
    hop = urlp_hops_get(&hops, 0);
    ck_assert_str_eq(hop.method, "PUT");
    ck_assert_str_eq(hop.url, "http://a/");
    ck_assert_int_eq(hop.code, URLPOOL_E_RESET);
    ck_assert_int_eq(hop.status, 0);
    ck_assert_ptr_null(hop.location);
    hop = urlp_hops_get(&hops, 1);
    ck_assert_str_eq(hop.method, "GET");
    ck_assert_str_eq(hop.url, "http://b/");
    ck_assert_int_eq(hop.code, URLPOOL_OK);
    ck_assert_int_eq(hop.status, 302);
    ck_assert_str_eq(hop.location, "http://c/");
    ck_assert_str_eq(urlp_hops_get(&hops, 2).location, "");
    urlp_hops_deinit(&hops);
    ck_assert_uint_eq(urlp_hops_count(&hops), 0);
}
END_TEST

START_TEST(hops__past_the_end_are_none)
{
    struct urlp_hops hops = {0};

    ck_assert_ptr_null(urlp_hops_get(&hops, 0).method);
    add(&hops, note_of("GET", "http://a/", NULL));
    ck_assert_ptr_nonnull(urlp_hops_get(&hops, 0).method);
    ck_assert_ptr_null(urlp_hops_get(&hops, 1).method);
    ck_assert_ptr_null(urlp_hops_get(&hops, SIZE_MAX).method);
    urlp_hops_deinit(&hops);
}
END_TEST

START_TEST(hops__do_not_grow_for_ever)
{
    struct urlp_hops hops = {0};

    for (int i = 0; i < URLP_HOPS_MAX; i++) {
        add(&hops, note_of("GET", "http://a/", NULL));
    }
    add(&hops, note_of("PUT", "http://b/", NULL));
    ck_assert_uint_eq(urlp_hops_count(&hops), URLP_HOPS_MAX);
    ck_assert_str_eq(urlp_hops_get(&hops, URLP_HOPS_MAX - 1).method, "GET");
    urlp_hops_deinit(&hops);
}
END_TEST

START_TEST(hops__need_no_memory_while_there_are_none)
{
    struct urlp_hops hops = {0};

    failing_allocator_install();
    urlp_hops_deinit(&hops);
    ck_assert_uint_eq(urlp_hops_count(&hops), 0);
    ck_assert_uint_eq(failing_allocator_num_tried(), 0);
    failing_allocator_remove();
}
END_TEST

START_TEST(hops__are_as_they_were_out_of_memory)
{
    failing_allocator_install();
    for (uint64_t nth = 1; nth <= 2; nth++) {
        struct urlp_hops hops = {0};
        const struct urlp_hop_note note = note_of("GET", "http://a/", NULL);

        failing_allocator_fail_nth(nth);
        ck_assert_int_eq(urlp_hops_add(&hops, &note), URLPOOL_E_NOMEM);
        ck_assert(failing_allocator_has_failed());
        ck_assert_uint_eq(urlp_hops_count(&hops), 0);
        failing_allocator_fail_nth(0);
        add(&hops, note);
        ck_assert_str_eq(urlp_hops_get(&hops, 0).url, "http://a/");
        urlp_hops_deinit(&hops);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
    }
    failing_allocator_remove();
}
END_TEST

RUN_TESTS("hops", hops__are_kept_in_their_order, hops__past_the_end_are_none,
          hops__do_not_grow_for_ever, hops__need_no_memory_while_there_are_none,
          hops__are_as_they_were_out_of_memory)
