/* Sends a form with a file and a part made in memory, as a browser does: multipart/form-data. The
 * file is read as it is sent.
 *
 *   cc multipart_form.c $(pkg-config --cflags --libs urlpool) -o multipart_form
 *   ./multipart_form report.pdf https://example.com/upload */

#include <stdio.h>
#include <string.h>
#include <urlpool/urlpool.h>

/* make_form returns a form of three parts, or NULL. */
static struct urlpool_form *make_form(const char *path, struct urlpool_error *err)
{
    static const char notes[] = "{\"pages\": 12}";
    const struct urlpool_part part = {
        .name = "notes",
        .data = notes,
        .data_len = strlen(notes),
        .filename = "notes.json",
        .content_type = "application/json",
    };
    struct urlpool_form *form = urlpool_form_new(err);

    if (form == NULL || urlpool_form_add(form, "title", "Report of May", err) != URLPOOL_OK ||
        urlpool_form_add_file(form, "report", path, err) != URLPOOL_OK ||
        urlpool_form_add_part(form, &part, err) != URLPOOL_OK ||
        /* Without a boundary of your own there is a random one; logs and tests may like one. */
        urlpool_form_set_boundary(form, "a-boundary-of-our-own", err) != URLPOOL_OK) {
        urlpool_form_free(form);
        return NULL;
    }
    return form;
}

int main(int argc, char **argv)
{
    struct urlpool_error err;
    struct urlpool_request_options options = {0};
    struct urlpool_manager *http = NULL;
    struct urlpool_response *resp = NULL;
    struct urlpool_form *form;
    int good = 0;

    if (argc != 3) {
        fprintf(stderr, "multipart_form FILE URL\n");
        return 2;
    }
    form = make_form(argv[1], &err);
    if (form != NULL) {
        options.body = urlpool_body_multipart(form);
        http = urlpool_manager_new(NULL, &err);
    }
    if (http != NULL) {
        resp = urlpool_request(http, "POST", argv[2], &options, &err);
    }
    if (resp == NULL) {
        fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
    } else {
        printf("%d %s\n", resp->status, resp->reason);
        good = resp->status / 100 == 2;
    }
    urlpool_response_free(resp);
    urlpool_manager_free(http);
    urlpool_form_free(form);
    return good ? 0 : 1;
}
