/* The headers object: order, case, many values, and that a change that fails changes nothing. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "urlpool/headers.h"

#include "http/field.h"
#include "support/count_of.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

/* The lines as "name=value|" each. */
static const char *show(const struct urlpool_headers *headers)
{
    static char text[1024];
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < urlpool_headers_count(headers); i++) {
        struct urlpool_field field = urlpool_headers_at(headers, i);

        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s=%s|", field.name, field.value);
    }
    return text;
}

/* Makes a list from the notation of show(). */
static struct urlpool_headers *make(const char *lines)
{
    struct urlpool_headers *headers = urlpool_headers_new(NULL);
    char name[64];
    char value[64];
    int len = 0;

    ck_assert_ptr_nonnull(headers);
    for (; sscanf(lines, "%63[^=]=%63[^|]|%n", name, value, &len) == 2; lines += len) {
        ck_assert_int_eq(urlpool_headers_add(headers, name, value, NULL), URLPOOL_OK);
    }
    return headers;
}

START_TEST(headers__keep_order_and_spelling)
{
    struct urlpool_headers *headers = make("B=1|a=2|b=3|A=4|");

    ck_assert_str_eq(show(headers), "B=1|a=2|b=3|A=4|");
    ck_assert_uint_eq(urlpool_headers_count(headers), 4);
    urlpool_headers_free(headers);
}
END_TEST

START_TEST(headers__are_found_without_case)
{
    struct urlpool_headers *headers = make("Content-Type=a|X-Y=b|CONTENT-TYPE=c|");

    ck_assert_str_eq(urlpool_headers_get(headers, "content-type"), "a");
    ck_assert_str_eq(urlpool_headers_get_nth(headers, "CONTENT-type", 0), "a");
    ck_assert_str_eq(urlpool_headers_get_nth(headers, "CONTENT-type", 1), "c");
    ck_assert_ptr_null(urlpool_headers_get_nth(headers, "CONTENT-type", 2));
    ck_assert(urlpool_headers_contains(headers, "x-y"));
    urlpool_headers_free(headers);
}
END_TEST

START_TEST(headers__compare_whole_names)
{
    struct urlpool_headers *headers = make("Content-Type=a|X_Y=b|");

    ck_assert(!urlpool_headers_contains(headers, "Content"));
    ck_assert(!urlpool_headers_contains(headers, "Content-Type2"));
    ck_assert(!urlpool_headers_contains(headers, ""));
    ck_assert(!urlpool_headers_contains(headers, "X-Y"));
    ck_assert_ptr_null(urlpool_headers_get(headers, "Content-Typ"));
    ck_assert_uint_eq(urlpool_headers_remove(headers, "Conten"), 0);
    urlpool_headers_free(headers);
}
END_TEST

START_TEST(headers__join_all_values_of_a_name)
{
    struct urlpool_headers *headers = make("a=1|b=2|A=3|a=4, 5|");
    char *all = urlpool_headers_get_all(headers, "a");

    ck_assert_str_eq(all, "1, 3, 4, 5");
    urlpool_string_free(all);
    ck_assert_int_eq(urlpool_headers_add(headers, "e", "", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(headers, "e", "", NULL), URLPOOL_OK);
    all = urlpool_headers_get_all(headers, "E");
    ck_assert_str_eq(all, ", ");
    urlpool_string_free(all);
    ck_assert_ptr_null(urlpool_headers_get_all(headers, "c"));
    urlpool_headers_free(headers);
}
END_TEST

START_TEST(headers__refuse_names_that_are_no_token)
{
    static const char *const names[] = {"",    " ",     "a b", "a:",       ":a",  "a\r\nb", "a\n",
                                        "a\t", "a\x7f", "a(b", "\xc3\xa4", "a/",  "a\"",    "{a}",
                                        "a,b", "a=b",   "a;",  "a@",       "[a]", "a\\",    "a?"};
    struct urlpool_headers *headers = make("x=1|");

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct urlpool_error err = {0};

        ck_assert_msg(urlpool_headers_add(headers, names[i], "v", &err) == URLPOOL_E_HEADER,
                      "accepted: %s", names[i]);
        ck_assert_ptr_nonnull(strstr(err.message, "token"));
        ck_assert_ptr_null(strpbrk(err.message, "\r\n"));
        ck_assert_int_eq(urlpool_headers_set(headers, names[i], "v", NULL), URLPOOL_E_HEADER);
    }
    ck_assert_str_eq(show(headers), "x=1|");
    urlpool_headers_free(headers);
}
END_TEST

START_TEST(headers__refuse_values_with_controls)
{
    static const char *const values[] = {"a\r\nb: c", "a\nb", "a\rb", "\r", "a\r\n",  "\x01",
                                         "a\x1f",     "\x7f", "\v",   "\f", "a\r\n b"};
    struct urlpool_headers *headers = make("x=1|");

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct urlpool_error err = {0};

        ck_assert_int_eq(urlpool_headers_add(headers, "x", values[i], &err), URLPOOL_E_HEADER);
        ck_assert_str_eq(err.message, "value of header \"x\" holds a control character");
        ck_assert_int_eq(urlpool_headers_set(headers, "x", values[i], NULL), URLPOOL_E_HEADER);
    }
    ck_assert_str_eq(show(headers), "x=1|");
    urlpool_headers_free(headers);
}
END_TEST

START_TEST(headers__trim_values_and_keep_the_rest_as_it_is)
{
    struct urlpool_headers *headers = urlpool_headers_new(NULL);

    ck_assert_int_eq(urlpool_headers_add(headers, "a", " \t b\t c \t", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(headers, "b", "\xc3\xa4\xff", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(headers, "c", " ", NULL), URLPOOL_OK);
    ck_assert_str_eq(show(headers), "a=b\t c|b=\xc3\xa4\xff|c=|");
    urlpool_headers_free(headers);
}
END_TEST

START_TEST(headers__set_in_the_place_of_the_first)
{
    static const struct {
        const char *before, *name, *after;
    } cases[] = {
        {"",                     "a", "a=x|"            },
        {"b=1|",                 "a", "b=1|a=x|"        },
        {"A=1|b=2|",             "a", "a=x|b=2|"        },
        {"b=1|a=2|c=3|A=4|d=5|", "a", "b=1|a=x|c=3|d=5|"},
        {"a=1|a=2|a=3|",         "A", "A=x|"            },
        {"b=1|c=2|a=3|",         "a", "b=1|c=2|a=x|"    },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlpool_headers *headers = make(cases[i].before);

        ck_assert_int_eq(urlpool_headers_set(headers, cases[i].name, "x", NULL), URLPOOL_OK);
        ck_assert_str_eq(show(headers), cases[i].after);
        urlpool_headers_free(headers);
    }
}
END_TEST

START_TEST(headers__remove_every_line_of_a_name)
{
    struct urlpool_headers *headers = make("b=1|a=2|c=3|A=4|d=5|a=6|");

    ck_assert_uint_eq(urlpool_headers_remove(headers, "a"), 3);
    ck_assert_str_eq(show(headers), "b=1|c=3|d=5|");
    ck_assert_uint_eq(urlpool_headers_remove(headers, "a"), 0);
    ck_assert_str_eq(show(headers), "b=1|c=3|d=5|");
    urlpool_headers_free(headers);
}
END_TEST

START_TEST(headers__take_their_own_strings_as_arguments)
{
    struct urlpool_headers *headers = make("a=1|b=2|a=3|");

    ck_assert_int_eq(urlpool_headers_set(headers, urlpool_headers_at(headers, 0).name,
                                         urlpool_headers_get_nth(headers, "a", 1), NULL),
                     URLPOOL_OK);
    ck_assert_str_eq(show(headers), "a=3|b=2|");
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(urlpool_headers_add(headers, urlpool_headers_at(headers, 0).name,
                                             urlpool_headers_get(headers, "b"), NULL),
                         URLPOOL_OK);
    }
    ck_assert_uint_eq(urlpool_headers_remove(headers, urlpool_headers_at(headers, 0).name), 21);
    ck_assert_str_eq(show(headers), "b=2|");
    urlpool_headers_free(headers);
}
END_TEST

START_TEST(headers__combine_puts_a_value_behind_the_last)
{
    static const struct {
        const char *before, *name, *value, *after;
    } cases[] = {
        {"",              "a", "1",    "a=1|"           },
        {"a=1|",          "A", " 2\t", "a=1, 2|"        },
        {"a=1|b=2|A=3|",  "a", "4",    "a=1|b=2|A=3, 4|"},
        {"ab=1|a=1|b=2|", "a", "",     "ab=1|a=1, |b=2|"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlpool_headers *headers = make(cases[i].before);

        ck_assert_int_eq(urlpool_headers_combine(headers, cases[i].name, cases[i].value, NULL),
                         URLPOOL_OK);
        ck_assert_str_eq(show(headers), cases[i].after);
        urlpool_headers_free(headers);
    }
}
END_TEST

START_TEST(headers__combine_refuses_what_add_refuses)
{
    struct urlpool_headers *headers = make("a=1|");

    ck_assert_int_eq(urlpool_headers_combine(headers, "a", "2\r\nb: 3", NULL), URLPOOL_E_HEADER);
    ck_assert_int_eq(urlpool_headers_combine(headers, "a b", "2", NULL), URLPOOL_E_HEADER);
    ck_assert_int_eq(urlpool_headers_combine(headers, NULL, "2", NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_headers_combine(headers, "a", NULL, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_headers_combine(NULL, "a", "2", NULL), URLPOOL_E_INVALID);
    ck_assert_str_eq(show(headers), "a=1|");
    /* Its own strings are as good as any. */
    ck_assert_int_eq(urlpool_headers_combine(headers, urlpool_headers_at(headers, 0).name,
                                             urlpool_headers_get(headers, "a"), NULL),
                     URLPOOL_OK);
    ck_assert_str_eq(show(headers), "a=1, 1|");
    urlpool_headers_free(headers);
}
END_TEST

START_TEST(headers__clear_takes_every_line_out)
{
    struct urlpool_headers *headers = make("a=1|b=2|a=3|");

    urlpool_headers_clear(headers);
    urlpool_headers_clear(NULL);
    ck_assert_uint_eq(urlpool_headers_count(headers), 0);
    ck_assert(!urlpool_headers_contains(headers, "a"));
    ck_assert_int_eq(urlpool_headers_add(headers, "c", "4", NULL), URLPOOL_OK);
    ck_assert_str_eq(show(headers), "c=4|");
    urlpool_headers_free(headers);
}
END_TEST

START_TEST(headers__equal_whatever_the_order_of_names)
{
    static const struct {
        const char *one, *other;
        bool are_equal;
    } cases[] = {
        {"",             "",             true },
        {"a=1|b=2|",     "B=2|A=1|",     true },
        {"a=1|b=2|a=3|", "a=1|a=3|b=2|", true },
        {"a=1|a=1|b=1|", "a=1|b=1|b=1|", false},
        {"a=1|b=2|a=3|", "a=3|a=1|b=2|", false},
        {"a=1|",         "a=1|a=1|",     false},
        {"a=1|",         "",             false},
        {"a=x|",         "a=X|",         false},
        {"a=1|",         "ab=1|",        false},
        {"a=1|b=2|",     "a=1|c=2|",     false},
        {"a=1|a=2|",     "a=1, 2|x=1|",  false},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlpool_headers *one = make(cases[i].one);
        struct urlpool_headers *other = make(cases[i].other);

        ck_assert_int_eq(urlpool_headers_equal(one, other), cases[i].are_equal);
        ck_assert_int_eq(urlpool_headers_equal(other, one), cases[i].are_equal);
        ck_assert(urlpool_headers_equal(one, one));
        ck_assert(!urlpool_headers_equal(one, NULL));
        ck_assert(!urlpool_headers_equal(NULL, one));
        urlpool_headers_free(one);
        urlpool_headers_free(other);
    }
    ck_assert(urlpool_headers_equal(NULL, NULL));
}
END_TEST

START_TEST(headers__extend_appends)
{
    struct urlpool_headers *headers = make("a=1|b=2|");
    struct urlpool_headers *more = make("A=3|c=4|");

    ck_assert_int_eq(urlpool_headers_extend(headers, more, NULL), URLPOOL_OK);
    urlpool_headers_free(more);
    ck_assert_str_eq(show(headers), "a=1|b=2|A=3|c=4|");
    ck_assert_int_eq(urlpool_headers_extend(headers, headers, NULL), URLPOOL_OK);
    ck_assert_str_eq(show(headers), "a=1|b=2|A=3|c=4|a=1|b=2|A=3|c=4|");
    urlpool_headers_free(headers);
}
END_TEST

/* The view of a merge is what the merge will be, and nothing has been changed for it. */
static void assert_merged_fields(const struct urlpool_headers *headers,
                                 const struct urlpool_headers *more, const char *expected)
{
    struct urlp_field fields[16];
    const size_t num = urlp_headers_merged_fields(headers, more, fields);
    struct urlpool_headers *merged = urlp_headers_from_fields(fields, num, NULL);

    ck_assert_str_eq(show(merged), expected);
    urlpool_headers_free(merged);
}

START_TEST(headers__merged_fields_take_no_list_for_an_empty_one)
{
    struct urlpool_headers *headers = make("a=1|b=2|A=3|");

    assert_merged_fields(headers, NULL, "a=1|b=2|A=3|");
    assert_merged_fields(NULL, headers, "a=1|b=2|A=3|");
    assert_merged_fields(NULL, NULL, "");
    urlpool_headers_free(headers);
}
END_TEST

START_TEST(headers__merge_replaces_names_by_names)
{
    static const struct {
        const char *before, *more, *after;
    } cases[] = {
        {"",                 "",                 ""                    },
        {"a=1|",             "",                 "a=1|"                },
        {"",                 "a=1|a=2|",         "a=1|a=2|"            },
        {"a=1|b=2|",         "c=3|",             "a=1|b=2|c=3|"        },
        {"a=1|b=2|",         "A=3|",             "A=3|b=2|"            },
        {"a=1|b=2|a=3|",     "a=4|",             "a=4|b=2|"            },
        {"a=1|b=2|a=3|c=4|", "c=7|a=5|d=8|a=6|", "a=5|a=6|b=2|c=7|d=8|"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlpool_headers *headers = make(cases[i].before);
        struct urlpool_headers *more = make(cases[i].more);

        assert_merged_fields(headers, more, cases[i].after);
        ck_assert_int_eq(urlpool_headers_merge(headers, more, NULL), URLPOOL_OK);
        ck_assert_str_eq(show(headers), cases[i].after);
        ck_assert_str_eq(show(more), cases[i].more);
        /* What was merged can still be changed. */
        ck_assert_int_eq(urlpool_headers_add(headers, "z", "9", NULL), URLPOOL_OK);
        ck_assert_int_eq(urlpool_headers_merge(headers, headers, NULL), URLPOOL_OK);
        ck_assert_uint_eq(urlpool_headers_remove(headers, "z"), 1);
        ck_assert_str_eq(show(headers), cases[i].after);
        urlpool_headers_free(headers);
        urlpool_headers_free(more);
    }
}
END_TEST

START_TEST(headers__names_are_listed_once)
{
    static const char *const cases[][2] = {
        {"",                             ""           },
        {"a=1|",                         "a"          },
        {"a=1|A=2|a=3|",                 "a"          },
        {"X-Sum=1|b=2|x-sum=3|c=4|b=5|", "X-Sum, b, c"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlpool_headers *headers = make(cases[i][0]);
        struct urlp_buf out = {0};

        ck_assert_int_eq(urlp_headers_append_names(headers, &out), URLPOOL_OK);
        ck_assert_int_eq(urlp_headers_append_names(NULL, &out), URLPOOL_OK);
        ck_assert_int_eq(urlp_buf_append(&out, "", 1), URLPOOL_OK);
        ck_assert_str_eq((const char *)out.data, cases[i][1]);
        urlp_buf_deinit(&out);
        urlpool_headers_free(headers);
    }
}
END_TEST

START_TEST(headers__copy_shares_nothing)
{
    struct urlpool_headers *headers = make("a=1|b=2|");
    struct urlpool_headers *copy = urlpool_headers_copy(headers, NULL);

    ck_assert_int_eq(urlpool_headers_set(headers, "a", "3", NULL), URLPOOL_OK);
    urlpool_headers_free(headers);
    ck_assert_str_eq(show(copy), "a=1|b=2|");
    ck_assert_int_eq(urlpool_headers_set(copy, "b", "4", NULL), URLPOOL_OK);
    ck_assert_str_eq(show(copy), "a=1|b=4|");
    urlpool_headers_free(copy);
}
END_TEST

START_TEST(headers__from_fields_are_one_allocation)
{
    char wire[] = "Host: a\r\nSet-Cookie: b=c\r\nset-cookie: \r\n";
    struct urlp_field fields[] = {
        {{wire, 4},       {wire + 6, 1} },
        {{wire + 9, 10},  {wire + 21, 3}},
        {{wire + 26, 10}, {NULL, 0}     },
    };

    failing_allocator_install();
    failing_allocator_fail_nth(0);

    struct urlpool_headers *headers = urlp_headers_from_fields(fields, 3, NULL);

    ck_assert_uint_eq(failing_allocator_num_tried(), 1);
    memset(wire, '!', sizeof(wire));
    ck_assert_str_eq(show(headers), "Host=a|Set-Cookie=b=c|set-cookie=|");
    ck_assert(urlp_span_is(urlp_headers_field(headers, 1).name, "Set-Cookie"));
    ck_assert(urlp_span_is(urlp_headers_field(headers, 1).value, "b=c"));
    ck_assert_int_eq(urlpool_headers_add(headers, "x", "y", NULL), URLPOOL_OK);
    ck_assert_uint_eq(urlpool_headers_remove(headers, "SET-COOKIE"), 2);
    ck_assert_int_eq(urlpool_headers_set(headers, "host", "b", NULL), URLPOOL_OK);
    ck_assert_str_eq(show(headers), "host=b|x=y|");
    urlpool_headers_free(headers);

    headers = urlp_headers_from_fields(NULL, 0, NULL);
    ck_assert_ptr_nonnull(headers);
    ck_assert_uint_eq(urlpool_headers_count(headers), 0);
    urlpool_headers_free(headers);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
}
END_TEST

START_TEST(headers__refuse_null)
{
    struct urlpool_headers *headers = make("a=1|");
    struct urlpool_error err = {0};

    ck_assert_int_eq(urlpool_headers_add(NULL, "a", "b", &err), URLPOOL_E_INVALID);
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_headers_add(headers, NULL, "b", NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_headers_add(headers, "a", NULL, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_headers_set(NULL, "a", "b", NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_headers_extend(NULL, headers, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_headers_extend(headers, NULL, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_headers_merge(NULL, headers, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_headers_merge(headers, NULL, NULL), URLPOOL_E_INVALID);
    ck_assert_ptr_null(urlpool_headers_copy(NULL, NULL));
    ck_assert_ptr_null(urlpool_headers_get(NULL, "a"));
    ck_assert_ptr_null(urlpool_headers_get(headers, NULL));
    ck_assert_ptr_null(urlpool_headers_get_all(NULL, "a"));
    ck_assert_ptr_null(urlpool_headers_get_all(headers, NULL));
    ck_assert_uint_eq(urlpool_headers_remove(NULL, "a"), 0);
    ck_assert_uint_eq(urlpool_headers_remove(headers, NULL), 0);
    ck_assert_uint_eq(urlpool_headers_count(NULL), 0);
    ck_assert_ptr_null(urlpool_headers_at(NULL, 0).name);
    ck_assert_ptr_null(urlpool_headers_at(headers, 1).name);
    ck_assert_ptr_null(urlpool_headers_at(headers, SIZE_MAX).value);
    ck_assert_str_eq(show(headers), "a=1|");
    urlpool_headers_free(headers);
    urlpool_headers_free(NULL);
    urlpool_string_free(NULL);
}
END_TEST

enum change {
    CHANGE_ADD,
    CHANGE_SET,
    CHANGE_COMBINE,
    CHANGE_EXTEND,
    CHANGE_MERGE,
    CHANGE_COPY,
    NUM_CHANGES
};

static enum urlpool_code make_change(enum change change, struct urlpool_headers *headers,
                                     const struct urlpool_headers *more, struct urlpool_error *err)
{
    struct urlpool_headers *copy = NULL;

    switch (change) {
    case CHANGE_ADD:
        return urlpool_headers_add(headers, "x", "y", err);
    case CHANGE_SET:
        return urlpool_headers_set(headers, "a", "y", err);
    case CHANGE_COMBINE:
        return urlpool_headers_combine(headers, "a", "y", err);
    case CHANGE_EXTEND:
        return urlpool_headers_extend(headers, more, err);
    case CHANGE_MERGE:
        return urlpool_headers_merge(headers, more, err);
    default:
        copy = urlpool_headers_copy(headers, err);
        urlpool_headers_free(copy);
        return copy == NULL ? URLPOOL_E_NOMEM : URLPOOL_OK;
    }
}

START_TEST(headers__are_unchanged_when_memory_runs_out)
{
    static const char before[] = "a=1|b=2|a=3|c=4|d=5|e=6|f=7|g=8|";

    failing_allocator_install();
    for (int change = 0; change < NUM_CHANGES; change++) {
        uint64_t n = 1;

        for (bool has_failed = true; has_failed; n++) {
            failing_allocator_fail_nth(0);

            struct urlpool_headers *headers = make(before);
            struct urlpool_headers *more = make("b=9|i=10|b=11|");
            struct urlpool_error err = {0};

            failing_allocator_fail_nth(n);

            enum urlpool_code code = make_change((enum change)change, headers, more, &err);

            has_failed = failing_allocator_has_failed();
            ck_assert_int_eq(code, has_failed ? URLPOOL_E_NOMEM : URLPOOL_OK);
            ck_assert_int_eq(err.code, code);
            if (has_failed || change == CHANGE_COPY) {
                ck_assert_str_eq(show(headers), before);
            } else {
                ck_assert_str_ne(show(headers), before);
            }
            urlpool_headers_free(headers);
            urlpool_headers_free(more);
            ck_assert_int_eq(failing_allocator_num_live(), 0);
        }
        ck_assert_uint_gt(n, 2);
    }
}
END_TEST

RUN_TESTS("headers", headers__keep_order_and_spelling, headers__are_found_without_case,
          headers__compare_whole_names, headers__join_all_values_of_a_name,
          headers__refuse_names_that_are_no_token, headers__refuse_values_with_controls,
          headers__trim_values_and_keep_the_rest_as_it_is, headers__set_in_the_place_of_the_first,
          headers__remove_every_line_of_a_name, headers__take_their_own_strings_as_arguments,
          headers__combine_puts_a_value_behind_the_last, headers__combine_refuses_what_add_refuses,
          headers__clear_takes_every_line_out, headers__equal_whatever_the_order_of_names,
          headers__extend_appends, headers__merge_replaces_names_by_names,
          headers__merged_fields_take_no_list_for_an_empty_one, headers__names_are_listed_once,
          headers__copy_shares_nothing, headers__from_fields_are_one_allocation,
          headers__refuse_null, headers__are_unchanged_when_memory_runs_out)
