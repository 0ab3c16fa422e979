/* Memory that travels from one request to the next: who has it when, and that none is lost. */

#include "base/alloc.h"
#include "conn/spares.h"
#include "conn/wire.h"
#include "support/run_tests.h"

static struct urlp_buf some(size_t cap)
{
    struct urlp_buf buf = {0};

    ck_assert_int_eq(urlp_buf_reserve(&buf, cap), URLPOOL_OK);
    return buf;
}

START_TEST(add__fills_empty_places_and_frees_the_rest)
{
    const int64_t num_before = urlp_alloc_num_blocks();
    struct urlp_spares spares = {.data = some(100)};
    struct urlp_spares more = {.data = some(200), .inbox = some(300)};
    const uint8_t *data = spares.data.data;
    const uint8_t *inbox = more.inbox.data;

    urlp_spares_add(&spares, &more);
    ck_assert_ptr_eq(spares.data.data, data);
    ck_assert_ptr_eq(spares.inbox.data, inbox);
    ck_assert_ptr_null(more.data.data);
    ck_assert_ptr_null(more.inbox.data);
    ck_assert_int_eq(urlp_alloc_num_blocks(), num_before + 2);
    urlp_spares_deinit(&spares);
    ck_assert_int_eq(urlp_alloc_num_blocks(), num_before);
}
END_TEST

START_TEST(lend__gives_memory_to_a_connection_that_has_none)
{
    struct urlp_spares spares = {.inbox = some(100)};
    struct urlp_spares more = {.inbox = some(200)};
    const uint8_t *inbox = spares.inbox.data;
    struct urlpool_connection connection = {0};

    urlp_spares_lend(&spares, &connection);
    ck_assert_ptr_eq(urlp_inbox_block(&connection.in), inbox);
    ck_assert_ptr_null(spares.inbox.data);
    urlp_spares_lend(&more, &connection);
    ck_assert_ptr_eq(urlp_inbox_block(&connection.in), inbox);
    ck_assert_ptr_nonnull(more.inbox.data);
    urlp_spares_take_back(&spares, &connection);
    ck_assert_ptr_eq(spares.inbox.data, inbox);
    ck_assert_ptr_null(connection.in.data);
    urlp_spares_deinit(&spares);
    urlp_spares_deinit(&more);
}
END_TEST

START_TEST(take_back__leaves_memory_with_received_bytes_where_they_are)
{
    struct urlp_spares spares = {.inbox = some(100)};
    struct urlpool_connection connection = {0};

    urlp_spares_lend(&spares, &connection);
    connection.in.end = 1;
    urlp_spares_take_back(&spares, &connection);
    ck_assert_ptr_null(spares.inbox.data);
    ck_assert_ptr_nonnull(connection.in.data);
    connection.in.end = 0;
    urlp_spares_take_back(&spares, &connection);
    ck_assert_ptr_nonnull(spares.inbox.data);
    urlp_spares_deinit(&spares);
}
END_TEST

RUN_TESTS("spares", add__fills_empty_places_and_frees_the_rest,
          lend__gives_memory_to_a_connection_that_has_none,
          take_back__leaves_memory_with_received_bytes_where_they_are)
