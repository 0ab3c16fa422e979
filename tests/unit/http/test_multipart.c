/* A form laid out as multipart/form-data: its bytes, its pieces, its boundary. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "urlpool/form.h"

#include "base/alloc.h"
#include "http/form.h"
#include "support/count_of.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

static struct urlpool_form *new_form(const char *boundary)
{
    struct urlpool_form *form = urlpool_form_new(NULL);

    ck_assert_ptr_nonnull(form);
    if (boundary != NULL) {
        ck_assert_int_eq(urlpool_form_set_boundary(form, boundary, NULL), URLPOOL_OK);
    }
    return form;
}

static void add_part(struct urlpool_form *form, const struct urlpool_part *part)
{
    ck_assert_int_eq(urlpool_form_add_part(form, part, NULL), URLPOOL_OK);
}

/* Lays `form` out and returns its bytes, a file as "<path>" or "<fd>". */
static const char *bytes_of(const struct urlpool_form *form)
{
    static char text[1 << 16];
    struct urlp_multipart out;
    size_t len = 0;

    ck_assert_int_eq(urlp_form_lay_out(form, &out, NULL), URLPOOL_OK);
    for (size_t i = 0; i < out.num_pieces; i++) {
        const struct urlp_form_piece *piece = &out.pieces[i];

        if (piece->path != NULL) {
            len += (size_t)snprintf(text + len, sizeof(text) - len, "<%s>", piece->path);
        } else if (piece->fd >= 0) {
            len += (size_t)snprintf(text + len, sizeof(text) - len, "<%d>", piece->fd);
        } else {
            ck_assert_uint_gt(piece->text.len, 0);
            ck_assert_uint_lt(len + piece->text.len, sizeof(text));
            memcpy(text + len, piece->text.data, piece->text.len);
            len += piece->text.len;
        }
    }
    text[len] = '\0';
    urlp_multipart_deinit(&out);
    return text;
}

START_TEST(multipart__of_no_field_is_its_end)
{
    struct urlpool_form *form = new_form("B");

    ck_assert_str_eq(bytes_of(form), "--B--\r\n");
    urlpool_form_free(form);
}
END_TEST

START_TEST(multipart__has_a_field_of_text_without_media_type)
{
    struct urlpool_form *form = new_form("B");

    ck_assert_int_eq(urlpool_form_add(form, "k", "v", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_form_add(form, "foo", "", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_form_add(form, "k", "\xe2\x98\x83", NULL), URLPOOL_OK);
    ck_assert_str_eq(bytes_of(form), "--B\r\n"
                                     "Content-Disposition: form-data; name=\"k\"\r\n"
                                     "\r\n"
                                     "v\r\n"
                                     "--B\r\n"
                                     "Content-Disposition: form-data; name=\"foo\"\r\n"
                                     "\r\n"
                                     "\r\n"
                                     "--B\r\n"
                                     "Content-Disposition: form-data; name=\"k\"\r\n"
                                     "\r\n"
                                     "\xe2\x98\x83\r\n"
                                     "--B--\r\n");
    urlpool_form_free(form);
}
END_TEST

START_TEST(multipart__has_a_file_with_its_name_and_media_type)
{
    struct urlpool_form *form = new_form("B");

    add_part(form, &(struct urlpool_part){
                       .name = "k", .data = "v", .data_len = 1, .filename = "somefile.txt"});
    add_part(form, &(struct urlpool_part){.name = "k",
                                          .data = "v",
                                          .data_len = 1,
                                          .filename = "somefile.txt",
                                          .content_type = "image/jpeg"});
    ck_assert_str_eq(bytes_of(form),
                     "--B\r\n"
                     "Content-Disposition: form-data; name=\"k\"; filename=\"somefile.txt\"\r\n"
                     "Content-Type: text/plain\r\n"
                     "\r\n"
                     "v\r\n"
                     "--B\r\n"
                     "Content-Disposition: form-data; name=\"k\"; filename=\"somefile.txt\"\r\n"
                     "Content-Type: image/jpeg\r\n"
                     "\r\n"
                     "v\r\n"
                     "--B--\r\n");
    urlpool_form_free(form);
}
END_TEST

START_TEST(multipart__keeps_an_empty_filename)
{
    struct urlpool_form *form = new_form("B");

    add_part(form, &(struct urlpool_part){.name = "k", .data = "v", .data_len = 1, .filename = ""});
    ck_assert_str_eq(bytes_of(form), "--B\r\n"
                                     "Content-Disposition: form-data; name=\"k\"; filename=\"\"\r\n"
                                     "Content-Type: application/octet-stream\r\n"
                                     "\r\n"
                                     "v\r\n"
                                     "--B--\r\n");
    urlpool_form_free(form);
}
END_TEST

START_TEST(multipart__has_a_parts_own_field_lines_last)
{
    struct urlpool_form *form = new_form("B");
    struct urlpool_headers *headers = urlpool_headers_new(NULL);

    ck_assert_int_eq(urlpool_headers_add(headers, "Content-Location", "/a", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(headers, "X-A", "", NULL), URLPOOL_OK);
    ck_assert_int_eq(urlpool_headers_add(headers, "x-a", "2", NULL), URLPOOL_OK);
    add_part(
        form,
        &(struct urlpool_part){
            .name = "k", .data = "v", .data_len = 1, .content_type = "a/b", .headers = headers});
    ck_assert_str_eq(bytes_of(form), "--B\r\n"
                                     "Content-Disposition: form-data; name=\"k\"\r\n"
                                     "Content-Type: a/b\r\n"
                                     "Content-Location: /a\r\n"
                                     "X-A: \r\n"
                                     "x-a: 2\r\n"
                                     "\r\n"
                                     "v\r\n"
                                     "--B--\r\n");
    urlpool_headers_free(headers);
    urlpool_form_free(form);
}
END_TEST

/* Of every byte a name may have, three are not sent as they are. */
START_TEST(multipart__escapes_names_as_browsers_do)
{
    for (int c = 1; c <= UINT8_MAX; c++) {
        struct urlpool_form *form = new_form("B");
        const char name[] = {'a', (char)c, 'z', '\0'};
        char shown[16];
        char expected[256];

        (void)snprintf(shown, sizeof(shown),
                       c == '\n'   ? "a%%0Az"
                       : c == '\r' ? "a%%0Dz"
                       : c == '"'  ? "a%%22z"
                                   : "a%cz",
                       c);
        (void)snprintf(expected, sizeof(expected),
                       "--B\r\n"
                       "Content-Disposition: form-data; name=\"%s\"; filename=\"%s\"\r\n"
                       "\r\n"
                       "\r\n"
                       "--B--\r\n",
                       shown, shown);
        add_part(form, &(struct urlpool_part){.name = name, .filename = name, .content_type = ""});
        ck_assert_str_eq(bytes_of(form), expected);
        urlpool_form_free(form);
    }
}
END_TEST

START_TEST(multipart__lays_files_out_in_their_place)
{
    struct urlpool_form *form = new_form("B");

    ck_assert_int_eq(urlpool_form_add_file(form, "a", "/x/y.pdf", NULL), URLPOOL_OK);
    add_part(form, &(struct urlpool_part){.name = "b", .fd = 7});
    ck_assert_int_eq(urlpool_form_add(form, "c", "v", NULL), URLPOOL_OK);
    ck_assert_str_eq(bytes_of(form),
                     "--B\r\n"
                     "Content-Disposition: form-data; name=\"a\"; filename=\"y.pdf\"\r\n"
                     "Content-Type: application/pdf\r\n"
                     "\r\n"
                     "</x/y.pdf>\r\n"
                     "--B\r\n"
                     "Content-Disposition: form-data; name=\"b\"\r\n"
                     "\r\n"
                     "<7>\r\n"
                     "--B\r\n"
                     "Content-Disposition: form-data; name=\"c\"\r\n"
                     "\r\n"
                     "v\r\n"
                     "--B--\r\n");
    urlpool_form_free(form);
}
END_TEST

START_TEST(multipart__is_one_piece_when_all_is_short_text)
{
    struct urlpool_form *form = new_form(NULL);
    struct urlp_multipart out;

    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(urlpool_form_add(form, "a", "b", NULL), URLPOOL_OK);
    }
    ck_assert_int_eq(urlp_form_lay_out(form, &out, NULL), URLPOOL_OK);
    ck_assert_uint_eq(out.num_pieces, 1);
    urlp_multipart_deinit(&out);
    urlpool_form_free(form);
}
END_TEST

START_TEST(multipart__does_not_copy_long_content)
{
    static char data[1 << 20];
    struct urlpool_form *form = new_form(NULL);
    struct urlp_multipart out;

    memset(data, 'x', sizeof(data));
    for (int i = 0; i < 3; i++) {
        add_part(form, &(struct urlpool_part){.name = "a", .data = data, .data_len = sizeof(data)});
    }
    ck_assert_int_eq(urlp_form_lay_out(form, &out, NULL), URLPOOL_OK);
    ck_assert_uint_eq(out.num_pieces, 7);
    ck_assert_uint_lt(out.text.cap, 4096);
    for (size_t i = 0; i < 3; i++) {
        const struct urlp_span text = out.pieces[2 * i + 1].text;

        ck_assert_ptr_eq(text.data, urlp_form_field(form, i)->data.data);
        ck_assert_uint_eq(text.len, sizeof(data));
    }
    urlp_multipart_deinit(&out);
    urlpool_form_free(form);
}
END_TEST

/* The longest content that is copied, and the shortest that is not, give the same bytes. */
START_TEST(multipart__is_whole_on_both_sides_of_the_bound)
{
    static char value[4098];

    for (size_t len = 4095; len <= 4097; len++) {
        static char expected[8192];
        struct urlpool_form *form = new_form("B");

        memset(value, 'x', len);
        value[len] = '\0';
        (void)snprintf(expected, sizeof(expected),
                       "--B\r\n"
                       "Content-Disposition: form-data; name=\"a\"\r\n"
                       "\r\n"
                       "%s\r\n"
                       "--B--\r\n",
                       value);
        ck_assert_int_eq(urlpool_form_add(form, "a", value, NULL), URLPOOL_OK);
        ck_assert_str_eq(bytes_of(form), expected);
        urlpool_form_free(form);
    }
}
END_TEST

START_TEST(multipart__keeps_every_byte_of_its_content)
{
    unsigned char data[256];
    struct urlpool_form *form = new_form("B");
    struct urlp_multipart out;
    size_t start = strlen("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n");

    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (unsigned char)i;
    }
    add_part(form, &(struct urlpool_part){.name = "a", .data = data, .data_len = sizeof(data)});
    ck_assert_int_eq(urlp_form_lay_out(form, &out, NULL), URLPOOL_OK);
    ck_assert_uint_eq(out.num_pieces, 1);
    ck_assert_uint_gt(out.pieces[0].text.len, start + sizeof(data));
    ck_assert_mem_eq(out.pieces[0].text.data + start, data, sizeof(data));
    urlp_multipart_deinit(&out);
    urlpool_form_free(form);
}
END_TEST

START_TEST(boundary__is_32_random_hexadecimal_digits)
{
    struct urlpool_form *form = new_form(NULL);
    struct urlp_multipart first;
    struct urlp_multipart second;
    char expected[128];

    ck_assert_int_eq(urlp_form_lay_out(form, &first, NULL), URLPOOL_OK);
    ck_assert_int_eq(urlp_form_lay_out(form, &second, NULL), URLPOOL_OK);
    ck_assert_uint_eq(strlen(first.boundary), 32);
    ck_assert_uint_eq(strspn(first.boundary, "0123456789abcdef"), 32);
    ck_assert_str_ne(first.boundary, second.boundary);
    (void)snprintf(expected, sizeof(expected), "multipart/form-data; boundary=%s", first.boundary);
    ck_assert_str_eq(first.content_type, expected);
    (void)snprintf(expected, sizeof(expected), "--%s--\r\n", first.boundary);
    ck_assert(urlp_span_is(first.pieces[0].text, expected));
    urlp_multipart_deinit(&first);
    urlp_multipart_deinit(&second);
    urlpool_form_free(form);
}
END_TEST

START_TEST(boundary__is_quoted_when_it_is_no_token)
{
    static const struct {
        const char *boundary;
        const char *content_type;
    } rows[] = {
        {"simple-'b_1.+",                                                          "multipart/form-data; boundary=simple-'b_1.+"          },
        {"gc0pJq0M:08jU534c0p",                                                    "multipart/form-data; boundary=\"gc0pJq0M:08jU534c0p\""},
        {"a b",                                                                    "multipart/form-data; boundary=\"a b\""                },
        {"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234567",
         "multipart/form-data; "
         "boundary=0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234567"                                                },
        {"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456?",
         "multipart/form-data; "
         "boundary=\"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456?\""                                            },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct urlpool_form *form = new_form(rows[i].boundary);
        struct urlp_multipart out;

        ck_assert_int_eq(urlp_form_lay_out(form, &out, NULL), URLPOOL_OK);
        ck_assert_str_eq(out.boundary, rows[i].boundary);
        ck_assert_str_eq(out.content_type, rows[i].content_type);
        urlp_multipart_deinit(&out);
        urlpool_form_free(form);
    }
}
END_TEST

START_TEST(boundary__of_the_callers_own_must_not_stand_in_a_value)
{
    static const struct {
        const char *value;
        enum urlpool_code code;
    } rows[] = {
        {"--own",            URLPOOL_E_INVALID},
        {"a\r\n--own",       URLPOOL_E_INVALID},
        {"a\r\n--own--\r\n", URLPOOL_E_INVALID},
        {"a---own",          URLPOOL_E_INVALID},
        {"--ow--ownx",       URLPOOL_E_INVALID},
        {"own",              URLPOOL_OK       },
        {"-own",             URLPOOL_OK       },
        {"--ow",             URLPOOL_OK       },
        {"--OWN",            URLPOOL_OK       },
        {"",                 URLPOOL_OK       },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct urlpool_form *form = new_form("own");
        struct urlpool_error err = {0};
        struct urlp_multipart out;

        ck_assert_int_eq(urlpool_form_add_file(form, "f", "x", NULL), URLPOOL_OK);
        ck_assert_int_eq(urlpool_form_add(form, "n", rows[i].value, NULL), URLPOOL_OK);
        ck_assert_int_eq(urlp_form_lay_out(form, &out, &err), rows[i].code);
        if (rows[i].code != URLPOOL_OK) {
            ck_assert_str_eq(err.message, "the boundary \"own\" stands in field \"n\"");
        }
        urlp_multipart_deinit(&out);
        urlpool_form_free(form);
    }
}
END_TEST

START_TEST(multipart__survives_each_allocation_that_fails)
{
    static char data[8192];
    struct urlpool_form *form;
    int64_t num_live;

    failing_allocator_install();
    form = new_form(NULL);
    ck_assert_int_eq(urlpool_form_add_file(form, "a", "/x/y.pdf", NULL), URLPOOL_OK);
    add_part(form, &(struct urlpool_part){.name = "b", .data = data, .data_len = sizeof(data)});
    add_part(form, &(struct urlpool_part){.name = "c", .data = data, .data_len = 1000});
    num_live = failing_allocator_num_live();
    for (uint64_t n = 1;; n++) {
        struct urlpool_error err = {.code = URLPOOL_OK};
        struct urlp_multipart out;

        failing_allocator_fail_nth(n);
        (void)!urlp_form_lay_out(form, &out, &err);
        urlp_multipart_deinit(&out);
        ck_assert_int_eq(failing_allocator_num_live(), num_live);
        if (!failing_allocator_has_failed()) {
            ck_assert_int_eq(err.code, URLPOOL_OK);
            ck_assert_uint_gt(n, 3);
            break;
        }
        ck_assert_int_eq(err.code, URLPOOL_E_NOMEM);
    }
    urlpool_form_free(form);
}
END_TEST

RUN_TESTS("multipart", multipart__of_no_field_is_its_end,
          multipart__has_a_field_of_text_without_media_type,
          multipart__has_a_file_with_its_name_and_media_type, multipart__keeps_an_empty_filename,
          multipart__has_a_parts_own_field_lines_last, multipart__escapes_names_as_browsers_do,
          multipart__lays_files_out_in_their_place, multipart__is_one_piece_when_all_is_short_text,
          multipart__does_not_copy_long_content, multipart__is_whole_on_both_sides_of_the_bound,
          multipart__keeps_every_byte_of_its_content, boundary__is_32_random_hexadecimal_digits,
          boundary__is_quoted_when_it_is_no_token,
          boundary__of_the_callers_own_must_not_stand_in_a_value,
          multipart__survives_each_allocation_that_fails)
