/* The bytes of a URL: what each part keeps, and dot segments as the RFC's own steps remove them. */

#include <stdio.h>
#include <string.h>

#include "http/url_text.h"
#include "support/count_of.h"
#include "support/run_tests.h"

/* Which bytes stay as they are in `part`, in the order of their codes. */
static void assert_keeps(enum urlp_url_part part, const char *expected)
{
    char kept[256];
    size_t num_kept = 0;

    for (int c = 1; c < 256; c++) {
        char in = (char)c;
        char out[3];

        if (urlp_url_write_part(out, urlp_span_make(&in, 1), part) == out + 1) {
            ck_assert_int_eq(out[0], in);
            kept[num_kept++] = in;
        } else {
            ck_assert_int_eq(out[0], '%');
        }
    }
    kept[num_kept] = '\0';
    ck_assert_str_eq(kept, expected);
}

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"

START_TEST(part__keeps_what_its_grammar_allows)
{
    assert_keeps(URLP_URL_USERINFO, "!$&'()*+,-.0123456789:;=" UPPER "_" LOWER "~");
    assert_keeps(URLP_URL_PATH, "!$&'()*+,-./0123456789:;=@" UPPER "_" LOWER "~");
    assert_keeps(URLP_URL_QUERY, "!$&'()*+,-./0123456789:;=?@" UPPER "_" LOWER "~");
    assert_keeps(URLP_URL_FRAGMENT, "!$&'()*+,-./0123456789:;=?@" UPPER "_" LOWER "~");
}
END_TEST

START_TEST(part__encodes_nul)
{
    char out[3];

    ck_assert_ptr_eq(urlp_url_write_part(out, urlp_span_make("", 1), URLP_URL_PATH), out + 3);
    ck_assert_mem_eq(out, "%00", 3);
}
END_TEST

START_TEST(part__decodes_unreserved_triplets_only)
{
    static const char digits[] = "0123456789aBcDeF";
    char expected[4];

    for (int c = 0; c < 256; c++) {
        char in[3] = {'%', digits[c / 16], digits[c % 16]};
        char out[3];
        char *end = urlp_url_write_part(out, urlp_span_make(in, 3), URLP_URL_PATH);

        if (c < 128 && c != 0 && strchr(UPPER LOWER "0123456789-._~", c) != NULL) {
            ck_assert_ptr_eq(end, out + 1);
            ck_assert_int_eq(out[0], c);
            continue;
        }
        (void)snprintf(expected, sizeof(expected), "%%%02X", (unsigned)c);
        ck_assert_ptr_eq(end, out + 3);
        ck_assert_mem_eq(out, expected, 3);
    }
}
END_TEST

START_TEST(part__never_decodes_twice)
{
    char out[32];
    char *end = urlp_url_write_part(out, urlp_span_of("%2541%25%32%35"), URLP_URL_PATH);

    ck_assert_uint_eq((size_t)(end - out), strlen("%2541%2525"));
    ck_assert_mem_eq(out, "%2541%2525", strlen("%2541%2525"));
}
END_TEST

START_TEST(decode__takes_each_triplet_once)
{
    static const struct {
        const char *in, *out;
        size_t len;
    } cases[] = {
        {"a%20b",  "a b",    3},
        {"%2541",  "%41",    3},
        {"%00%fF", "\0\xff", 2},
        {"%",      "%",      1},
        {"%4",     "%4",     2},
        {"%4x%",   "%4x%",   4},
        {"",       "",       0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[8];
        const size_t len = strlen(cases[i].in);

        memcpy(text, cases[i].in, len + 1);
        ck_assert_uint_eq(urlp_url_decode(text, urlp_span_make(text, len)), cases[i].len);
        ck_assert(memcmp(text, cases[i].out, cases[i].len) == 0);
    }
}
END_TEST

START_TEST(dot_segments__are_removed)
{
    static const char *const cases[][2] = {
        {"/a/b/c/./../../g",   "/a/g"    }, /* RFC 3986 section 5.2.4 */
        {"mid/content=5/../6", "mid/6"   }, /* the same */
        {"",                   ""        },
        {"/",                  "/"       },
        {".",                  ""        },
        {"..",                 ""        },
        {"./",                 ""        },
        {"../",                ""        },
        {"/.",                 "/"       },
        {"/..",                "/"       },
        {"/./",                "/"       },
        {"/../",               "/"       },
        {"../../a",            "a"       },
        {".././a",             "a"       },
        {"a/..",               "/"       },
        {"a/../b",             "/b"      },
        {"/a//..",             "/a/"     },
        {"//..",               "/"       },
        {"/a/./",              "/a/"     },
        {"/a/.../b",           "/a/.../b"},
        {"/..a/b",             "/..a/b"  },
        {"/a../b",             "/a../b"  },
        {"/.a",                "/.a"     },
        {"/a/b/../../../c",    "/c"      },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char path[32];
        size_t len = strlen(cases[i][0]);

        memcpy(path, cases[i][0], len);
        len = urlp_url_remove_dot_segments(path, len);
        ck_assert_msg(len == strlen(cases[i][1]) && memcmp(path, cases[i][1], len) == 0,
                      "%s gives %.*s", cases[i][0], (int)len, path);
    }
}
END_TEST

START_TEST(check_bytes__names_the_byte_and_its_place)
{
    struct urlpool_error err = {0};

    ck_assert_int_eq(urlp_url_check_bytes(urlp_span_of("a~\xff"), &err), URLPOOL_OK);
    ck_assert_int_eq(urlp_url_check_bytes(urlp_span_of("abc\td"), &err), URLPOOL_E_URL);
    ck_assert_str_eq(err.message, "URL holds a control character (0x09) at byte 3");
    ck_assert_int_eq(urlp_url_check_bytes(urlp_span_of(" "), NULL), URLPOOL_E_URL);
}
END_TEST

RUN_TESTS("url_text", part__keeps_what_its_grammar_allows, part__encodes_nul,
          part__decodes_unreserved_triplets_only, part__never_decodes_twice,
          decode__takes_each_triplet_once, dot_segments__are_removed,
          check_bytes__names_the_byte_and_its_place)
