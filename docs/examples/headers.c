/* Lists of header fields: ordered, without case, a name as often as wanted. Prints what it makes.
 *
 *   cc headers.c $(pkg-config --cflags --libs urlpool) -o headers && ./headers */

#include <stdio.h>
#include <urlpool/urlpool.h>

static void print(const char *title, const struct urlpool_headers *headers)
{
    printf("%s\n", title);
    for (size_t i = 0; i < urlpool_headers_count(headers); i++) {
        struct urlpool_field field = urlpool_headers_at(headers, i);

        printf("  %s: %s\n", field.name, field.value);
    }
}

/* fill makes two lists; each call says whether it could, and leaves the list as it was if not. */
static enum urlpool_code fill(struct urlpool_headers *list, struct urlpool_headers *more,
                              struct urlpool_error *err)
{
    enum urlpool_code code = urlpool_headers_add(list, "Accept", "text/html", err);

    if (code == URLPOOL_OK) {
        code = urlpool_headers_add(list, "Set-Cookie", "a=1", err); /* one more line */
    }
    if (code == URLPOOL_OK) {
        code = urlpool_headers_add(list, "Set-Cookie", "b=2", err);
    }
    if (code == URLPOOL_OK) {
        code = urlpool_headers_combine(list, "accept", "text/plain", err); /* the same line */
    }
    if (code == URLPOOL_OK) {
        code = urlpool_headers_set(more, "Accept", "application/json", err);
    }
    return code;
}

static enum urlpool_code show(struct urlpool_headers *list, struct urlpool_headers *more,
                              struct urlpool_error *err)
{
    struct urlpool_headers *copy = urlpool_headers_copy(list, err);
    char *all = urlpool_headers_get_all(list, "Set-Cookie");
    enum urlpool_code code = copy == NULL ? err->code : URLPOOL_OK;

    print("the list", list);
    printf("first %s, second %s, all \"%s\"\n", urlpool_headers_get(list, "set-cookie"),
           urlpool_headers_get_nth(list, "set-cookie", 1), all != NULL ? all : "");
    urlpool_string_free(all);
    if (code == URLPOOL_OK) {
        code = urlpool_headers_extend(copy, more, err); /* every line behind those there are */
    }
    print("extended", copy);
    if (code == URLPOOL_OK) {
        code = urlpool_headers_merge(list, more, err); /* names of `more` win */
    }
    print("merged", list);
    printf("equal: %s\n", urlpool_headers_equal(list, copy) ? "yes" : "no");
    printf("%zu removed, ", urlpool_headers_remove(list, "Set-Cookie"));
    printf("left: %s\n", urlpool_headers_contains(list, "Set-Cookie") ? "some" : "none");
    urlpool_headers_free(copy);
    return code;
}

int main(void)
{
    struct urlpool_error err;
    struct urlpool_headers *list = urlpool_headers_new(&err);
    struct urlpool_headers *more = list == NULL ? NULL : urlpool_headers_new(&err);
    enum urlpool_code code = more == NULL ? err.code : fill(list, more, &err);

    if (code == URLPOOL_OK) {
        code = show(list, more, &err);
        urlpool_headers_clear(list);
        printf("cleared: %zu\n", urlpool_headers_count(list));
    }
    if (code == URLPOOL_OK && urlpool_headers_add(list, "X", "a\r\nY: b", &err) != URLPOOL_OK) {
        printf("never sent: %s\n", err.message);
    }
    urlpool_headers_free(list);
    urlpool_headers_free(more);
    return code == URLPOOL_OK ? 0 : 1;
}
