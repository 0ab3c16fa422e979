/* Bytes of many writers, in order. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ordered.h"
#include "support/run_tests.h"

static int fd;

static char *written(size_t *out_len)
{
    off_t len = lseek(fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)len + 1);

    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(pread(fd, text, (size_t)len, 0), len);
    *out_len = (size_t)len;
    return text;
}

static void assert_written(const char *expected)
{
    size_t len = 0;
    char *text = written(&len);

    ck_assert_str_eq(text, expected);
    free(text);
}

static struct pf_ordered *begin(size_t num_ahead)
{
    fd = memfd_create("ordered", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    return pf_ordered_new(fd, num_ahead);
}

static void write_text(struct pf_ticket *ticket, const char *text)
{
    ck_assert_int_eq(pf_ticket_write(ticket, text, strlen(text)), 0);
}

START_TEST(ordered__the_first_writes_through_and_others_wait)
{
    struct pf_ordered *ordered = begin(4);
    struct pf_ticket *second = pf_ordered_begin(ordered, 1);
    struct pf_ticket *first = pf_ordered_begin(ordered, 0);
    struct pf_ticket *third = pf_ordered_begin(ordered, 2);

    write_text(third, "3");
    pf_ticket_end(third);
    write_text(second, "2a");
    assert_written("");
    write_text(first, "1a");
    assert_written("1a");
    write_text(first, "1b");
    pf_ticket_end(first);
    assert_written("1a1b");
    write_text(second, "2b");
    assert_written("1a1b2a2b");
    pf_ticket_end(second);
    assert_written("1a1b2a2b3");
    pf_ordered_free(ordered);
}
END_TEST

START_TEST(ordered__ends_with_the_one_that_is_the_last)
{
    struct pf_ordered *ordered = begin(4);
    struct pf_ticket *first = pf_ordered_begin(ordered, 0);
    struct pf_ticket *second = pf_ordered_begin(ordered, 1);
    struct pf_ticket *third = pf_ordered_begin(ordered, 2);

    write_text(third, "3a");
    write_text(second, "2a");
    pf_ordered_end_with(ordered, 1);
    pf_ordered_end_with(ordered, 2);
    write_text(third, "3b");
    pf_ticket_end(second);
    write_text(first, "1a");
    pf_ticket_end(first);
    assert_written("1a2a");
    write_text(third, "3c");
    pf_ticket_end(third);
    assert_written("1a2a");
    pf_ordered_free(ordered);
}
END_TEST

START_TEST(ordered__long_bodies_wait_in_a_file)
{
    enum {
        LEN = 1000000
    };
    struct pf_ordered *ordered = begin(2);
    struct pf_ticket *first = pf_ordered_begin(ordered, 0);
    struct pf_ticket *second = pf_ordered_begin(ordered, 1);
    char *body = malloc(LEN);
    size_t len = 0;
    char *text;

    ck_assert_ptr_nonnull(body);
    for (size_t i = 0; i < LEN; i++) {
        body[i] = (char)('a' + i % 23);
    }
    for (size_t at = 0; at < LEN; at += 50000) {
        ck_assert_int_eq(pf_ticket_write(second, body + at, 50000), 0);
    }
    pf_ticket_end(second);
    assert_written("");
    pf_ticket_end(first);
    text = written(&len);
    ck_assert_uint_eq(len, LEN);
    ck_assert_int_eq(memcmp(text, body, LEN), 0);
    free(text);
    free(body);
    pf_ordered_free(ordered);
}
END_TEST

START_TEST(ordered__a_write_that_fails_fails_them_all)
{
    struct pf_ordered *ordered;
    struct pf_ticket *first;
    struct pf_ticket *second;

    fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    ordered = pf_ordered_new(fd, 4);
    first = pf_ordered_begin(ordered, 0);
    second = pf_ordered_begin(ordered, 1);
    ck_assert_int_eq(pf_ticket_write(second, "2", 1), 0);
    ck_assert(!pf_ordered_has_failed(ordered));
    ck_assert_int_eq(pf_ticket_write(first, "1", 1), -1);
    ck_assert_int_eq(errno, ENOSPC);
    ck_assert(pf_ordered_has_failed(ordered));
    errno = 0;
    ck_assert_int_eq(pf_ticket_write(second, "2", 1), -1);
    ck_assert_int_eq(errno, ENOSPC);
    pf_ticket_end(second);
    pf_ticket_end(first);
    pf_ordered_free(ordered);
}
END_TEST

enum {
    NUM_THREADS = 8,
    NUM_TICKETS = 2000
};

static atomic_size_t next;

static void *write_numbers(void *arg)
{
    struct pf_ordered *ordered = arg;
    size_t index;

    while ((index = atomic_fetch_add(&next, 1)) < NUM_TICKETS) {
        struct pf_ticket *ticket = pf_ordered_begin(ordered, index);
        char text[32];

        (void)snprintf(text, sizeof(text), "%zu", index);
        write_text(ticket, text);
        write_text(ticket, "\n");
        pf_ticket_end(ticket);
    }
    return NULL;
}

START_TEST(ordered__many_threads_are_put_in_order)
{
    struct pf_ordered *ordered = begin(NUM_THREADS / 2); /* fewer places than threads */
    pthread_t threads[NUM_THREADS];
    size_t len = 0;
    char *text;
    char *at;

    for (int i = 0; i < NUM_THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_numbers, ordered), 0);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    text = written(&len);
    at = text;
    for (unsigned long i = 0; i < NUM_TICKETS; i++) {
        ck_assert_uint_eq(strtoul(at, &at, 10), i);
        ck_assert_int_eq(*at++, '\n');
    }
    ck_assert_int_eq(*at, '\0');
    free(text);
    pf_ordered_free(ordered);
}
END_TEST

RUN_TESTS("pooled-fetch ordered", ordered__the_first_writes_through_and_others_wait,
          ordered__ends_with_the_one_that_is_the_last, ordered__long_bodies_wait_in_a_file,
          ordered__a_write_that_fails_fails_them_all, ordered__many_threads_are_put_in_order)
