/* pooled-fetch --report=html: the page is written beside all else, and tells what happened. */

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/certs.h"
#include "support/fetch_site.h"
#include "support/run_tests.h"

static struct site site;

static void assert_has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in \"%.2000s\"", part, text);
}

START_TEST(fetch__page_is_written_beside_bodies_and_reports)
{
    char *page;
    struct ran *ran;

    site_begin(&site);
    free(test_file(site.dir, "page.html", "an older page, longer than nothing"));
    ck_assert_ran(FETCH(&site, "-s", "--report=html", site_path(&site, "page.html"),
                        site_url(&site, "/hello")),
                  0, "hello\n");
    page = site_file(&site, "page.html");
    ck_assert_int_eq(strncmp(page, "<!DOCTYPE html>\n", 16), 0);
    ck_assert_str_eq(page + strlen(page) - 8, "</html>\n");
    assert_has(page, "<h1>1 transfer from http://127.0.0.1:");
    free(page);
    ran = FETCH(&site, "-s", "--out-null", "--report=json", "--report=html",
                site_path(&site, "page.html"), site_url(&site, "/hello"));
    ck_assert_int_eq(ran->out[0], '{');
    ran_free(ran);
    ran = FETCH(&site, "-s", "--out-null", "--report=html", "-", site_url(&site, "/hello"));
    ck_assert_int_eq(strncmp(ran->out, "<!DOCTYPE html>\n", 16), 0);
    ran_free(ran);
    site_end(&site);
}
END_TEST

START_TEST(fetch__page_tells_what_happened)
{
    char *page;

    site_begin(&site);
    ck_assert_code(FETCH(&site, "-sL", "-c2", "-n5", "--out-null", "--report=html",
                         site_path(&site, "page.html"), site_url(&site, "/hello"),
                         site_url(&site, "/status/404"), site_url(&site, "/hop/0"),
                         site_url(&site, "/empty")),
                   52);
    page = site_file(&site, "page.html");
    assert_has(page, "<h1>20 transfers from ");
    assert_has(page, "<dt>Failed</dt><dd>5 <small>25.0 %");
    assert_has(page, "<tr><th scope=\"row\">404</th><td>5</td><td>25.0 %</td>");
    assert_has(page, "<tr><th scope=\"row\">(52) ");
    assert_has(page, "<th scope=\"row\">redirects followed</th><td>5</td>");
    assert_has(page, "/hop/0</bdi><br>→ <bdi>http://127.0.0.1:");
    free(page);
    site_end(&site);
}
END_TEST

START_TEST(fetch__page_that_cannot_be_written_is_told_before_anything_is_fetched)
{
    site_begin(&site);
    ck_assert_refused(
        FETCH(&site, "--report=html", "/nowhere/page.html", site_url(&site, "/hello")), 23,
        "cannot write \"/nowhere/page.html\"");
    ck_assert_uint_eq(test_server_num_connections(site.server), 0);
    ck_assert_refused(FETCH(&site, site_url(&site, "/hello"), "--report=html"), 2, "--report");
    site_end(&site);
}
END_TEST

START_TEST(fetch__page_on_a_full_disk_is_a_write_error)
{
    struct stat full;

    if (stat("/dev/full", &full) != 0) {
        return;
    }
    site_begin(&site);
    ck_assert_code(
        FETCH(&site, "-s", "--out-null", "--report=html", "/dev/full", site_url(&site, "/hello")),
        23);
    site_end(&site);
}
END_TEST

RUN_TESTS("fetch page", fetch__page_is_written_beside_bodies_and_reports,
          fetch__page_tells_what_happened,
          fetch__page_that_cannot_be_written_is_told_before_anything_is_fetched,
          fetch__page_on_a_full_disk_is_a_write_error)
