/* Reading URLs: parts, normal form, refusals, and that no text takes long. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http/url.h"
#include "support/count_of.h"
#include "support/failing_allocator.h"
#include "support/run_tests.h"

static void assert_part(struct urlp_span part, const char *expected)
{
    if (expected == NULL) {
        ck_assert_ptr_null(part.data);
        return;
    }
    ck_assert_ptr_nonnull(part.data);
    ck_assert_msg(urlp_span_is(part, expected), "\"%.*s\" is not \"%s\"", (int)part.len, part.data,
                  expected);
}

/* Parses `text`, which must be a URL, and its normal form, which must be its own. */
static struct urlp_url parse(const char *text)
{
    struct urlp_url url = {0};
    struct urlp_url again = {0};
    struct urlpool_error err = {0};

    ck_assert_msg(urlp_url_parse(urlp_span_of(text), &url, &err) == URLPOOL_OK, "%s: %s", text,
                  err.message);
    ck_assert_int_eq(url.text.data[url.text.len], '\0');
    ck_assert_int_eq(urlp_url_parse(urlp_span_make(url.text.data, url.text.len), &again, &err),
                     URLPOOL_OK);
    ck_assert_str_eq((char *)again.text.data, (char *)url.text.data);
    urlp_url_deinit(&again);
    return url;
}

static void assert_normal(const char *text, const char *expected)
{
    struct urlp_url url = parse(text);

    ck_assert_str_eq((char *)url.text.data, expected);
    urlp_url_deinit(&url);
}

/* Refuses `text` with `words` in the message. */
static void assert_refused(const char *text, const char *words)
{
    struct urlp_url url = {0};
    struct urlpool_error err = {0};

    ck_assert_msg(urlp_url_parse(urlp_span_of(text), &url, &err) == URLPOOL_E_URL, "accepted: %s",
                  text);
    ck_assert_int_eq(err.code, URLPOOL_E_URL);
    ck_assert_msg(strstr(err.message, words) != NULL, "%s: \"%s\" lacks \"%s\"", text, err.message,
                  words);
    ck_assert_uint_eq(url.text.len, 0);
    ck_assert_ptr_null(url.host.data);
    ck_assert_ptr_null(url.path.data);
    urlp_url_deinit(&url);
}

START_TEST(url__has_all_its_parts)
{
    struct urlp_url url = parse("https://user:pw@example.com:8443/a/b?q=1&r#frag");

    assert_part(url.scheme, "https");
    assert_part(url.userinfo, "user:pw");
    assert_part(url.host, "example.com");
    assert_part(url.zone, NULL);
    ck_assert_int_eq(url.port, 8443);
    assert_part(url.path, "/a/b");
    assert_part(url.query, "q=1&r");
    assert_part(url.fragment, "frag");
    urlp_url_deinit(&url);
}
END_TEST

START_TEST(url__tells_absent_from_empty)
{
    struct urlp_url url = parse("http://example.com");

    assert_part(url.userinfo, NULL);
    ck_assert_int_eq(url.port, -1);
    assert_part(url.path, "");
    assert_part(url.query, NULL);
    assert_part(url.fragment, NULL);
    urlp_url_deinit(&url);

    url = parse("http://@example.com:/?#");
    assert_part(url.userinfo, "");
    ck_assert_int_eq(url.port, -1);
    assert_part(url.path, "/");
    assert_part(url.query, "");
    assert_part(url.fragment, "");
    ck_assert_str_eq((char *)url.text.data, "http://@example.com/?#");
    urlp_url_deinit(&url);
}
END_TEST

START_TEST(url__is_a_reference_too)
{
    struct urlp_url url = parse("//example.com/a");

    assert_part(url.scheme, NULL);
    assert_part(url.host, "example.com");
    urlp_url_deinit(&url);

    url = parse("../a;b?c");
    assert_part(url.host, NULL);
    assert_part(url.path, "../a;b");
    assert_part(url.query, "c");
    urlp_url_deinit(&url);

    url = parse("");
    assert_part(url.path, "");
    assert_part(url.query, NULL);
    urlp_url_deinit(&url);

    url = parse("javascript:a='@google.com:12345/';alert(0)");
    assert_part(url.scheme, "javascript");
    assert_part(url.host, NULL);
    assert_part(url.path, "a='@google.com:12345/';alert(0)");
    urlp_url_deinit(&url);
}
END_TEST

START_TEST(url__ends_its_authority_at_slash_question_mark_or_hash)
{
    static const struct {
        const char *text, *path, *query, *fragment;
    } cases[] = {
        {"http://a#@b",     "",    NULL,     "@b" },
        {"http://a?@b",     "",    "@b",     NULL },
        {"http://a/@b",     "/@b", NULL,     NULL },
        {"http://a?b#c?d",  "",    "b",      "c?d"},
        {"http://a?b/?c:d", "",    "b/?c:d", NULL },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_url url = parse(cases[i].text);

        assert_part(url.host, "a");
        assert_part(url.userinfo, NULL);
        assert_part(url.path, cases[i].path);
        assert_part(url.query, cases[i].query);
        assert_part(url.fragment, cases[i].fragment);
        urlp_url_deinit(&url);
    }
}
END_TEST

START_TEST(url__has_one_normal_form)
{
    static const char *const cases[][2] = {
        {"HTTP://EXAMPLE.COM/A",                "http://example.com/A"                  },
        {"hTTps://eXample.COM:0443",            "https://example.com:443"               },
        {"http://example.com:00080/",           "http://example.com:80/"                },
        {"http://ex%61mple.com/",               "http://example.com/"                   },
        {"http://EXAMPLE%2eCOM/",               "http://example.com/"                   },
        {"http://[::Ff%25etH0%2e5]/%ab%Af",     "http://[::ff%25etH0.5]/%AB%AF"         },
        {"http://[0:0:0:0:0:0:0:1]:81/",        "http://[::1]:81/"                      },
        {"http://[2001:DB8:0:0:1::]/",          "http://[2001:db8:0:0:1::]/"            },
        {"http://a/%7e%41%2d%2E%5f%30",         "http://a/~A-._0"                       },
        {"http://a/%2f%3a%25%20",               "http://a/%2F%3A%25%20"                 },
        {"http://a/%252e%252E/b",               "http://a/%252e%252E/b"                 },
        {"http://a/%",                          "http://a/%25"                          },
        {"http://a/%4?%zz#%",                   "http://a/%254?%25zz#%25"               },
        {"http://a/\xc3\xa4?\xe2\x82\xac#\xff", "http://a/%C3%A4?%E2%82%AC#%FF"         },
        {"http://a/p[]?q[]=\"x\"#f#g",          "http://a/p%5B%5D?q%5B%5D=%22x%22#f%23g"},
        {"http://a/<>^`{|}",                    "http://a/%3C%3E%5E%60%7B%7C%7D"        },
        {"http://u%40x:p[\xc3\xa4@a/",          "http://u%40x:p%5B%C3%A4@a/"            },
        {"http://a/!$&'()*+,;=:@",              "http://a/!$&'()*+,;=:@"                },
        {"http://a?!$&'()*+,;=:@/?",            "http://a?!$&'()*+,;=:@/?"              },
        {"mailto:John.Doe@example.com",         "mailto:John.Doe@example.com"           },
        {"file:///etc/x",                       "file:///etc/x"                         },
        {"//[::1]",                             "//[::1]"                               },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_normal(cases[i][0], cases[i][1]);
    }
}
END_TEST

START_TEST(url__loses_dot_segments)
{
    static const char *const cases[][2] = {
        {"http://a/abc/./.././d/././e/.././f/./../../ghi", "http://a/ghi"          },
        {"http://a/b/../c",                                "http://a/c"            },
        {"http://a/b/%2E%2e/c",                            "http://a/c"            },
        {"http://a/../../b",                               "http://a/b"            },
        {"http://a/..",                                    "http://a/"             },
        {"http://a/.",                                     "http://a/"             },
        {"http://a/b/.",                                   "http://a/b/"           },
        {"http://a/b/..",                                  "http://a/"             },
        {"http://a/b//../c",                               "http://a/b/c"          },
        {"http://a/...",                                   "http://a/..."          },
        {"http://a/.b/..c/d..",                            "http://a/.b/..c/d.."   },
        {"http://a/b?x/../y#z/./",                         "http://a/b?x/../y#z/./"},
        {"http:../x",                                      "http:x"                },
        {"/a/../b",                                        "/b"                    },
        {"../b/./c",                                       "../b/./c"              },
        {"./a:b",                                          "./a:b"                 },
        {"/a/..//b",                                       "/.//b"                 },
        {"x:a/..//b",                                      "x:/.//b"               },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_normal(cases[i][0], cases[i][1]);
    }
}
END_TEST

START_TEST(url__holds_no_control_space_or_backslash)
{
    /* '^' stands for the byte. */
    static const char *const places[] = {"ht^tp://a/", "http://a^b/",   "http://u^@a/",
                                         "http://a/^", "http://a/?x^y", "http://a/#^",
                                         "^http://a/", "http://a/b^",   "http://a:8^0/"};
    static const char *const bytes = "\x01\t\n\r\x1f \x7f\\";
    char text[64];

    for (size_t i = 0; i < COUNT_OF(places); i++) {
        for (const char *c = bytes; *c != '\0'; c++) {
            const char *name = *c == '\\' ? "a backslash" : "a control character";

            (void)snprintf(text, sizeof(text), "%s", places[i]);
            *strchr(text, '^') = *c;
            assert_refused(text, *c == ' ' ? "a space" : name);
        }
    }
}
END_TEST

START_TEST(url__holds_no_nul)
{
    struct urlp_url url = {0};
    struct urlpool_error err = {0};

    ck_assert_int_eq(urlp_url_parse(urlp_span_make("http://a/\0b", 11), &url, &err), URLPOOL_E_URL);
    ck_assert_ptr_nonnull(strstr(err.message, "(0x00) at byte 9"));
    urlp_url_deinit(&url);
}
END_TEST

START_TEST(url__is_refused)
{
    static const char *const cases[][2] = {
        {"http://",                        "empty host"        },
        {"http:///a",                      "empty host"        },
        {"https://?a",                     "empty host"        },
        {"https://#a",                     "empty host"        },
        {"http://:80/",                    "no host"           },
        {"http://@/",                      "no host"           },
        {"http://user@/",                  "no host"           },
        {"http://user@:80/",               "no host"           },
        {"//:80",                          "no host"           },
        {"://a/",                          "no scheme"         },
        {"1http://a/",                     "no scheme"         },
        {"ht_tp://a/",                     "no scheme"         },
        {"h%74tp://a/",                    "no scheme"         },
        {"+http://a/",                     "no scheme"         },
        {"127.0.0.1:80/",                  "no scheme"         },
        {":80",                            "no scheme"         },
        {"http://a@b@c/",                  "several '@'"       },
        {"http://a@@c/",                   "several '@'"       },
        {"http://user@example.com:pw@x/",  "several '@'"       },
        {"http://a:80:90/",                "port"              },
        {"http://::1/",                    "no host"           },
        {"http://a::2/",                   "port"              },
        {"http://a:-80/",                  "port"              },
        {"http://a:+80/",                  "port"              },
        {"http://a:0x50/",                 "port"              },
        {"http://a:8o/",                   "port"              },
        {"http://a:65536/",                "port 65536"        },
        {"http://a:4294967376/",           "port 4294967376"   },
        {"http://a:18446744073709551696/", "port"              },
        {"http://a:\xc2\xb2/",             "port"              },
        {"http://[::1/",                   "\"[::1\" lacks"    },
        {"http://[::1",                    "closing bracket"   },
        {"http://[/",                      "closing bracket"   },
        {"http://[::1]x/",                 "behind the address"},
        {"http://[::1]80/",                "behind the address"},
        {"http://[::1]]/",                 "behind the address"},
        {"http://::1]/",                   "no host"           },
        {"http://a[::1]/",                 "no name may have"  },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_refused(cases[i][0], cases[i][1]);
    }
}
END_TEST

START_TEST(url__accepts_every_port)
{
    static const struct {
        const char *text;
        int port;
    } cases[] = {
        {"http://a:0/",                        0    },
        {"http://a:1/",                        1    },
        {"http://a:65535/",                    65535},
        {"http://a:000000000000000000000443/", 443  },
        {"http://[::1]:0",                     0    },
        {"http://[::1]:",                      -1   },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_url url = parse(cases[i].text);

        ck_assert_int_eq(url.port, cases[i].port);
        urlp_url_deinit(&url);
    }
}
END_TEST

START_TEST(url__keeps_userinfo_out_of_messages)
{
    static const char *const cases[] = {
        "http://user:s3cret@host name/", "http://user:s3cret@@host/",  "http://user:s3cret/@host/",
        "http://user:s3cret@[v1.x]/",    "http://user:s3cret@0x7f.1/", "http://user:s3cret@host:x/",
        "http://user:s3cret@/",
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_url url = {0};
        struct urlpool_error err = {0};

        ck_assert_int_eq(urlp_url_parse(urlp_span_of(cases[i]), &url, &err), URLPOOL_E_URL);
        ck_assert_ptr_null(strstr(err.message, "s3cret"));
        urlp_url_deinit(&url);
    }
}
END_TEST

/* `head`, then `unit` as often as fits, in `len` bytes. */
static char *make_long(const char *head, const char *unit, size_t len)
{
    char *text = malloc(len + 1);
    size_t at = strlen(head);

    ck_assert_ptr_nonnull(text);
    memcpy(text, head, at);
    for (size_t i = 0; at < len; i++, at++) {
        text[at] = unit[i % strlen(unit)];
    }
    text[len] = '\0';
    return text;
}

START_TEST(url__has_at_most_64_kib)
{
    struct urlp_url url = {0};
    struct urlpool_error err = {0};
    char *text = make_long("http://a/", "x", 65537);

    ck_assert_int_eq(urlp_url_parse(urlp_span_make(text, 65536), &url, &err), URLPOOL_OK);
    ck_assert_uint_eq(url.text.len, 65536);
    ck_assert_int_eq(urlp_url_parse(urlp_span_make(text, 65537), &url, &err), URLPOOL_E_URL);
    ck_assert_str_eq(err.message, "URL of 65537 bytes is longer than 65536");
    free(text);

    /* Written within the limit, past it once encoded. */
    text = make_long("http://a/", "\xc3\xa4", 30000);
    ck_assert_int_eq(urlp_url_parse(urlp_span_make(text, 21000), &url, &err), URLPOOL_OK);
    ck_assert_int_eq(urlp_url_parse(urlp_span_make(text, 30000), &url, &err), URLPOOL_E_URL);
    ck_assert_ptr_nonnull(strstr(err.message, "percent-encoded"));
    ck_assert_uint_eq(url.text.len, 0);
    free(text);
    urlp_url_deinit(&url);
}
END_TEST

/* The processor time of parsing `num_bytes` in pieces of `len`, the best of five. */
static double time_parsing(const char *head, const char *unit, size_t len, size_t num_bytes)
{
    char *text = make_long(head, unit, len);
    struct urlp_url url = {0};
    double best = 1e9;

    for (int round = 0; round < 5; round++) {
        clock_t start = clock();

        for (size_t done = 0; done < num_bytes; done += len) {
            (void)!urlp_url_parse(urlp_span_make(text, len), &url, NULL);
        }

        double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;

        best = seconds < best ? seconds : best;
    }
    free(text);
    urlp_url_deinit(&url);
    return best;
}

START_TEST(url__is_read_in_linear_time)
{
    static const char *const cases[][2] = {
        {"http://",    "@"    },
        {"http://a",   "@b"   },
        {"http://a/",  "%"    },
        {"http://a/",  "%41"  },
        {"http://a/",  "/../" },
        {"http://a",   "/.."  },
        {"http://a",   "/x/.."},
        {"http://a/",  "./"   },
        {"x:",         "../"  },
        {"http://a/?", "["    },
        {"http://",    "a."   },
        {"http://",    ":"    },
        {"http://[",   ":"    },
        {"http://a:",  "0"    },
        {"",           "a"    },
    };

    /* The same bytes in pieces eight times as long: quadratic work would take eight times as long.
     */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        double in_small = time_parsing(cases[i][0], cases[i][1], 8 * 1024, 256 * 1024);
        double in_large = time_parsing(cases[i][0], cases[i][1], 64 * 1024, 256 * 1024);

        ck_assert_msg(in_large < in_small * 4 + 0.005, "%s%s…: %f s, %f s", cases[i][0],
                      cases[i][1], in_small, in_large);
    }
}
END_TEST

START_TEST(url__uses_its_memory_again)
{
    struct urlp_url url = parse("http://example.com/a/long/path/that/makes/the/text/big");
    const uint8_t *memory = url.text.data;

    ck_assert_int_eq(urlp_url_parse(urlp_span_of("http://b/"), &url, NULL), URLPOOL_OK);
    ck_assert_ptr_eq(url.text.data, memory);
    assert_part(url.host, "b");
    assert_part(url.query, NULL);
    urlp_url_deinit(&url);
    urlp_url_deinit(&url);
    urlp_url_deinit(NULL);
}
END_TEST

START_TEST(url__is_empty_when_memory_runs_out)
{
    struct urlp_url url = {0};
    struct urlpool_error err = {0};

    failing_allocator_install();
    failing_allocator_fail_nth(1);
    ck_assert_int_eq(urlp_url_parse(urlp_span_of("http://a/"), &url, &err), URLPOOL_E_NOMEM);
    ck_assert_int_eq(err.code, URLPOOL_E_NOMEM);
    ck_assert_ptr_null(url.host.data);
    ck_assert_uint_eq(url.text.len, 0);
    urlp_url_deinit(&url);
    ck_assert_int_eq(failing_allocator_num_live(), 0);
}
END_TEST

START_TEST(authority__is_host_and_port)
{
    static const struct {
        const char *text, *host, *zone;
        int port;
    } cases[] = {
        {"Example.com",         "example.com", NULL,   -1  },
        {"example.com:8080",    "example.com", NULL,   8080},
        {"example.com:",        "example.com", NULL,   -1  },
        {"10.0.0.1:0",          "10.0.0.1",    NULL,   0   },
        {"[::1]",               "::1",         NULL,   -1  },
        {"[0::1]:443",          "::1",         NULL,   443 },
        {"::1",                 "::1",         NULL,   -1  },
        {"fe80:0::2",           "fe80::2",     NULL,   -1  },
        {"[fe80::1%25eth0]:80", "fe80::1",     "eth0", 80  },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_url url = {0};
        struct urlpool_error err = {0};

        ck_assert_msg(urlp_url_parse_authority(urlp_span_of(cases[i].text), &url, &err) ==
                          URLPOOL_OK,
                      "%s: %s", cases[i].text, err.message);
        assert_part(url.host, cases[i].host);
        assert_part(url.zone, cases[i].zone);
        ck_assert_int_eq(url.port, cases[i].port);
        assert_part(url.scheme, NULL);
        assert_part(url.path, "");
        urlp_url_deinit(&url);
    }
}
END_TEST

START_TEST(authority__is_nothing_else)
{
    static const char *const cases[] = {
        "",      ":80",   "a b",      "a\r\nX: y", "user@a",  "a/b", "a?b",      "a#b",
        "a:b",   "a:1:2", "http://a", "[::1",      "[::1]x",  "[a]", "a\\b",     "0x7f.1",
        "a%2fb", "::1:x", "a\x7f",    "\xff",      "a:65536", "@",   "[::1]:-1", "1::2::3",
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct urlp_url url = {0};
        struct urlpool_error err = {0};

        ck_assert_msg(urlp_url_parse_authority(urlp_span_of(cases[i]), &url, &err) == URLPOOL_E_URL,
                      "accepted: %s", cases[i]);
        ck_assert_ptr_null(url.host.data);
        ck_assert_int_ne(err.message[0], '\0');
        urlp_url_deinit(&url);
    }
}
END_TEST

RUN_TESTS("url", url__has_all_its_parts, url__tells_absent_from_empty, url__is_a_reference_too,
          url__ends_its_authority_at_slash_question_mark_or_hash, url__has_one_normal_form,
          url__loses_dot_segments, url__holds_no_control_space_or_backslash, url__holds_no_nul,
          url__is_refused, url__accepts_every_port, url__keeps_userinfo_out_of_messages,
          url__has_at_most_64_kib, url__is_read_in_linear_time, url__uses_its_memory_again,
          url__is_empty_when_memory_runs_out, authority__is_host_and_port,
          authority__is_nothing_else)
