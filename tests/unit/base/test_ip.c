/* Addresses: strict reading, canonical writing, ranges, and what an address is good for. */

#include <string.h>

#include "base/ip.h"
#include "support/run_tests.h"

static struct urlp_ip ip_of(const char *text)
{
    struct urlp_ip ip;

    ck_assert_msg(urlp_ip_parse(urlp_span_of(text), &ip), "%s", text);
    return ip;
}

static struct urlp_cidr cidr_of(const char *text)
{
    struct urlp_cidr cidr;

    ck_assert_msg(urlp_cidr_parse(urlp_span_of(text), &cidr), "%s", text);
    return cidr;
}

START_TEST(parse__v4_gives_the_bytes)
{
    struct urlp_ip ip = ip_of("1.20.0.255");

    ck_assert_int_eq(ip.family, URLP_IP_V4);
    ck_assert_int_eq(memcmp(ip.bytes, "\x01\x14\x00\xff\0\0\0\0\0\0\0\0\0\0\0\0", 16), 0);
    ck_assert_uint_eq(ip.scope_id, 0);
}
END_TEST

START_TEST(parse__v4_refuses_what_another_parser_might_take)
{
    static const char *const bad[] = {
        "",           "1",          "127.1",      "1.2.3",      "1.2.3.4.5", "1.2.3.",
        ".1.2.3.4",   "1..2.3",     "1.2.3.4.",   "01.2.3.4",   "1.2.3.00",  "1.2.3.256",
        "1.2.3.999",  "1.2.3.1000", "0x7f.0.0.1", "2130706433", "1.2.3.4 ",  " 1.2.3.4",
        "1.2.3.-4",   "1.2.3.+4",   "1.2.3.4/8",  "1.2.3.a",    "1,2,3,4",   "1.2.3.4\n",
        "0177.0.0.1", "1.2.3.4:80", "１.2.3.4",
    };
    struct urlp_ip ip = {.family = URLP_IP_V6};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(!urlp_ip_parse_v4(urlp_span_of(bad[i]), &ip), "%s", bad[i]);
        ck_assert_msg(!urlp_ip_parse(urlp_span_of(bad[i]), &ip), "%s", bad[i]);
    }
    ck_assert(!urlp_ip_parse(urlp_span_make("1.2.3.4\0", 8), &ip));
    ck_assert_int_eq(ip.family, URLP_IP_V6);
}
END_TEST

START_TEST(parse__v6_gives_the_bytes)
{
    static const struct {
        const char *text;
        const char *bytes;
    } rows[] = {
        {"::",                                      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"                                                   },
        {"::1",                                     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"                                                   },
        {"1::",                                     "\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0"                                                   },
        {"1:2:3:4:5:6:7:8",                         "\0\1\0\2\0\3\0\4\0\5\0\6\0\7\0\x08"                                                 },
        {"1::8",                                    "\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\x08"                                                 },
        {"1:2:3:4:5:6:7::",                         "\0\1\0\2\0\3\0\4\0\5\0\6\0\7\0\0"                                                   },
        {"::2:3:4:5:6:7:8",                         "\0\0\0\2\0\3\0\4\0\5\0\6\0\7\0\x08"                                                 },
        {"1:2:3::5:6:7:8",                          "\0\1\0\2\0\3\0\0\0\5\0\6\0\7\0\x08"                                                 },
        {"ABCD:ef01:0000:0:00:000:0:0",             "\xab\xcd\xef\x01\0\0\0\0\0\0\0\0\0\0\0\0"                                           },
        {"::ffff:1.2.3.4",                          "\0\0\0\0\0\0\0\0\0\0\xff\xff\1\2\3\4"                                               },
        {"1:2:3:4:5:6:1.2.3.4",                     "\0\1\0\2\0\3\0\4\0\5\0\6\1\2\3\4"                                                   },
        {"64:ff9b::192.0.2.33",                     "\0\x64\xff\x9b\0\0\0\0\0\0\0\0\xc0\0\2\x21"                                         },
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "\xff\xff\xff\xff\xff\xff\xff\xff"
                                                    "\xff\xff\xff\xff\xff\xff\xff\xff"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct urlp_ip ip = ip_of(rows[i].text);

        ck_assert_int_eq(ip.family, URLP_IP_V6);
        ck_assert_msg(memcmp(ip.bytes, rows[i].bytes, 16) == 0, "%s", rows[i].text);
    }
}
END_TEST

START_TEST(parse__v6_refuses_what_is_malformed)
{
    static const char *const bad[] = {
        "",
        ":",
        ":::",
        "1",
        "1:",
        ":1",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:",
        ":2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8:",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4::5:6:7:8", /* "::" stands for at least one group */
        "::1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8::",
        "1::2::3",
        "1:::2",
        "::1:",
        "12345::",
        "00001::",
        "g::",
        "::-1",
        "[::1]",
        "::1%eth0",
        "fe80::1%25eth0",
        "::1/128",
        " ::1",
        "::1 ",
        "::1.2.3",
        "::1.2.3.4.5",
        "::01.2.3.4",
        "::1.2.3.256",
        "::1.2.3.4:5",
        "1.2.3.4::",
        "1:2:3:4:5:6:7:1.2.3.4",
        "1:2:3:4:5:1.2.3.4",
        "::1:2:3:4:5:6:1.2.3.4",
        "::fffff.2.3.4",
        "::a.2.3.4",
        "::.1.2.3",
    };
    struct urlp_ip ip = {.family = URLP_IP_NONE};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(!urlp_ip_parse_v6(urlp_span_of(bad[i]), &ip), "%s", bad[i]);
    }
    ck_assert(!urlp_ip_parse_v6(urlp_span_of("1.2.3.4"), &ip));
    ck_assert(!urlp_ip_parse_v4(urlp_span_of("::1"), &ip));
    ck_assert_int_eq(ip.family, URLP_IP_NONE);
}
END_TEST

START_TEST(parse__never_reads_past_the_span)
{
    static const char text[] = "1234:5678:9abc:def0:1234:5678:192.168.100.200";
    struct urlp_ip ip;
    char exact[sizeof(text)];

    /* Each beginning, in memory that ends with it: the address sanitizer watches. */
    for (size_t len = 0; len < sizeof(text); len++) {
        char *end = exact + sizeof(exact) - len;

        memcpy(end, text, len);
        ck_assert_int_eq(urlp_ip_parse(urlp_span_make(end, len), &ip),
                         len >= 43 && len < sizeof(text));
    }
}
END_TEST

START_TEST(format__is_that_of_rfc_5952)
{
    static const struct {
        const char *given;
        const char *expected;
    } rows[] = {
        {"1.2.3.4",                                 "1.2.3.4"                                },
        {"255.255.255.255",                         "255.255.255.255"                        },
        {"::",                                      "::"                                     },
        {"::1",                                     "::1"                                    },
        {"1::",                                     "1::"                                    },
        {"2001:DB8::0001",                          "2001:db8::1"                            },
        {"2001:db8:0:0:0:0:2:1",                    "2001:db8::2:1"                          },
        {"2001:db8:0:1:1:1:1:1",                    "2001:db8:0:1:1:1:1:1"                   },
        {"2001:0:0:1:0:0:0:1",                      "2001:0:0:1::1"                          },
        {"2001:db8:0:0:1:0:0:1",                    "2001:db8::1:0:0:1"                      },
        {"1:0:0:2:3:4:0:0",                         "1::2:3:4:0:0"                           },
        {"1:2:3:4:5:6:0:0",                         "1:2:3:4:5:6::"                          },
        {"0:0:3:4:5:6:7:8",                         "::3:4:5:6:7:8"                          },
        {"::ffff:1.2.3.4",                          "::ffff:1.2.3.4"                         },
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };
    const struct urlp_ip none = {.family = URLP_IP_NONE};
    char out[URLP_IP_TEXT_MAX];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct urlp_ip ip = ip_of(rows[i].given);
        struct urlp_ip again;

        urlp_ip_format(&ip, out);
        ck_assert_str_eq(out, rows[i].expected);
        again = ip_of(out);
        ck_assert(urlp_ip_equals(&ip, &again));
    }
    urlp_ip_format(&none, out);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(equals__needs_family_bytes_and_scope)
{
    struct urlp_ip a = ip_of("fe80::1");
    struct urlp_ip b = a;
    struct urlp_ip v4 = ip_of("1.2.3.4");
    struct urlp_ip mapped = ip_of("::ffff:1.2.3.4");

    ck_assert(urlp_ip_equals(&a, &b));
    b.scope_id = 2;
    ck_assert(!urlp_ip_equals(&a, &b));
    b = ip_of("fe80::2");
    ck_assert(!urlp_ip_equals(&a, &b));
    ck_assert(!urlp_ip_equals(&v4, &mapped));
}
END_TEST

START_TEST(cidr__refuses_what_is_malformed)
{
    static const char *const bad[] = {"",
                                      "/",
                                      "/8",
                                      "10.0.0.0/",
                                      "10.0.0.0/33",
                                      "::/129",
                                      "10.0.0.0/-1",
                                      "10.0.0.0/08",
                                      "10/8",
                                      "10.0.0.0/8/8",
                                      "::/x",
                                      "10.0.0.0/ 8",
                                      "x/8",
                                      "10.0.0.0/99999999999999999999"};
    struct urlp_cidr cidr = {.prefix_len = 77};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(!urlp_cidr_parse(urlp_span_of(bad[i]), &cidr), "%s", bad[i]);
    }
    ck_assert_uint_eq(cidr.prefix_len, 77);
}
END_TEST

START_TEST(cidr__contains_what_shares_its_prefix)
{
    static const struct {
        const char *cidr;
        const char *ip;
        bool is_in;
    } rows[] = {
        {"10.0.0.0/8",          "10.255.1.2",      true },
        {"10.0.0.0/8",          "11.0.0.0",        false},
        {"10.1.2.3/8",          "10.200.0.0",      true }, /* host bits do not count */
        {"192.168.0.0/17",      "192.168.127.255", true },
        {"192.168.0.0/17",      "192.168.128.0",   false},
        {"192.168.1.1",         "192.168.1.1",     true }, /* one address */
        {"192.168.1.1",         "192.168.1.2",     false},
        {"0.0.0.0/0",           "255.255.255.255", true },
        {"0.0.0.0/0",           "::1",             false},
        {"::/0",                "::1",             true },
        {"::/0",                "1.2.3.4",         false},
        {"2001:db8::/33",       "2001:db8:7fff::", true },
        {"2001:db8::/33",       "2001:db8:8000::", false},
        {"::1",                 "::1",             true },
        {"::1",                 "::2",             false},
        {"::1/127",             "::",              true },
 /* mapped addresses are their IPv4, on either side */
        {"10.0.0.0/8",          "::ffff:10.1.1.1", true },
        {"10.0.0.0/8",          "::ffff:11.1.1.1", false},
        {"::ffff:10.0.0.0/104", "10.1.1.1",        true },
        {"::ffff:10.0.0.0/104", "11.1.1.1",        false},
        {"::ffff:10.0.0.0/104", "::ffff:10.9.9.9", true },
        {"::ffff:0:0/96",       "1.2.3.4",         true },
        {"::/0",                "::ffff:10.1.1.1", true },
        {"::fffe:0:0/95",       "::ffff:10.1.1.1", true },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct urlp_cidr cidr = cidr_of(rows[i].cidr);
        struct urlp_ip ip = ip_of(rows[i].ip);

        ck_assert_msg(urlp_cidr_contains(&cidr, &ip) == rows[i].is_in, "%s in %s", rows[i].ip,
                      rows[i].cidr);
    }
}
END_TEST

START_TEST(cidr__of_no_address_contains_nothing)
{
    const struct urlp_cidr none = {.prefix_len = 0};
    const struct urlp_ip no_ip = {.family = URLP_IP_NONE};
    struct urlp_ip ip = ip_of("1.2.3.4");
    struct urlp_cidr all = cidr_of("0.0.0.0/0");

    ck_assert(!urlp_cidr_contains(&none, &ip));
    ck_assert(!urlp_cidr_contains(&none, &no_ip));
    ck_assert(!urlp_cidr_contains(&all, &no_ip));
}
END_TEST

static const struct {
    const char *ip;
    enum urlp_ip_class class;
} classes[] = {
    {"0.0.0.0",            URLP_IP_UNSPECIFIED},
    {"0.0.0.1",            URLP_IP_RESERVED   },
    {"1.1.1.1",            URLP_IP_PUBLIC     },
    {"9.255.255.255",      URLP_IP_PUBLIC     },
    {"10.0.0.0",           URLP_IP_PRIVATE    },
    {"10.255.255.255",     URLP_IP_PRIVATE    },
    {"11.0.0.0",           URLP_IP_PUBLIC     },
    {"100.63.255.255",     URLP_IP_PUBLIC     },
    {"100.64.0.0",         URLP_IP_PRIVATE    },
    {"100.127.255.255",    URLP_IP_PRIVATE    },
    {"100.128.0.0",        URLP_IP_PUBLIC     },
    {"126.255.255.255",    URLP_IP_PUBLIC     },
    {"127.0.0.1",          URLP_IP_LOOPBACK   },
    {"127.255.255.255",    URLP_IP_LOOPBACK   },
    {"128.0.0.0",          URLP_IP_PUBLIC     },
    {"169.254.169.254",    URLP_IP_LINK_LOCAL },
    {"169.255.0.0",        URLP_IP_PUBLIC     },
    {"172.15.255.255",     URLP_IP_PUBLIC     },
    {"172.16.0.0",         URLP_IP_PRIVATE    },
    {"172.31.255.255",     URLP_IP_PRIVATE    },
    {"172.32.0.0",         URLP_IP_PUBLIC     },
    {"192.0.0.1",          URLP_IP_RESERVED   },
    {"192.0.2.1",          URLP_IP_RESERVED   },
    {"192.0.3.1",          URLP_IP_PUBLIC     },
    {"192.88.99.1",        URLP_IP_RESERVED   },
    {"192.168.0.0",        URLP_IP_PRIVATE    },
    {"192.169.0.0",        URLP_IP_PUBLIC     },
    {"198.17.255.255",     URLP_IP_PUBLIC     },
    {"198.19.255.255",     URLP_IP_RESERVED   },
    {"198.51.100.1",       URLP_IP_RESERVED   },
    {"203.0.113.1",        URLP_IP_RESERVED   },
    {"223.255.255.255",    URLP_IP_PUBLIC     },
    {"224.0.0.1",          URLP_IP_MULTICAST  },
    {"239.255.255.255",    URLP_IP_MULTICAST  },
    {"240.0.0.0",          URLP_IP_RESERVED   },
    {"255.255.255.255",    URLP_IP_RESERVED   },
    {"::",                 URLP_IP_UNSPECIFIED},
    {"::1",                URLP_IP_LOOPBACK   },
    {"::2",                URLP_IP_RESERVED   },
    {"::7f00:1",           URLP_IP_RESERVED   }, /* IPv4-compatible, withdrawn */
    {"100::1",             URLP_IP_RESERVED   },
    {"2000::1",            URLP_IP_PUBLIC     },
    {"2001:0:1::",         URLP_IP_RESERVED   },
    {"2001:200::",         URLP_IP_PUBLIC     },
    {"2001:db8::1",        URLP_IP_RESERVED   },
    {"2001:db9::1",        URLP_IP_PUBLIC     },
    {"2606:4700::1111",    URLP_IP_PUBLIC     },
    {"3fff::1",            URLP_IP_RESERVED   },
    {"3fff:1000::",        URLP_IP_PUBLIC     },
    {"4000::1",            URLP_IP_RESERVED   },
    {"fc00::1",            URLP_IP_PRIVATE    },
    {"fdff::1",            URLP_IP_PRIVATE    },
    {"fe80::1",            URLP_IP_LINK_LOCAL },
    {"febf::1",            URLP_IP_LINK_LOCAL },
    {"fec0::1",            URLP_IP_PRIVATE    },
    {"ff02::1",            URLP_IP_MULTICAST  },
    {"64:ff9b:1::8.8.8.8", URLP_IP_PRIVATE    },
};

START_TEST(classify__knows_the_special_ranges_to_their_edges)
{
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        struct urlp_ip ip = ip_of(classes[i].ip);

        ck_assert_msg(urlp_ip_classify(&ip) == classes[i].class, "%s", classes[i].ip);
    }
}
END_TEST

START_TEST(classify__an_ipv4_inside_is_what_counts)
{
    static const struct {
        const char *ip;
        enum urlp_ip_class class;
    } rows[] = {
        {"::ffff:127.0.0.1",       URLP_IP_LOOPBACK   },
        {"::ffff:10.0.0.1",        URLP_IP_PRIVATE    },
        {"::ffff:169.254.169.254", URLP_IP_LINK_LOCAL },
        {"::ffff:8.8.8.8",         URLP_IP_PUBLIC     },
        {"::ffff:0.0.0.0",         URLP_IP_UNSPECIFIED},
        {"64:ff9b::127.0.0.1",     URLP_IP_LOOPBACK   },
        {"64:ff9b::8.8.8.8",       URLP_IP_PUBLIC     },
        {"2002:7f00:1::",          URLP_IP_LOOPBACK   },
        {"2002:a00:1::1",          URLP_IP_PRIVATE    },
        {"2002:808:808::1",        URLP_IP_PUBLIC     },
    };
    const struct urlp_ip none = {.family = URLP_IP_NONE};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct urlp_ip ip = ip_of(rows[i].ip);

        ck_assert_msg(urlp_ip_classify(&ip) == rows[i].class, "%s", rows[i].ip);
    }
    ck_assert_int_eq(urlp_ip_classify(&none), URLP_IP_UNSPECIFIED);
}
END_TEST

RUN_TESTS("ip", parse__v4_gives_the_bytes, parse__v4_refuses_what_another_parser_might_take,
          parse__v6_gives_the_bytes, parse__v6_refuses_what_is_malformed,
          parse__never_reads_past_the_span, format__is_that_of_rfc_5952,
          equals__needs_family_bytes_and_scope, cidr__refuses_what_is_malformed,
          cidr__contains_what_shares_its_prefix, cidr__of_no_address_contains_nothing,
          classify__knows_the_special_ranges_to_their_edges,
          classify__an_ipv4_inside_is_what_counts)
