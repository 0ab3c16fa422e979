/* What each field of struct urlpool_retry means, and how Retry-After is read. */

#include <stddef.h>
#include <string.h>

#include "urlpool/timeout.h"

#include "policy/retry_rules.h"
#include "support/count_of.h"
#include "support/run_tests.h"

/* Rules that differ from the defaults in every field: a manager's. */
static const struct urlp_retry_rules managers = {
    .total = 11,
    .connect = 12,
    .read = 13,
    .redirect = 14,
    .status = 15,
    .other = 16,
    .redirects_max = 17,
    .allowed_methods = "MINE",
    .status_forcelist = {518, 519},
    .backoff_factor_ms = 20,
    .backoff_max_ms = 21,
    .backoff_jitter_ms = 22,
    .retry_after_max_ms = 23,
    .remove_headers_on_redirect = "X-Mine",
};

static struct urlp_retry_rules resolve(const struct urlpool_retry *given,
                                       const struct urlp_retry_rules *fallback)
{
    struct urlp_retry_rules rules;
    struct urlpool_error err = {0};

    ck_assert_msg(urlp_retry_resolve(given, fallback, &rules, &err) == URLPOOL_OK, "%s",
                  err.message);
    return rules;
}

static void assert_refused(const struct urlpool_retry *given, const char *words)
{
    struct urlp_retry_rules rules = managers;
    struct urlpool_error err = {0};

    ck_assert_int_eq(urlp_retry_resolve(given, &urlp_retry_defaults, &rules, &err),
                     URLPOOL_E_INVALID);
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    ck_assert_msg(strstr(err.message, words) != NULL, "\"%s\" lacks \"%s\"", err.message, words);
    ck_assert_int_eq(memcmp(&rules, &managers, sizeof(rules)), 0); /* untouched */
    ck_assert_int_eq(urlp_retry_resolve(given, &urlp_retry_defaults, &rules, NULL),
                     URLPOOL_E_INVALID);
}

START_TEST(resolve__gives_the_defaults_for_zero)
{
    const struct urlpool_retry given = {0};
    struct urlp_retry_rules rules = resolve(&given, &urlp_retry_defaults);

    ck_assert_int_eq(rules.total, 3);
    ck_assert_int_eq(rules.connect, -1);
    ck_assert_int_eq(rules.read, -1);
    ck_assert_int_eq(rules.redirect, -1);
    ck_assert_int_eq(rules.status, -1);
    ck_assert_int_eq(rules.other, -1);
    ck_assert_int_eq(rules.redirects_max, 20);
    ck_assert_str_eq(rules.allowed_methods, "HEAD, GET, PUT, DELETE, OPTIONS, TRACE");
    for (size_t i = 0; i < URLPOOL_RETRY_STATUSES_MAX; i++) {
        ck_assert_int_eq(rules.status_forcelist[i], 0);
    }
    ck_assert_int_eq(rules.backoff_factor_ms, 0);
    ck_assert_int_eq(rules.backoff_max_ms, 120000);
    ck_assert_int_eq(rules.backoff_jitter_ms, 0);
    ck_assert_int_eq(rules.retry_after_max_ms, 120000);
    ck_assert(!rules.clamp_retry_after);
    ck_assert(!rules.ignore_retry_after);
    ck_assert(!rules.raise_on_status);
    ck_assert(!rules.return_last_redirect);
    ck_assert_str_eq(rules.remove_headers_on_redirect,
                     "Authorization, Cookie, Cookie2, Proxy-Authorization");
}
END_TEST

START_TEST(resolve__keeps_the_managers_for_zero)
{
    const struct urlpool_retry given = {0};
    struct urlp_retry_rules rules = resolve(&given, &managers);

    ck_assert_int_eq(memcmp(&rules, &managers, sizeof(rules)), 0);
}
END_TEST

/* Every count and time by its place in both structs. */
static const struct {
    const char *name;
    size_t given_at, rule_at;
    bool is_time;
    bool may_be_unbounded;
} numbers[] = {
#define COUNT(field)                                              \
    {                                                             \
        "retries." #field, offsetof(struct urlpool_retry, field), \
            offsetof(struct urlp_retry_rules, field), false, true \
    }
#define TIME(field, unbounded)                                        \
    {                                                                 \
        "retries." #field, offsetof(struct urlpool_retry, field),     \
            offsetof(struct urlp_retry_rules, field), true, unbounded \
    }
    COUNT(total),
    COUNT(connect),
    COUNT(read),
    COUNT(redirect),
    COUNT(status),
    COUNT(other),
    TIME(backoff_factor_ms, false),
    TIME(backoff_jitter_ms, false),
    TIME(backoff_max_ms, true),
    TIME(retry_after_max_ms, true),
};

static void set_number(struct urlpool_retry *given, size_t i, int64_t value)
{
    char *at = (char *)given + numbers[i].given_at;
    int32_t count = (int32_t)value;

    if (numbers[i].is_time) {
        memcpy(at, &value, sizeof(value));
    } else {
        memcpy(at, &count, sizeof(count));
    }
}

static int64_t number_of(const struct urlp_retry_rules *rules, size_t i)
{
    const char *at = (const char *)rules + numbers[i].rule_at;
    int64_t time = 0;
    int count = 0;

    if (numbers[i].is_time) {
        memcpy(&time, at, sizeof(time));
        return time;
    }
    memcpy(&count, at, sizeof(count));
    return count;
}

START_TEST(resolve__reads_every_number)
{
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct urlpool_retry given = {0};
        struct urlp_retry_rules rules;

        set_number(&given, i, URLPOOL_NONE);
        rules = resolve(&given, &managers);
        ck_assert_msg(number_of(&rules, i) == 0, "%s", numbers[i].name);
        set_number(&given, i, 7);
        rules = resolve(&given, &managers);
        ck_assert_msg(number_of(&rules, i) == 7, "%s", numbers[i].name);
        for (size_t j = 0; j < COUNT_OF(numbers); j++) {
            ck_assert(j == i || number_of(&rules, j) == number_of(&managers, j));
        }
        set_number(&given, i, INT32_MAX);
        rules = resolve(&given, &managers);
        ck_assert_int_eq(number_of(&rules, i), INT32_MAX);
        set_number(&given, i, -3);
        assert_refused(&given, numbers[i].name);
        set_number(&given, i, INT32_MIN);
        assert_refused(&given, numbers[i].name);
    }
}
END_TEST

START_TEST(resolve__leaves_counts_and_bounds_open_when_told_to)
{
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct urlpool_retry given = {0};

        set_number(&given, i, URLPOOL_NO_TIMEOUT);
        if (numbers[i].may_be_unbounded) {
            struct urlp_retry_rules rules = resolve(&given, &managers);

            ck_assert_msg(number_of(&rules, i) == -1, "%s", numbers[i].name);
        } else {
            assert_refused(&given, numbers[i].name);
        }
    }
}
END_TEST

START_TEST(resolve__takes_statuses_up_to_the_first_zero)
{
    struct urlpool_retry given = {
        .status_forcelist = {100, 999}
    };
    struct urlp_retry_rules rules = resolve(&given, &managers);

    ck_assert_int_eq(rules.status_forcelist[0], 100);
    ck_assert_int_eq(rules.status_forcelist[1], 999);
    ck_assert_int_eq(rules.status_forcelist[2], 0);
    for (int i = 0; i < URLPOOL_RETRY_STATUSES_MAX; i++) {
        given.status_forcelist[i] = (uint16_t)(500 + i);
    }
    rules = resolve(&given, &managers);
    ck_assert_int_eq(
        memcmp(rules.status_forcelist, given.status_forcelist, sizeof(rules.status_forcelist)), 0);
    given = (struct urlpool_retry){.status_forcelist = {503}};
    ck_assert_int_eq(resolve(&given, &rules).status_forcelist[1], 0); /* not merged */
}
END_TEST

START_TEST(resolve__refuses_what_is_no_status)
{
    static const uint16_t bad[][3] = {
        {99,  0,    0  },
        {1,   0,    0  },
        {500, 1000, 0  },
        {500, 503,  99 },
        {500, 0,    503},
        {0,   0,    503},
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct urlpool_retry given = {0};

        memcpy(given.status_forcelist, bad[i], sizeof(bad[i]));
        assert_refused(&given, "retries.status_forcelist");
    }

    struct urlpool_retry given = {0};

    given.status_forcelist[URLPOOL_RETRY_STATUSES_MAX - 1] = 500;
    assert_refused(&given, "retries.status_forcelist has 500 behind its end");
}
END_TEST

START_TEST(resolve__takes_lists_of_tokens)
{
    static const char *const good[] = {"", "GET", "GET,PUT", " GET ,\tPUT, ", "*", ",", "X-1!"};
    static const char *const bad[] = {"GET PUT", "GET;PUT", "\"GET\"", "GET, P\xc3\xbcT",
                                      "G\r\nET", "GET, ()", "a:b"};

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct urlpool_retry given = {.allowed_methods = good[i],
                                      .remove_headers_on_redirect = good[i]};
        struct urlp_retry_rules rules = resolve(&given, &managers);

        ck_assert_ptr_eq(rules.allowed_methods, good[i]);
        ck_assert_ptr_eq(rules.remove_headers_on_redirect, good[i]);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_refused(&(struct urlpool_retry){.allowed_methods = bad[i]},
                       "retries.allowed_methods");
        assert_refused(&(struct urlpool_retry){.remove_headers_on_redirect = bad[i]},
                       "retries.remove_headers_on_redirect");
    }
}
END_TEST

START_TEST(resolve__turns_a_switch_on_when_either_says_so)
{
    const struct urlpool_retry off = {0};
    const struct urlpool_retry on = {.clamp_retry_after = true,
                                     .ignore_retry_after = true,
                                     .raise_on_status = true,
                                     .return_last_redirect = true};
    const struct urlpool_retry each[] = {
        {.clamp_retry_after = true},
        {.ignore_retry_after = true},
        {.raise_on_status = true},
        {.return_last_redirect = true},
    };
    struct urlp_retry_rules all = resolve(&on, &managers);

    all = resolve(&off, &all);
    ck_assert(all.clamp_retry_after && all.ignore_retry_after && all.raise_on_status &&
              all.return_last_redirect);
    for (size_t i = 0; i < COUNT_OF(each); i++) {
        struct urlp_retry_rules rules = resolve(&each[i], &managers);

        ck_assert_int_eq(rules.clamp_retry_after, i == 0);
        ck_assert_int_eq(rules.ignore_retry_after, i == 1);
        ck_assert_int_eq(rules.raise_on_status, i == 2);
        ck_assert_int_eq(rules.return_last_redirect, i == 3);
    }
}
END_TEST

START_TEST(resolve__may_write_over_its_fallback)
{
    const struct urlpool_retry given = {.read = 4};
    struct urlp_retry_rules rules = managers;

    ck_assert_int_eq(urlp_retry_resolve(&given, &rules, &rules, NULL), URLPOOL_OK);
    ck_assert_int_eq(rules.read, 4);
    ck_assert_int_eq(rules.total, managers.total);
    ck_assert_int_eq(rules.redirects_max, managers.redirects_max);
}
END_TEST

START_TEST(resolve__refuses_reserved_bytes)
{
    for (size_t i = 0; i < sizeof(((struct urlpool_retry *)0)->reserved); i++) {
        struct urlpool_retry given = {0};

        given.reserved[i] = 1;
        assert_refused(&given, "retries asks for what this version does not know");
    }
}
END_TEST

enum {
    NOW_S = 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
};

static const struct {
    const char *text;
    int64_t ms;
} retry_afters[] = {
    {"0",                               0                  },
    {"00",                              0                  },
    {"1",                               1000               },
    {"3600",                            3600000            },
    {"0120",                            120000             },
    {"209600",                          209600000          },
    {" 60\t",                           60000              },
    {"9223372036854775",                9223372036854775000},
    {"9223372036854776",                INT64_MAX          },
    {"18446744073709551615",            INT64_MAX          },
    {"18446744073709551616",            INT64_MAX          },
    {"99999999999999999999999999999",   INT64_MAX          },
    {"Sun, 06 Nov 1994 08:49:37 GMT",   0                  },
    {"Sun, 06 Nov 1994 08:49:38 GMT",   1000               },
    {"Sunday, 06-Nov-94 08:50:37 GMT",  60000              },
    {"Sun Nov  6 09:49:37 1994",        3600000            },
    {"Mon, 07 Nov 1994 08:49:37 GMT",   86400000           },
    {"Sun, 06 Nov 1994 08:49:36 GMT",   0                  }, /* past */
    {"Sunday, 06-Nov-70 08:50:37 GMT",  0                  },
    {"Thu, 01 Jan 1970 00:00:00 GMT",   0                  },
    {"Wed Jan  1 00:00:00 0001",        0                  },
    {"Fri, 31 Dec 9999 23:59:59 GMT",   252618189022000    },
    {"",                                -1                 },
    {" ",                               -1                 },
    {"-1",                              -1                 },
    {"+1",                              -1                 },
    {"1.5",                             -1                 },
    {"1_0",                             -1                 },
    {"0x10",                            -1                 },
    {"1 2",                             -1                 },
    {"60, 60",                          -1                 },
    {"60s",                             -1                 },
    {"soon",                            -1                 },
    {"\xd9\xa3",                        -1                 }, /* ARABIC-INDIC DIGIT THREE */
    {"1994-11-06T08:49:37Z",            -1                 },
    {"Sun, 06 Nov 1994 08:49:37",       -1                 }, /* urllib3 takes it for UTC */
    {"Sun, 06 Nov 1994 08:49:37 -0500", -1                 },
    {"Wed, 30 Feb 1994 08:49:37 GMT",   -1                 },
    {"Sun, 06 Nov 1994 24:00:00 GMT",   -1                 },
};

START_TEST(retry_after__reads_seconds_and_three_dates)
{
    for (size_t i = 0; i < COUNT_OF(retry_afters); i++) {
        int64_t ms = urlp_retry_after_parse(urlp_span_of(retry_afters[i].text), NOW_S);

        ck_assert_msg(ms == retry_afters[i].ms, "\"%s\": %lld ms", retry_afters[i].text,
                      (long long)ms);
    }
    ck_assert_int_eq(urlp_retry_after_parse(urlp_span_make(NULL, 0), NOW_S), -1);
    ck_assert_int_eq(urlp_retry_after_parse(urlp_span_make("12345", 2), NOW_S), 12000);
    /* A clock that was never set. */
    ck_assert_int_eq(
        urlp_retry_after_parse(urlp_span_of("Fri, 31 Dec 9999 23:59:59 GMT"), INT64_MIN),
        INT64_MAX);
}
END_TEST

RUN_TESTS("retry_rules", resolve__gives_the_defaults_for_zero, resolve__keeps_the_managers_for_zero,
          resolve__reads_every_number, resolve__leaves_counts_and_bounds_open_when_told_to,
          resolve__takes_statuses_up_to_the_first_zero, resolve__refuses_what_is_no_status,
          resolve__takes_lists_of_tokens, resolve__turns_a_switch_on_when_either_says_so,
          resolve__may_write_over_its_fallback, resolve__refuses_reserved_bytes,
          retry_after__reads_seconds_and_three_dates)
