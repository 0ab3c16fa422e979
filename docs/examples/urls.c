/* Takes a URL apart, resolves a reference against it, and makes a query of fields.
 *
 *   cc urls.c $(pkg-config --cflags --libs urlpool) -o urls
 *   ./urls HTTP://Example.COM:8080/a/./b%7e?q#top ../c */

#include <stdio.h>
#include <urlpool/urlpool.h>

static const char *or_none(const char *part)
{
    return part != NULL ? part : "(none)";
}

static void print(const struct urlpool_url *url)
{
    printf("scheme %s, host %s, port %d, path %s, query %s, fragment %s\n", or_none(url->scheme),
           or_none(url->host), url->port, url->path, or_none(url->query), or_none(url->fragment));
}

/* make_query returns "q=…&lang=…", for urlpool_string_free. */
static char *make_query(struct urlpool_error *err)
{
    struct urlpool_form *form = urlpool_form_new(err);
    char *query = NULL;

    if (form != NULL && urlpool_form_add(form, "q", "salt & pepper", err) == URLPOOL_OK &&
        urlpool_form_add(form, "lang", "en", err) == URLPOOL_OK) {
        query = urlpool_form_encode(form, err);
    }
    urlpool_form_free(form);
    return query;
}

int main(int argc, char **argv)
{
    struct urlpool_error err;
    struct urlpool_url *base = urlpool_url_parse(argc > 1 ? argv[1] : "", &err);
    struct urlpool_url *joined = NULL;
    char *text = NULL;
    char *query = NULL;
    int good;

    if (base != NULL) {
        print(base);
        joined = urlpool_url_join(base, argc > 2 ? argv[2] : "", &err);
    }
    if (joined != NULL) {
        text = urlpool_url_format(joined, &err); /* with userinfo: not for a log */
    }
    if (text != NULL) {
        printf("%s\n", text);
        query = make_query(&err);
    }
    good = query != NULL;
    if (good) {
        printf("?%s\n", query);
    } else {
        fprintf(stderr, "%s\n", err.message);
    }
    urlpool_string_free(query);
    urlpool_string_free(text);
    urlpool_url_free(joined);
    urlpool_url_free(base);
    return good ? 0 : 1;
}
