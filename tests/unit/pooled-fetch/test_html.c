/* What comes from outside stays text; numbers are what people read. */

#include <string.h>

#include "html.h"
#include "support/run_tests.h"

#define FFFD "\xef\xbf\xbd"

static const struct {
    const char *text, *expected;
} texts[] = {
    {"http://a/?x=1",                            "http://a/?x=1"                        },
    {"<script>alert(1)</script>",                "&lt;script&gt;alert(1)&lt;/script&gt;"},
    {"\" onload='x' &amp;",                      "&quot; onload=&#39;x&#39; &amp;amp;"  },
    {"</title></style>-->",                      "&lt;/title&gt;&lt;/style&gt;--&gt;"   },
    {"a\x01\n\t\x7f"
     "b",                                   "a" FFFD FFFD FFFD FFFD "b"            },
    {"caf\xc3\xa9 \xf0\x9f\x98\x80",             "caf\xc3\xa9 \xf0\x9f\x98\x80"         },
    {"\xff\xc0\x80\xed\xa0\x80\xf5",             FFFD FFFD FFFD FFFD FFFD FFFD FFFD     },
    {"\xe2\x82",                                 FFFD FFFD                              },
    {"\xc3<b>",                                  FFFD "&lt;b&gt;"                       },
    {"a\xe2\x80\xae"
     "gpj.exe",                             "a" FFFD "gpj.exe"                     },
    {"\xe2\x81\xa6x\xe2\x81\xa9\xe2\x80\x8b",    FFFD "x" FFFD FFFD                     },
    {"\xc2\x85\xc2\xad\xef\xbb\xbf\xef\xbf\xbe", FFFD FFFD FFFD FFFD                    },
    {"",                                         ""                                     },
};

START_TEST(html__nothing_from_outside_becomes_markup)
{
    struct pf_text out = {0};

    pf_text_adds(&out, "");
    pf_html_add(&out, texts[_i].text);
    ck_assert_str_eq(out.data, texts[_i].expected);
    pf_text_free(&out);
}
END_TEST

START_TEST(html__every_byte_is_made_harmless)
{
    for (int byte = 1; byte < 256; byte++) {
        const char text[] = {(char)byte, '\0'};
        struct pf_text out = {0};

        pf_html_add(&out, text);
        ck_assert_ptr_null(strpbrk(out.data, "<>\"'"));
        ck_assert(byte == '&' || strchr(out.data, '&') == NULL || out.len > 3);
        ck_assert((unsigned char)out.data[0] >= 0x20 && out.data[0] != 0x7f);
        ck_assert(byte < 0x80 || strcmp(out.data, FFFD) == 0);
        pf_text_free(&out);
    }
}
END_TEST

START_TEST(html__clips_between_characters)
{
    struct pf_text out = {0};

    pf_html_add_clipped(&out, "abc\xc3\xa9", 4);
    pf_text_adds(&out, "|");
    pf_html_add_clipped(&out, "abc\xc3\xa9", 5);
    pf_text_adds(&out, "|");
    pf_html_add_clipped(&out, "<<<", 2);
    ck_assert_str_eq(out.data, "abc\xe2\x80\xa6|abc\xc3\xa9|&lt;&lt;\xe2\x80\xa6");
    pf_text_free(&out);
}
END_TEST

static const struct {
    int64_t ns;
    const char *expected;
} times[] = {
    {-1,            "0 s"               },
    {0,             "0 s"               },
    {1,             "0.00 µs"          },
    {850,           "0.85 µs"          },
    {999499,        "999 µs"           },
    {999500,        "1.00 ms"           },
    {12345678,      "12.3 ms"           },
    {99949999,      "99.9 ms"           },
    {99950000,      "100 ms"            },
    {1240000000,    "1.24 s"            },
    {119000000000,  "119 s"             },
    {120000000000,  "2 min 00 s"        },
    {3599000000000, "59 min 59 s"       },
    {3600000000000, "1 h 00 min"        },
    {INT64_MAX,     "2,562,047 h 47 min"},
};

START_TEST(html__times_have_three_digits_and_a_unit)
{
    struct pf_text out = {0};

    pf_html_ns(&out, times[_i].ns);
    ck_assert_str_eq(out.data, times[_i].expected);
    pf_text_free(&out);
}
END_TEST

START_TEST(html__numbers_are_grouped_and_sizes_have_units)
{
    struct pf_text out = {0};

    pf_html_count(&out, 0);
    pf_text_adds(&out, " ");
    pf_html_count(&out, 999);
    pf_text_adds(&out, " ");
    pf_html_count(&out, 1000);
    pf_text_adds(&out, " ");
    pf_html_count(&out, UINT64_MAX);
    ck_assert_str_eq(out.data, "0 999 1,000 18,446,744,073,709,551,615");
    pf_text_cut(&out, 0);
    pf_html_bytes(&out, 0);
    pf_text_adds(&out, " ");
    pf_html_bytes(&out, 1023);
    pf_text_adds(&out, " ");
    pf_html_bytes(&out, 1536 * 1024);
    pf_text_adds(&out, " ");
    pf_html_bytes(&out, 1e30);
    ck_assert_str_eq(out.data, "0 B 1.00 KiB 1.50 MiB 867361737988 EiB");
    pf_text_cut(&out, 0);
    pf_html_number(&out, 0.25);
    pf_text_adds(&out, " ");
    pf_html_number(&out, 99.94);
    pf_text_adds(&out, " ");
    pf_html_number(&out, 14969.7);
    ck_assert_str_eq(out.data, "0.25 99.9 14,970");
    pf_text_free(&out);
}
END_TEST

START_TEST(html__a_share_is_whole_only_when_it_is)
{
    struct pf_text out = {0};

    pf_html_share(&out, 0, 0);
    pf_text_adds(&out, "|");
    pf_html_share(&out, 0, 7);
    pf_text_adds(&out, "|");
    pf_html_share(&out, 1, 1000000);
    pf_text_adds(&out, "|");
    pf_html_share(&out, 1, 3);
    pf_text_adds(&out, "|");
    pf_html_share(&out, 999999, 1000000);
    pf_text_adds(&out, "|");
    pf_html_share(&out, 7, 7);
    ck_assert_str_eq(out.data, "0.0 %|0.0 %|&lt;0.1 %|33.3 %|&gt;99.9 %|100 %");
    pf_text_free(&out);
}
END_TEST

RUN_LOOPS("pooled-fetch html", TEST_ROWS(html__nothing_from_outside_becomes_markup, texts),
          TEST_ONCE(html__every_byte_is_made_harmless), TEST_ONCE(html__clips_between_characters),
          TEST_ROWS(html__times_have_three_digits_and_a_unit, times),
          TEST_ONCE(html__numbers_are_grouped_and_sizes_have_units),
          TEST_ONCE(html__a_share_is_whole_only_when_it_is))
