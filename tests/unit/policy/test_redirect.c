/* Redirects: which are followed, where to, and what is refused or left behind. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "urlpool/retry.h"

#include "policy/redirect.h"
#include "policy/retry_rules.h"
#include "support/count_of.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

/* One response and what becomes of it. */
struct outcome {
    enum urlpool_code code;
    struct urlp_redirect verdict;
    struct urlpool_error err;
    char next[512];
};

/* What a test changes; the rest is a GET answered by 302 with one Location. */
struct given {
    const char *url;
    const char *method;
    const char *locations[3];
    int status;
    bool cannot_rewind;
    struct urlp_redirect_rules rules;
};

static struct outcome judge(const struct given *given)
{
    struct outcome outcome = {0};
    struct urlp_url url = {0};
    struct urlp_url next = {0};
    struct urlp_field fields[COUNT_OF(given->locations) + 1] = {
        {urlp_span_of("Server"), urlp_span_of("http://not-this-one/")}
    };
    size_t num_fields = 1;

    for (size_t i = 0; i < COUNT_OF(given->locations) && given->locations[i] != NULL; i++) {
        fields[num_fields++] = (struct urlp_field){
            urlp_span_of(i % 2 == 0 ? "Location" : "LOCATION"), urlp_span_of(given->locations[i])};
    }
    ck_assert_int_eq(
        urlp_url_parse(urlp_span_of(given->url == NULL ? "http://a/b/c" : given->url), &url, NULL),
        URLPOOL_OK);

    const struct urlp_redirect_facts facts = {
        .url = &url,
        .method = urlp_span_of(given->method == NULL ? "GET" : given->method),
        .status = given->status == 0 ? 302 : given->status,
        .fields = fields,
        .num_fields = num_fields,
        .can_rewind = !given->cannot_rewind,
    };

    outcome.code =
        urlp_redirect_judge(&given->rules, &facts, &outcome.verdict, &next, &outcome.err);
    ck_assert_int_eq(outcome.code, outcome.err.code);
    (void)snprintf(outcome.next, sizeof(outcome.next), "%s",
                   outcome.verdict.follow ? (const char *)next.text.data : "");
    urlp_url_deinit(&url);
    urlp_url_deinit(&next);
    return outcome;
}

static void assert_surfaces(const struct given *given)
{
    struct outcome outcome = judge(given);

    ck_assert_int_eq(outcome.code, URLPOOL_OK);
    ck_assert(!outcome.verdict.follow);
    ck_assert(!outcome.verdict.to_get);
    ck_assert(!outcome.verdict.cross_origin);
}

static void assert_refused(const struct given *given, enum urlpool_code code,
                           enum urlpool_code cause, const char *words)
{
    struct outcome outcome = judge(given);

    ck_assert_msg(outcome.code == code, "%s: code %d", given->locations[0], outcome.code);
    ck_assert_int_eq(outcome.err.cause, cause);
    ck_assert_int_eq(outcome.err.phase, URLPOOL_PHASE_REDIRECT);
    ck_assert_int_eq(outcome.err.http_status, 302);
    ck_assert_msg(strstr(outcome.err.message, words) != NULL, "%s: \"%s\" lacks \"%s\"",
                  given->locations[0], outcome.err.message, words);
    ck_assert(!outcome.verdict.follow);
}

START_TEST(redirect__follows_five_statuses)
{
    for (int status = 100; status < 1000; status++) {
        struct given given = {.status = status, .locations = {"/d"}};
        bool is_followed =
            status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
        struct outcome outcome = judge(&given);

        ck_assert_int_eq(outcome.code, URLPOOL_OK);
        ck_assert_msg(outcome.verdict.follow == is_followed, "%d", status);
    }
}
END_TEST

/* The whole table of methods: what each status makes of each, by the bits of keep_post. G: a GET
 * without body, k: the same again. Columns: nothing kept, 301, 302, 301|302, 303, 301|303, 302|303,
 * all. */
static const struct {
    int status;
    const char *method;
    const char *outcomes;
} methods_table[] = {
    {301, "GET",     "kkkkkkkk"},
    {301, "HEAD",    "kkkkkkkk"},
    {301, "POST",    "GkGkGkGk"},
    {301, "PUT",     "kkkkkkkk"},
    {301, "DELETE",  "kkkkkkkk"},
    {301, "PATCH",   "kkkkkkkk"},
    {301, "OPTIONS", "kkkkkkkk"},
    {301, "TRACE",   "kkkkkkkk"},
    {301, "post",    "kkkkkkkk"},
    {301, "QUERY",   "kkkkkkkk"},
    {302, "GET",     "kkkkkkkk"},
    {302, "HEAD",    "kkkkkkkk"},
    {302, "POST",    "GGkkGGkk"},
    {302, "PUT",     "kkkkkkkk"},
    {302, "DELETE",  "kkkkkkkk"},
    {302, "PATCH",   "kkkkkkkk"},
    {302, "OPTIONS", "kkkkkkkk"},
    {302, "TRACE",   "kkkkkkkk"},
    {302, "post",    "kkkkkkkk"},
    {302, "QUERY",   "kkkkkkkk"},
    {303, "GET",     "GGGGGGGG"},
    {303, "HEAD",    "kkkkkkkk"},
    {303, "POST",    "GGGGkkkk"},
    {303, "PUT",     "GGGGGGGG"},
    {303, "DELETE",  "GGGGGGGG"},
    {303, "PATCH",   "GGGGGGGG"},
    {303, "OPTIONS", "GGGGGGGG"},
    {303, "TRACE",   "GGGGGGGG"},
    {303, "post",    "GGGGGGGG"},
    {303, "QUERY",   "GGGGGGGG"},
    {307, "GET",     "kkkkkkkk"},
    {307, "HEAD",    "kkkkkkkk"},
    {307, "POST",    "kkkkkkkk"},
    {307, "PUT",     "kkkkkkkk"},
    {307, "DELETE",  "kkkkkkkk"},
    {307, "PATCH",   "kkkkkkkk"},
    {307, "OPTIONS", "kkkkkkkk"},
    {307, "TRACE",   "kkkkkkkk"},
    {307, "post",    "kkkkkkkk"},
    {307, "QUERY",   "kkkkkkkk"},
    {308, "GET",     "kkkkkkkk"},
    {308, "HEAD",    "kkkkkkkk"},
    {308, "POST",    "kkkkkkkk"},
    {308, "PUT",     "kkkkkkkk"},
    {308, "DELETE",  "kkkkkkkk"},
    {308, "PATCH",   "kkkkkkkk"},
    {308, "OPTIONS", "kkkkkkkk"},
    {308, "TRACE",   "kkkkkkkk"},
    {308, "post",    "kkkkkkkk"},
    {308, "QUERY",   "kkkkkkkk"},
};

START_TEST(redirect__keeps_or_changes_each_method_as_the_table_says)
{
    for (size_t i = 0; i < COUNT_OF(methods_table); i++) {
        for (unsigned keep = 0; keep < 8; keep++) {
            bool to_get = methods_table[i].outcomes[keep] == 'G';
            struct given given = {.status = methods_table[i].status,
                                  .method = methods_table[i].method,
                                  .locations = {"/d"},
                                  .rules = {.keep_post = keep}};
            struct outcome outcome = judge(&given);

            ck_assert_msg(outcome.verdict.follow && outcome.verdict.to_get == to_get,
                          "%d %s, keep_post %u", given.status, given.method, keep);
            /* What goes on with its body must be able to. */
            given.cannot_rewind = true;
            ck_assert_msg(judge(&given).verdict.follow == to_get, "%d %s, keep_post %u",
                          given.status, given.method, keep);
        }
    }
}
END_TEST

START_TEST(redirect__surfaces_a_body_that_cannot_be_sent_again)
{
    struct given given = {.method = "POST", .locations = {"/d"}, .cannot_rewind = true};

    given.status = 307;
    assert_surfaces(&given);
    given.status = 308;
    assert_surfaces(&given);
    given.status = 302;
    ck_assert(judge(&given).verdict.follow); /* the body is dropped */
    given.rules.keep_post = URLPOOL_KEEP_POST_301 | URLPOOL_KEEP_POST_302;
    assert_surfaces(&given);
    given.method = "PUT";
    given.rules.keep_post = 0;
    assert_surfaces(&given);
    given.status = 303;
    ck_assert(judge(&given).verdict.follow);
}
END_TEST

START_TEST(redirect__surfaces_a_response_without_location)
{
    assert_surfaces(&(struct given){.status = 302});
    assert_surfaces(&(struct given){.locations = {""}});
    assert_surfaces(&(struct given){
        .locations = {"", ""}
    });
}
END_TEST

START_TEST(redirect__surfaces_when_told_to)
{
    struct given given = {.locations = {"/d"}, .rules = {.return_redirects = true}};

    assert_surfaces(&given);
    /* Even those that would be refused. */
    given.locations[0] = "ftp://x/";
    assert_surfaces(&given);
    given.locations[1] = "http://y/";
    assert_surfaces(&given);
}
END_TEST

START_TEST(redirect__leads_where_location_says)
{
    static const char *const cases[][3] = {
        {"http://a/b/c?d#e",          "x",               "http://a/b/x#e"            },
        {"http://a/b/c?d#e",          "../../x#",        "http://a/x#"               },
        {"http://a/b/c?d#e",          "?y",              "http://a/b/c?y#e"          },
        {"http://a/b/c?d",            "#f",              "http://a/b/c?d#f"          },
        {"http://a/b/c?d",            "//x/y",           "http://x/y"                },
        {"https://a/b/c?d",           "//x/y",           "https://x/y"               },
        {"http://a/b",                "HTTP://X:80/%7e", "http://x:80/~"             },
        {"http://a/b",                "/\xc3\xa4",       "http://a/%C3%A4"           },
        {"http://a/b",                "/x y?a b#c d",    "http://a/x%20y?a%20b#c%20d"},
        {"http://u:p@a/b",            "/c",              "http://u:p@a/c"            },
        {"http://u:p@a/b",            "http://a/c",      "http://a/c"                },
        {"http://[fe80::1%25eth0]/b", "/c",              "http://[fe80::1%25eth0]/c" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct given given = {.url = cases[i][0], .locations = {cases[i][1]}};
        struct outcome outcome = judge(&given);

        ck_assert_msg(outcome.code == URLPOOL_OK, "%s: %s", cases[i][1], outcome.err.message);
        ck_assert_str_eq(outcome.next, cases[i][2]);
    }
}
END_TEST

START_TEST(redirect__takes_one_location_only)
{
    struct given given = {
        .locations = {"/d", "/d", "/d"}
    };

    ck_assert_str_eq(judge(&given).next, "http://a/d");
    given.locations[2] = "/e";
    assert_refused(&given, URLPOOL_E_REDIRECT, URLPOOL_OK, "two Location fields");
    given.locations[2] = NULL;
    given.locations[1] = "/D";
    assert_refused(&given, URLPOOL_E_REDIRECT, URLPOOL_OK, "two Location fields");
    given.locations[1] = "";
    assert_refused(&given, URLPOOL_E_REDIRECT, URLPOOL_OK, "two Location fields");
    given.locations[0] = "";
    given.locations[1] = "/d";
    assert_refused(&given, URLPOOL_E_REDIRECT, URLPOOL_OK, "two Location fields");
}
END_TEST

START_TEST(redirect__refuses_other_schemes)
{
    static const char *const cases[] = {
        "ftp://a/",
        "file:///etc/passwd",
        "gopher://a/",
        "javascript:alert(1)",
        "data:,x",
        "about:blank",
        "ws://a/",
        "httpx://a/",
        "dict://a:11211/stat",
        "example.com:80/",
        "mailto:a@b",
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_refused(&(struct given){.locations = {cases[i]}}, URLPOOL_E_REDIRECT,
                       URLPOOL_E_SCHEME, "neither http nor https");
    }
}
END_TEST

START_TEST(redirect__refuses_bad_urls)
{
    static const char *const cases[] = {
        "//a b/",    "/a\tb",      "/a\x01",   "http://a\\@b/", "\\\\x\\y",
        "http:///x", "///x",       "//",       "http://",       "http:d",
        "https:/d",  "//a:99999/", "//a:b/",   "//0x7f.1/",     "//2130706433/",
        "//[v1.x]/", "//[::1/",    "//a%2fb/", "//a..b/",       "//b\xff/",
        "1x:y",      ":x",         "//x@y@z/", "/a\x7f",        "//a%00/",
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_refused(&(struct given){.locations = {cases[i]}}, URLPOOL_E_REDIRECT, URLPOOL_E_URL,
                       "Location cannot be followed: ");
    }
}
END_TEST

START_TEST(redirect__refuses_userinfo)
{
    static const char *const cases[] = {
        "http://user:s3cret@a/",
        "http://user@a/",
        "//user:s3cret@b/",
        "http://@a/",
        "//:@b/",
        "https://www.example.com@evil/",
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct given given = {.locations = {cases[i]}};

        assert_refused(&given, URLPOOL_E_REDIRECT, URLPOOL_OK, "user or password");
        ck_assert_ptr_null(strstr(judge(&given).err.message, "s3cret"));
    }
}
END_TEST

START_TEST(redirect__refuses_to_leave_https)
{
    struct given given = {.url = "https://a/b", .locations = {"http://a/b"}};

    assert_refused(&given, URLPOOL_E_REDIRECT, URLPOOL_OK, "https to http");
    given.locations[0] = "http://a:443/b";
    assert_refused(&given, URLPOOL_E_REDIRECT, URLPOOL_OK, "https to http");
    given.locations[0] = "http://other/";
    assert_refused(&given, URLPOOL_E_REDIRECT, URLPOOL_OK, "https to http");
    given.rules.allow_downgrade = true;
    ck_assert_str_eq(judge(&given).next, "http://other/");
    ck_assert(judge(&given).verdict.cross_origin);
}
END_TEST

START_TEST(redirect__leads_to_allowed_schemes_only)
{
    enum {
        EITHER = URLPOOL_SCHEME_HTTP | URLPOOL_SCHEME_HTTPS
    };
    static const struct {
        const char *url, *location;
        unsigned schemes;
        bool allow_downgrade;
        const char *refusal; /* NULL: followed */
    } cases[] = {
        {"http://a/b",  "/c",         0,                    false, NULL                     },
        {"http://a/b",  "/c",         EITHER,               false, NULL                     },
        {"http://a/b",  "/c",         URLPOOL_SCHEME_HTTP,  false, NULL                     },
        {"http://a/b",  "/c",         URLPOOL_SCHEME_HTTPS, false, "redirect leads to http" },
        {"http://a/b",  "http://x/",  URLPOOL_SCHEME_HTTPS, true,  "redirect leads to http" },
        {"http://a/b",  "https://a/", 0,                    false, NULL                     },
        {"http://a/b",  "https://a/", EITHER,               false, NULL                     },
        {"http://a/b",  "https://a/", URLPOOL_SCHEME_HTTPS, false, NULL                     },
        {"http://a/b",  "https://a/", URLPOOL_SCHEME_HTTP,  false, "redirect leads to https"},
        {"https://a/b", "/c",         0,                    false, NULL                     },
        {"https://a/b", "/c",         EITHER,               false, NULL                     },
        {"https://a/b", "/c",         URLPOOL_SCHEME_HTTPS, false, NULL                     },
        {"https://a/b", "//x/",       URLPOOL_SCHEME_HTTP,  true,  "redirect leads to https"},
        {"https://a/b", "http://a/",  0,                    false, "https to http"          },
        {"https://a/b", "http://a/",  EITHER,               false, "https to http"          },
        {"https://a/b", "http://a/",  URLPOOL_SCHEME_HTTP,  false, "https to http"          },
        {"https://a/b", "http://a/",  URLPOOL_SCHEME_HTTPS, false, "https to http"          },
        {"https://a/b", "http://a/",  0,                    true,  NULL                     },
        {"https://a/b", "http://a/",  EITHER,               true,  NULL                     },
        {"https://a/b", "http://a/",  URLPOOL_SCHEME_HTTP,  true,  NULL                     },
        {"https://a/b", "http://a/",  URLPOOL_SCHEME_HTTPS, true,  "redirect leads to http" },
        {"http://a/b",  "ftp://a/",   EITHER,               true,  "neither http nor https" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct given given = {
            .url = cases[i].url,
            .locations = {cases[i].location                           },
            .rules = { .schemes = cases[i].schemes, .allow_downgrade = cases[i].allow_downgrade}
        };
        struct outcome outcome = judge(&given);
        bool is_as_said = cases[i].refusal == NULL
                              ? outcome.verdict.follow
                              : outcome.code == URLPOOL_E_REDIRECT &&
                                    strstr(outcome.err.message, cases[i].refusal) != NULL;

        ck_assert_msg(is_as_said, "case %zu: %s to %s: %s", i, cases[i].url, cases[i].location,
                      outcome.err.message);
        if (cases[i].refusal != NULL) {
            ck_assert_int_eq(outcome.err.cause, strcmp(cases[i].refusal, "https to http") == 0
                                                    ? URLPOOL_OK
                                                    : URLPOOL_E_SCHEME);
        }
    }
}
END_TEST

START_TEST(redirect__crosses_origins_by_scheme_host_or_port)
{
    static const struct {
        const char *url, *location;
        bool cross_origin;
    } cases[] = {
        {"http://a/b",            "/c",                         false},
        {"http://a/b",            "http://a/",                  false},
        {"http://a/b",            "http://A/",                  false},
        {"http://a/b",            "http://a:80/",               false},
        {"http://a:80/b",         "http://a:/",                 false},
        {"https://a/b",           "https://a:443/",             false},
        {"http://[::1]/b",        "http://[0::1]/",             false},
        {"http://a/b",            "https://a/",                 true },
        {"http://a:443/b",        "https://a/",                 true },
        {"http://a/b",            "http://a:81/",               true },
        {"http://a:81/b",         "http://a/",                  true },
        {"http://a/b",            "http://b/",                  true },
        {"http://a/b",            "http://a./",                 true },
        {"http://a/b",            "http://a.b/",                true },
        {"http://b.a/b",          "http://a/",                  true },
        {"http://127.0.0.1/",     "http://localhost/",          true },
        {"http://127.0.0.1/",     "http://[::ffff:127.0.0.1]/", true },
        {"http://[fe80::1%25a]/", "http://[fe80::1%25b]/",      true },
        {"http://[fe80::1%25a]/", "http://[fe80::1]/",          true },
        {"http://a:0/",           "http://a/",                  true },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct given given = {.url = cases[i].url, .locations = {cases[i].location}};
        struct outcome outcome = judge(&given);

        ck_assert_msg(outcome.code == URLPOOL_OK, "%s: %s", cases[i].location, outcome.err.message);
        ck_assert_msg(outcome.verdict.cross_origin == cases[i].cross_origin, "%s to %s",
                      cases[i].url, cases[i].location);
    }
}
END_TEST

START_TEST(redirect__reports_memory_as_memory)
{
    bool has_failed = true;

    failing_allocator_install();
    for (uint64_t n = 1; has_failed; n++) {
        struct urlp_url url = {0};
        struct urlp_url next = {0};
        struct urlp_redirect verdict = {.cross_origin = true};
        struct urlpool_error err = {0};
        const struct urlp_field field = {urlp_span_of("Location"), urlp_span_of("/b")};
        const struct urlp_redirect_rules rules = {0};
        const struct urlp_redirect_facts facts = {.url = &url,
                                                  .method = urlp_span_of("GET"),
                                                  .status = 302,
                                                  .fields = &field,
                                                  .num_fields = 1,
                                                  .can_rewind = true};

        failing_allocator_fail_nth(0);
        ck_assert_int_eq(urlp_url_parse(urlp_span_of("http://a/"), &url, NULL), URLPOOL_OK);
        failing_allocator_fail_nth(n);

        enum urlpool_code code = urlp_redirect_judge(&rules, &facts, &verdict, &next, &err);

        has_failed = failing_allocator_has_failed();
        ck_assert_int_eq(code, has_failed ? URLPOOL_E_NOMEM : URLPOOL_OK);
        ck_assert_int_eq(err.code, code);
        ck_assert_int_eq(verdict.cross_origin, has_failed); /* untouched on failure */
        ck_assert_uint_gt(failing_allocator_num_tried(), 0);
        urlp_url_deinit(&next);
        urlp_url_deinit(&url);
        ck_assert_int_eq(failing_allocator_num_live(), 0);
    }
}
END_TEST

START_TEST(redirect__accepts_no_error_to_fill)
{
    static const char *const locations[] = {"ftp://a/", "/a\tb", "//u@b/"};
    struct urlp_url url = {0};
    struct urlp_url next = {0};
    struct urlp_redirect verdict;

    ck_assert_int_eq(urlp_url_parse(urlp_span_of("http://a/"), &url, NULL), URLPOOL_OK);
    for (size_t i = 0; i < COUNT_OF(locations); i++) {
        const struct urlp_field field = {urlp_span_of("location"), urlp_span_of(locations[i])};
        const struct urlp_redirect_rules rules = {0};
        const struct urlp_redirect_facts facts = {.url = &url,
                                                  .method = urlp_span_of("GET"),
                                                  .status = 302,
                                                  .fields = &field,
                                                  .num_fields = 1,
                                                  .can_rewind = true};

        ck_assert_int_eq(urlp_redirect_judge(&rules, &facts, &verdict, &next, NULL),
                         URLPOOL_E_REDIRECT);
    }
    urlp_url_deinit(&next);
    urlp_url_deinit(&url);
}
END_TEST

START_TEST(drops__credentials_across_origins)
{
    static const char *const credentials[] = {"Authorization", "COOKIE", "cookie2",
                                              "proxy-authorization"};
    const char *credentials_list = urlp_retry_defaults.remove_headers_on_redirect;
    static const char *const others[] = {"Accept",     "User-Agent", "Content-Type", "X-Cookie",
                                         "Cookie-Jar", "",           "Authorizatio"};

    for (size_t i = 0; i < COUNT_OF(credentials); i++) {
        ck_assert(urlp_redirect_drops(urlp_span_of(credentials[i]), credentials_list, false));
        ck_assert(!urlp_redirect_drops(urlp_span_of(credentials[i]), NULL, true));
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        ck_assert_msg(!urlp_redirect_drops(urlp_span_of(others[i]), credentials_list, false), "%s",
                      others[i]);
    }
}
END_TEST

START_TEST(drops__the_listed_across_origins_and_no_other)
{
    static const char list[] = " x-api-key,Accept , ,X-Token";

    ck_assert(urlp_redirect_drops(urlp_span_of("X-Api-Key"), list, false));
    ck_assert(urlp_redirect_drops(urlp_span_of("ACCEPT"), list, false));
    ck_assert(urlp_redirect_drops(urlp_span_of("x-token"), list, true));
    ck_assert(!urlp_redirect_drops(urlp_span_of("Authorization"), list, false));
    ck_assert(!urlp_redirect_drops(urlp_span_of("X-Api"), list, false));
    ck_assert(!urlp_redirect_drops(urlp_span_of(""), list, false));
    ck_assert(!urlp_redirect_drops(urlp_span_of("Authorization"), "", false));
    ck_assert(urlp_redirect_drops(urlp_span_of("Content-Type"), "", true));
}
END_TEST

START_TEST(drops__what_described_the_body)
{
    static const char *const described[] = {
        "Content-Type",     "content-length",    "CONTENT-ENCODING", "Content-Language",
        "Content-Location", "Content-MD5",       "Content-Digest",   "Digest",
        "Last-Modified",    "Transfer-Encoding", "Trailer",          "Expect"};
    static const char *const others[] = {
        "Accept",          "Content",         "Contents", "X-Content-Type",
        "Accept-Encoding", "Idempotency-Key", "",         "Digests"};

    for (size_t i = 0; i < COUNT_OF(described); i++) {
        ck_assert_msg(urlp_redirect_drops(urlp_span_of(described[i]), NULL, true), "%s",
                      described[i]);
        ck_assert_msg(!urlp_redirect_drops(urlp_span_of(described[i]),
                                           urlp_retry_defaults.remove_headers_on_redirect, false),
                      "%s", described[i]);
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        ck_assert_msg(!urlp_redirect_drops(urlp_span_of(others[i]), NULL, true), "%s", others[i]);
    }
}
END_TEST

START_TEST(drops__host_always)
{
    ck_assert(urlp_redirect_drops(urlp_span_of("Host"), NULL, false));
    ck_assert(urlp_redirect_drops(urlp_span_of("hOST"), "", true));
    ck_assert(!urlp_redirect_drops(urlp_span_of("Hostname"), NULL, false));
}
END_TEST

RUN_TESTS("redirect", redirect__follows_five_statuses,
          redirect__keeps_or_changes_each_method_as_the_table_says,
          redirect__surfaces_a_body_that_cannot_be_sent_again,
          redirect__surfaces_a_response_without_location, redirect__surfaces_when_told_to,
          redirect__leads_where_location_says, redirect__takes_one_location_only,
          redirect__refuses_other_schemes, redirect__refuses_bad_urls, redirect__refuses_userinfo,
          redirect__refuses_to_leave_https, redirect__leads_to_allowed_schemes_only,
          redirect__crosses_origins_by_scheme_host_or_port, redirect__reports_memory_as_memory,
          redirect__accepts_no_error_to_fill, drops__credentials_across_origins,
          drops__the_listed_across_origins_and_no_other, drops__what_described_the_body,
          drops__host_always)
