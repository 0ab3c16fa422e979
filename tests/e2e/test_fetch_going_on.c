/* pooled-fetch: going on where a file ends, how fast and how long it goes on, and what is noted. */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/fetch_site.h"
#include "support/run_tests.h"

static struct site site;

static void make(const char *name, const char *text)
{
    free(test_file(site.dir, name, text));
}

static void assert_file(const char *name, const char *text)
{
    char *found = site_file(&site, name);

    ck_assert_ptr_nonnull(found);
    ck_assert_str_eq(found, text);
    free(found);
}

START_TEST(fetch__goes_on_with_a_file_that_is_of_the_same_version)
{
    site_begin(&site);
    make("part", "abcde");
    make("etag", "\"abc\"\n");
    ck_assert_code(
        FETCH(&site, "-sC-", "--etag-save", "etag", "-o", "part", site_url(&site, "/ranged")), 0);
    assert_file("part", "abcdefghijklmnopqrstuvwxyz");
    site_end(&site);
}
END_TEST

START_TEST(fetch__begins_a_file_anew_that_has_changed_at_the_server)
{
    site_begin(&site);
    make("part", "of old");
    make("etag", "\"old\"\n");
    ck_assert_code(
        FETCH(&site, "-sC-", "--etag-save", "etag", "-o", "part", site_url(&site, "/ranged")), 0);
    assert_file("part", "abcdefghijklmnopqrstuvwxyz");
    assert_file("etag", "\"abc\"\n");
    site_end(&site);
}
END_TEST

/* answer_in_parts breaks off the first time, and goes on where it is asked to. */
static void answer_in_parts(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    if (strstr(request->head, "\r\nRange: bytes=3-\r\n") != NULL &&
        strstr(request->head, "\r\nIf-Range: \"v\"\r\n") != NULL) {
        test_peer_reply(peer, 206, "ETag: \"v\"\r\nContent-Range: bytes 3-5/6\r\n", "def");
        return;
    }
    test_peer_send_text(peer, "HTTP/1.1 200 OK\r\nETag: \"v\"\r\nContent-Length: 6\r\n\r\nabc");
    test_peer_close(peer);
}

START_TEST(fetch__tries_again_behind_what_has_come)
{
    site_begin(&site);
    test_server_stop(site.server);
    site.server = test_server_start(answer_in_parts, NULL, NULL);
    ck_assert_code(FETCH(&site, "-sC-", "--retry", "1", "--retry-delay", "0.01",
                         "--retry-all-errors", "-o", "file", site_url(&site, "/")),
                   0);
    assert_file("file", "abcdef");
    ck_assert_uint_eq(test_server_num_requests(site.server), 2);
    site_end(&site);
}
END_TEST

START_TEST(fetch__refuses_a_file_that_is_longer_than_the_servers)
{
    site_begin(&site);
    make("long", "abcdefghijklmnopqrstuvwxyz and more");
    ck_assert_refused(FETCH(&site, "-C-", "-o", "long", site_url(&site, "/ranged")), 33, "behind");
    assert_file("long", "abcdefghijklmnopqrstuvwxyz and more");
    site_end(&site);
}
END_TEST

/* answer_wrongly sends a part, but not the one that was asked for. */
static void answer_wrongly(struct test_peer *peer, const struct test_request *request, void *user)
{
    (void)user;
    if (strncmp(request->head, "GET /begin ", 11) == 0) {
        test_peer_reply(peer, 206, "Content-Range: bytes 0-2/6\r\n", "abc");
        return;
    }
    test_peer_reply(peer, 206, "ETag: \"new\"\r\nContent-Range: bytes 3-5/6\r\n", "DEF");
}

START_TEST(fetch__refuses_a_part_that_does_not_belong_behind_the_file)
{
    site_begin(&site);
    test_server_stop(site.server);
    site.server = test_server_start(answer_wrongly, NULL, NULL);
    make("part", "abc");
    ck_assert_refused(FETCH(&site, "-C-", "-o", "part", site_url(&site, "/begin")), 33, "behind");
    make("etag", "\"old\"\n");
    ck_assert_refused(
        FETCH(&site, "-C-", "--etag-save", "etag", "-o", "part", site_url(&site, "/end")), 33,
        "behind");
    assert_file("part", "abc");
    assert_file("etag", "\"old\"\n");
    site_end(&site);
}
END_TEST

START_TEST(fetch__keeps_no_etag_of_half_a_body)
{
    site_begin(&site);
    ck_assert_code(FETCH(&site, "-s", "--etag-save", "etag", "-o", "file", "-m", "10",
                         site_url(&site, "/cut-tagged")),
                   18);
    assert_file("file", "short");
    assert_file("etag", "");
    ck_assert_code(FETCH(&site, "-s", "-C-", "--etag-save", "etag", "--etag-compare", "etag", "-o",
                         "other", site_url(&site, "/cut-tagged")),
                   18);
    assert_file("etag", "");
    ck_assert_code(FETCH(&site, "-s", "-C-", "--etag-save", "etag", "-o", "other2",
                         site_url(&site, "/cut-tagged")),
                   18);
    assert_file("etag", "\"abc\"\n"); /* which it goes on by */
    site_end(&site);
}
END_TEST

START_TEST(fetch__forgets_an_etag_that_is_of_another_version)
{
    site_begin(&site);
    make("etag", "\"old\"\n");
    ck_assert_code(
        FETCH(&site, "-s", "--etag-save", "etag", "-o", "file", site_url(&site, "/hello")), 0);
    assert_file("etag", "");
    make("etag", "\"old\"\n");
    ck_assert_code(
        FETCH(&site, "-s", "--etag-save", "etag", "-o", "file", site_url(&site, "/empty")), 52);
    assert_file("etag", "\"old\"\n");
    ck_assert_code(
        FETCH(&site, "-s", "--etag-save", "etag", "-o", "file", site_url(&site, "/status/304")), 0);
    assert_file("etag", "\"old\"\n");
    ck_assert_code(
        FETCH(&site, "-sL", "--etag-save", "etag", "-o", "file", site_url(&site, "/to//ranged")),
        0);
    assert_file("etag", "\"abc\"\n");
    site_end(&site);
}
END_TEST

START_TEST(fetch__goes_on_at_the_beginning_with_an_empty_file)
{
    site_begin(&site);
    make("file", "old");
    ck_assert_code(FETCH(&site, "-sC0", "-o", "file", site_url(&site, "/hello")), 0);
    assert_file("file", "hello\n");
    site_end(&site);
}
END_TEST

/* answer_the_second_time has no time for the first request. */
static void answer_the_second_time(struct test_peer *peer, const struct test_request *request,
                                   void *user)
{
    atomic_bool *is_free = user;

    if (!atomic_exchange(is_free, true)) {
        test_peer_reply(peer, 503, "", "busy");
    } else if (strstr(request->head, "\r\nRange: bytes=3-\r\n") != NULL) {
        test_peer_reply(peer, 206, "Content-Range: bytes 3-5/6\r\n", "def");
    } else {
        test_peer_reply(peer, 200, "", "abcdef");
    }
}

START_TEST(fetch__tries_again_where_it_was_told_to_go_on)
{
    atomic_bool is_free = false;

    site_begin(&site);
    test_server_stop(site.server);
    site.server = test_server_start(answer_the_second_time, &is_free, NULL);
    ck_assert_ran(
        FETCH(&site, "-sfC3", "--retry", "1", "--retry-delay", "0.01", site_url(&site, "/")), 0,
        "def");
    site_end(&site);
}
END_TEST

START_TEST(fetch__tells_which_request_of_its_connection_it_was)
{
    site_begin(&site);
    ck_assert_ran(FETCH(&site, "-c1", "--out-null", "-w", "%{conn_requests} ", "-n3",
                        site_url(&site, "/hello")),
                  0, "1 2 3 ");
    site_end(&site);
}
END_TEST

START_TEST(fetch__goes_on_for_as_long_as_it_is_told)
{
    site_begin(&site);
    ck_assert_code(
        FETCH(&site, "--duration", "0.5", "--rate", "50", "--out-null", site_url(&site, "/hello")),
        0);
    ck_assert_uint_ge(test_server_num_requests(site.server), 2);
    ck_assert_uint_le(test_server_num_requests(site.server), 26);
    site_end(&site);
}
END_TEST

START_TEST(fetch__keeps_to_its_time_however_slowly_it_reads)
{
    site_begin(&site);
    ck_assert_code(FETCH(&site, "-s", "-m", "0.5", "--limit-rate", "1", site_url(&site, "/hello")),
                   28);
    site_end(&site);
}
END_TEST

START_TEST(fetch__traces_into_a_file_without_credentials)
{
    char *text;

    site_begin(&site);
    ck_assert_ran(FETCH(&site, "--trace-ascii", "trace", "-u", "user:secret", "-b", "a=secret",
                        site_url(&site, "/hello")),
                  0, "hello\n");
    text = site_file(&site, "trace");
    ck_assert_ptr_nonnull(text);
    ck_assert_msg(strstr(text, "=> Send header, ") != NULL, "%s", text);
    ck_assert_msg(strstr(text, "<= Recv data, 6 bytes (0x6)\n0000: hello.\n") != NULL, "%s", text);
    ck_assert_msg(strstr(text, "secret") == NULL && strstr(text, "dXNlcjpzZWNyZXQ=") == NULL, "%s",
                  text);
    free(text);
    site_end(&site);
}
END_TEST

RUN_TESTS("fetch going on", fetch__goes_on_with_a_file_that_is_of_the_same_version,
          fetch__begins_a_file_anew_that_has_changed_at_the_server,
          fetch__tries_again_behind_what_has_come,
          fetch__refuses_a_file_that_is_longer_than_the_servers,
          fetch__refuses_a_part_that_does_not_belong_behind_the_file,
          fetch__keeps_no_etag_of_half_a_body, fetch__forgets_an_etag_that_is_of_another_version,
          fetch__goes_on_at_the_beginning_with_an_empty_file,
          fetch__tries_again_where_it_was_told_to_go_on,
          fetch__tells_which_request_of_its_connection_it_was,
          fetch__goes_on_for_as_long_as_it_is_told,
          fetch__keeps_to_its_time_however_slowly_it_reads,
          fetch__traces_into_a_file_without_credentials)
