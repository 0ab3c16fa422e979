/* pooled-fetch: its progress, which only a terminal shows. A machine without pseudo-terminals (a
 * bare chroot) cannot show any: then this program is skipped. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/fetch_site.h"
#include "support/run_tests.h"

#define TEXT_MAX 65536

static struct site site;

/* open_terminal opens both sides of a pseudo-terminal. */
static bool open_terminal(int *out_ours, int *out_theirs)
{
    int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    const char *name;
    int theirs;

    if (ours < 0) {
        return false;
    }
    name = grantpt(ours) == 0 && unlockpt(ours) == 0 ? ptsname(ours) : NULL;
    theirs = name != NULL ? open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
    if (theirs < 0) {
        (void)close(ours);
        return false;
    }
    *out_ours = ours;
    *out_theirs = theirs;
    return true;
}

/* at_terminal runs pooled-fetch with standard error on a terminal and returns what that showed. */
static char *at_terminal(const char *const *args)
{
    struct program_options options = {.dir = site.dir};
    char *text = calloc(1, TEXT_MAX);
    struct program *program;
    int terminal = -1;
    size_t len = 0;
    ssize_t got;

    ck_assert_ptr_nonnull(text);
    ck_assert(open_terminal(&terminal, &options.err_fd));
    program = program_start(args, &options);
    (void)close(options.err_fd);
    while (len < TEXT_MAX - 1 && (got = read(terminal, text + len, TEXT_MAX - 1 - len)) > 0) {
        len += (size_t)got;
    }
    ran_free(program_wait(program));
    (void)close(terminal);
    return text;
}

static void assert_shown(const char *const *args, const char *part)
{
    char *text = at_terminal(args);

    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in \"%s\"", part, text);
    free(text);
}

static void assert_silent(const char *const *args)
{
    char *text = at_terminal(args);

    ck_assert_str_eq(text, "");
    free(text);
}

START_TEST(progress__of_a_file_is_a_bar_with_its_name)
{
    const char *url;

    site_begin(&site);
    url = site_url(&site, "/big");
    assert_shown((const char *const[]){POOLED_FETCH, "-o", "big", url, NULL}, "big ");
    assert_shown((const char *const[]){POOLED_FETCH, "-o", "big", url, NULL},
                 "=================================]  300.0k");
    assert_shown((const char *const[]){POOLED_FETCH, "-o", "big", url, NULL}, "done");
    site_end(&site);
}
END_TEST

START_TEST(progress__of_repeats_is_a_line_of_counts)
{
    site_begin(&site);
    assert_shown((const char *const[]){POOLED_FETCH, "--out-null", "-n", "20",
                                       site_url(&site, "/big"), NULL},
                 "20/20 done, 0 failed");
    assert_shown((const char *const[]){POOLED_FETCH, "--out-null", "-n", "2000", "-c", "1",
                                       site_url(&site, "/hello"), NULL},
                 " 1 connections open, 1 idle, 1 opened;");
    site_end(&site);
}
END_TEST

START_TEST(progress__can_be_silenced)
{
    const char *url;

    site_begin(&site);
    url = site_url(&site, "/big");
    assert_silent((const char *const[]){POOLED_FETCH, "-s", "-o", "big", url, NULL});
    assert_silent(
        (const char *const[]){POOLED_FETCH, "--no-progress-meter", "-o", "big", url, NULL});
    site_end(&site);
}
END_TEST

START_TEST(progress__is_for_terminals)
{
    struct ran *ran;

    site_begin(&site);
    ran = FETCH(&site, "-o", "big", site_url(&site, "/big"));
    ck_assert_str_eq(ran->err, "");
    ran_free(ran);
    site_end(&site);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        progress__of_a_file_is_a_bar_with_its_name,
        progress__of_repeats_is_a_line_of_counts,
        progress__can_be_silenced,
        progress__is_for_terminals,
    };
    int ours;
    int theirs;

    if (!open_terminal(&ours, &theirs)) {
        fprintf(stderr, "skipped: no pseudo-terminals\n");
        return TEST_SKIPPED;
    }
    (void)close(ours);
    (void)close(theirs);
    return run_tests("progress", tests, sizeof(tests) / sizeof(tests[0]));
}
