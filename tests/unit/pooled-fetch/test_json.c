/* JSON out of anything. */

#include "json.h"
#include "support/run_tests.h"

static struct pf_text out;
static struct pf_json json;

static void begin(void)
{
    out = (struct pf_text){0};
    json = (struct pf_json){.out = &out};
}

START_TEST(json__writes_members_of_every_kind)
{
    begin();
    pf_json_begin(&json, NULL);
    pf_json_string(&json, "s", "a");
    pf_json_string(&json, "null", NULL);
    pf_json_int(&json, "i", -7);
    pf_json_number(&json, "n", 1.5, 3);
    pf_json_begin(&json, "o");
    pf_json_end(&json);
    pf_json_bool(&json, "b", true);
    pf_json_end(&json);
    ck_assert_str_eq(out.data,
                     "{\"s\":\"a\",\"null\":null,\"i\":-7,\"n\":1.500,\"o\":{},\"b\":true}");
    pf_text_free(&out);
}
END_TEST

START_TEST(json__pretty_has_a_line_a_member)
{
    begin();
    json.is_pretty = true;
    pf_json_begin(&json, NULL);
    pf_json_begin(&json, "o");
    pf_json_int(&json, "i", 1);
    pf_json_end(&json);
    pf_json_end(&json);
    ck_assert_str_eq(out.data, "{\n  \"o\": {\n    \"i\": 1\n  }\n}");
    pf_text_free(&out);
}
END_TEST

START_TEST(json__strings_are_escaped_and_valid_utf_8)
{
    static const struct {
        const char *value, *expected;
    } cases[] = {
        {"\" \\ \b\f\n\r\t\x01\x7f",               "\"\\\" \\\\ \\b\\f\\n\\r\\t\\u0001\\u007f\""},
        {"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\"" },
        {"\xe4",                                   "\"\\ufffd\""                                },
        {"\xc3",                                   "\"\\ufffd\""                                },
        {"\xc3(",                                  "\"\\ufffd(\""                               },
        {"\xc0\x80",                               "\"\\ufffd\\ufffd\""                         },
        {"\xed\xa0\x80",                           "\"\\ufffd\\ufffd\\ufffd\""                  },
        {"\xf4\x90\x80\x80",                       "\"\\ufffd\\ufffd\\ufffd\\ufffd\""           },
        {"\xe2\x82",                               "\"\\ufffd\\ufffd\""                         },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin();
        pf_json_string(&json, NULL, cases[i].value);
        ck_assert_str_eq(out.data, cases[i].expected);
        pf_text_free(&out);
    }
}
END_TEST

RUN_TESTS("pooled-fetch json", json__writes_members_of_every_kind, json__pretty_has_a_line_a_member,
          json__strings_are_escaped_and_valid_utf_8)
