/* When an address of a name counts as gone. */

#include <check.h>
#include <stdio.h>

#include "net/address_log.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

#define S INT64_C(1000000000)

static struct urlp_address_log names;

static struct urlp_ip ip_of(const char *text)
{
    struct urlp_ip ip;

    ck_assert(urlp_ip_parse(urlp_span_of(text), &ip));
    return ip;
}

/* answer notes an answer of one address, or of none, at `now_s`; says whether one is gone now. */
static bool answer(const char *ip, int64_t now_s)
{
    struct urlp_addresses addresses = {.is_done = true};

    if (ip != NULL) {
        addresses.ips[addresses.num_ips++] = ip_of(ip);
    }
    return urlp_address_log_note(&names, urlp_span_of("a.test"), URLP_FAMILY_V4, &addresses,
                                 now_s * S);
}

static bool is_gone(const char *text)
{
    struct urlp_ip ip = ip_of(text);

    return urlp_address_log_is_gone(&names, urlp_span_of("a.test"), &ip);
}

START_TEST(address__is_gone_after_three_answers_without_it)
{
    urlp_address_log_init(&names, 4);
    ck_assert(!answer("192.0.2.1", 0));
    ck_assert(!answer("192.0.2.2", 100));
    ck_assert(!answer("192.0.2.2", 200));
    ck_assert(!is_gone("192.0.2.1"));
    ck_assert(answer("192.0.2.2", 300));
    ck_assert(is_gone("192.0.2.1"));
    ck_assert(!answer("192.0.2.2", 400)); /* it was before */
    ck_assert(!is_gone("192.0.2.2"));
    urlp_address_log_clear(&names);
    ck_assert(!is_gone("192.0.2.1"));
    urlp_address_log_clear(&names);
}
END_TEST

START_TEST(address__is_not_gone_within_a_minute_however_many_answers_there_are)
{
    urlp_address_log_init(&names, 4);
    ck_assert(!answer("192.0.2.1", 0));
    for (int i = 1; i <= 60; i++) {
        ck_assert(!answer("192.0.2.2", i));
    }
    ck_assert(answer("192.0.2.2", 61));
    ck_assert(is_gone("192.0.2.1"));
    urlp_address_log_clear(&names);
}
END_TEST

START_TEST(address__that_takes_turns_with_others_is_not_gone)
{
    urlp_address_log_init(&names, 4);
    for (int i = 0; i < 30; i++) {
        char text[32];

        (void)snprintf(text, sizeof(text), "192.0.2.%d", i % 3);
        ck_assert(!answer(text, i * 60));
    }
    urlp_address_log_clear(&names);
}
END_TEST

START_TEST(address__that_comes_back_is_there_again)
{
    urlp_address_log_init(&names, 4);
    (void)answer("192.0.2.1", 0);
    for (int i = 1; i <= 3; i++) {
        (void)answer(NULL, i * 100);
    }
    ck_assert(is_gone("192.0.2.1"));
    (void)answer("192.0.2.1", 400);
    ck_assert(!is_gone("192.0.2.1"));
    ck_assert(!answer(NULL, 500));
    ck_assert(!answer(NULL, 600));
    ck_assert(answer(NULL, 700));
    urlp_address_log_clear(&names);
}
END_TEST

START_TEST(address__of_one_family_is_not_missed_by_answers_for_the_other)
{
    const struct urlp_addresses none = {.is_done = true};

    urlp_address_log_init(&names, 4);
    (void)answer("192.0.2.1", 0);
    for (int i = 1; i < 9; i++) {
        ck_assert(!urlp_address_log_note(&names, urlp_span_of("a.test"), URLP_FAMILY_V6, &none,
                                         i * 100 * S));
    }
    ck_assert(!is_gone("192.0.2.1"));
    urlp_address_log_clear(&names);
}
END_TEST

START_TEST(names__too_many_push_out_who_was_not_asked_for_the_longest)
{
    const struct urlp_addresses none = {.is_done = true};

    urlp_address_log_init(&names, 4);
    (void)answer("192.0.2.1", 0);
    for (int i = 1; i <= 3; i++) {
        (void)answer(NULL, i * 100);
    }
    for (int i = 0; i < 5; i++) {
        char name[32];

        ck_assert_int_eq(is_gone("192.0.2.1"), i < 4);
        ck_assert_uint_le(names.by_name.len, 4);
        (void)snprintf(name, sizeof(name), "b%d.test", i);
        (void)urlp_address_log_note(&names, urlp_span_of(name), URLP_FAMILY_V4, &none, 0);
    }
    urlp_address_log_clear(&names);
}
END_TEST

START_TEST(addresses__too_many_push_out_who_was_not_given_for_the_longest)
{
    char text[32];

    urlp_address_log_init(&names, 4);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(text, sizeof(text), "198.51.100.%d", i);
        (void)answer(text, i * 60);
    }
    ck_assert(!is_gone("198.51.100.0")); /* not known any more */
    ck_assert(is_gone("198.51.100.96"));
    ck_assert(!is_gone("198.51.100.97"));
    urlp_address_log_clear(&names);
}
END_TEST

START_TEST(log__is_done_without_when_there_is_no_memory)
{
    failing_allocator_install();
    for (uint64_t nth = 1;; nth++) {
        urlp_address_log_init(&names, 4);
        failing_allocator_fail_nth(nth);
        ck_assert(!answer("192.0.2.1", 0));
        ck_assert(!is_gone("192.0.2.1"));
        urlp_address_log_clear(&names);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
        if (!failing_allocator_has_failed()) {
            break;
        }
    }
}
END_TEST

RUN_TESTS("address log", address__is_gone_after_three_answers_without_it,
          address__is_not_gone_within_a_minute_however_many_answers_there_are,
          address__that_takes_turns_with_others_is_not_gone,
          address__that_comes_back_is_there_again,
          address__of_one_family_is_not_missed_by_answers_for_the_other,
          names__too_many_push_out_who_was_not_asked_for_the_longest,
          addresses__too_many_push_out_who_was_not_given_for_the_longest,
          log__is_done_without_when_there_is_no_memory)
