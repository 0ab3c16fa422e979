/* Lists of hosts that are gone to without a proxy. */

#include "policy/no_proxy.h"
#include "support/count_of.h"
#include "support/run_tests.h"

static bool covers(const char *list, const char *host, uint16_t port)
{
    return urlp_no_proxy_covers(urlp_span_of(list), urlp_span_of(host), port);
}

struct question {
    const char *list, *host;
    uint16_t port; /* 0: 80 */
    bool is_covered;
};

static void check_all(const struct question *questions, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        const struct question *one = &questions[i];

        ck_assert_msg(covers(one->list, one->host, one->port != 0 ? one->port : 80) ==
                          one->is_covered,
                      "\"%s\" and %s:%u", one->list, one->host, (unsigned)one->port);
    }
}

START_TEST(no_proxy__names_a_host_and_all_below_it)
{
    static const struct question questions[] = {
        {"example.com",           "example.com",           0, true         },
        {"example.com",           "a.example.com",         0, true         },
        {"example.com",           "a.b.example.com",       0, true         },
        {"example.com",           "badexample.com",        0, false        },
        {"example.com",           "example.com.evil",      0, false        },
        {"example.com",           "com",                   0, false        },
        {".example.com",          "example.com",           0, true         },
        {".example.com",          "a.example.com",         0, true         },
        {".example.com",          "badexample.com",        0, false        },
        {"*.example.com",         "a.example.com",         0, true         },
        {"*.example.com",         "badexample.com",        0, false        },
        {"*example.com",          "badexample.com",        0, false        },
        {"EXAMPLE.Com",           "example.com",           0, true         },
        {"example.com.",          "example.com",           0, true         },
        {"example.com",           "example.com.",          0, true         },
        {"example.com.",          "a.example.com.",        0, true         },
        {"localhost",             "localhost",             0, true         },
        {"com",                   "example.com",           0, true         },
        {"",                      "example.com",           0, false        },
        {" , ,, ",                "example.com",           0, false        },
        {".",                     "example.com",           0, false        },
        {"b\xc3\xbc"
         "cher.example", "xn--bcher-kva.example", 0, URLP_HAS_IDNA},
    };

    check_all(questions, COUNT_OF(questions));
}
END_TEST

START_TEST(no_proxy__is_a_list_between_commas_or_blanks)
{
    static const struct question questions[] = {
        {"a.example,b.example",        "b.example", 0, true },
        {" a.example , b.example ",    "a.example", 0, true },
        {" a.example , b.example ",    "b.example", 0, true },
        {"a.example b.example",        "b.example", 0, true },
        {"a.example\tb.example",       "b.example", 0, true },
        {"a.example,,b.example,",      "b.example", 0, true },
        {"a.example,b.example",        "c.example", 0, false},
        {"10.0.0.0/99,b.example",      "b.example", 0, true },
        {"[::1,b.example:x,b.example", "b.example", 0, true },
    };

    check_all(questions, COUNT_OF(questions));
}
END_TEST

START_TEST(no_proxy__names_a_port)
{
    static const struct question questions[] = {
        {"shop.example:8443",  "shop.example",   8443, true },
        {"shop.example:8443",  "shop.example",   443,  false},
        {"shop.example:8443",  "a.shop.example", 8443, true },
        {".shop.example:8443", "a.shop.example", 8443, true },
        {"shop.example:65536", "shop.example",   0,    false},
        {"shop.example:0",     "shop.example",   0,    false},
        {"shop.example:",      "shop.example",   0,    false},
        {"127.0.0.1:81",       "127.0.0.1",      81,   true },
        {"127.0.0.1:81",       "127.0.0.1",      80,   false},
        {"[::1]:81",           "::1",            81,   true },
        {"[::1]:81",           "::1",            80,   false},
        {"*:8080",             "any.example",    8080, true },
        {"*:8080",             "any.example",    80,   false},
    };

    check_all(questions, COUNT_OF(questions));
}
END_TEST

START_TEST(no_proxy__names_addresses_and_ranges)
{
    static const struct question questions[] = {
        {"127.0.0.1",           "127.0.0.1",       0, true },
        {"127.0.0.1",           "127.0.0.2",       0, false},
        {"0.0.1",               "127.0.0.1",       0, false},
        {".0.0.1",              "127.0.0.1",       0, false},
        {"10.0.0.0/8",          "10.255.0.1",      0, true },
        {"10.1.2.3/8",          "10.255.0.1",      0, true },
        {"10.0.0.0/8",          "11.0.0.1",        0, false},
        {"10.0.0.0/8",          "10.example",      0, false},
        {"0.0.0.0/0",           "1.2.3.4",         0, true },
        {"0.0.0.0/0",           "a.example",       0, false},
        {"10.0.0.0/33",         "10.0.0.1",        0, false},
        {"10.0.0.0/8",          "::ffff:10.0.0.1", 0, true },
        {"::ffff:10.0.0.1",     "10.0.0.1",        0, true },
        {"::ffff:10.0.0.0/104", "10.9.9.9",        0, true },
        {"::1",                 "::1",             0, true },
        {"[::1]",               "::1",             0, true },
        {"0:0:0:0:0:0:0:1",     "::1",             0, true },
        {"::1",                 "::2",             0, false},
        {"fd00::/8",            "fd12::1",         0, true },
        {"fd00::/8",            "fe80::1",         0, false},
        {"[127.0.0.1]",         "127.0.0.1",       0, false},
        {"[example.com]",       "example.com",     0, false},
    };

    check_all(questions, COUNT_OF(questions));
}
END_TEST

START_TEST(no_proxy__star_is_everybody)
{
    static const struct question questions[] = {
        {"*",            "a.example", 0, true },
        {"a.example, *", "1.2.3.4",   0, true },
        {" * ",          "::1",       9, true },
        {"**",           "a.example", 0, false},
    };

    check_all(questions, COUNT_OF(questions));
}
END_TEST

START_TEST(check__refuses_what_can_name_nothing)
{
    static const char *const good[] = {
        "",      " ",     "*",        "a,b c\td",  ".example.com", "*.example.com:81", "10.0.0.0/8",
        "::1/3", "[::1]", "[::1]:81", "127.0.0.1", "a:1,b:65535",  "localhost,"};
    static const char *const bad[] = {"10.0.0.0/33", "a/b",      "[::1", "[::1]81",
                                      "a:",          "a:b",      "a:0",  "a:65536",
                                      ".",           "good,:80", "[a]",  "1::2::3"};
    struct urlpool_error err;

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        ck_assert_msg(urlp_no_proxy_check(urlp_span_of(good[i]), NULL) == URLPOOL_OK, "%s",
                      good[i]);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        ck_assert_msg(urlp_no_proxy_check(urlp_span_of(bad[i]), &err) == URLPOOL_E_INVALID, "%s",
                      bad[i]);
    }
    ck_assert_int_eq(urlp_no_proxy_check(urlp_span_of("a, 10.0.0.0/33"), &err), URLPOOL_E_INVALID);
    ck_assert_str_eq(err.message,
                     "no_proxy: \"10.0.0.0/33\" is neither host, address, range nor \"*\"");
}
END_TEST

RUN_TESTS("no_proxy", no_proxy__names_a_host_and_all_below_it,
          no_proxy__is_a_list_between_commas_or_blanks, no_proxy__names_a_port,
          no_proxy__names_addresses_and_ranges, no_proxy__star_is_everybody,
          check__refuses_what_can_name_nothing)
