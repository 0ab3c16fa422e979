/* One TLS configuration takes the place of another, and lives as long as somebody uses it. */

#include <pthread.h>
#include <stdlib.h>

#include "client/tls_slot.h"
#include "conn/opener.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

enum {
    NUM_THREADS = 4,
    NUM_VISITS = 3000,
    NUM_PUTS = 100
};

static struct urlpool_tls *make_tls(void)
{
    struct urlpool_tls *tls =
        urlpool_tls_new(&(struct urlpool_tls_options){.insecure_no_verify = true}, NULL);

    ck_assert_ptr_nonnull(tls);
    return tls;
}

/* put sets a new configuration, to which the slot has the only reference. */
static uint64_t put(struct urlp_tls_slot *slot)
{
    struct urlpool_tls *tls = make_tls();
    uint64_t serial = UINT64_MAX;

    ck_assert_int_eq(urlp_tls_slot_put(slot, tls, &serial, NULL), URLPOOL_OK);
    urlpool_tls_unref(tls);
    return serial;
}

START_TEST(slot__gives_what_was_put_last)
{
    struct urlp_tls_slot slot;
    struct urlpool_tls *first = make_tls();
    struct urlpool_tls *second = make_tls();
    uint64_t serial = UINT64_MAX;

    urlp_tls_slot_init(&slot, first);
    ck_assert_ptr_eq(urlp_tls_slot_enter(&slot, NULL), first);
    ck_assert(urlp_tls_slot_holds(&slot, first));
    ck_assert_int_eq(urlp_tls_slot_put(&slot, second, &serial, NULL), URLPOOL_OK);
    ck_assert_uint_eq(serial, urlp_opener_tls_serial(first));
    ck_assert(!urlp_tls_slot_holds(&slot, first));
    urlp_tls_slot_leave(&slot);
    ck_assert_ptr_eq(urlp_tls_slot_enter(&slot, NULL), second);
    urlp_tls_slot_leave(&slot);
    urlp_tls_slot_deinit(&slot);
    urlpool_tls_unref(first);
    urlpool_tls_unref(second);
}
END_TEST

START_TEST(slot__says_when_nothing_was_replaced)
{
    struct urlp_tls_slot slot;
    struct urlpool_tls *tls = make_tls();
    uint64_t serial = UINT64_MAX;

    urlp_tls_slot_init(&slot, NULL);
    ck_assert_int_eq(urlp_tls_slot_put(&slot, tls, &serial, NULL), URLPOOL_OK);
    ck_assert_uint_eq(serial, 0);
    serial = UINT64_MAX;
    ck_assert_int_eq(urlp_tls_slot_put(&slot, tls, &serial, NULL), URLPOOL_OK);
    ck_assert_uint_eq(serial, 0);
    urlp_tls_slot_deinit(&slot);
    urlpool_tls_unref(tls);
}
END_TEST

START_TEST(slot__builds_the_default_at_the_first_need)
{
    struct urlp_tls_slot slot;
    struct urlpool_tls *built;
    uint64_t serial = 0;

    urlp_tls_slot_init(&slot, NULL);
    built = urlp_tls_slot_enter(&slot, NULL);
    ck_assert_ptr_nonnull(built);
    urlp_tls_slot_leave(&slot);
    ck_assert_ptr_eq(urlp_tls_slot_enter(&slot, NULL), built);
    ck_assert_int_eq(urlp_tls_slot_put(&slot, NULL, &serial, NULL), URLPOOL_OK);
    ck_assert_uint_eq(serial, urlp_opener_tls_serial(built));
    ck_assert_ptr_ne(urlp_tls_slot_enter(&slot, NULL), built); /* which lives yet */
    urlp_tls_slot_leave(&slot);
    urlp_tls_slot_leave(&slot);
    urlp_tls_slot_deinit(&slot);
}
END_TEST

START_TEST(slot__without_a_default_is_an_error_and_nobody_is_in_it)
{
    struct urlp_tls_slot slot;
    struct urlpool_error err = {0};

    (void)setenv("SSL_CERT_FILE", "/nowhere/roots.pem", 1);
    urlp_tls_slot_init(&slot, NULL);
    ck_assert_ptr_null(urlp_tls_slot_enter(&slot, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_CA_FILE);
    ck_assert_uint_eq(slot.num_users, 0);
    urlp_tls_slot_deinit(&slot);
}
END_TEST

START_TEST(slot__drops_what_was_replaced_as_soon_as_nobody_uses_it)
{
    struct urlp_tls_slot slot;
    int64_t num_one;
    struct urlpool_tls *in_use;

    failing_allocator_install();
    urlp_tls_slot_init(&slot, NULL);
    (void)put(&slot);
    num_one = failing_allocator_num_live();
    (void)put(&slot);
    ck_assert_int_eq(failing_allocator_num_live(), num_one); /* at once */

    in_use = urlp_tls_slot_enter(&slot, NULL);
    (void)put(&slot);
    (void)put(&slot);
    ck_assert_int_gt(failing_allocator_num_live(), num_one);
    ck_assert_uint_ne(urlp_opener_tls_serial(in_use), 0);
    urlp_tls_slot_leave(&slot);
    ck_assert_int_eq(failing_allocator_num_live(), num_one); /* with its last user */

    ck_assert_ptr_nonnull(urlp_tls_slot_enter(&slot, NULL));
    (void)put(&slot);
    slot.num_users = 0; /* as if nobody had ever left: a fork */
    urlp_tls_slot_deinit(&slot);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
}
END_TEST

START_TEST(put__out_of_memory_changes_nothing)
{
    struct urlp_tls_slot slot;
    struct urlpool_tls *first;
    struct urlpool_tls *second;
    struct urlpool_error err = {0};
    uint64_t serial = 7;

    failing_allocator_install();
    first = make_tls();
    second = make_tls();
    urlp_tls_slot_init(&slot, first);
    failing_allocator_fail_nth(1);
    ck_assert_int_eq(urlp_tls_slot_put(&slot, second, &serial, &err), URLPOOL_E_NOMEM);
    ck_assert_int_eq(err.code, URLPOOL_E_NOMEM);
    ck_assert_uint_eq(serial, 7);
    ck_assert(urlp_tls_slot_holds(&slot, first));
    urlp_tls_slot_deinit(&slot);
    urlpool_tls_unref(first);
    urlpool_tls_unref(second);
}
END_TEST

static void *visit_often(void *user)
{
    struct urlp_tls_slot *slot = user;

    for (int i = 0; i < NUM_VISITS; i++) {
        const struct urlpool_tls *tls = urlp_tls_slot_enter(slot, NULL);

        ck_assert_uint_ne(urlp_opener_tls_serial(tls), 0); /* it has not been freed */
        urlp_tls_slot_leave(slot);
    }
    return NULL;
}

static void *put_often(void *user)
{
    for (int i = 0; i < NUM_PUTS; i++) {
        (void)put(user);
    }
    return NULL;
}

START_TEST(slot__is_replaced_while_threads_use_it)
{
    struct urlp_tls_slot slot;
    pthread_t threads[NUM_THREADS + 2];

    urlp_tls_slot_init(&slot, NULL);
    (void)put(&slot);
    for (int i = 0; i < NUM_THREADS + 2; i++) {
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, i < NUM_THREADS ? visit_often : put_often, &slot), 0);
    }
    for (int i = 0; i < NUM_THREADS + 2; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    ck_assert_uint_eq(slot.num_users, 0);
    ck_assert_ptr_null(slot.past);
    urlp_tls_slot_deinit(&slot);
}
END_TEST

RUN_TESTS("tls_slot", slot__gives_what_was_put_last, slot__says_when_nothing_was_replaced,
          slot__builds_the_default_at_the_first_need,
          slot__without_a_default_is_an_error_and_nobody_is_in_it,
          slot__drops_what_was_replaced_as_soon_as_nobody_uses_it,
          put__out_of_memory_changes_nothing, slot__is_replaced_while_threads_use_it)
