/* Where the fields of a request go: into the URL or into the body, by method. */

#include <string.h>

#include "client/request_fields.h"
#include "support/run_tests.h"

static struct urlpool_error err;

static struct urlpool_form *form_of(const char *name, const char *value)
{
    struct urlpool_form *form = urlpool_form_new(&err);

    ck_assert_ptr_nonnull(form);
    if (name != NULL) {
        ck_assert_int_eq(urlpool_form_add(form, name, value, &err), URLPOOL_OK);
    }
    return form;
}

/* expect_url places `form` with GET and compares the URL. */
static void expect_url(const struct urlpool_form *form, const char *url, const char *expected)
{
    const struct urlpool_request_options options = {.fields = form};
    struct urlp_url parsed = {0};
    struct urlpool_body body;

    ck_assert_int_eq(urlp_url_parse(urlp_span_of(url), &parsed, &err), URLPOOL_OK);
    ck_assert_msg(urlp_fields_place(&options, urlp_span_of("GET"), &parsed, &body, &err) ==
                      URLPOOL_OK,
                  "%s", err.message);
    ck_assert_str_eq((const char *)parsed.text.data, expected);
    ck_assert_int_eq(body.kind, URLPOOL_BODY_NONE);
    urlp_url_deinit(&parsed);
}

START_TEST(fields__go_behind_the_query_and_before_the_fragment)
{
    struct urlpool_form *form = form_of("a b", "1&2/\xc3\xa4");

    ck_assert_int_eq(urlpool_form_add(form, "a b", "~", &err), URLPOOL_OK);
    expect_url(form, "http://h/p", "http://h/p?a+b=1%262%2F%C3%A4&a+b=~");
    expect_url(form, "http://h", "http://h?a+b=1%262%2F%C3%A4&a+b=~");
    expect_url(form, "http://h/p?", "http://h/p?a+b=1%262%2F%C3%A4&a+b=~");
    expect_url(form, "http://h/p?x=y", "http://h/p?x=y&a+b=1%262%2F%C3%A4&a+b=~");
    expect_url(form, "http://h/p?x#frag?", "http://h/p?x&a+b=1%262%2F%C3%A4&a+b=~#frag?");
    expect_url(form, "http://u:p@h:1/#", "http://u:p@h:1/?a+b=1%262%2F%C3%A4&a+b=~#");
    urlpool_form_free(form);
}
END_TEST

START_TEST(fields__that_are_none_leave_the_url)
{
    struct urlpool_form *form = form_of(NULL, NULL);

    expect_url(form, "http://h/p", "http://h/p");
    expect_url(form, "http://h/p?x#f", "http://h/p?x#f");
    expect_url(NULL, "http://h/p?x#f", "http://h/p?x#f");
    urlpool_form_free(form);
}
END_TEST

START_TEST(fields__go_where_the_method_takes_them)
{
    static const struct {
        const char *method;
        bool urlencoded;
        enum urlpool_body_kind kind;
    } cases[] = {
        {"GET",     false, URLPOOL_BODY_NONE     },
        {"HEAD",    false, URLPOOL_BODY_NONE     },
        {"DELETE",  false, URLPOOL_BODY_NONE     },
        {"OPTIONS", false, URLPOOL_BODY_NONE     },
        {"GET",     true,  URLPOOL_BODY_NONE     },
        {"POST",    false, URLPOOL_BODY_MULTIPART},
        {"PUT",     false, URLPOOL_BODY_MULTIPART},
        {"PATCH",   false, URLPOOL_BODY_MULTIPART},
        {"QUERY",   false, URLPOOL_BODY_MULTIPART},
        {"get",     false, URLPOOL_BODY_MULTIPART}, /* a method of its own: case matters */
        {"POST",    true,  URLPOOL_BODY_FORM     },
        {"PUT",     true,  URLPOOL_BODY_FORM     },
    };
    struct urlpool_form *form = form_of("a", "1");

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct urlpool_request_options options = {
            .fields = form, .body.chunked = true, .fields_urlencoded = cases[i].urlencoded};
        struct urlp_url url = {0};
        struct urlpool_body body;

        ck_assert_int_eq(urlp_url_parse(urlp_span_of("http://h/"), &url, &err), URLPOOL_OK);
        ck_assert_int_eq(
            urlp_fields_place(&options, urlp_span_of(cases[i].method), &url, &body, &err),
            URLPOOL_OK);
        ck_assert_msg(body.kind == cases[i].kind, "%s", cases[i].method);
        ck_assert_ptr_eq(body.form, cases[i].kind == URLPOOL_BODY_NONE ? NULL : form);
        ck_assert(body.chunked);
        ck_assert_str_eq((const char *)url.text.data,
                         cases[i].kind == URLPOOL_BODY_NONE ? "http://h/?a=1" : "http://h/");
        urlp_url_deinit(&url);
    }
    urlpool_form_free(form);
}
END_TEST

/* expect_refused places `options` with `method` and looks for the code. */
static void expect_refused(const struct urlpool_request_options *options, const char *method,
                           enum urlpool_code code, const char *word)
{
    struct urlp_url url = {0};
    struct urlpool_body body;

    ck_assert_int_eq(urlp_url_parse(urlp_span_of("http://h/"), &url, &err), URLPOOL_OK);
    ck_assert_int_eq(urlp_fields_place(options, urlp_span_of(method), &url, &body, &err), code);
    ck_assert_msg(strstr(err.message, word) != NULL, "%s", err.message);
    urlp_url_deinit(&url);
}

START_TEST(fields__are_refused_where_they_cannot_go)
{
    struct urlpool_form *form = form_of("a", "1");
    struct urlpool_form *files = form_of("a", "1");
    struct urlpool_form *many = form_of("a", "1");
    struct urlpool_request_options options = {.fields = form, .body = urlpool_body_bytes("", 0)};
    static char large[65536];

    memset(large, 'x', sizeof(large) - 1);
    ck_assert_int_eq(urlpool_form_add_file(files, "f", "/dev/null", &err), URLPOOL_OK);
    ck_assert_int_eq(urlpool_form_add(many, "b", large, &err), URLPOOL_OK);
    expect_refused(&options, "POST", URLPOOL_E_INVALID, "fields and body");
    expect_refused(&options, "GET", URLPOOL_E_INVALID, "fields and body");
    options = (struct urlpool_request_options){.fields = files};
    expect_refused(&options, "GET", URLPOOL_E_INVALID, "file");
    options = (struct urlpool_request_options){.fields = many};
    expect_refused(&options, "GET", URLPOOL_E_URL, "URL");
    urlpool_form_free(form);
    urlpool_form_free(files);
    urlpool_form_free(many);
}
END_TEST

RUN_TESTS("request fields", fields__go_behind_the_query_and_before_the_fragment,
          fields__that_are_none_leave_the_url, fields__go_where_the_method_takes_them,
          fields__are_refused_where_they_cannot_go)
