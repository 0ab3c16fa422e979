/* pooled-fetch beside the real curl: the same command lines give the same bytes, the same files and
 * the same exit code. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/fetch_site.h"
#include "support/run_tests.h"

#define CURL "/usr/bin/curl"

enum {
    WORDS_MAX = 10
};

/* Command lines, "^" between the words; those with a slash in front are paths of the site. -sS is
 * put before. */
static const char *const lines[] = {
    "/hello",
    "/hello^/hello2^/chunked",
    "-i^/hello",
    "-i^/chunked",
    "-i^/interim",
    "-i^/none",
    "-i^/old",
    "-I^/hello",
    "-Ii^/hello",
    "/big",
    "/gzip",
    "--compressed^/gzip",
    "--compressed^/hello",
    "--compressed^/bad-gzip",
    "/bad-gzip",
    "/hop/3",
    "-L^/hop/3",
    "-iL^/hop/2",
    "-L^--max-redirs^4^/hop/3",
    "-L^--max-redirs^3^/hop/3",
    "-iL^--max-redirs^1^/hop/3",
    "-L^--max-redirs^0^/hop/0",
    "-L^--max-redirs^ 2^/hop/3",
    "-L^--max-redirs^ \t+3^/hop/3",
    "-L^--max-redirs^+02^/hop/3",
    "-L^--max-redirs^ -1^/hop/3",
    "-L^--max-redirs^-0^/hop/1",
    "-L^--max-redirs^4294967296^/hop/3",
    "-L^--max-redirs^99999999999999999999^/hop/1",
    "-L^--max-redirs^5 ^/hop/1",
    "-L^--max-redirs^+-5^/hop/1",
    "-L^--max-redirs^- 1^/hop/1",
    "-L^--max-redirs^-2^/hop/1",
    "-L^--max-redirs^ ^/hop/1",
    "-L^--max-redirs^0x5^/hop/1",
    "-L^/loop",
    "-L^/to-nonsense",
    "-f^/status/404",
    "-fi^/status/404",
    "-f^/status/399",
    "--fail-with-body^/status/500",
    "--fail-with-body^-i^/status/500",
    "/status/404",
    "/cut",
    "-i^/cut",
    "/empty",
    "/reset",
    "/bad-field",
    "/bad-chunk",
    "-m^0.1^/stay",
    "-m^0.1^/drip",
    "--max-filesize^5^/hello",
    "--max-filesize^6^/hello",
    "-o^file^/hello",
    "-ofile^/hello",
    "-o^file^-i^/hello",
    "-o^file^/none",
    "-o^file^/cut",
    "-o^file^/empty",
    "-o^file^-f^/status/404",
    "-o^no/file^/hello",
    "-o^file^--output-dir^no^/hello",
    "-o^-^/hello",
    "-o^file^/hello^/hello2",
    "-O^/hello^/hello2",
    "-o^file^-L^/hop/1",
    "--remove-on-error^-o^file^/cut",
    "-w^%{http_code} %{response_code} %{size_download} %{num_redirects}\\n^/hello",
    "-w^%{url} %{url_effective} %{content_type} %{num_redirects}\\n^-L^/hop/2",
    "-w^%{method} %{http_version} %{remote_ip} %{remote_port}\\t|^/old",
    "-w^%{exitcode} %{http_code}|^/empty",
    "-w^%{http_code} %{exitcode} %{size_download}|^/cut",
    "-w^%{filename_effective}|^-o^file^/hello",
    "-w^%{num_connects}|^-o^/dev/null^/hello",
    "-w^%%{http_code} \\q%x%\\r\\n^/hello",
    "-w^%{method}^-d^x^/hello",
    "-w^%{method}^-X^PUT^/hello",
    "-w^%{method}^-L^-d^x^/hop/1",
    "-A^same^/echo",
    "-A^same^-H^X-One: 1^-H^X-Two: 2^/echo",
    "-A^same^-H^Accept:^/echo",
    "-A^same^-u^user:password^-H^Accept:^-X^PUT^/hello",
    "-A^same^-G^-d^a=1^-d^b=2^/echo",
    "-A^same^-G^--data-urlencode^a=1 2&3^/echo?x",
    "http://a b/",
    "-d",
    "-m^soon^/hello",
    "--no-such-option^/hello",
    "-f^--fail-with-body^/hello",
    "-I^-d^x^/hello",
    "http://127.0.0.1:1/",
    "-D^file^/hello",
    "-D^-^/hello",
    "-D^-^-o^file^/hello",
    "-D^file^-i^/hello",
    "-D^file^-I^/hello",
    "-D^file^-L^/hop/2",
    "-D^file^/interim",
    "-D^file^/hello^/hello2",
    "-D^file^-f^/status/404",
    "-D^file^/cut",
    "-D^file^/empty",
    "-D^file^/old",
    "-D^file^-w^%{http_code}^/hello",
    "--raw^/gzip",
    "--raw^--compressed^/gzip",
    "--compressed^--raw^/bad-gzip",
    "-r^0-4^/hello",
    "-L^--proto-redir^=http^/hop/2",
    "-L^--proto-redir^=https^/hello",
    "--proto-redir^-all^/hop/2",
    "-L^--proto-redir^=https^/hop/2",
    "-L^--proto-redir^-http^/hop/2",
    "-L^--proto-redir^=ftp,https^/hop/2",
    "--location-trusted^/hop/2",
    "--max-filesize^5^-o^file^/hello",
    "--max-filesize^5^/echo",
    "-T^missing^/hello",
    "-T^file^-d^x^/hello",
    "-F^a=@missing^/echo",
    "--json^x^-F^a=b^/echo",
    "--retry^1^/hello",
    "--retry^1^/status/404",
    "--retry^1^-f^/status/404",
    "--retry^x^/hello",
    "--retry^-1^/hello",
    "",
};

/* run_line runs one program on a line and keeps the file it may have made. */
static struct ran *run_line(const struct site *site, const char *program, const char *line,
                            char **out_file)
{
    const char *words[WORDS_MAX + 3] = {program, "-sS", NULL};
    char urls[WORDS_MAX][128];
    char *copy = strdup(line);
    char *rest = line[0] != '\0' ? copy : NULL;
    struct ran *ran;
    size_t n = 2;

    ck_assert_ptr_nonnull(copy);
    for (size_t i = 0; rest != NULL; i++) {
        const char *word = strsep(&rest, "^");
        bool is_path = word[0] == '/' && strncmp(word, "/dev/", 5) != 0;

        ck_assert_uint_lt(i, WORDS_MAX);
        words[n++] = is_path ? test_server_url(site->server, word, urls[i], sizeof(urls[i])) : word;
    }
    ran = site_fetch(site, NULL, words);
    free(copy);
    *out_file = site_file(site, "file");
    if (*out_file == NULL) {
        *out_file = site_file(site, "hello");
    }
    (void)unlink(site_path(site, "file"));
    (void)unlink(site_path(site, "hello"));
    return ran;
}

START_TEST(fetch__does_as_curl_does)
{
    struct site site;
    char *curl_file;
    char *our_file;

    site_begin(&site);
    struct ran *curl = run_line(&site, CURL, lines[_i], &curl_file);
    struct ran *ours = run_line(&site, POOLED_FETCH, lines[_i], &our_file);

    ck_assert_msg(curl->exit_code == ours->exit_code, "%s: curl %d (%s), ours %d (%s)", lines[_i],
                  curl->exit_code, curl->err, ours->exit_code, ours->err);
    ck_assert_msg(curl->out_len == ours->out_len &&
                      memcmp(curl->out, ours->out, curl->out_len) == 0,
                  "%s: curl said \"%s\", we \"%s\"", lines[_i], curl->out, ours->out);
    ck_assert_msg((curl_file == NULL) == (our_file == NULL), "%s: only one made a file", lines[_i]);
    if (curl_file != NULL) {
        ck_assert_str_eq(our_file, curl_file);
    }
    free(curl_file);
    free(our_file);
    ran_free(curl);
    ran_free(ours);
    site_end(&site);
}
END_TEST

int main(void)
{
    const struct test_loop loop = TEST_ROWS(fetch__does_as_curl_does, lines);

    if (access(CURL, X_OK) != 0) {
        fprintf(stderr, "skipped: no curl\n");
        return TEST_SKIPPED;
    }
    return run_loops("fetch curl", &loop, 1);
}
