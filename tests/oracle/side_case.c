/* What the lines of a case say, as options of urlpool. One row of `takers` for each key of the
 * table; urllib3_side.py has a method for each. */

#include "side_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/count_of.h"

static const int64_t time_limit_ms = 5000;

/* add_line adds "Name: value" to `*headers`. urllib3 refuses a line when the request is made,
 * urlpool here: that counts as the request's failure. */
static void add_line(struct side_case *scene, struct urlpool_headers **headers, const char *text)
{
    struct side_bytes line = side_unescape(text);
    char *value = strchr(line.data, ':');
    struct urlpool_error err = {0};

    if (*headers == NULL) {
        *headers = urlpool_headers_new(NULL);
    }
    if (value == NULL) {
        side_die("no header", text);
    }
    *value++ = '\0';
    value += *value == ' ';
    if (urlpool_headers_add(*headers, line.data, value, &err) != URLPOOL_OK) {
        scene->refused = err;
    }
    side_bytes_clear(&line);
}

static bool is_yes(const char *value)
{
    return strcmp(value, "yes") == 0;
}

static void take_request(struct side_case *scene, const char *value)
{
    const char *blank = strchr(value, ' ');
    char *method;

    if (blank == NULL) {
        side_die("no URL in", value);
    }
    method = strndup(value, (size_t)(blank - value));
    scene->method = side_unescape(method);
    scene->url = side_unescape(blank + 1);
    scene->has_request = true;
    free(method);
}

static void take_manager_header(struct side_case *scene, const char *value)
{
    add_line(scene, &scene->manager_headers, value);
}

static void take_pool(struct side_case *scene, const char *value)
{
    scene->pool_url = strdup(value);
}

static void take_header(struct side_case *scene, const char *value)
{
    add_line(scene, &scene->headers, value);
}

static void take_headers(struct side_case *scene, const char *value)
{
    (void)value; /* none: an empty list instead of the manager's */
    scene->headers = urlpool_headers_new(NULL);
}

static void take_skip(struct side_case *scene, const char *value)
{
    if (strstr(value, "Host") != NULL) {
        scene->options.skip |= URLPOOL_SKIP_HOST;
    }
    if (strstr(value, "Accept-Encoding") != NULL) {
        scene->options.skip |= URLPOOL_SKIP_ACCEPT_ENCODING;
    }
    if (strstr(value, "User-Agent") != NULL) {
        scene->options.skip |= URLPOOL_SKIP_USER_AGENT;
    }
}

static void take_body(struct side_case *scene, const char *value)
{
    scene->body = side_unescape(value);
    scene->options.body = urlpool_body_bytes(scene->body.data, scene->body.len);
}

static void take_body_file(struct side_case *scene, const char *value)
{
    FILE *file = tmpfile();

    scene->body = side_unescape(value);
    if (file == NULL || fwrite(scene->body.data, 1, scene->body.len, file) != scene->body.len ||
        fflush(file) != 0) {
        side_die("no file for", value);
    }
    scene->options.body = urlpool_body_fd(dup(fileno(file)));
    fclose(file);
    (void)lseek(scene->options.body.fd, 0, SEEK_SET);
}

static void take_file_offset(struct side_case *scene, const char *value)
{
    (void)lseek(scene->options.body.fd, atol(value), SEEK_SET);
}

static void take_expect_ms(struct side_case *scene, const char *value)
{
    scene->options.body.expect_ms = atol(value);
}

static void take_chunked(struct side_case *scene, const char *value)
{
    scene->options.body.chunked = is_yes(value);
}

static void take_redirect(struct side_case *scene, const char *value)
{
    scene->options.return_redirects = !is_yes(value);
}

static void take_decode(struct side_case *scene, const char *value)
{
    scene->options.keep_encoded = !is_yes(value);
}

static void take_read_ms(struct side_case *scene, const char *value)
{
    scene->options.timeout.read_ms = atol(value);
}

static void take_pieces(struct side_case *scene, const char *value)
{
    scene->pieces = (size_t)atol(value);
    scene->options.stream = true;
}

static void take_keep_post(struct side_case *scene, const char *value)
{
    if (is_yes(value)) {
        scene->options.keep_post =
            URLPOOL_KEEP_POST_301 | URLPOOL_KEEP_POST_302 | URLPOOL_KEEP_POST_303;
    }
}

static const struct {
    const char *key;
    void (*take)(struct side_case *scene, const char *value);
} takers[] = {
    {"body",           take_body           },
    {"body-file",      take_body_file      },
    {"body-parts",     side_take_body_parts},
    {"boundary",       side_take_boundary  },
    {"chunked",        take_chunked        },
    {"decode",         take_decode         },
    {"encode",         side_take_encode    },
    {"expect-ms",      take_expect_ms      },
    {"field",          side_take_field     },
    {"file",           side_take_file      },
    {"file-offset",    take_file_offset    },
    {"header",         take_header         },
    {"headers",        take_headers        },
    {"keep-post",      take_keep_post      },
    {"make",           side_take_make      },
    {"manager-header", take_manager_header },
    {"pieces",         take_pieces         },
    {"pool",           take_pool           },
    {"read-ms",        take_read_ms        },
    {"redirect",       take_redirect       },
    {"request",        take_request        },
    {"retries",        side_take_retries   },
    {"skip",           take_skip           },
};

void side_case_take(struct side_case *scene, const char *key, const char *value)
{
    for (size_t i = 0; i < COUNT_OF(takers); i++) {
        if (strcmp(key, takers[i].key) == 0) {
            takers[i].take(scene, value);
            return;
        }
    }
    side_die("no key", key);
}

/* take_choice adds the headers that urlpool_headers_make makes. */
static void take_choice(struct side_case *scene)
{
    struct urlpool_headers *made = urlpool_headers_make(&scene->choice, &scene->refused);

    if (made != NULL && scene->headers == NULL) {
        scene->headers = urlpool_headers_new(NULL);
    }
    if (made != NULL && urlpool_headers_extend(scene->headers, made, NULL) != URLPOOL_OK) {
        side_die("no memory for", "headers");
    }
    urlpool_headers_free(made);
}

void side_case_get_ready(struct side_case *scene)
{
    struct urlpool_error err = {0};
    const struct urlpool_manager_options options = {
        .headers = scene->manager_headers,
        .timeout = {.connect_ms = time_limit_ms, .read_ms = time_limit_ms},
    };

    if (scene->pool_url != NULL && scene->pool == NULL) {
        scene->pool = urlpool_pool_new(scene->pool_url, &options, &scene->refused);
    } else if (scene->manager == NULL) {
        scene->manager = urlpool_manager_new(&options, &err);
    }
    if (scene->manager == NULL && scene->pool_url == NULL) {
        side_die("no manager:", err.message);
    }
    if (scene->has_choice) {
        take_choice(scene);
    }
    scene->options.fields = scene->form;
    scene->options.headers = scene->headers;
}

void side_case_forget_request(struct side_case *scene)
{
    if (scene->options.body.kind == URLPOOL_BODY_FD) {
        (void)close(scene->options.body.fd);
    }
    for (size_t i = 0; i < scene->parts.num; i++) {
        side_bytes_clear(&scene->parts.pieces[i]);
    }
    urlpool_form_free(scene->form);
    urlpool_headers_free(scene->headers);
    side_bytes_clear(&scene->method);
    side_bytes_clear(&scene->url);
    side_bytes_clear(&scene->body);
    *scene = (struct side_case){.manager = scene->manager,
                                .manager_headers = scene->manager_headers,
                                .pool = scene->pool,
                                .pool_url = scene->pool_url,
                                .num_requests = scene->num_requests};
}

void side_case_end(struct side_case *scene)
{
    side_case_forget_request(scene);
    urlpool_pool_close(scene->pool);
    urlpool_pool_unref(scene->pool);
    free(scene->pool_url);
    urlpool_manager_free(scene->manager);
    urlpool_headers_free(scene->manager_headers);
    *scene = (struct side_case){0};
}
