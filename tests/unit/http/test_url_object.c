/* The public URL object. */

#include <stdint.h>
#include <string.h>

#include "urlpool/headers.h"
#include "urlpool/url.h"

#include "support/failing_allocator.h"
#include "support/run_tests.h"

START_TEST(url_object__shows_its_parts_as_strings)
{
    struct urlpool_url *url =
        urlpool_url_parse("HTTPS://u:p@[FE80::1%25eth0]:8443/a%2fb?c#d", NULL);

    ck_assert_ptr_nonnull(url);
    ck_assert_str_eq(url->scheme, "https");
    ck_assert_str_eq(url->userinfo, "u:p");
    ck_assert_str_eq(url->host, "fe80::1");
    ck_assert_str_eq(url->zone, "eth0");
    ck_assert_int_eq(url->port, 8443);
    ck_assert_str_eq(url->path, "/a%2Fb");
    ck_assert_str_eq(url->query, "c");
    ck_assert_str_eq(url->fragment, "d");
    urlpool_url_free(url);
}
END_TEST

START_TEST(url_object__shows_absent_parts_as_null)
{
    struct urlpool_url *url = urlpool_url_parse("http://a?", NULL);

    ck_assert_ptr_nonnull(url);
    ck_assert_ptr_null(url->userinfo);
    ck_assert_ptr_null(url->zone);
    ck_assert_int_eq(url->port, -1);
    ck_assert_str_eq(url->path, "");
    ck_assert_str_eq(url->query, "");
    ck_assert_ptr_null(url->fragment);
    urlpool_url_free(url);

    url = urlpool_url_parse("", NULL);
    ck_assert_ptr_nonnull(url);
    ck_assert_ptr_null(url->scheme);
    ck_assert_ptr_null(url->host);
    ck_assert_str_eq(url->path, "");
    urlpool_url_free(url);
}
END_TEST

START_TEST(url_object__shows_its_parts_in_other_cuts)
{
    static const struct {
        const char *text, *authority, *netloc, *target, *user, *password;
    } rows[] = {
        {"http://a",                   "a",                  "a",           "/",      NULL,  NULL     },
        {"http://A:080/b?c#d",         "a:80",               "a:80",        "/b?c",   NULL,  NULL     },
        {"http://a?",                  "a",                  "a",           "/?",     NULL,  NULL     },
        {"http://a#b",                 "a",                  "a",           "/",      NULL,  NULL     },
        {"http://u@a/",                "u@a",                "a",           "/",      "u",   NULL     },
        {"http://u:@a/",               "u:@a",               "a",           "/",      "u",   ""       },
        {"http://:p@a/",               ":p@a",               "a",           "/",      "",    "p"      },
        {"http://@a/",                 "@a",                 "a",           "/",      "",    NULL     },
        {"http://u%40%3a:p%2F:%c3@a",  "u%40%3A:p%2F:%C3@a", "a",           "/",      "u@:", "p/:\xc3"},
        {"http://u%00v:p%00@a/",       "u%00v:p%00@a",       "a",           "/",      NULL,  NULL     },
        {"http://[::1%25e]:1/%41?%2f", "[::1%25e]:1",        "[::1%25e]:1", "/A?%2F", NULL,  NULL     },
        {"//u@h/x",                    "u@h",                "h",           "/x",     "u",   NULL     },
        {"/x?y",                       NULL,                 NULL,          "/x?y",   NULL,  NULL     },
        {"",                           NULL,                 NULL,          "/",      NULL,  NULL     },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct urlpool_url *url = urlpool_url_parse(rows[i].text, NULL);

        ck_assert_msg(url != NULL, "%s", rows[i].text);
        ck_assert_pstr_eq(url->authority, rows[i].authority);
        ck_assert_pstr_eq(url->netloc, rows[i].netloc);
        ck_assert_pstr_eq(url->target, rows[i].target);
        ck_assert_pstr_eq(url->user, rows[i].user);
        ck_assert_pstr_eq(url->password, rows[i].password);
        urlpool_url_free(url);
    }
}
END_TEST

START_TEST(url_object__formats_its_normal_form)
{
    struct urlpool_url *url = urlpool_url_parse("HTTP://U@A:080/./b?%41#", NULL);
    char *text = urlpool_url_format(url, NULL);

    ck_assert_str_eq(text, "http://U@a:80/b?A#");
    urlpool_string_free(text);
    urlpool_url_free(url);
}
END_TEST

START_TEST(url_object__joins_a_reference)
{
    struct urlpool_url *base = urlpool_url_parse("http://a/b/c?d#e", NULL);
    struct urlpool_url *url = urlpool_url_join(base, "../f#g", NULL);

    urlpool_url_free(base);
    ck_assert_ptr_nonnull(url);
    ck_assert_str_eq(url->host, "a");
    ck_assert_str_eq(url->path, "/f");
    ck_assert_ptr_null(url->query);
    ck_assert_str_eq(url->fragment, "g");
    urlpool_url_free(url);
}
END_TEST

START_TEST(url_object__is_refused_with_a_code)
{
    struct urlpool_url *base = urlpool_url_parse("//a", NULL);
    struct urlpool_error err = {0};

    ck_assert_ptr_null(urlpool_url_parse("http://a b/", &err));
    ck_assert_int_eq(err.code, URLPOOL_E_URL);
    ck_assert_ptr_null(urlpool_url_parse("http://a b/", NULL));
    ck_assert_ptr_null(urlpool_url_parse(NULL, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    ck_assert_ptr_null(urlpool_url_join(base, "b", &err));
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    ck_assert_ptr_null(urlpool_url_join(NULL, "b", &err));
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    ck_assert_ptr_null(urlpool_url_join(base, NULL, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    err.code = URLPOOL_OK;
    ck_assert_ptr_null(urlpool_url_format(NULL, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    urlpool_url_free(base);
    urlpool_url_free(NULL);
}
END_TEST

START_TEST(url_object__leaks_nothing_when_memory_runs_out)
{
    struct urlpool_error err;
    uint64_t n = 1;

    failing_allocator_install();
    for (;; n++) {
        failing_allocator_fail_nth(n);
        err = (struct urlpool_error){0};

        struct urlpool_url *base = urlpool_url_parse("http://a/b", &err);
        struct urlpool_url *url = base == NULL ? NULL : urlpool_url_join(base, "c", &err);
        char *text = url == NULL ? NULL : urlpool_url_format(url, &err);
        bool is_made = text != NULL;

        urlpool_string_free(text);
        urlpool_url_free(url);
        urlpool_url_free(base);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
        ck_assert_int_eq(is_made, !failing_allocator_has_failed());
        if (is_made) {
            break;
        }
        ck_assert_int_eq(err.code, URLPOOL_E_NOMEM);
    }
    ck_assert_uint_gt(n, 5);
}
END_TEST

RUN_TESTS("url_object", url_object__shows_its_parts_as_strings,
          url_object__shows_absent_parts_as_null, url_object__shows_its_parts_in_other_cuts,
          url_object__formats_its_normal_form, url_object__joins_a_reference,
          url_object__is_refused_with_a_code, url_object__leaks_nothing_when_memory_runs_out)
