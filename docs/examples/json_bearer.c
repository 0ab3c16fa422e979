/* Asks an API that takes JSON and a bearer token, and shows its answer. The token goes to the
 * origin it is meant for and to no other: a redirect elsewhere drops it.
 *
 *   cc json_bearer.c $(pkg-config --cflags --libs urlpool) -o json_bearer
 *   API_TOKEN=… ./json_bearer https://api.example.com/items '{"name": "spoon"}' */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urlpool/urlpool.h>

/* is_json says whether a media type is JSON: "application/json; charset=utf-8" is. */
static int is_json(const char *type)
{
    return type != NULL && strncmp(type, "application/json", 16) == 0;
}

/* ask posts `json` with the headers that every request of `http` has. */
static int ask(struct urlpool_manager *http, const char *url, const char *json,
               struct urlpool_error *err)
{
    const struct urlpool_request_options options = {.body = urlpool_body_json(json)};
    struct urlpool_response *resp = urlpool_request(http, "POST", url, &options, err);
    int good = 0;

    if (resp == NULL) {
        return 0;
    }
    good = resp->status / 100 == 2 && is_json(urlpool_response_header(resp, "Content-Type"));
    if (good) {
        printf("%s\n", (const char *)resp->data); /* a NUL stands behind the body */
    } else {
        snprintf(err->message, sizeof(err->message), "%d %s", resp->status,
                 urlpool_http_reason(resp->status));
    }
    urlpool_response_free(resp);
    return good;
}

int main(int argc, char **argv)
{
    const struct urlpool_headers_choice choice = {
        .bearer_auth = getenv("API_TOKEN"),
        .accept_encoding = true,
    };
    struct urlpool_manager_options options = {.data_bytes_max = 1 << 20};
    struct urlpool_error err;
    struct urlpool_headers *headers;
    struct urlpool_manager *http = NULL;
    int good = 0;

    if (argc != 3 || choice.bearer_auth == NULL) {
        fprintf(stderr, "API_TOKEN=… json_bearer URL JSON\n");
        return 2;
    }
    headers = urlpool_headers_make(&choice, &err);
    if (headers != NULL && urlpool_headers_set(headers, "Accept", "application/json", &err) == 0) {
        options.headers = headers; /* copied */
        http = urlpool_manager_new(&options, &err);
    }
    if (http != NULL) {
        good = ask(http, argv[1], argv[2], &err);
    }
    if (!good) {
        fprintf(stderr, "json_bearer: %s\n", err.message); /* holds no token */
    }
    urlpool_manager_free(http);
    urlpool_headers_free(headers);
    return good ? 0 : 1;
}
