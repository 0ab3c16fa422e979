/* Runs cases through urlpool: blocks of "key: value" on stdin, "key<TAB>value" lines on stdout. The
 * counterpart of urllib3_side.py; compare.py runs both and says what the keys mean.
 *
 * Each block ends with "end:", and so does what is printed for it. Written on the public headers
 * alone. Anything unexpected ends the program with a word on stderr: a test that limps on is worth
 * nothing. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>
#include <urlpool/urlpool.h>

#include "side_case.h"
#include "side_text.h"

/* say prints one fact about the request in hand. */
static void say(const struct side_case *scene, const char *key, const char *value, size_t len)
{
    printf("%d.%s\t", scene->num_requests, key);
    side_print_escaped(value, len);
    putchar('\n');
}

static void say_text(const struct side_case *scene, const char *key, const char *value)
{
    say(scene, key, value, strlen(value));
}

static void say_number(const struct side_case *scene, const char *key, int value)
{
    printf("%d.%s\t%d\n", scene->num_requests, key, value);
}

static const char *short_name(enum urlpool_code code)
{
    return urlpool_code_name(code) + strlen("URLPOOL_E_");
}

static void say_error(const struct side_case *scene, const struct urlpool_error *err)
{
    char text[128];
    bool has_cause = err->code == URLPOOL_E_MAX_RETRIES && err->cause != URLPOOL_OK;

    snprintf(text, sizeof(text), "error %s%s%s", short_name(err->code), has_cause ? " " : "",
             has_cause ? short_name(err->cause) : "");
    say_text(scene, "result", text);
}

/* is_first says whether line `index` is the first of its name. */
static bool is_first(const struct urlpool_headers *headers, size_t index)
{
    const char *name = urlpool_headers_at(headers, index).name;

    for (size_t i = 0; i < index; i++) {
        if (strcasecmp(urlpool_headers_at(headers, i).name, name) == 0) {
            return false;
        }
    }
    return true;
}

/* say_field prints all values of a name, under the spelling that came first. */
static void say_field(const struct side_case *scene, const struct urlpool_headers *headers,
                      size_t index)
{
    const char *name = urlpool_headers_at(headers, index).name;
    const char *value;

    printf("%d.field.", scene->num_requests);
    side_print_lower(name);
    printf("\t%s: ", name);
    for (size_t n = 0; (value = urlpool_headers_get_nth(headers, name, n)) != NULL; n++) {
        printf("%s", n > 0 ? " | " : "");
        side_print_escaped(value, strlen(value));
    }
    putchar('\n');
}

static void say_headers(const struct side_case *scene, const struct urlpool_headers *headers)
{
    size_t count = urlpool_headers_count(headers);

    for (size_t i = 0; i < count; i++) {
        if (is_first(headers, i)) {
            say_field(scene, headers, i);
        }
    }
    printf("%d.order\t", scene->num_requests);
    for (size_t i = 0; i < count; i++) {
        if (is_first(headers, i)) {
            printf("%s", i > 0 ? ", " : "");
            side_print_lower(urlpool_headers_at(headers, i).name);
        }
    }
    putchar('\n');
}

/* say_hops prints the tries that came before the response. */
static void say_hops(const struct side_case *scene, const struct urlpool_response *response)
{
    printf("%d.hops\t", scene->num_requests);
    for (size_t i = 0; i < urlpool_response_num_hops(response); i++) {
        const struct urlpool_hop hop = urlpool_response_hop(response, i);

        printf("%s%s ", i > 0 ? "; " : "", hop.method);
        if (hop.code != URLPOOL_OK) {
            printf("%s", short_name(hop.code));
        } else {
            printf("%d", hop.status);
        }
        if (hop.location != NULL) {
            printf(" to %s", hop.location);
        }
    }
    putchar('\n');
}

/* take_pieces reads a streamed body in pieces of the size asked for. False: it failed. */
static bool take_pieces(const struct side_case *scene, struct urlpool_response *response,
                        struct side_bytes *out, struct urlpool_error *err)
{
    char piece[4096];
    size_t len = 0;
    size_t size = scene->pieces < sizeof(piece) ? scene->pieces : sizeof(piece);

    for (;;) {
        if (urlpool_response_read(response, piece, size, &len, err) != URLPOOL_OK) {
            return false;
        }
        if (len == 0) {
            return true;
        }
        side_bytes_add(out, piece, len);
    }
}

static void say_response(const struct side_case *scene, struct urlpool_response *response)
{
    struct urlpool_error err = {0};
    struct side_bytes data = {0};

    if (scene->pieces > 0 && !take_pieces(scene, response, &data, &err)) {
        say_error(scene, &err);
        side_bytes_clear(&data);
        return;
    }
    say_text(scene, "result", "response");
    say_number(scene, "status", response->status);
    say_number(scene, "version", response->version);
    say_text(scene, "reason", response->reason);
    say_text(scene, "url", response->url);
    say_headers(scene, response->headers);
    say_hops(scene, response);
    if (scene->pieces > 0) {
        say(scene, "data", data.data != NULL ? data.data : "", data.len);
    } else {
        say(scene, "data", (const char *)response->data, response->data_len);
    }
    side_bytes_clear(&data);
}

/* run makes the request that the lines so far describe, if any. */
static void run(struct side_case *scene)
{
    struct urlpool_error err = {0};
    struct urlpool_response *response;

    if (!scene->has_request) {
        return;
    }
    scene->num_requests++;
    side_case_get_ready(scene);
    if (scene->refused.code != URLPOOL_OK) {
        err = scene->refused;
        response = NULL;
    } else if (scene->pool != NULL) {
        response = urlpool_pool_request(scene->pool, scene->method.data, scene->url.data,
                                        &scene->options, &err);
    } else {
        response = urlpool_request(scene->manager, scene->method.data, scene->url.data,
                                   &scene->options, &err);
    }
    if (response == NULL) {
        say_error(scene, &err);
    } else {
        say_response(scene, response);
    }
    urlpool_response_free(response);
    side_case_forget_request(scene);
}

int main(void)
{
    struct side_case scene = {0};
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    while ((len = getline(&line, &size, stdin)) > 0) {
        char *value = strstr(line, ":");

        line[len - 1] = '\0';
        if (value == NULL) {
            side_die("no colon in", line);
        }
        *value++ = '\0';
        value += *value == ' ';
        if (strcmp(line, "request") == 0 || strcmp(line, "end") == 0) {
            run(&scene);
        }
        if (strcmp(line, "end") != 0) {
            side_case_take(&scene, line, value);
            continue;
        }
        side_case_end(&scene);
        puts("end");
        fflush(stdout);
    }
    free(line);
    return 0;
}
