/* pooled-fetch: where bodies go. */

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/fetch_site.h"
#include "support/run_tests.h"

static struct site site;

static void assert_file(const char *name, const char *text)
{
    char *found = site_file(&site, name);

    ck_assert_msg(found != NULL, "no file %s", name);
    ck_assert_str_eq(found, text);
    free(found);
}

static void assert_no_file(const char *name)
{
    ck_assert_msg(access(site_path(&site, name), F_OK) != 0, "there is a file %s", name);
}

START_TEST(fetch__bodies_go_to_standard_output_in_the_order_of_their_urls)
{
    site_begin(&site);
    ck_assert_ran(FETCH(&site, site_url(&site, "/hello"), "--url", site_url(&site, "/hello2"),
                        site_url(&site, "/chunked")),
                  0, "hello\nhello again\nchunked");
    site_end(&site);
}
END_TEST

/* Two targets, of which the first is answered only after the second. */
struct latch {
    pthread_mutex_t mutex;
    pthread_cond_t opened;
    bool is_open;
};

static void answer_in_reverse(struct test_peer *peer, const struct test_request *request,
                              void *user)
{
    struct latch *latch = user;

    pthread_mutex_lock(&latch->mutex);
    if (strcmp(request->target, "/first") == 0) {
        while (!latch->is_open) {
            pthread_cond_wait(&latch->opened, &latch->mutex);
        }
        test_peer_reply(peer, 200, NULL, "first\n");
    } else {
        test_peer_reply(peer, 200, NULL, "second\n");
        latch->is_open = true;
        pthread_cond_signal(&latch->opened);
    }
    pthread_mutex_unlock(&latch->mutex);
}

START_TEST(fetch__a_body_that_comes_too_early_waits_for_its_turn)
{
    struct latch latch = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};

    site_begin(&site);
    test_server_stop(site.server);
    site.server = test_server_start(answer_in_reverse, &latch, NULL);
    ck_assert_ran(FETCH(&site, site_url(&site, "/first"), site_url(&site, "/second")), 0,
                  "first\nsecond\n");
    site_end(&site);
}
END_TEST

START_TEST(fetch__a_long_body_that_waits_is_whole_and_comes_last)
{
    struct ran *ran;
    const char *big;

    site_begin(&site);
    big = site_url(&site, "/big");
    ran = FETCH(&site, "-c2", big, big, big, site_url(&site, "/hello"));
    ck_assert_int_eq(ran->exit_code, 0);
    ck_assert_uint_eq(ran->out_len, 3 * SITE_BIG_LEN + 6);
    for (size_t i = 0; i < 3 * SITE_BIG_LEN; i++) {
        ck_assert_msg(ran->out[i] == site_big(i % SITE_BIG_LEN), "byte %zu", i);
    }
    ck_assert_str_eq(ran->out + 3 * SITE_BIG_LEN, "hello\n");
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(fetch__each_output_belongs_to_the_url_of_its_place)
{
    site_begin(&site);
    ck_assert_ran(FETCH(&site, "-o", "one", "-otwo", site_url(&site, "/hello"),
                        site_url(&site, "/hello2"), site_url(&site, "/chunked")),
                  0, "chunked");
    assert_file("one", "hello\n");
    assert_file("two", "hello again\n");
    ck_assert_ran(FETCH(&site, "--output=-", "-O", site_url(&site, "/hello"),
                        site_url(&site, "/hello2?query=1#part")),
                  0, "hello\n");
    assert_file("hello2", "not here\n");
    site_end(&site);
}
END_TEST

START_TEST(fetch__remote_name_is_the_last_part_of_the_path)
{
    site_begin(&site);
    ck_assert_ran(FETCH(&site, "-O", site_url(&site, "/hello")), 0, "");
    assert_file("hello", "hello\n");
    ck_assert_refused(FETCH(&site, "-O", site_url(&site, "/")), 23, "no file name");
    ck_assert_refused(FETCH(&site, "-O", site_url(&site, "/a/..")), 23, "no file name");
    site_end(&site);
}
END_TEST

START_TEST(fetch__output_dir_and_create_dirs)
{
    site_begin(&site);
    ck_assert_refused(FETCH(&site, "-O", "--output-dir", "sub", site_url(&site, "/hello")), 23,
                      "cannot write \"sub/hello\"");
    ck_assert_ran(FETCH(&site, "-O", "--output-dir", "sub", "--create-dirs", "-o", "a/b",
                        site_url(&site, "/hello"), site_url(&site, "/hello2")),
                  0, "");
    assert_file("sub/hello", "hello\n");
    assert_file("sub/a/b", "hello again\n");
    (void)unlink(site_path(&site, "sub/a/b"));
    (void)unlink(site_path(&site, "sub/hello"));
    (void)rmdir(site_path(&site, "sub/a"));
    (void)rmdir(site_path(&site, "sub"));
    site_end(&site);
}
END_TEST

START_TEST(fetch__a_list_has_comments_and_names)
{
    char list[1024];

    site_begin(&site);
    (void)snprintf(list, sizeof(list), "# a comment\n\n%s\tnamed\r\n  %s\n",
                   site_url(&site, "/hello"), site_url(&site, "/hello2"));
    ck_assert_ran(FETCH_INPUT(&site, list, "--input-file", "-"), 0, "hello again\n");
    assert_file("named", "hello\n");
    ck_assert_ran(FETCH_INPUT(&site, list, "-O", "--url", "@-"), 0, "");
    assert_file("hello2", "hello again\n");
    free(test_file(site.dir, "list", list));
    ck_assert_ran(FETCH(&site, "--input-file=list", site_url(&site, "/chunked")), 0,
                  "hello again\nchunked");
    ck_assert_refused(FETCH(&site, "--input-file", "missing"), 26, "\"missing\"");
    site_end(&site);
}
END_TEST

START_TEST(fetch__out_null_prints_nothing_and_writes_nothing)
{
    site_begin(&site);
    ck_assert_ran(FETCH(&site, "--out-null", "-o", "file", site_url(&site, "/hello"),
                        site_url(&site, "/hello")),
                  0, "");
    assert_no_file("file");
    ck_assert_uint_eq(test_server_num_requests(site.server), 2);
    site_end(&site);
}
END_TEST

START_TEST(fetch__repeats_the_whole_list)
{
    site_begin(&site);
    ck_assert_ran(FETCH(&site, "-n", "3", site_url(&site, "/hello"), site_url(&site, "/chunked")),
                  0, "hello\nchunkedhello\nchunkedhello\nchunked");
    ck_assert_uint_eq(test_server_num_requests(site.server), 6);
    site_end(&site);
}
END_TEST

enum {
    NUM_AT_ONCE = 3,
    WITHIN_MS = 20000
};

struct crowd {
    atomic_int now, most;
};

/* answer_a_crowd answers nobody until so many have asked at once; that was all it can be. */
static void answer_a_crowd(struct test_peer *peer, const struct test_request *request, void *user)
{
    struct crowd *crowd = user;
    int now = atomic_fetch_add(&crowd->now, 1) + 1;
    int most = atomic_load(&crowd->most);

    (void)request;
    while (now > most && !atomic_compare_exchange_weak(&crowd->most, &most, now)) {
    }
    for (int ms = 0; ms < WITHIN_MS && atomic_load(&crowd->most) < NUM_AT_ONCE; ms++) {
        (void)poll(NULL, 0, 1);
    }
    (void)atomic_fetch_sub(&crowd->now, 1);
    test_peer_reply(peer, 200, NULL, "hello");
}

START_TEST(fetch__concurrency_is_how_many_ask_at_once)
{
    struct crowd crowd = {0};

    site_begin(&site);
    ck_assert_ran(FETCH(&site, "-n50", "-c", "1", "--out-null", site_url(&site, "/hello")), 0, "");
    ck_assert_uint_eq(test_server_num_connections(site.server), 1);
    test_server_stop(site.server);
    site.server = test_server_start(answer_a_crowd, &crowd, NULL);
    ck_assert_ran(FETCH(&site, "-n50", "--parallel-max=3", "--out-null", site_url(&site, "/")), 0,
                  "");
    ck_assert_int_eq(atomic_load(&crowd.most), NUM_AT_ONCE);
    site_end(&site);
}
END_TEST

START_TEST(fetch__one_file_is_not_written_by_two_transfers)
{
    const char *url;

    site_begin(&site);
    url = site_url(&site, "/hello");
    ck_assert_refused(FETCH(&site, "-o", "same", "-o", "same", url, url), 2, "\"same\"");
    ck_assert_refused(FETCH(&site, "-n2", "-o", "same", url), 2, "\"same\"");
    ck_assert_ran(FETCH(&site, "-n2", "-o", "/dev/null", "-o", "/dev/null", url, url), 0, "");
    ck_assert_uint_eq(test_server_num_requests(site.server), 4);
    site_end(&site);
}
END_TEST

START_TEST(fetch__a_file_appears_with_the_first_byte)
{
    site_begin(&site);
    ck_assert_code(FETCH(&site, "-s", "-o", "failed", site_url(&site, "/empty")), 52);
    assert_no_file("failed");
    ck_assert_ran(FETCH(&site, "-o", "empty", site_url(&site, "/none")), 0, "");
    assert_file("empty", "");
    ck_assert_code(FETCH(&site, "-s", "-o", "partial", site_url(&site, "/cut")), 18);
    assert_file("partial", "short");
    site_end(&site);
}
END_TEST

START_TEST(fetch__remove_on_error_removes_a_partial_file_only)
{
    site_begin(&site);
    ck_assert_code(
        FETCH(&site, "-s", "--remove-on-error", "-o", "partial", site_url(&site, "/cut")), 18);
    assert_no_file("partial");
    ck_assert_ran(FETCH(&site, "--remove-on-error", "-o", "whole", site_url(&site, "/hello")), 0,
                  "");
    assert_file("whole", "hello\n");
    site_end(&site);
}
END_TEST

START_TEST(fetch__include_prints_every_head_as_it_came)
{
    static const char hello[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Case: KePt\r\n"
                                "Set-Cookie: a=b\r\nContent-Length: 6\r\n\r\n";
    char expected[1024];

    site_begin(&site);
    (void)snprintf(expected, sizeof(expected), "%shello\n", hello);
    ck_assert_ran(FETCH(&site, "-i", site_url(&site, "/hello")), 0, expected);
    ck_assert_ran(FETCH(&site, "-I", site_url(&site, "/hello")), 0, hello);
    ck_assert_ran(FETCH(&site, "--include", "-o", "file", site_url(&site, "/hello")), 0, "");
    assert_file("file", expected);
    ck_assert_ran(FETCH(&site, "-i", site_url(&site, "/interim")), 0,
                  "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    (void)snprintf(expected, sizeof(expected),
                   "HTTP/1.1 302 Because\r\nContent-Length: 5\r\nLocation: /hello\r\n\r\n%shello\n",
                   hello);
    ck_assert_ran(FETCH(&site, "-iL", site_url(&site, "/hop/0")), 0, expected);
    site_end(&site);
}
END_TEST

/* 32 MiB, made as they are sent. */
static void answer_endlessly(struct test_peer *peer, const struct test_request *request, void *user)
{
    char *piece = calloc(1, 1 << 20);
    bool is_long = strcmp(request->target, "/long") == 0;

    (void)user;
    test_peer_send_text(peer, is_long ? "HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n"
                                      : "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n");
    for (int i = 0; i < (is_long ? 32 : 1); i++) {
        test_peer_send(peer, piece, 1 << 20);
    }
    free(piece);
}

START_TEST(fetch__memory_does_not_grow_with_the_body)
{
    struct ran *small;
    struct ran *large;

    site_begin(&site);
    test_server_stop(site.server);
    site.server = test_server_start(answer_endlessly, NULL, NULL);
    small = FETCH(&site, "-o", "file", site_url(&site, "/short"));
    large = FETCH(&site, "-o", "file", site_url(&site, "/long"));
    ck_assert_int_eq(small->exit_code, 0);
    ck_assert_int_eq(large->exit_code, 0);
    ck_assert_int_lt(large->peak_kib, small->peak_kib + 12 * 1024);
    ran_free(small);
    ran_free(large);
    site_end(&site);
}
END_TEST

START_TEST(fetch__output_that_nobody_takes_is_a_write_error)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct program_options options = {.out_fd = full};
    int pipe_fds[2];

    ck_assert_int_ge(full, 0);
    site_begin(&site);
    const char *const args[] = {POOLED_FETCH, site_url(&site, "/hello"), NULL};
    ck_assert_refused(program_run(args, &options), 23, "standard output");
    ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
    (void)close(pipe_fds[0]);
    options.out_fd = pipe_fds[1];
    ck_assert_refused(program_run(args, &options), 23, "standard output");
    (void)close(pipe_fds[1]);
    const char *const remark[] = {POOLED_FETCH, "--out-null", "-w", "x", args[1], NULL};
    options.out_fd = full;
    ck_assert_code(program_run(remark, &options), 23);
    (void)close(full);
    ck_assert_refused(FETCH(&site, "-o", "/dev/full", site_url(&site, "/hello")), 23, "/dev/full");
    site_end(&site);
}
END_TEST

START_TEST(fetch__a_closed_standard_output_is_a_write_error)
{
    char line[512];

    site_begin(&site);
    (void)snprintf(line, sizeof(line), "exec '%s' '%s' <&- >&-", POOLED_FETCH,
                   site_url(&site, "/hello"));
    const char *const args[] = {"/bin/sh", "-c", line, NULL};
    ck_assert_refused(program_run(args, NULL), 23, "standard output");
    site_end(&site);
}
END_TEST

START_TEST(fetch__heads_go_to_a_file_in_the_order_of_their_urls)
{
    struct latch latch = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};

    site_begin(&site);
    test_server_stop(site.server);
    site.server = test_server_start(answer_in_reverse, &latch, NULL);
    ck_assert_ran(
        FETCH(&site, "-D", "heads", site_url(&site, "/first"), site_url(&site, "/second")), 0,
        "first\nsecond\n");
    assert_file("heads", "HTTP/1.1 200 Because\r\nContent-Length: 6\r\n\r\n"
                         "HTTP/1.1 200 Because\r\nContent-Length: 7\r\n\r\n");
    site_end(&site);
}
END_TEST

START_TEST(fetch__heads_in_a_file_hide_nothing)
{
    char *text;

    site_begin(&site);
    ck_assert_ran(FETCH(&site, "-D", "heads", "--out-null", site_url(&site, "/hello")), 0, "");
    text = site_file(&site, "heads");
    ck_assert_ptr_nonnull(strstr(text, "\r\nSet-Cookie: a=b\r\n"));
    free(text);
    site_end(&site);
}
END_TEST

START_TEST(fetch__heads_that_cannot_be_written_are_an_error)
{
    site_begin(&site);
    ck_assert_refused(FETCH(&site, "-D", "/dev/full", "--out-null", site_url(&site, "/hello")), 23,
                      "\"/dev/full\"");
    site_end(&site);
}
END_TEST

RUN_TESTS("fetch outputs", fetch__bodies_go_to_standard_output_in_the_order_of_their_urls,
          fetch__a_body_that_comes_too_early_waits_for_its_turn,
          fetch__a_long_body_that_waits_is_whole_and_comes_last,
          fetch__each_output_belongs_to_the_url_of_its_place,
          fetch__remote_name_is_the_last_part_of_the_path, fetch__output_dir_and_create_dirs,
          fetch__a_list_has_comments_and_names, fetch__out_null_prints_nothing_and_writes_nothing,
          fetch__repeats_the_whole_list, fetch__concurrency_is_how_many_ask_at_once,
          fetch__one_file_is_not_written_by_two_transfers,
          fetch__a_file_appears_with_the_first_byte,
          fetch__remove_on_error_removes_a_partial_file_only,
          fetch__include_prints_every_head_as_it_came, fetch__memory_does_not_grow_with_the_body,
          fetch__output_that_nobody_takes_is_a_write_error,
          fetch__a_closed_standard_output_is_a_write_error,
          fetch__heads_go_to_a_file_in_the_order_of_their_urls, fetch__heads_in_a_file_hide_nothing,
          fetch__heads_that_cannot_be_written_are_an_error)
