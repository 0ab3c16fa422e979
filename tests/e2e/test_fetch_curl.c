/* pooled-fetch beside the real curl: the same command lines give the same bytes, the same files and
 * the same exit code. */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/count_of.h"
#include "support/fetch_site.h"
#include "support/run_tests.h"

#define CURL "/usr/bin/curl"

enum {
    WORDS_MAX = 10,
    FILES_MAX = 1 << 20
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
    "-m^0.7^/drip",
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
    "-C^5^/ranged",
    "-C^-^/ranged",
    "-C^0^/ranged",
    "-C^5^-o^part^/ranged",
    "-C^-^-o^part^/ranged",
    "-C^-^-o^missing^/ranged",
    "-C^-^-o^whole^/ranged",
    "-C^-^-f^-o^whole^/ranged",
    "-C^30^/ranged",
    "-C^30^-f^/ranged",
    "-C^5^/hello",
    "-C^6^/hello",
    "-C^5^-o^part^/hello",
    "-C^-^-o^part^/hello2",
    "-C^-^-o^part^/status/404",
    "-C^-^-f^-o^part^/status/404",
    "-C^-^-o^part^/none",
    "-C^-^-o^part^/empty",
    "-C^-^-w^%{http_code} %{size_download}^-o^part^/ranged",
    "-C^x^/ranged",
    "--continue-at^5^-i^/ranged",
    "-r^3-^/ranged",
    "-OJ^/named",
    "-OJ^/named-above",
    "-OJ^/hello",
    "-JO^--output-dir^.^/named",
    "-J^/named",
    "-J^-o^file^/named",
    "-OJ^-w^%{filename_effective}^/named",
    "-OJi^/named",
    "-O^--no-clobber^/hello^/hello",
    "--no-clobber^-o^part^/hello",
    "--no-clobber^-o^part^-w^%{filename_effective}^/hello",
    "--remote-name-all^/hello^/hello2",
    "--remote-name-all^-o^file^/hello^/hello2",
    "-O^/hello?q=1",
    "-R^-o^file^/dated",
    "-z^20151021 07:28:00^/dated",
    "-z^Wed, 21 Oct 2015 07:27:59 GMT^/dated",
    "-z^-Wed, 21 Oct 2015 07:27:59 GMT^/dated",
    "-z^Thu, 22 Oct 2015 07:28:00 GMT^/dated",
    "-z^20160101^-o^file^/dated",
    "-z^20160101^-w^%{http_code}^/dated",
    "-z^20160101^/hello",
    "-z^20160101^-A^same^/echo",
    "-z^-20160101^-A^same^/echo",
    "-z^part^-o^file^/dated",
    "--etag-compare^etag^/ranged",
    "--etag-compare^etag^-w^%{http_code}^-o^file^/ranged",
    "--etag-compare^part^/ranged",
    "--etag-compare^missing^-A^same^/echo",
    "--etag-save^file^/ranged",
    "--etag-save^file^--etag-compare^file^/ranged",
    "--etag-save^etag^/hello",
    "--etag-save^file^/none",
    "--etag-save^etag^--etag-compare^etag^-o^file^/ranged",
    "--etag-save^file^-f^/status/404",
    "--etag-save^file^-o^body^/hop/1",
    "--etag-save^file^--etag-compare^file^-o^body^/dated",
    "-b^a=1^-A^same^/echo",
    "-b^a=1; b=2^-A^same^/echo",
    "-b^a=1^-L^/hop/2",
    "--cookie^a=1^-H^X: y^-A^same^/echo",
    "-A^same^--url-query^a=1^/echo",
    "-A^same^--url-query^a=x y&z^/echo",
    "-A^same^--url-query^a=1^--url-query^b=2^/echo?c",
    "/{hello,hello2}",
    "/hello{,2}",
    "/hop/[0-2]",
    "-L^/hop/[0-2]",
    "-w^%{url}\\n^/status/[200-202]",
    "-w^%{url}\\n^/status/[200-206:3]",
    "-w^%{url}\\n^/status/[0200-0202]",
    "-w^%{url}\\n^/[a-c]/{x,y}",
    "-o^f#1^/status/[200-202]",
    "-o^f#3^/status/[200-200]",
    "/hello[",
    "/hello[9-1]",
    "/hello{a",
    "/hello}",
    "http://[::1",
    "-K^config^/hello",
    "--config^config-urls",
    "-K^missing^/hello",
    "--limit-rate^1M^/big",
    "--limit-rate^100x^/hello",
    "-Y^1^-y^5^/hello",
    "-y^1^-Y^1000^/drip",
    "--max-time^5^--connect-timeout^5^/hello",
    "--proto^=http^/hello",
    "--proto^=https^/hello",
    "--proto^-http^/hello",
    "--proto-default^ftp^/hello",
    "--disallow-username-in-url^http://u:p@127.0.0.1:1/",
    "--no-silent^-o^file^/hello",
    "--no-fail^/status/404",
    "-f^--no-fail^/status/404",
    "--inc^/hello",
    "--fail-w^/status/404",
    "--ran^0-1^/ranged",
    "--compr^/gzip",
    "--http1.1^/hello",
    "-N^/hello",
    "-Z^/hello^/hello2",
    "-Z^--parallel-max^2^/hello^/hello2",
    "--tcp-nodelay^/hello",
    "--no-keepalive^/hello",
    "--keepalive-time^5^/hello",
    "--styled-output^-i^/hello",
    "--tlsv1^/hello",
    "--tlsv1.2^/hello",
    "--cert-type^PEM^/hello",
    "--stderr^file^/hello",
    "--suppress-connect-headers^-i^/hello",
    "-w^%{redirect_url}|^/hop/2",
    "-w^%{redirect_url}|^-L^/hop/2",
    "-w^%header{content-type}|%header{x-none}|^/hello",
    "-w^%{stderr}x%{stdout}y^/hello",
    "-w^%{num_headers}|^/hello",
    "-o^f#1_#2^/status/{20,30}[0-1]",
    "-w^%{onerror}no^/hello",
    "-w^%{onerror}yes^/empty",
    "-w^%{ssl_verify_result} %{referer}|^-e^http://r/^/hello",
    "-I^/dated",
    "-I^-o^file^/dated",
    "-sSfLo^file^/hop/1",
    "-sSfLO^/hello",
    "-fsSL^-o^/dev/null^-w^%{http_code}^/hop/3",
    "--fail-early^/empty^/hello",
    "-o^/dev/null^-o^/dev/null^/hello^/hello2",
    "-w^%{size_download}^-I^/hello",
    "-w^%{size_download}^-z^20160101^/dated",
    "-w^%{size_download}^--fail-with-body^/status/404",
    "-sI^/hello",
    "-IL^/hop/2",
    "--head^--location^/hop/1",
    "-sSIL^-o^/dev/null^-w^%{url_effective} %{http_code}^/hop/3",
    "-w^\\n%{http_code}\\n^/hello",
    "-w^@format^/hello",
    "-w^%{content_type}\\n^-o^/dev/null^/hello",
    "-w^%{urlnum} ^/hello^/hello2",
    "-X^DELETE^/hello",
    "-X^OPTIONS^-i^/hello",
    "-X^POST^/hello",
    "-X^GET^-I^/hello",
    "-k^/hello",
    "-4^/hello",
    "-kfsSL^/hop/1",
    "-o^a^/hello^-o^b^/hello2",
    "-O^-O^/hello^/hello2",
    "-o^a^/hello^-O^/hello2",
    "/hello^-o^a^/hello2",
    "-o^/dev/null^/hello^/hello2",
    "-O^/hello^/hello2^-o^c",
    "-LO^/hop/1",
    "-O^/",
    "-O^/hello/",
    "-OJL^/to//named",
    "-#^-o^file^/hello",
    "-D^-^-o^/dev/null^/hello",
    "-sD-^-o^/dev/null^/hop/1",
    "-sD-^-oout^-L^/hop/1",
    "-D^/dev/null^/hello",
    "-D^/dev/stdout^/hello",
    "-iL^/to//gzip",
    "--compressed^-i^/gzip",
    "--compressed^-I^/gzip",
    "--compressed^-o^file^/gzip",
    "-iL^--compressed^/to//gzip",
    "-C^-^-O^/ranged",
    "-C^-^-OL^/to//ranged",
    "-r^0-4^-o^file^/ranged",
    "-r^5-^-i^/ranged",
    "-fL^/to//status/404",
    "-fsS^/status/500",
    "-fsSLo^file^/to//status/404",
    "--fail^--silent^--show-error^--location^/hop/1",
    "--url^/hello",
    "--url^/hello^-o^file",
    "--url^/hello^--url^/hello2",
    "-q^/hello",
    "-L^--no-location^/hop/1",
    "--no-location^/hop/1",
    "/hello#frag",
    "/a/../hello",
    "/./hello",
    "/hello?q=[1-2]",
    "/hello?q={a,b}",
    "-w^%{url_effective}^/hello#frag",
    "-w^%{url_effective}^/a/../hello",
    "-w^%{url_effective}^/hello?a b",
    "/a b",
    "-T^{part,whole}^-w^%{url_effective}^/status/200/",
    "-T^{part,whole}^-w^%{url_effective}^/status/20[0-1]/",
    "-T^part^-f^/status/500",
    "-T^part^/hello",
    "-T^missing^-o^file^/hello",
    "-F^a=b^-o^file^/hello",
    "-RO^/dated",
    "-R^-o^file^/hello",
    "--remove-on-error^-f^-o^file^/status/404",
    "--remove-on-error^-o^part^/cut",
    "--no-progress-meter^-O^/hello",
    "--fail-with-body^-o^file^/status/404",
    "--fail-with-body^-O^-w^%{http_code}^/status/404",
    "-f^-o^file^-w^%{filename_effective} %{size_download}^/status/404",
    "-L^/to-ftp",
    "-L^-w^%{url_effective} %{num_redirects} %{http_code}^--max-redirs^1^/hop/3",
    "--retry^1^http://127.0.0.1:1/",
    "--retry-connrefused^--retry^0^http://127.0.0.1:1/",
    "HTTP://127.0.0.1:1/",
    "127.0.0.1:1/",
    "http://127.0.0.1:0/",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:1x/",
    "http://",
    "http://[::1]:1/",
    "http://user@127.0.0.1:1/",
    "http://:80/",
    "foo://127.0.0.1/",
    "mailto:somebody",
    "-x^^/hello",
    "--noproxy^*^/hello",
    "-x^http://127.0.0.1:1^--noproxy^127.0.0.1^/hello",
    "-x^127.0.0.1:1^/hello",
    "-U^a:b^/hello",
    "--tlsv1.3^/hello",
    "--tls-max^1.2^/hello",
    "--interface^127.0.0.1^/hello",
    "--interface^lo^/hello",
    "-H^Host: x^/hello",
    "-H^X-Empty;^-H^X-Gone:^/hello",
    "-G^-d^a=1^/hello",
    "-d^a^-X^GET^/hello",
    "-m^0^/hello",
    "-m^-1^/hello",
    "--connect-timeout^0.5^/hello",
    "--connect-timeout^x^/hello",
    "-K^config^-o^file^/hello",
    "-L^-o^file^/hop/2^-o^file2^/hop/1",
    "-Lf^-o^file^/hop/2",
    "-o^file^/big",
    "-o^file^-w^%{size_download}^/big",
    "--no-buffer^/hello",
    "-sS^--no-fail^-f^/status/404",
    "-i^/status/204",
    "-i^/status/304",
    "-I^/status/404",
    "-fI^/status/404",
    "-i^/status/500",
    "-o^file^/status/204",
    "-O^/status/204",
    "--max-filesize^10^/chunked",
    "--max-filesize^1k^/big",
    "-y^1^-Y^1^/hello",
    "-e^http://a/^-L^/hop/1",
    "--data-urlencode^q=a b^-G^/hello",
    "--data-raw^@x^/hello",
    "--json^{}^-o^file^/hello",
    "--json^{}^-f^/status/422",
    "-T^-^/hello",
    "-b^a=b^-L^/hop/1",
    "--location-trusted^-u^a:b^/hop/1",
    "-u^a:b^-f^/status/401",
    "-X^PUT^-d^x^-o^/dev/null^-w^%{http_code}^/status/201",
    "-o",
    "-m",
    "--no-such",
    "-!",
    "-L",
    "--url",
    "-i^-D^file^/hop/1",
    "-vs^/hello",
    "-N^-i^/chunked",
    "--raw^/hello",
    "--suppress-connect-headers^/hello",
    "--no-keepalive^-H^Connection: close^/hello^/hello2",
    "--create-dirs^-o^file^/hello",
    "--output-dir^.^-O^/hello",
    "--output-dir^.^-o^file^/hello",
    "--output-dir^.^/hello",
    "",
};

/* Files that are there before each run. */
static const struct {
    const char *name, *text;
} files[] = {
    {"part",        "abcde"                                                 },
    {"whole",       "abcdefghijklmnopqrstuvwxyz"                            },
    {"etag",        "\"abc\"\n"                                             },
    {"format",      "%{http_code}|\n"                                       },
    {"config",      "# comment\ninclude\nuser-agent = \"a \\\"b\\\"\"\n-L\n"},
    {"config-bad",  "no-such-option-as-this\n"                              },
    {"config-urls", "url = \"http://127.0.0.1:1/\"\nsilent\nmax-time 5\n"   },
};

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* take_files lists all files of the site's folder with what is in them, and removes them. For
 * free(). */
static char *take_files(const struct site *site)
{
    struct dirent **entries = NULL;
    int count = scandir(site->dir, &entries, is_file, alphasort);
    char *text = calloc(1, FILES_MAX);

    ck_assert(count >= 0 && text != NULL);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        char *content = site_file(site, name);
        struct stat info;
        size_t len = strlen(text);

        ck_assert_int_eq(stat(site_path(site, name), &info), 0);
        (void)snprintf(text + len, FILES_MAX - len, "%s %o %lld: %s|", name, info.st_mode,
                       info.st_mtime < 1500000000 ? (long long)info.st_mtime : 0, content);
        (void)unlink(site_path(site, name));
        free(content);
        free(entries[i]);
    }
    free((void *)entries);
    return text;
}

/* run_line runs one program on a line and keeps the files that are there then. */
static struct ran *run_line(const struct site *site, const char *program, const char *line,
                            char **out_files)
{
    const char *words[WORDS_MAX + 3] = {program, "-sS", NULL};
    char urls[WORDS_MAX][128];
    char *copy = strdup(line);
    char *rest = line[0] != '\0' ? copy : NULL;
    struct ran *ran;
    size_t n = 2;

    ck_assert_ptr_nonnull(copy);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        free(test_file(site->dir, files[i].name, files[i].text));
    }
    for (size_t i = 0; rest != NULL; i++) {
        const char *word = strsep(&rest, "^");
        bool is_path = word[0] == '/' && strncmp(word, "/dev/", 5) != 0;

        ck_assert_uint_lt(i, WORDS_MAX);
        words[n++] = is_path ? test_server_url(site->server, word, urls[i], sizeof(urls[i])) : word;
    }
    ran = site_fetch(site, NULL, words);
    free(copy);
    *out_files = take_files(site);
    return ran;
}

START_TEST(fetch__does_as_curl_does)
{
    struct site site;
    char *curl_files;
    char *our_files;

    site_begin(&site);
    struct ran *curl = run_line(&site, CURL, lines[_i], &curl_files);
    struct ran *ours = run_line(&site, POOLED_FETCH, lines[_i], &our_files);

    ck_assert_msg(curl->exit_code == ours->exit_code, "%s: curl %d (%s), ours %d (%s)", lines[_i],
                  curl->exit_code, curl->err, ours->exit_code, ours->err);
    ck_assert_msg(curl->out_len == ours->out_len &&
                      memcmp(curl->out, ours->out, curl->out_len) == 0,
                  "%s: curl said \"%s\", we \"%s\"", lines[_i], curl->out, ours->out);
    ck_assert_msg(strcmp(curl_files, our_files) == 0, "%s: curl's files are \"%s\", ours \"%s\"",
                  lines[_i], curl_files, our_files);
    free(curl_files);
    free(our_files);
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
