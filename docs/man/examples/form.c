/* The example of urlpool_form(3).
 *
 * Arguments: url
 * Prints:
 * name=Grace+%26+Alan
 * 200, as text/plain */

#include <stdio.h>
#include <urlpool/urlpool.h>

static struct urlpool_response *post(const struct urlpool_form *form, const char *url,
                                     struct urlpool_error *err)
{
    struct urlpool_manager *http = urlpool_default(err);
    struct urlpool_request_options options = {.fields = form};

    return http == NULL ? NULL : urlpool_request(http, "POST", url, &options, err);
}

int main(int argc, char **argv)
{
    const struct urlpool_part part = {
        .name = "notes", .data = "two\nlines\n", .data_len = 10, .filename = "notes.txt"};
    struct urlpool_error err = {0};
    struct urlpool_form *form = urlpool_form_new(&err);
    struct urlpool_response *response = NULL;
    char *query = NULL;

    if (argc > 1 && form != NULL &&
        urlpool_form_add(form, "name", "Grace & Alan", &err) == URLPOOL_OK) {
        query = urlpool_form_encode(form, &err);
    }
    if (query != NULL && urlpool_form_add_part(form, &part, &err) == URLPOOL_OK) {
        response = post(form, argv[1], &err);
    }
    if (response != NULL) {
        printf("%s\n%d, as %s\n", query, response->status, urlpool_media_type_guess("notes.txt"));
    } else {
        fprintf(stderr, "%s\n", err.message);
    }
    urlpool_response_free(response);
    urlpool_string_free(query);
    urlpool_form_free(form);
    return response == NULL;
}
