/* Dates in fields. */

#include "http/date.h"
#include "support/count_of.h"
#include "support/run_tests.h"

#define NOW_S INT64_C(1767225600) /* 2026-01-01 00:00:00 UTC */

START_TEST(date__has_three_forms)
{
    static const struct {
        const char *text;
        int64_t at_s;
    } cases[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT",  784111777            },
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777            },
        {"Sun Nov  6 08:49:37 1994",       784111777            },
        {"Wed Nov 16 08:49:37 1994",       784975777            },
        {"Thu, 01 Jan 1970 00:00:00 GMT",  0                    },
        {"Wed, 31 Dec 1969 23:59:59 GMT",  -1                   },
        {"Tue, 29 Feb 2000 12:00:00 GMT",  951825600            },
        {"Fri, 01 Mar 2024 00:00:00 GMT",  1709251200           },
        {"Fri, 31 Dec 9999 23:59:59 GMT",  INT64_C(253402300799)},
        {"Sat, 31 Dec 2016 23:59:60 GMT",  1483228800           },
        {"Mon, 06 Nov 1994 08:49:37 GMT",  784111777            }, /* it was a Sunday */
        {"Tue, 19 Jan 2038 03:14:08 GMT",  INT64_C(2147483648)  },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t at_s = 42;

        ck_assert_msg(urlp_date_parse(urlp_span_of(cases[i].text), NOW_S, &at_s), "%s",
                      cases[i].text);
        ck_assert_msg(at_s == cases[i].at_s, "%s: %lld", cases[i].text, (long long)at_s);
    }
}
END_TEST

START_TEST(date__with_two_digits_is_at_most_fifty_years_ahead)
{
    static const struct {
        const char *text, *same;
    } cases[] = {
        {"Thursday, 01-Jan-26 00:00:00 GMT",  "Thu, 01 Jan 2026 00:00:00 GMT"},
        {"Wednesday, 01-Jan-76 00:00:00 GMT", "Wed, 01 Jan 2076 00:00:00 GMT"},
        {"Saturday, 01-Jan-77 00:00:00 GMT",  "Sat, 01 Jan 1977 00:00:00 GMT"},
        {"Saturday, 01-Jan-00 00:00:00 GMT",  "Sat, 01 Jan 2000 00:00:00 GMT"},
        {"Friday, 01-Jan-99 00:00:00 GMT",    "Fri, 01 Jan 1999 00:00:00 GMT"},
    };
    int64_t at_s = 0;
    int64_t same_s = 0;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ck_assert(urlp_date_parse(urlp_span_of(cases[i].text), NOW_S, &at_s));
        ck_assert(urlp_date_parse(urlp_span_of(cases[i].same), NOW_S, &same_s));
        ck_assert_msg(at_s == same_s, "%s", cases[i].text);
    }
    /* Seen from 1999, from before 1970, and from 2075, when 25 can be either 50 years off. */
    ck_assert(urlp_date_parse(urlp_span_of("Monday, 01-Jan-01 00:00:00 GMT"), 946684799, &at_s));
    ck_assert_int_eq(at_s, 978307200);
    ck_assert(urlp_date_parse(urlp_span_of("Thursday, 01-Jan-70 00:00:00 GMT"), -5, &at_s));
    ck_assert_int_eq(at_s, 0);
    ck_assert(urlp_date_parse(urlp_span_of("Tue, 01 Jan 2075 00:00:00 GMT"), 0, &same_s));
    ck_assert(urlp_date_parse(urlp_span_of("Monday, 01-Jan-25 00:00:00 GMT"), same_s, &at_s));
    ck_assert(urlp_date_parse(urlp_span_of("Mon, 01 Jan 2125 00:00:00 GMT"), 0, &same_s));
    ck_assert_int_eq(at_s, same_s);
}
END_TEST

START_TEST(date__is_nothing_else)
{
    static const char *const cases[] = {
        "",
        " ",
        "0",
        "120",
        "-1",
        "Sun",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT+1",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "Sun,06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06  Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 1995 08:49:37 GMT",
        "Thu, 29 Feb 1900 08:49:37 GMT",
        "Sun, 32 Dec 1994 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "Xxx, 06 Nov 1994 08:49:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 19940 08:49:37 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov   08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Nov  0 08:49:37 1994",
        "1994-11-06T08:49:37Z",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t at_s = 42;

        ck_assert_msg(!urlp_date_parse(urlp_span_of(cases[i]), NOW_S, &at_s), "accepted: %s",
                      cases[i]);
        ck_assert_int_eq(at_s, 42);
    }
}
END_TEST

START_TEST(date__cut_short_is_no_date)
{
    static const char *const cases[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                        "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994"};
    int64_t at_s = 42;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_span text = urlp_span_of(cases[i]);

        for (size_t len = 0; len < text.len; len++) {
            ck_assert(!urlp_date_parse(urlp_span_make(text.data, len), NOW_S, &at_s));
        }
    }
}
END_TEST

RUN_TESTS("date", date__has_three_forms, date__with_two_digits_is_at_most_fifty_years_ahead,
          date__is_nothing_else, date__cut_short_is_no_date)
