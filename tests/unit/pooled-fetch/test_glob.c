/* URLs that stand for many: what they become, and that no number is too large to be refused. */

#include <stdlib.h>

#include "glob.h"
#include "support/run_tests.h"

/* assert_urls expands `pattern` and compares the first and the last. */
static void assert_urls(const char *pattern, size_t count, const char *first, const char *last)
{
    struct pf_glob glob;

    ck_assert_int_eq(pf_glob_expand(&glob, pattern), PF_EXIT_OK);
    ck_assert_uint_eq(glob.urls.count, count);
    ck_assert_str_eq(glob.urls.items[0], first);
    ck_assert_str_eq(glob.urls.items[count - 1], last);
    pf_glob_free(&glob);
}

static void assert_refused(const char *pattern)
{
    struct pf_glob glob;

    ck_assert_int_eq(pf_glob_expand(&glob, pattern), PF_EXIT_URL);
    pf_glob_free(&glob);
}

START_TEST(glob__stands_for_every_combination)
{
    assert_urls("http://h/{a,b}[08-10]", 6, "http://h/a08", "http://h/b10");
    assert_urls("http://[::1]/[a-e:2]", 3, "http://[::1]/a", "http://[::1]/e");
    assert_refused("http://h/[1-2000]{a,b}[1-2000]");
}
END_TEST

START_TEST(glob__a_range_ends_however_large_its_numbers)
{
    assert_urls("[0-9223372036854775806:9223372036854775806]", 2, "0", "9223372036854775806");
    assert_urls("[9223372036854775806-9223372036854775807]", 2, "9223372036854775806",
                "9223372036854775807");
    assert_urls("[a-z:9223372036854775807]", 1, "a", "a");
}
END_TEST

START_TEST(glob__an_address_without_its_end_is_not_read_beyond_the_text)
{
    assert_refused("http://[fe80::1%\0{a,b}");
}
END_TEST

RUN_TESTS("pooled-fetch glob", glob__stands_for_every_combination,
          glob__a_range_ends_however_large_its_numbers,
          glob__an_address_without_its_end_is_not_read_beyond_the_text)
