/* Plain URLs: which are, and that reading one in one pass gives what reading it part by part does.
 */

#include <stdio.h>
#include <string.h>

#include "http/url.h"
#include "http/url_plain.h"
#include "support/count_of.h"
#include "support/run_tests.h"

/* A scheme in capitals is never plain, so this is how any URL is read part by part. */
#define PLAIN_SCHEME  "http://"
#define CAREFUL_START "HTTP://"

enum {
    TOKENS_MAX = 4,
    TEXT_MAX = 128
};

/* What URLs are made of, and what breaks them. */
static const char *const tokens[] = {
    "a",  "B", "7",     "127.0.0.1", ".",  "-", "_", "~", "xn--",  "%41", "%2f", ":",
    "80", "0", "65536", "/",         "/.", "?", "#", "@", "[::1]", " ",   "=",   "\xc3\xa9"};

START_TEST(url_plain__is_what_needs_no_thought)
{
    static const struct {
        const char *text;
        bool is_plain;
    } cases[] = {
        {"http://example.com/a/b.html?x=1&y=/?", true },
        {"https://example.com",                  true },
        {"http://127.0.0.1:8080/",               true },
        {"http://a_b-c.example./x",              true },
        {"http://a?q",                           true },
        {"http://a:65535/",                      true },
        {"http://a:0/",                          true },
        {"http://Example.com/",                  false},
        {"ftp://example.com/",                   false},
        {"//example.com/",                       false},
        {"http://",                              false},
        {"http:///x",                            false},
        {"http://a:/",                           false},
        {"http://a:080/",                        false},
        {"http://a:65536/",                      false},
        {"http://u@a/",                          false},
        {"http://[::1]/",                        false},
        {"http://127.1/",                        false},
        {"http://a.1/",                          false},
        {"http://0x7f.0x1/",                     false},
        {"http://a..b/",                         false},
        {"http://xn--a-/",                       false},
        {"http://a/./b",                         false},
        {"http://a/../b",                        false},
        {"http://a/%41",                         false},
        {"http://a/?%41",                        false},
        {"http://a/#f",                          false},
        {"http://a/\"",                          false},
        {"http://a/ b",                          false},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_url_cuts cuts;

        ck_assert_msg(urlp_url_cut_plain(urlp_span_of(cases[i].text), &cuts) == cases[i].is_plain,
                      "%s", cases[i].text);
    }
}
END_TEST

/* is_same_part says whether two parts of two texts hold the same and stand at the same place. */
static bool is_same_part(const struct urlp_url *a, struct urlp_span of_a, const struct urlp_url *b,
                         struct urlp_span of_b)
{
    if (of_a.data == NULL || of_b.data == NULL) {
        return of_a.data == of_b.data;
    }
    return of_a.data - (const char *)a->text.data == of_b.data - (const char *)b->text.data &&
           urlp_span_equals(of_a, of_b);
}

static bool is_same_url(const struct urlp_url *a, const struct urlp_url *b)
{
    return a->text.len == b->text.len && a->port == b->port &&
           memcmp(a->text.data, b->text.data, a->text.len + 1) == 0 &&
           is_same_part(a, a->scheme, b, b->scheme) &&
           is_same_part(a, a->userinfo, b, b->userinfo) && is_same_part(a, a->host, b, b->host) &&
           is_same_part(a, a->zone, b, b->zone) && is_same_part(a, a->path, b, b->path) &&
           is_same_part(a, a->query, b, b->query) && is_same_part(a, a->fragment, b, b->fragment);
}

/* struct reader reads each text twice, and counts how many were plain. */
struct reader {
    struct urlp_url plain, careful;
    size_t num_plain, num_good;
};

static void read_twice(struct reader *reader, const char *rest)
{
    char text[TEXT_MAX];
    struct urlp_url_cuts cuts;
    struct urlpool_error why = {0};
    struct urlpool_error careful_why = {0};
    enum urlpool_code code;

    (void)snprintf(text, sizeof(text), PLAIN_SCHEME "%s", rest);
    reader->num_plain += urlp_url_cut_plain(urlp_span_of(text), &cuts) ? 1 : 0;
    code = urlp_url_parse(urlp_span_of(text), &reader->plain, &why);
    memcpy(text, CAREFUL_START, sizeof(CAREFUL_START) - 1);
    ck_assert_msg(urlp_url_parse(urlp_span_of(text), &reader->careful, &careful_why) == code,
                  "%s: %s, else %s", text, why.message, careful_why.message);
    ck_assert_str_eq(why.message, careful_why.message);
    if (code == URLPOOL_OK) {
        reader->num_good++;
        ck_assert_msg(is_same_url(&reader->plain, &reader->careful), "%s is \"%s\", else \"%s\"",
                      text, (char *)reader->plain.text.data, (char *)reader->careful.text.data);
    }
}

START_TEST(url_plain__is_read_as_any_other_url_is)
{
    struct reader reader = {0};
    size_t index[TOKENS_MAX] = {0};
    size_t at = 0;

    /* Every row of tokens, as an odometer runs. */
    while (at < TOKENS_MAX) {
        char rest[TEXT_MAX] = "";

        for (size_t i = TOKENS_MAX; i > 0; i--) {
            if (index[i - 1] > 0) {
                (void)strncat(rest, tokens[index[i - 1] - 1], sizeof(rest) - strlen(rest) - 1);
            }
        }
        read_twice(&reader, rest);
        for (at = 0; at < TOKENS_MAX && index[at] == COUNT_OF(tokens); at++) {
            index[at] = 0;
        }
        if (at < TOKENS_MAX) {
            index[at]++;
        }
    }
    ck_assert_uint_gt(reader.num_plain, 10000);
    ck_assert_uint_gt(reader.num_good, reader.num_plain);
    urlp_url_deinit(&reader.plain);
    urlp_url_deinit(&reader.careful);
}
END_TEST

START_TEST(url_plain__has_a_host_as_long_as_any)
{
    struct reader reader = {0};
    char name[TEXT_MAX];

    memset(name, 'a', 64);
    name[63] = '\0';
    read_twice(&reader, name);
    ck_assert_uint_eq(reader.num_plain, 1);
    name[63] = 'a';
    name[64] = '\0';
    read_twice(&reader, name);
    ck_assert_uint_eq(reader.num_plain, 1);
    ck_assert_uint_eq(reader.num_good, 1);
    urlp_url_deinit(&reader.plain);
    urlp_url_deinit(&reader.careful);
}
END_TEST

RUN_TESTS("url_plain", url_plain__is_what_needs_no_thought, url_plain__is_read_as_any_other_url_is,
          url_plain__has_a_host_as_long_as_any)
