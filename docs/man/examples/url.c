/* The example of urlpool_url(3).
 *
 * Arguments: none
 * Prints:
 * http 2001:db8::1 8080 /a/b?q=~
 * http://[2001:db8::1]:8080/c#top */

#include <stdio.h>
#include <urlpool/urlpool.h>

int main(void)
{
    struct urlpool_error err = {0};
    struct urlpool_url *base = urlpool_url_parse("HTTP://[2001:DB8::1]:8080/a/./b?q=%7e", &err);
    struct urlpool_url *next = base == NULL ? NULL : urlpool_url_join(base, "../c#top", &err);
    char *text = next == NULL ? NULL : urlpool_url_format(next, &err);

    if (text == NULL) {
        fprintf(stderr, "%s\n", err.message);
    } else {
        printf("%s %s %d %s\n", base->scheme, base->host, base->port, base->target);
        printf("%s\n", text);
    }
    urlpool_string_free(text);
    urlpool_url_free(next);
    urlpool_url_free(base);
    return text == NULL;
}
