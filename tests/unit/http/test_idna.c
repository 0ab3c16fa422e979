/* Hosts of other letters than ASCII: what stands in their place, or why nothing does. */

#include <string.h>

#include "http/url_host.h"
#include "support/run_tests.h"

static void assert_host(const char *raw, const char *text)
{
    struct urlp_host host;
    struct urlpool_error err = {0};

    ck_assert_msg(urlp_host_parse(urlp_span_of(raw), &host, &err) == URLPOOL_OK, "%s: %s", raw,
                  err.message);
    ck_assert_str_eq(host.text, text);
    ck_assert_uint_eq(host.len, strlen(text));
}

static void assert_refused(const char *raw, const char *words)
{
    struct urlp_host host;
    struct urlpool_error err = {0};

    ck_assert_msg(urlp_host_parse(urlp_span_of(raw), &host, &err) == URLPOOL_E_URL, "accepted: %s",
                  raw);
    ck_assert_msg(strstr(err.message, words) != NULL, "%s: \"%s\" lacks \"%s\"", raw, err.message,
                  words);
}

START_TEST(host__of_other_letters_becomes_a_labels)
{
    assert_host("b\xc3\xbc"
                "cher.example",
                "xn--bcher-kva.example");
    assert_host("B%C3%9CCHER.Example", "xn--bcher-kva.example");
    assert_host("bu\xcc\x88"
                "cher.example.",
                "xn--bcher-kva.example.");         /* composed, folded */
    assert_host("fa\xc3\x9f.de", "xn--fa-hia.de"); /* non-transitional */
    assert_host("\xe4\xbe\x8b\xe3\x80\x82\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88",
                "xn--fsq.xn--zckzah"); /* an ideographic full stop */
}
END_TEST

START_TEST(host__is_looked_at_behind_idna)
{
    /* Full-width digits and an ideographic full stop: "127.0.0.1" and "127.1". */
    assert_host("\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97\xe3\x80\x82\x30.0.1", "127.0.0.1");
    assert_refused("\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.1", "four decimal parts");
    /* U+2100 is "a/c", U+FF0F a full-width solidus, U+FF20 "@". */
    assert_refused("\xe2\x84\x80.example", "no ");
    assert_refused("good.example\xef\xbc\x8f.evil.example", "no ");
    assert_refused("user\xef\xbc\xa0host", "no ");
}
END_TEST

START_TEST(host__is_no_other_letters_that_idna_refuses)
{
    char label[3 * 64 + 1] = {0};

    assert_refused("a\xff", "UTF-8");
    assert_refused("a\x80", "UTF-8");
    assert_refused("%ED%A0%80.example", "UTF-8"); /* a surrogate */
    assert_refused("a\xe2\x80\x8e"
                   "b\xcc\x80\xe2\x80\xa8.example",
                   "internationalised name"); /* a line separator */
    for (size_t i = 0; i + 3 < sizeof(label); i += 3) {
        memcpy(label + i, i % 2 == 0 ? "\xe4\xb8\x80" : "\xe9\xbe\xa5", 3);
    }
    assert_refused(label, "longer than 63");
}
END_TEST

START_TEST(host__of_other_letters_is_bounded)
{
    /* The bound of what is read at all, before it is given to anybody. */
    char name[2000];

    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    memcpy(name, "\xc3\xbc", 2);
    assert_refused(name, "longer than");
}
END_TEST
RUN_TESTS("idna", host__of_other_letters_becomes_a_labels, host__is_looked_at_behind_idna,
          host__is_no_other_letters_that_idna_refuses, host__of_other_letters_is_bounded)
