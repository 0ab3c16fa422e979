/* Base 64: the vectors of its RFC, and every character of its alphabet. */

#include <string.h>

#include "http/base64.h"
#include "support/run_tests.h"

static void expect(const void *bytes, size_t len, const char *expected)
{
    struct urlp_buf out = {0};

    ck_assert_int_eq(urlp_base64_append(urlp_span_make(bytes, len), &out), URLPOOL_OK);
    ck_assert_uint_eq(out.len, strlen(expected));
    ck_assert(out.len == 0 || memcmp(out.data, expected, out.len) == 0);
    urlp_buf_deinit(&out);
}

/* RFC 4648 section 10. */
START_TEST(base64__encodes_the_vectors_of_the_rfc)
{
    static const struct {
        const char *bytes, *text;
    } vectors[] = {
        {"",       ""        },
        {"f",      "Zg=="    },
        {"fo",     "Zm8="    },
        {"foo",    "Zm9v"    },
        {"foob",   "Zm9vYg=="},
        {"fooba",  "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };

    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        expect(vectors[i].bytes, strlen(vectors[i].bytes), vectors[i].text);
    }
}
END_TEST

START_TEST(base64__has_sixty_four_characters)
{
    /* The bytes that all six-bit values from 0 to 63 make, one behind the other. */
    uint8_t bytes[48];

    for (unsigned i = 0; i < 16; i++) {
        const unsigned first = 4 * i;

        bytes[3 * i] = (uint8_t)(first << 2 | (first + 1) >> 4);
        bytes[3 * i + 1] = (uint8_t)((first + 1) << 4 | (first + 2) >> 2);
        bytes[3 * i + 2] = (uint8_t)((first + 2) << 6 | (first + 3));
    }
    expect(bytes, sizeof(bytes),
           "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    expect("\xff\x00\xfe", 3, "/wD+");
    expect("\x00\x00", 2, "AAA=");
}
END_TEST

START_TEST(base64__appends_or_changes_nothing)
{
    struct urlp_buf out;

    urlp_buf_init(&out, 7);
    ck_assert_int_eq(urlp_buf_append_text(&out, "x: "), URLPOOL_OK);
    ck_assert_int_eq(urlp_base64_append(urlp_span_of("foo"), &out), URLPOOL_OK);
    ck_assert_mem_eq(out.data, "x: Zm9v", 7);
    ck_assert_int_eq(urlp_base64_append(urlp_span_of("f"), &out), URLPOOL_E_DATA_TOO_LARGE);
    ck_assert_uint_eq(out.len, 7);
    urlp_buf_deinit(&out);
}
END_TEST

RUN_TESTS("base64", base64__encodes_the_vectors_of_the_rfc, base64__has_sixty_four_characters,
          base64__appends_or_changes_nothing)
