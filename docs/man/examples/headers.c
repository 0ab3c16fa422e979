/* The example of urlpool_headers(3).
 *
 * Arguments: none
 * Prints:
 * Accept: text/html
 * accept: text/plain
 * URLPOOL_E_HEADER */

#include <stdio.h>
#include <urlpool/urlpool.h>

int main(void)
{
    struct urlpool_error err = {0};
    struct urlpool_headers *headers = urlpool_headers_new(&err);

    if (headers == NULL ||
        urlpool_headers_add(headers, "Accept", "text/html", &err) != URLPOOL_OK ||
        urlpool_headers_add(headers, "accept", "text/plain", &err) != URLPOOL_OK) {
        urlpool_headers_free(headers);
        return 1;
    }
    for (size_t i = 0; i < urlpool_headers_count(headers); i++) {
        struct urlpool_field field = urlpool_headers_at(headers, i);

        printf("%s: %s\n", field.name, field.value);
    }
    if (urlpool_headers_add(headers, "X", "a\r\nHost: evil", &err) != URLPOOL_OK) {
        printf("%s\n", urlpool_code_name(err.code));
    }
    urlpool_headers_free(headers);
    return 0;
}
