/* The form: what is taken and what is refused, and its fields as application/x-www-form-urlencoded.
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "urlpool/form.h"

#include "http/form.h"
#include "support/count_of.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

static struct urlpool_form *new_form(void)
{
    struct urlpool_form *form = urlpool_form_new(NULL);

    ck_assert_ptr_nonnull(form);
    return form;
}

/* Asserts that one field of `name` and `data` is written as `expected`. */
static void check_encoded(const char *name, const void *data, size_t data_len, const char *expected)
{
    const struct urlpool_part part = {.name = name, .data = data, .data_len = data_len};
    struct urlpool_form *form = new_form();
    char *text;

    ck_assert_int_eq(urlpool_form_add_part(form, &part, NULL), URLPOOL_OK);
    text = urlpool_form_encode(form, NULL);
    ck_assert_pstr_eq(text, expected);
    urlpool_string_free(text);
    urlpool_form_free(form);
}

START_TEST(form__is_encoded_in_the_order_of_its_fields)
{
    struct urlpool_form *form = new_form();
    char *text;

    ck_assert_int_eq(urlpool_form_add(form, "foo", "bar", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_form_add(form, "a", "", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_form_add(form, "foo", "baz", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_form_add(form, "", "x", NULL), URLPOOL_OK);
    text = urlpool_form_encode(form, NULL);
    ck_assert_pstr_eq(text, "foo=bar&a=&foo=baz&=x");
    urlpool_string_free(text);
    urlpool_form_free(form);
}
END_TEST

START_TEST(form__without_fields_is_encoded_as_nothing)
{
    struct urlpool_form *form = new_form();
    char *text = urlpool_form_encode(form, NULL);

    ck_assert_pstr_eq(text, "");
    urlpool_string_free(text);
    urlpool_form_free(form);
}
END_TEST

/* As urllib.parse.urlencode([(name, value)]) has it. */
START_TEST(form__is_encoded_as_urlencode_does)
{
    static const struct {
        const char *name;
        const char *value;
        const char *expected;
    } rows[] = {
        {"a",      "b c",                      "a=b+c"                                              },
        {"a b",    "+",                        "a+b=%2B"                                            },
        {"k&=",    "v&=",                      "k%26%3D=v%26%3D"                                    },
        {"filter", "a;b",                      "filter=a%3Bb"                                       },
        {"n",      "\xc3\xa9\xf0\x9f\x98\x80", "n=%C3%A9%F0%9F%98%80"                               },
        {"n",      "\xff\xfe",                 "n=%FF%FE"                                           },
        {"lines",  "a\r\nb\n",                 "lines=a%0D%0Ab%0A"                                  },
        {"safe",   "AZaz09-._~",               "safe=AZaz09-._~"                                    },
        {"path",   "/a%20b?#[]@!$'()*,",       "path=%2Fa%2520b%3F%23%5B%5D%40%21%24%27%28%29%2A%2C"},
        {"json",   "{\"k\": [1]}",             "json=%7B%22k%22%3A+%5B1%5D%7D"                      },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check_encoded(rows[i].name, rows[i].value, strlen(rows[i].value), rows[i].expected);
    }
}
END_TEST

START_TEST(form__encodes_every_byte)
{
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (int c = 0; c <= UINT8_MAX; c++) {
        unsigned char byte = (unsigned char)c;
        char expected[8];

        if (c != 0 && strchr(unreserved, c) != NULL) {
            (void)snprintf(expected, sizeof(expected), "n=%c", c);
        } else if (c == ' ') {
            (void)snprintf(expected, sizeof(expected), "n=+");
        } else {
            (void)snprintf(expected, sizeof(expected), "n=%%%02X", (unsigned)c);
        }
        check_encoded("n", &byte, 1, expected);
    }
}
END_TEST

START_TEST(form__keeps_nul_bytes_of_a_value)
{
    check_encoded("n", "a\0b\0", 4, "n=a%00b%00");
}
END_TEST

START_TEST(form__refuses_to_encode_a_file)
{
    struct urlpool_part files[3] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};

    files[0].path = "/nowhere";
    files[1].fd = 1;
    files[2].filename = "x.txt"; /* it has the name of one */
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct urlpool_form *form = new_form();
        struct urlpool_error err = {0};
        char expected[128];

        ck_assert_int_eq(urlpool_form_add(form, "a", "b", NULL), URLPOOL_OK);
        ck_assert_int_eq(urlpool_form_add_part(form, &files[i], NULL), URLPOOL_OK);
        ck_assert_ptr_null(urlpool_form_encode(form, &err));
        (void)snprintf(expected, sizeof(expected),
                       "field \"%s\" is a file, which only a multipart body can carry",
                       files[i].name);
        ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
        ck_assert_str_eq(err.message, expected);
        urlpool_form_free(form);
    }
}
END_TEST

START_TEST(form__appends_what_is_encoded)
{
    struct urlpool_form *form = new_form();
    struct urlp_buf buf = {0};

    ck_assert_int_eq(urlpool_form_add(form, "a", "b", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlp_buf_append_text(&buf, "/path?"), URLPOOL_OK);
    ck_assert_int_eq(urlp_form_append_encoded(form, &buf, NULL), URLPOOL_OK);
    ck_assert(urlp_span_is(urlp_span_make(buf.data, buf.len), "/path?a=b"));
    urlp_buf_deinit(&buf);
    urlpool_form_free(form);
}
END_TEST

START_TEST(form__keeps_copies)
{
    struct urlpool_form *form = new_form();
    struct urlpool_headers *headers = urlpool_headers_new(NULL);
    char name[] = "name";
    char value[] = "value";
    char path[] = "/dir/file.png";
    char type[] = "text/x";
    const struct urlpool_part part = {
        .name = name, .path = path, .content_type = type, .headers = headers};
    const struct urlp_form_field *field;

    ck_assert_int_eq(urlpool_headers_add(headers, "X-A", "1", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_form_add(form, name, value, NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_form_add_part(form, &part, NULL), URLPOOL_OK);
    urlpool_headers_free(headers);
    memset(name, '!', sizeof(name) - 1);
    memset(value, '!', sizeof(value) - 1);
    memset(path, '!', sizeof(path) - 1);
    memset(type, '!', sizeof(type) - 1);

    field = urlp_form_field(form, 0);
    ck_assert(urlp_span_is(field->name, "name"));
    ck_assert(urlp_span_is(field->data, "value"));
    field = urlp_form_field(form, 1);
    ck_assert(urlp_span_is(field->name, "name"));
    ck_assert_pstr_eq(field->path, "/dir/file.png");
    ck_assert_pstr_eq(field->filename, "file.png");
    ck_assert_pstr_eq(field->content_type, "text/x");
    ck_assert_pstr_eq(urlpool_headers_get(field->headers, "x-a"), "1");
    urlpool_form_free(form);
}
END_TEST

/* Asserts what a server is told of a part: its file name and its media type. */
static void check_told(struct urlpool_part part, const char *filename, const char *content_type)
{
    struct urlpool_form *form = new_form();
    const struct urlp_form_field *field;

    part.name = "n";
    ck_assert_int_eq(urlpool_form_add_part(form, &part, NULL), URLPOOL_OK);
    field = urlp_form_field(form, 0);
    ck_assert_pstr_eq(field->filename, filename);
    ck_assert_pstr_eq(field->content_type, content_type);
    urlpool_form_free(form);
}

START_TEST(form__names_a_file_after_its_path)
{
    check_told((struct urlpool_part){.path = "a.png"}, "a.png", "image/png");
    check_told((struct urlpool_part){.path = "/d.txt/a"}, "a", "application/octet-stream");
    check_told((struct urlpool_part){.path = "/d/a.png", .filename = "b.txt"}, "b.txt",
               "text/plain");
    check_told((struct urlpool_part){.path = "/d/a.png", .filename = ""}, "",
               "application/octet-stream");
}
END_TEST

START_TEST(form__tells_a_name_only_of_files)
{
    check_told((struct urlpool_part){.data = NULL}, NULL, NULL);
    check_told((struct urlpool_part){.data = "x", .data_len = 1}, NULL, NULL);
    check_told((struct urlpool_part){.fd = 3}, NULL, NULL);
    check_told((struct urlpool_part){.fd = 3, .filename = "a.png"}, "a.png", "image/png");
    check_told((struct urlpool_part){.data = "x", .data_len = 1, .filename = "a.png"}, "a.png",
               "image/png");
}
END_TEST

START_TEST(form__tells_the_media_type_that_it_is_given)
{
    check_told((struct urlpool_part){.path = "a.png", .content_type = "a/b"}, "a.png", "a/b");
    check_told((struct urlpool_part){.path = "a.png", .content_type = " a/b\t"}, "a.png", "a/b");
    check_told((struct urlpool_part){.path = "a.png", .content_type = ""}, "a.png", NULL);
    check_told((struct urlpool_part){.content_type = "a/b"}, NULL, "a/b");
}
END_TEST

START_TEST(form__takes_a_file_by_its_path)
{
    struct urlpool_form *form = new_form();
    const struct urlp_form_field *field;

    ck_assert_int_eq(urlpool_form_add_file(form, "n", "/a/b.json", NULL), URLPOOL_OK);
    field = urlp_form_field(form, 0);
    ck_assert(urlp_span_is(field->name, "n"));
    ck_assert_pstr_eq(field->path, "/a/b.json");
    ck_assert_pstr_eq(field->filename, "b.json");
    ck_assert_pstr_eq(field->content_type, "application/json");
    urlpool_form_free(form);
}
END_TEST

static struct urlpool_headers *one_header(const char *name)
{
    struct urlpool_headers *headers = urlpool_headers_new(NULL);

    ck_assert_int_eq(urlpool_headers_add(headers, name, "x", NULL), URLPOOL_OK);
    return headers;
}

static void check_refused(struct urlpool_part part, enum urlpool_code code, const char *message)
{
    struct urlpool_form *form = new_form();
    struct urlpool_error err = {0};

    part.name = "n";
    ck_assert_int_eq(urlpool_form_add_part(form, &part, &err), code);
    ck_assert_int_eq(err.code, code);
    ck_assert_str_eq(err.message, message);
    ck_assert_uint_eq(urlp_form_num_fields(form), 0);
    urlpool_form_free(form);
}

START_TEST(form__refuses_a_part_with_two_sources)
{
    static const char message[] = "a part has more than one of data, path and fd";

    check_refused((struct urlpool_part){.data = "", .path = "p"}, URLPOOL_E_INVALID, message);
    check_refused((struct urlpool_part){.data = "", .fd = 1}, URLPOOL_E_INVALID, message);
    check_refused((struct urlpool_part){.path = "p", .fd = 1}, URLPOOL_E_INVALID, message);
    check_refused((struct urlpool_part){.fd = -1}, URLPOOL_E_INVALID,
                  "-1 is no descriptor for a part");
    check_refused((struct urlpool_part){.data_len = 1}, URLPOOL_E_INVALID,
                  "a part has a data_len but no data");
}
END_TEST

START_TEST(form__refuses_a_head_that_is_not_fit_to_send)
{
    struct urlpool_headers *disposition = one_header("content-DISPOSITION");
    struct urlpool_headers *type = one_header("content-TYPE");

    check_refused((struct urlpool_part){.content_type = "a/b\r\nX: y"}, URLPOOL_E_HEADER,
                  "content_type \"a/b\\x0d\\x0aX: y\" of a part holds a control character");
    check_refused((struct urlpool_part){.headers = disposition}, URLPOOL_E_HEADER,
                  "Content-Disposition of a part does not go into its headers");
    check_refused((struct urlpool_part){.headers = type}, URLPOOL_E_HEADER,
                  "Content-Type of a part does not go into its headers");
    urlpool_headers_free(disposition);
    urlpool_headers_free(type);
}
END_TEST

START_TEST(form__refuses_reserved_bytes)
{
    struct urlpool_form *form = new_form();
    struct urlpool_part part = {.name = "n"};

    for (size_t i = 0; i < sizeof(part.reserved); i++) {
        part.reserved[i] = 1;
        ck_assert_int_eq(urlpool_form_add_part(form, &part, NULL), URLPOOL_E_INVALID);
        part.reserved[i] = 0;
    }
    ck_assert_int_eq(urlpool_form_add_part(form, &part, NULL), URLPOOL_OK);
    urlpool_form_free(form);
}
END_TEST

START_TEST(form__refuses_null)
{
    const struct urlpool_part nameless = {.data = "x", .data_len = 1};
    const struct urlpool_part part = {.name = "n"};
    struct urlpool_form *form = new_form();
    struct urlpool_error err = {0};

    ck_assert_int_eq(urlpool_form_add(NULL, "a", "b", &err), URLPOOL_E_INVALID);
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_form_add(form, NULL, "b", NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_form_add(form, "a", NULL, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_form_add_file(NULL, "a", "b", NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_form_add_file(form, NULL, "b", NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_form_add_file(form, "a", NULL, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_form_add_part(NULL, &part, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_form_add_part(form, NULL, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_form_add_part(form, &nameless, NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_form_set_boundary(NULL, "b", NULL), URLPOOL_E_INVALID);
    ck_assert_int_eq(urlpool_form_set_boundary(form, NULL, NULL), URLPOOL_E_INVALID);
    ck_assert_uint_eq(urlp_form_num_fields(form), 0);
    ck_assert_ptr_null(urlpool_form_encode(NULL, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_INVALID);
    urlpool_form_free(NULL);
    urlpool_form_free(form);
}
END_TEST

START_TEST(form__takes_what_RFC_2046_has_as_a_boundary)
{
    static const char longest[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-."; /* 70 */
    static const char *const good[] = {"a", longest, "a b", " a", "/:=?", "gc0pJq0M:08jU534c0p"};
    static const char *const bad[] = {"",
                                      "a ",
                                      " ",
                                      "a\"",
                                      "a\r\n",
                                      "a\tb",
                                      "\xc3\xa9",
                                      "a;b",
                                      "a\\b",
                                      "a%b",
                                      "a@b",
                                      "a*b",
                                      "a{b",
                                      "a\x7f",
                                      "a&b",
                                      ("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
                                       "WXYZ'()+_,-./")};
    struct urlpool_form *form = new_form();
    struct urlpool_error err = {0};

    ck_assert_uint_eq(strlen(longest), 70);
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        ck_assert_int_eq(urlpool_form_set_boundary(form, good[i], NULL), URLPOOL_OK);
        ck_assert_str_eq(urlp_form_boundary(form), good[i]);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        ck_assert_int_eq(urlpool_form_set_boundary(form, bad[i], &err), URLPOOL_E_INVALID);
        ck_assert_str_eq(urlp_form_boundary(form), good[COUNT_OF(good) - 1]);
    }
    ck_assert_int_eq(urlpool_form_set_boundary(form, "a\n", &err), URLPOOL_E_INVALID);
    ck_assert_str_eq(err.message, "\"a\\x0a\" is no boundary");
    urlpool_form_free(form);
}
END_TEST

/* Builds a form past its first room and encodes it; frees all. */
static enum urlpool_code build_and_encode(const struct urlpool_headers *headers)
{
    const struct urlpool_part part = {.name = "n", .data = "v", .data_len = 1, .headers = headers};
    struct urlpool_error err = {.code = URLPOOL_OK};
    struct urlpool_form *form = urlpool_form_new(&err);
    char *text = NULL;

    for (size_t i = 0; form != NULL && err.code == URLPOOL_OK && i < 10; i++) {
        size_t num_fields = urlp_form_num_fields(form);

        if (urlpool_form_add_part(form, &part, &err) != URLPOOL_OK) {
            ck_assert_uint_eq(urlp_form_num_fields(form), num_fields);
        }
    }
    if (form != NULL && err.code == URLPOOL_OK) {
        text = urlpool_form_encode(form, &err);
    }
    if (text != NULL) {
        ck_assert_str_eq(text, "n=v&n=v&n=v&n=v&n=v&n=v&n=v&n=v&n=v&n=v");
    }
    urlpool_string_free(text);
    urlpool_form_free(form);
    return err.code;
}

START_TEST(form__survives_each_allocation_that_fails)
{
    struct urlpool_headers *headers;
    int64_t num_live;

    failing_allocator_install();
    headers = one_header("X-A");
    num_live = failing_allocator_num_live();
    for (uint64_t n = 1;; n++) {
        enum urlpool_code code;

        failing_allocator_fail_nth(n);
        code = build_and_encode(headers);
        ck_assert_int_eq(failing_allocator_num_live(), num_live);
        if (!failing_allocator_has_failed()) {
            ck_assert_int_eq(code, URLPOOL_OK);
            ck_assert_uint_gt(n, 20);
            break;
        }
        ck_assert_int_eq(code, URLPOOL_E_NOMEM);
    }
    urlpool_headers_free(headers);
}
END_TEST

RUN_TESTS("form", form__is_encoded_in_the_order_of_its_fields,
          form__without_fields_is_encoded_as_nothing, form__is_encoded_as_urlencode_does,
          form__encodes_every_byte, form__keeps_nul_bytes_of_a_value,
          form__refuses_to_encode_a_file, form__appends_what_is_encoded, form__keeps_copies,
          form__names_a_file_after_its_path, form__tells_a_name_only_of_files,
          form__tells_the_media_type_that_it_is_given, form__takes_a_file_by_its_path,
          form__refuses_a_part_with_two_sources, form__refuses_a_head_that_is_not_fit_to_send,
          form__refuses_reserved_bytes, form__refuses_null,
          form__takes_what_RFC_2046_has_as_a_boundary, form__survives_each_allocation_that_fails)
