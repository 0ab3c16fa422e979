/* pooled-fetch beside the real curl, on the wire: the same command lines send the same request.
 * Field lines are compared without their order, multipart bodies without their boundary. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/fetch_site.h"
#include "support/run_tests.h"

#define CURL "/usr/bin/curl"

enum {
    WORDS_MAX = 12,
    LINES_MAX = 64,
    BIG_LEN = 1024 * 1024 + 1
};

/* Command lines, "|" between the words. One that begins with a slash is a path of the site, "USER"
 * before it says a user and password, "OTHER" in it is the site under another name. -sS -A same are
 * put before, standard input is "typed\n". */
static const char *const lines[] = {
    "--expect100-timeout|1|-d|x|/echo",
    "--basic|-u|a:b|/echo",
    "-b|a=1|-b|b=2|/echo",
    "-b|a=1|-L|/hop/1",
    "-b|a=1|-d|x|/echo",
    "--url-query|a=1|-d|b=2|/echo",
    "--url-query|+a b=1|/echo",
    "-z|20160101|-d|x|/echo",
    "-r|5-|-b|a=1|/echo",
    "-C|5|/echo",
    "/echo",
    "-A|first|-A|last|/echo",
    "-A||/echo",
    "-A|option|-H|User-Agent: field|/echo",
    "-e|http://a.test/|/echo",
    "-e|http://a.test/|-e|http://b.test/|/echo",
    "-e||/echo",
    "-H|X-One: 1|-H|X-Two: 2|-H|X-One: 3|/echo",
    "-r|0-4|/echo",
    "-r|0-4|-r|1-2|/echo",
    "-r|-5|/echo",
    "-r|5|/echo",
    "-r|0-1,4-5|/echo",
    "-r|0-4|-H|Range: bytes=7-8|/echo",
    "-L|-r|0-4|/to//echo",
    "-u|user:password|/echo",
    "-u|user:|/echo",
    "-u|first:1|-u|last:2|/echo",
    "-u|user:password|--oauth2-bearer|token|/echo",
    "-u|user:password|-H|Authorization: own|/echo",
    "-u|user:password|-H|Authorization:|/echo",
    "--oauth2-bearer|token|/echo",
    "-L|-u|user:password|/to//echo",
    "-L|-u|user:password|/to/OTHER/echo",
    "-L|--oauth2-bearer|token|/to/OTHER/echo",
    "-L|-H|Authorization: own|-H|Cookie: a=b|-H|X-One: 1|/to/OTHER/echo",
    "USER/echo",
    "-u|user:password|USER/echo",
    "--oauth2-bearer|token|USER/echo",
    "-H|Authorization:|USER/echo",
    "-H|Authorization: own|USER/echo",
    "-L|USER/to//echo",
    "-L|USER/to/OTHER/echo",
    "-H|Accept-Encoding: x|--compressed|/echo",
    "-H|Accept-Encoding:|--compressed|/echo",
    "-T|lines|/echo",
    "-T|lines|-H|Expect:|/echo",
    "-T|lines|-H|Expect: 100-continue|/echo",
    "-T|lines|-H|Content-Type: x/y|/echo",
    "-T|lines|-H|Transfer-Encoding: chunked|/echo",
    "-T|empty|/echo",
    "-T||/echo",
    "-T|-|/echo",
    "-T|.|-H|Expect:|/echo",
    "-T|lines|/echo/",
    "-T|we\"ird name.txt|/echo/",
    "-T|./lines|/echo/?query",
    "-T|-|/echo/",
    "-T|lines|-X|POST|/echo",
    "-T|lines|/echo|/hello",
    "-L|-T|lines|/via/301//echo",
    "-L|-T|lines|/via/303//echo",
    "-L|-T|lines|/via/307//echo",
    "-L|-T|-|/via/307//echo",
    "-L|-T|-|/via/303//echo",
    "-L|-T|-|/echo",
    "-T|-|/via/307//echo",
    "--limit-rate|1M|-T|lines|/echo",
    "--limit-rate|1M|-T|empty|/echo",
    "--limit-rate|1M|-T|-|/echo",
    "--limit-rate|1M|-d|a=1|/echo",
    "--limit-rate|1M|-d||/echo",
    "--limit-rate|1M|-L|-T|lines|/via/307//echo",
    "--limit-rate|1M|-L|-T|-|/via/307//echo",
    "--limit-rate|1M|-L|-d|x|/via/308//echo",
    "--limit-rate|20M|--data-binary|@big|/echo",
    "--data-binary|@big|/echo",
    "--data-binary|@big|-H|Expect:|/echo",
    "-d|a=1|-H|Expect: 100-continue|/echo",
    "-L|--post301|-d|x|/via/301//echo",
    "-L|--post302|-d|x|/via/302//echo",
    "-L|--post303|-d|x|/via/303//echo",
    "-L|--post301|-d|x|/via/302//echo",
    "-L|--post302|-d|x|/via/303//echo",
    "-L|--post303|-d|x|/via/301//echo",
    "--location-trusted|-u|user:password|/to/OTHER/echo",
    "--location-trusted|-H|Cookie: a=b|/to/OTHER/echo",
    "--location-trusted|USER/to/OTHER/echo",
    "-L|-d|x|-H|Cookie: a=b|/via/307/OTHER/echo",
    "-F|a=b|-F|c=d;type=text/x|/echo",
    "-F|a=|/echo",
    "-F|a= b |/echo",
    "-F|a=b=c,d|/echo",
    "-F|f=@lines|/echo",
    "-F|f=@page.html|/echo",
    "-F|f=@lines;type=application/x|/echo",
    "-F|f=@lines;filename=other.html|/echo",
    "-F|f=@page.html;filename=other.zzz|/echo",
    "-F|f=@lines;filename=\"a;b\\\"c.txt\"; type=x/y|/echo",
    "-F|f=@lines;filename=|/echo",
    "-F|f=@\"we\\\"ird name.txt\"|/echo",
    "-F|f=@\"comma,name.txt\";type=x/y|/echo",
    "-F|f=<lines|-F|g=<lines;type=text/h|-F|h=<lines;filename=z.html|/echo",
    "-F|f=@-|/echo",
    "-F|f=@-;filename=page.html|/echo",
    "-F|f=<-|/echo",
    "-F|a=\"b;c\";type=x/y|/echo",
    "-F|a=\"b\\\"c\\\\d\\e\"|/echo",
    "-F|a=b; type=text/z; charset=utf-8;filename=x.txt|/echo",
    "-F|a=b;filename=x.html|/echo",
    "-F|a=b;filename=x.zzz|/echo",
    "-F|a=b;headers=X-A: b|/echo",
    "-F|a=b;headers=\"X-A: b\";type=t/u|/echo",
    "-F|a\\\"b=c|/echo",
    "-F|a\\b\r\n\"c=d|/echo",
    "-F|\xc3\xa9=\xc3\xa9|/echo",
    "--form-string|a=@f;type=x/y|/echo",
    "--form-string|a=\"b\"|/echo",
    "-F|a=b|-X|PUT|/echo",
    "-F|a=b|-H|Content-Type: multipart/form-data|/echo",
    "-F|a=b|-H|Expect: 100-continue|/echo",
    "-F|f=@big|/echo",
    "-F|f=@big|-H|Expect:|/echo",
    "-L|-F|a=b|/via/302//echo",
    "-L|-F|f=@lines|/via/307//echo",
    "-L|--post301|-F|f=@lines|/via/301//echo",
    "-F|f=<missing|/echo",
    "-F|nothing|/echo",
    "-F|a=b;type=x|/echo",
    "-F|a=b|-d|x|/echo",
    "-F|a=b|-T|lines|/echo",
    "-F|a=b|-I|/echo",
    "-d|a=1|/echo",
    "-d|a=1|-d|b=2|/echo",
    "-d|@lines|/echo",
    "-d|@-|/echo",
    "-d||/echo",
    "--data-binary|@lines|/echo",
    "-d|@lines|--data-binary|@lines|/echo",
    "--data-raw|@lines|/echo",
    "--data-urlencode|a b|--data-urlencode|=c d|--data-urlencode|n=e&f|/echo",
    "--data-urlencode|n@lines|--data-urlencode|@lines|/echo",
    "--data-urlencode|\xc3\xa9~!*()'-._|/echo",
    "--json|{\"a\":1}|/echo",
    "--json|{|--json|}|/echo",
    "--json|@lines|/echo",
    "--json|a|-d|b|/echo",
    "-d|a|--json|b|/echo",
    "--json|a|-H|Accept: x/y|-H|Content-Type: y/z|/echo",
    "-X|PUT|--json|a|/echo",
    "-G|-d|a=1|-d|b=2|/echo",
    "-G|-d|a=1|/echo?b=2",
    "-G|/echo",
    "-G|-d||/echo",
    "-G|--json|a|/echo",
    "-L|-d|x|/via/301//echo",
    "-L|-d|x|/via/302//echo",
    "-L|-d|x|/via/303//echo",
    "-L|-d|x|/via/307//echo",
    "-L|-d|x|/via/308//echo",
    "-L|--proto-redir|=http|/to//echo",
    "-L|--proto-redir|-https|/to//echo",
    "-L|--proto-redir|=https,http|/to//echo",
    "-X|DELETE|/echo",
    "-X|OPTIONS|/echo",
    "-X|PATCH|-d|{}|-H|Content-Type: application/json|/echo",
    "-X|DELETE|-d|x|/echo",
    "-X|post|-d|x|/echo",
    "-X|PUT|-d|a=1|/echo",
    "-X|GET|-d|a=1|/echo",
    "-H|X-Gone:|/echo",
    "-H|X-Blank: |/echo",
    "-H|Host: other.test|/echo",
    "-H|Accept: application/json|/echo",
    "-H|accept:|/echo",
    "-H|Connection: close|/echo",
    "-H|@fields|/echo",
    "-H|Content-Length: 3|-d|abc|/echo",
    "-H|Transfer-Encoding: chunked|-d|abc|/echo",
    "-H|Content-Type:|-d|abc|/echo",
    "-H|Content-Type: text/plain|-d|@lines|/echo",
    "-H|Content-Type: application/json|--data-binary|@lines|/echo",
    "-H|Cookie: a=b|-b|c=d|/echo",
    "-H|Authorization: Bearer t|/echo",
    "-H|Authorization: Bearer t|-L|/to//echo",
    "-H|Accept-Encoding: gzip|/echo",
    "-H|Range: bytes=0-4|/echo",
    "-H|If-None-Match: \"x\"|/echo",
    "-H|Origin: http://a.test|-X|OPTIONS|/echo",
    "-G|--data-urlencode|q=a b|/echo",
    "-G|-d|a=1|--data-urlencode|b=c&d|/echo?z",
    "/echo?a=b&c=d",
    "/echo/~user",
    "/echo/./x",
    "/echo/x/../y",
    "/echo#frag",
    "/echo?",
    "/echo?a:b@c",
    "/echo?a=%20+",
    "/echo//x",
    "/echo;p=1",
    "/echo/{a}",
    "--json|@-|/echo",
    "--json|{}|-X|PATCH|/echo",
    "--json|{}|-H|Authorization: Bearer t|/echo",
    "--oauth2-bearer|t|-d|x|/echo",
    "-b|a=1; b=2|-b|c=3|/echo",
    "-e|http://r/|-L|/to//echo",
    "-A||-H|X: y|/echo",
    "-u|user:pa:ss|/echo",
    "-u|us er:p@ss|/echo",
    "-u|\xc3\xa9:p|/echo",
    "-u|:|/echo",
    "-d|@empty|/echo",
    "-d|@lines|-d|@lines|/echo",
    "--data-ascii|a=b|/echo",
    "--data-binary|@page.html|/echo",
    "--data-binary|@-|/echo",
    "--data-urlencode|@lines|/echo",
    "-T|lines|-u|a:b|/echo",
    "-T|li{n}es|/echo/",
    "-g|-T|{lines,empty}|/echo/",
    "-T|{lines|/echo/",
    "-T|lines|-H|X-A: b|/echo/",
    "-F|a=b|-F|f=@lines|-H|X: y|/echo",
    "-F|a=b|-u|a:b|/echo",
    "-F|f=@lines;type=text/csv|-F|n=1|/echo",
    "-F|f=@missing|/echo",
    "-L|-H|X: y|/via/308//echo",
    "-L|-d|x|-X|PUT|/via/307//echo",
    "-L|-u|a:b|-d|x|/via/307//echo",
    "-r|0-|/echo",
    "-r|0-4,|/echo",
    "-z|Wed, 21 Oct 2015 07:28:00 GMT|/echo",
    "-I|/echo",
    "-s|-k|-4|/echo",
};

/* --- one request in a form to compare --------------------------------------------------------- */

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void replace_all(char *text, const char *what, const char *with)
{
    size_t what_len = strlen(what);
    size_t with_len = strlen(with);

    for (char *at = strstr(text, what); at != NULL; at = strstr(at + with_len, what)) {
        memcpy(at, with, with_len);
        memmove(at + with_len, at + what_len, strlen(at + what_len) + 1);
    }
}

/* hide_boundary puts "B" for a multipart body's boundary, and hides the length that depends on it.
 */
static void hide_boundary(char *request)
{
    const char *at = strstr(request, "boundary=");
    char boundary[128];
    char *length;

    if (at == NULL) {
        return;
    }
    ck_assert_int_eq(sscanf(at, "boundary=%127[^\r]", boundary), 1);
    replace_all(request, boundary, "B");
    length = strstr(request, "\r\nContent-Length: ");
    ck_assert_ptr_nonnull(length);
    length += strlen("\r\nContent-Length: ");
    memmove(length, strstr(length, "\r\n"), strlen(strstr(length, "\r\n")) + 1);
}

/* normal_form sorts a request's field lines. For free(). */
static char *normal_form(const char *request)
{
    char *copy = strdup(request);
    char *out = calloc(1, strlen(request) + 16);
    char *head_lines[LINES_MAX];
    size_t count = 0;
    char *body;
    char *rest = copy;

    ck_assert(copy != NULL && out != NULL);
    hide_boundary(copy);
    body = strstr(copy, "\r\n\r\n");
    if (body == NULL) {
        strcpy(out, copy);
        free(copy);
        return out;
    }
    *body = '\0';
    while (rest != NULL && count < LINES_MAX) {
        char *end = strstr(rest, "\r\n");

        head_lines[count++] = rest;
        if (end != NULL) {
            *end = '\0';
        }
        rest = end != NULL ? end + 2 : NULL;
    }
    qsort(head_lines + 1, count - 1, sizeof(head_lines[0]), compare_lines);
    for (size_t i = 0; i < count; i++) {
        strcat(strcat(out, head_lines[i]), "\n");
    }
    strcat(strcat(out, "\n"), body + 4);
    free(copy);
    return out;
}

/* --- both programs ---------------------------------------------------------------------------- */

/* url_of makes a URL of a path; "USER" before it becomes a user and password, "OTHER" in it the
 * site's other origin. */
static void url_of(const struct site *site, const char *path, char *out, size_t out_size)
{
    const char *other = strstr(path, "OTHER");
    char text[256];

    if (strncmp(path, "USER", 4) == 0) {
        url_of(site, path + 4, text, sizeof(text));
        (void)snprintf(out, out_size, "http://us%%65r:pass%%20word@%s", text + strlen("http://"));
        return;
    }
    if (other == NULL) {
        (void)test_server_url(site->server, path, out, out_size);
        return;
    }
    (void)snprintf(text, sizeof(text), "%.*shttp://localhost:%d%s", (int)(other - path), path,
                   test_server_port(site->server), other + strlen("OTHER"));
    (void)test_server_url(site->server, text, out, out_size);
}

static struct ran *run_line(const struct site *site, const char *program, const char *line)
{
    const char *words[WORDS_MAX + 5] = {program, "-sS", "-A", "same", NULL};
    char urls[WORDS_MAX][512];
    char *copy = strdup(line);
    char *rest = copy;
    struct ran *ran;
    size_t n = 4;

    ck_assert_ptr_nonnull(copy);
    for (size_t i = 0; rest != NULL; i++) {
        ck_assert_uint_lt(i, WORDS_MAX);
        words[n] = strsep(&rest, "|");
        if (words[n][0] == '/' || strncmp(words[n], "USER", 4) == 0) {
            url_of(site, words[n], urls[i], sizeof(urls[i]));
            words[n] = urls[i];
        }
        n++;
    }
    ran = site_fetch(site, "typed\n", words);
    free(copy);
    return ran;
}

static void make_files(const struct site *site)
{
    char *big = calloc(1, BIG_LEN + 1);

    ck_assert_ptr_nonnull(big);
    memset(big, 'x', BIG_LEN);
    free(test_file(site->dir, "big", big));
    free(test_file(site->dir, "lines", "one\r\ntwo\n"));
    free(test_file(site->dir, "page.html", "<p>\n"));
    free(test_file(site->dir, "we\"ird name.txt", "odd\n"));
    free(test_file(site->dir, "comma,name.txt", "comma\n"));
    free(test_file(site->dir, "empty", ""));
    free(test_file(site->dir, "fields", "X-One: 1\r\nX-Two: 2\n\nX-Three: 3\n"));
    free(big);
}

START_TEST(fetch__sends_what_curl_sends)
{
    struct site site;

    site_begin(&site);
    make_files(&site);
    struct ran *curl = run_line(&site, CURL, lines[_i]);
    struct ran *ours = run_line(&site, POOLED_FETCH, lines[_i]);
    char *curl_text = normal_form(curl->out);
    char *our_text = normal_form(ours->out);

    ck_assert_msg(curl->exit_code == ours->exit_code, "%s: curl %d (%s), ours %d (%s)", lines[_i],
                  curl->exit_code, curl->err, ours->exit_code, ours->err);
    ck_assert_msg(strcmp(curl_text, our_text) == 0, "%s: curl sent \"%.1000s\", we \"%.1000s\"",
                  lines[_i], curl_text, our_text);
    free(curl_text);
    free(our_text);
    ran_free(curl);
    ran_free(ours);
    site_end(&site);
}
END_TEST

int main(void)
{
    const struct test_loop loop = TEST_ROWS(fetch__sends_what_curl_sends, lines);

    if (access(CURL, X_OK) != 0) {
        fprintf(stderr, "skipped: no curl\n");
        return TEST_SKIPPED;
    }
    return run_loops("fetch wire", &loop, 1);
}
