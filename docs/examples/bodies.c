/* Bodies of requests by hand: bytes, a form, and a callback that makes them as they are sent, with
 * a way back to the first byte, so that it can be tried again.
 *
 *   cc bodies.c $(pkg-config --cflags --libs urlpool) -o bodies
 *   ./bodies https://example.com/upload */

#include <stdio.h>
#include <string.h>
#include <urlpool/urlpool.h>

/* struct counting makes the lines 1 to `last`. */
struct counting {
    int next, last;
};

static enum urlpool_code count_on(void *user, void *buf, size_t len, size_t *out_len,
                                  struct urlpool_error *err)
{
    struct counting *counting = user;
    char line[16];
    int size = snprintf(line, sizeof(line), "%d\n", counting->next);

    if (size < 0 || (size_t)size > len) { /* `len` is some KiB */
        return err->code = URLPOOL_E_BODY;
    }
    *out_len = counting->next <= counting->last ? (size_t)size : 0; /* 0 is the end */
    memcpy(buf, line, *out_len);
    counting->next++;
    return URLPOOL_OK;
}

static enum urlpool_code begin_again(void *user, struct urlpool_error *err)
{
    struct counting *counting = user;

    (void)err;
    counting->next = 1;
    return URLPOOL_OK;
}

static int post(struct urlpool_manager *http, const char *url, const struct urlpool_body *body)
{
    const struct urlpool_request_options options = {.body = *body};
    struct urlpool_error err;
    struct urlpool_response *resp = urlpool_request(http, "POST", url, &options, &err);

    if (resp == NULL) {
        fprintf(stderr, "%s\n", err.message);
        return 0;
    }
    printf("%d %s\n", resp->status, (const char *)resp->data);
    urlpool_response_free(resp);
    return 1;
}

int main(int argc, char **argv)
{
    struct counting counting = {.next = 1, .last = 3};
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_form *form = http == NULL ? NULL : urlpool_form_new(&err);
    const char *url = argc > 1 ? argv[1] : "";
    struct urlpool_body bodies[] = {
        urlpool_body_bytes("\0\1\2", 3),
        urlpool_body_callback(count_on, begin_again, &counting, 0), /* 0: chunked */
        {0},
    };
    int good = 0;

    if (form == NULL || urlpool_form_add(form, "name", "a b", &err) != URLPOOL_OK) {
        fprintf(stderr, "%s\n", err.message);
    } else {
        bodies[2] = urlpool_body_form(form); /* a=b&c=d; urlpool_body_multipart for files */
        good = post(http, url, &bodies[0]) && post(http, url, &bodies[1]) &&
               post(http, url, &bodies[2]);
    }
    urlpool_form_free(form);
    urlpool_manager_free(http);
    return good ? 0 : 1;
}
