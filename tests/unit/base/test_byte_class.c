/* The classes of bytes, each held against the words of its grammar. */

#include <string.h>

#include "base/byte_class.h"
#include "support/run_tests.h"

#define ALPHA "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGIT "0123456789"

struct members {
    enum urlp_byte_class class;
    const char *bytes;
};

static const struct members of_each[] = {
    {.class = URLP_BYTE_TCHAR,      .bytes = "!#$%&'*+-.^_`|~" DIGIT ALPHA        },
    {.class = URLP_BYTE_UNRESERVED, .bytes = ALPHA DIGIT "-._~"                   },
    {.class = URLP_BYTE_SUB_DELIM,  .bytes = "!$&'()*+,;="                        },
    {.class = URLP_BYTE_COLON,      .bytes = ":"                                  },
    {.class = URLP_BYTE_SLASH,      .bytes = "/"                                  },
    {.class = URLP_BYTE_QUESTION,   .bytes = "?"                                  },
    {.class = URLP_BYTE_HASH,       .bytes = "#"                                  },
    {.class = URLP_BYTE_AT,         .bytes = "@"                                  },
    {.class = URLP_BYTE_ALPHA,      .bytes = ALPHA                                },
    {.class = URLP_BYTE_DIGIT,      .bytes = DIGIT                                },
    {.class = URLP_BYTE_HOST,       .bytes = "abcdefghijklmnopqrstuvwxyz-._" DIGIT},
};

START_TEST(byte_class__has_the_bytes_its_grammar_names_and_no_other)
{
    const struct members *members = &of_each[_i];

    for (int c = 0; c < 256; c++) {
        bool is_member = c != 0 && strchr(members->bytes, c) != NULL;

        ck_assert_msg(urlp_byte_is((unsigned char)c, members->class) == is_member, "0x%02x", c);
    }
}
END_TEST

START_TEST(byte_class__keeps_controls_out_of_urls_and_fields)
{
    for (int c = 0; c < 256; c++) {
        bool is_control = c < 0x20 || c == 0x7f;

        ck_assert_msg(urlp_byte_is((unsigned char)c, URLP_BYTE_NOT_IN_URL) ==
                          (is_control || c == ' ' || c == '\\'),
                      "0x%02x", c);
        ck_assert_msg(urlp_byte_is((unsigned char)c, URLP_BYTE_NOT_IN_FIELD) ==
                          (is_control && c != '\t'),
                      "0x%02x", c);
    }
}
END_TEST

int main(void)
{
    const struct test_loop loops[] = {
        {byte_class__has_the_bytes_its_grammar_names_and_no_other,
         sizeof(of_each) / sizeof(of_each[0])                       },
        {byte_class__keeps_controls_out_of_urls_and_fields,        1}
    };

    return run_loops("byte_class", loops, 2);
}
