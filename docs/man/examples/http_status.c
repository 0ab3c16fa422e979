/* The example of urlpool_http_status(3).
 *
 * Arguments: none
 * Prints:
 * 404 Not Found */

#include <stdio.h>
#include <urlpool/urlpool.h>

int main(void)
{
    printf("%d %s\n", URLPOOL_HTTP_NOT_FOUND, urlpool_http_reason(URLPOOL_HTTP_NOT_FOUND));
    return 0;
}
