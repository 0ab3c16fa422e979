/* Who has what, for how long, and what seems to be forgotten. */

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "pool/core.h"
#include "support/pool_fixture.h"
#include "support/run_tests.h"

static const struct urlp_purpose get_slow = {
    {"GET",   3},
    {"/slow", 5}
};

/* holders_of gives what the line of `pool` says behind its figures, in static memory. */
static const char *holders_of(struct urlpool_pool *pool)
{
    static char text[2048];
    struct urlp_buf out = {0};
    const char *at;

    ck_assert_int_eq(urlp_pool_describe(pool, &out), URLPOOL_OK);
    ck_assert_int_eq(urlp_buf_append(&out, "", 1), URLPOOL_OK);
    at = strchr((const char *)out.data, ';');
    (void)snprintf(text, sizeof(text), "%s", at != NULL ? at : "\n");
    text[strlen(text) - 1] = '\0'; /* its LF */
    urlp_buf_deinit(&out);
    return text;
}

/* held_by_me is "; held <time> s by thread <this>", and `rest` behind it. */
static const char *held_by_me(const char *time, const char *rest)
{
    static char text[256];

    (void)snprintf(text, sizeof(text), "; held %s s by thread %" PRId64 "%s", time,
                   urlp_thread_id(), rest);
    return text;
}

START_TEST(describe__says_who_holds_what_for_how_long)
{
    struct pool_fixture f;
    struct urlp_lease lease;

    pool_begin(&f, NULL);
    ck_assert_str_eq(holders_of(f.pool), "");
    f.call.purpose = &get_slow;
    lease = lease_take(&f, f.pool);
    urlp_clock_fake_advance(3250 * MS);
    ck_assert_str_eq(holders_of(f.pool), held_by_me("3.2", ": GET /slow"));
    lease_give(&lease);
    ck_assert_str_eq(holders_of(f.pool), "");
    pool_end(&f);
}
END_TEST

START_TEST(describe__begins_anew_with_each_lease)
{
    struct pool_fixture f;
    const struct urlp_purpose put = {
        {"PUT", 3},
        {"",    0}
    };
    struct urlp_lease lease;

    pool_begin(&f, NULL);
    f.call.purpose = &get_slow;
    lease = lease_take(&f, f.pool);
    urlp_clock_fake_advance(7 * S);
    lease_give(&lease);
    f.call.purpose = &put; /* an empty path is "/" */
    lease = lease_take(&f, f.pool);
    urlp_clock_fake_advance(1 * S);
    ck_assert_str_eq(holders_of(f.pool), held_by_me("1.0", ": PUT /"));
    lease_give(&lease);
    f.call.purpose = NULL; /* lent to speak on: nobody knows what for */
    lease = lease_take(&f, f.pool);
    ck_assert_str_eq(holders_of(f.pool), held_by_me("0.0", ""));
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

START_TEST(describe__follows_to_the_connection_in_place_of_a_closed_one)
{
    struct pool_fixture f;
    struct urlp_lease leases[2];

    pool_begin(&f, NULL);
    leases[0] = lease_take(&f, f.pool);
    leases[1] = lease_take(&f, f.pool);
    lease_give(&leases[0]);
    lease_give(&leases[1]);
    fake_set_look(&f.fake, 2, URLP_LOOK_CLOSED);
    f.call.purpose = &get_slow;
    leases[0] = lease_take_number(&f, 1);
    ck_assert_str_eq(holders_of(f.pool), held_by_me("0.0", ": GET /slow"));
    urlp_clock_fake_advance(2 * S);
    ck_assert_int_eq(urlp_lease_redial(&leases[0], -1, &f.call, NULL), URLPOOL_OK);
    ck_assert_str_eq(holders_of(f.pool), held_by_me("0.0", ": GET /slow"));
    lease_kill(&leases[0], URLPOOL_CLOSED_ERROR);
    ck_assert_str_eq(holders_of(f.pool), "");
    pool_end(&f);
}
END_TEST

START_TEST(describe__says_who_dials)
{
    struct pool_fixture f;
    struct lease_thread thread;
    const char *text;

    pool_begin(&f, NULL);
    fake_hold_dials(&f.fake);
    f.call.purpose = &get_slow;
    lease_thread_start(&thread, &f, -1);
    fake_await_held(&f.fake, 1);
    urlp_clock_fake_advance(700 * MS);
    text = holders_of(f.pool);
    ck_assert_msg(strncmp(text, "; dialling 0.7 s by thread ", 27) == 0, "%s", text);
    ck_assert_ptr_nonnull(strstr(text, ": GET /slow"));
    fake_let_dials(&f.fake, 1);
    ck_assert_int_eq(lease_thread_join(&thread), URLPOOL_OK);
    text = holders_of(f.pool);
    ck_assert_msg(strncmp(text, "; held 0.0 s by thread ", 23) == 0, "%s", text);
    lease_give(&thread.lease);
    pool_end(&f);
}
END_TEST

START_TEST(describe__forgets_a_dial_that_failed)
{
    struct pool_fixture f;

    pool_begin(&f, NULL);
    fake_fail_dials(&f.fake, 1, URLPOOL_E_CONNECT, 0);
    (void)lease_fail(&f);
    ck_assert_str_eq(holders_of(f.pool), "");
    pool_end(&f);
}
END_TEST

START_TEST(describe__says_who_waits_and_then_holds)
{
    struct pool_fixture f;
    struct urlp_pool_settings settings = pool_defaults();
    struct lease_thread thread;
    struct urlp_lease lease;
    const char *text;

    settings.maxsize = 1;
    pool_begin(&f, &settings);
    lease = lease_take(&f, f.pool);
    f.call.purpose = &get_slow;
    lease_thread_start_waiting(&thread, &f, -1, 1);
    urlp_clock_fake_advance(1500 * MS);
    text = strstr(holders_of(f.pool), "; waiting ");
    ck_assert_ptr_nonnull(text);
    ck_assert_msg(strncmp(text, "; waiting 1.5 s by thread ", 26) == 0, "%s", text);
    ck_assert_ptr_nonnull(strstr(text, ": GET /slow"));
    lease_give(&lease);
    ck_assert_int_eq(lease_thread_join(&thread), URLPOOL_OK);
    text = holders_of(f.pool);
    ck_assert_msg(strncmp(text, "; held 0.0 s by thread ", 23) == 0, "%s", text);
    ck_assert_ptr_nonnull(strstr(text, ": GET /slow"));
    ck_assert_str_ne(text, held_by_me("0.0", ": GET /slow")); /* it is another thread */
    lease_give(&thread.lease);
    pool_end(&f);
}
END_TEST

START_TEST(describe__of_many_tells_eight_and_counts_the_rest)
{
    struct pool_fixture f;
    struct urlp_pool_settings settings = pool_defaults();
    struct urlp_lease leases[20];
    const char *text;
    int num = 0;

    settings.block = false;
    pool_begin(&f, &settings);
    for (int i = 0; i < 20; i++) {
        leases[i] = lease_take(&f, f.pool);
        urlp_clock_fake_advance(1 * S);
    }
    text = holders_of(f.pool);
    ck_assert_ptr_nonnull(strstr(text, "; held 20.0 s by thread ")); /* the longest held first */
    ck_assert_ptr_nonnull(strstr(text, "; held 13.0 s by thread "));
    ck_assert_ptr_null(strstr(text, "; held 12.0 s by thread "));
    for (const char *at = text; (at = strstr(at, "; held")) != NULL; at++) {
        num++;
    }
    ck_assert_int_eq(num, 8);
    ck_assert_str_eq(text + strlen(text) - strlen("; and 12 more held"), "; and 12 more held");
    for (int i = 0; i < 20; i++) {
        lease_kill(&leases[i], URLPOOL_CLOSED_ERROR);
    }
    pool_end(&f);
}
END_TEST

START_TEST(describe__bounds_and_escapes_what_it_is_for)
{
    char path[300];
    struct pool_fixture f;
    struct urlp_purpose purpose = {
        {"GET", 3           },
        {path,  sizeof(path)}
    };
    struct urlp_lease lease;
    const char *text;

    memset(path, 'a', sizeof(path));
    memcpy(path, "/\n\x1b", 3);
    pool_begin(&f, NULL);
    f.call.purpose = &purpose;
    lease = lease_take(&f, f.pool);
    text = strstr(holders_of(f.pool), ": GET ");
    ck_assert_ptr_nonnull(text);
    ck_assert_msg(strncmp(text, ": GET /\\x0a\\x1baaa", 18) == 0, "%s", text);
    ck_assert_uint_lt(strlen(text), 80);
    ck_assert_ptr_nonnull(strstr(text, "…"));
    lease_give(&lease);
    pool_end(&f);
}
END_TEST

/* --- leaks ------------------------------------------------------------------------------------ */

/* What a sink was told of leaks. */
struct told {
    int num;
    int64_t number;
    char text[256];
};

static void on_event(void *user, const struct urlpool_trace_event *event)
{
    struct told *told = user;

    if (event->kind == URLPOOL_TRACE_LEAK) {
        told->num++;
        told->number = event->number;
        (void)snprintf(told->text, sizeof(told->text), "%.*s", (int)event->text_len, event->text);
    }
}

/* A pool whose leaks are told to `told` after `leak_ms`. */
struct leak_scene {
    struct pool_fixture f;
    struct told told;
    struct urlpool_trace trace;
};

static void leak_begin(struct leak_scene *scene, int64_t leak_ms, bool is_watched)
{
    struct urlp_pool_settings settings = pool_defaults();

    memset(scene, 0, sizeof(*scene));
    settings.leak_ms = leak_ms;
    scene->trace = (struct urlpool_trace){.event = on_event, .user = &scene->told};
    settings.trace = is_watched ? &scene->trace : NULL;
    pool_begin(&scene->f, &settings);
    scene->f.call.purpose = &get_slow;
}

START_TEST(leaks__are_told_once_and_counted)
{
    struct leak_scene scene;
    struct urlp_lease lease;
    char expected[128];

    leak_begin(&scene, 2000, true);
    lease = lease_take(&scene.f, scene.f.pool);
    urlp_clock_fake_advance(1999 * MS);
    (void)urlp_pool_set_maintain(scene.f.set);
    ck_assert_int_eq(scene.told.num, 0);
    urlp_clock_fake_advance(501 * MS);
    (void)urlp_pool_set_maintain(scene.f.set);
    ck_assert_int_eq(scene.told.num, 1);
    ck_assert_int_eq(scene.told.number, 2500);
    (void)snprintf(expected, sizeof(expected),
                   "http://a.test:80 held 2.5 s by thread %" PRId64 ": GET /slow",
                   urlp_thread_id());
    ck_assert_str_eq(scene.told.text, expected);
    urlp_clock_fake_advance(60 * S);
    (void)urlp_pool_set_maintain(scene.f.set);
    urlp_pool_set_tell_held(scene.f.set);
    ck_assert_int_eq(scene.told.num, 1);
    ck_assert_uint_eq(pool_stats(&scene.f, scene.f.pool).leaks, 1);
    ck_assert_uint_eq(pool_stats(&scene.f, NULL).leaks, 1);
    lease_give(&lease);
    lease = lease_take(&scene.f, scene.f.pool); /* the same connection again: another lease */
    urlp_clock_fake_advance(2 * S);
    (void)urlp_pool_set_maintain(scene.f.set);
    ck_assert_int_eq(scene.told.num, 2);
    lease_give(&lease);
    pool_end(&scene.f);
}
END_TEST

START_TEST(leaks__are_counted_without_a_sink)
{
    struct leak_scene scene;
    struct urlp_lease lease;

    leak_begin(&scene, 2000, false);
    lease = lease_take(&scene.f, scene.f.pool);
    urlp_clock_fake_advance(2 * S);
    (void)urlp_pool_set_maintain(scene.f.set);
    ck_assert_uint_eq(pool_stats(&scene.f, NULL).leaks, 1);
    lease_give(&lease);
    pool_end(&scene.f);
}
END_TEST

START_TEST(leaks__are_not_looked_for_unless_asked)
{
    struct leak_scene scene;
    struct urlp_lease lease;
    struct urlpool_pool *pool = NULL;

    leak_begin(&scene, -1, true);
    lease = lease_take(&scene.f, scene.f.pool);
    urlp_clock_fake_advance(100000 * S);
    (void)urlp_pool_set_maintain(scene.f.set);
    ck_assert_int_eq(scene.told.num, 0);
    ck_assert_int_eq(urlp_leak_due_ns(scene.f.pool->core, &pool), INT64_MAX);
    lease_give(&lease);
    pool_end(&scene.f);
}
END_TEST

START_TEST(leaks__of_other_holders_are_told_too)
{
    struct leak_scene scene;
    struct urlpool_pool *b;
    struct urlp_lease leases[3];

    leak_begin(&scene, 2000, true);
    b = pool_get(&scene.f, "b");
    leases[0] = lease_take(&scene.f, scene.f.pool);
    urlp_clock_fake_advance(2 * S);
    (void)urlp_pool_set_maintain(scene.f.set);
    leases[1] = lease_take(&scene.f, scene.f.pool);
    leases[2] = lease_take(&scene.f, b);
    urlp_clock_fake_advance(2 * S);
    (void)urlp_pool_set_maintain(scene.f.set);
    ck_assert_int_eq(scene.told.num, 3);
    ck_assert_uint_eq(pool_stats(&scene.f, scene.f.pool).leaks, 2);
    ck_assert_uint_eq(pool_stats(&scene.f, b).leaks, 1);
    for (int i = 0; i < 3; i++) {
        lease_give(&leases[i]);
    }
    urlp_pool_unref(b);
    pool_end(&scene.f);
}
END_TEST

START_TEST(held__are_told_however_short_and_not_counted)
{
    struct leak_scene scene;
    struct urlp_lease leases[2];

    leak_begin(&scene, -1, true);
    leases[0] = lease_take(&scene.f, scene.f.pool);
    leases[1] = lease_take(&scene.f, scene.f.pool);
    lease_give(&leases[1]);
    urlp_pool_set_tell_held(scene.f.set);
    ck_assert_int_eq(scene.told.num, 1);
    ck_assert_int_eq(scene.told.number, 0);
    ck_assert_uint_eq(pool_stats(&scene.f, NULL).leaks, 0);
    lease_give(&leases[0]);
    pool_end(&scene.f);
}
END_TEST

START_TEST(leak_due__is_when_the_first_not_yet_told_is_due)
{
    struct leak_scene scene;
    struct urlp_lease leases[2];
    struct urlp_pool_core *core;
    struct urlpool_pool *pool = NULL;
    int64_t began_ns;

    leak_begin(&scene, 2000, true);
    core = scene.f.pool->core;
    began_ns = urlp_boot_ns();
    ck_assert_int_eq(urlp_leak_due_ns(core, &pool), INT64_MAX);
    leases[0] = lease_take(&scene.f, scene.f.pool);
    urlp_clock_fake_advance(1 * S);
    leases[1] = lease_take(&scene.f, scene.f.pool);
    ck_assert_int_eq(urlp_leak_due_ns(core, &pool), began_ns + 2 * S);
    urlp_clock_fake_advance(1 * S);
    (void)urlp_pool_set_maintain(scene.f.set);
    ck_assert_int_eq(urlp_leak_due_ns(core, &pool), began_ns + 3 * S);
    lease_give(&leases[1]);
    ck_assert_int_eq(urlp_leak_due_ns(core, &pool), INT64_MAX);
    lease_give(&leases[0]);
    pool_end(&scene.f);
}
END_TEST

RUN_TESTS("holders", describe__says_who_holds_what_for_how_long,
          describe__begins_anew_with_each_lease,
          describe__follows_to_the_connection_in_place_of_a_closed_one, describe__says_who_dials,
          describe__forgets_a_dial_that_failed, describe__says_who_waits_and_then_holds,
          describe__of_many_tells_eight_and_counts_the_rest,
          describe__bounds_and_escapes_what_it_is_for, leaks__are_told_once_and_counted,
          leaks__are_counted_without_a_sink, leaks__are_not_looked_for_unless_asked,
          leaks__of_other_holders_are_told_too, held__are_told_however_short_and_not_counted,
          leak_due__is_when_the_first_not_yet_told_is_due)
