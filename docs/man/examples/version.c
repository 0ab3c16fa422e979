/* The example of urlpool_version(3).
 *
 * Arguments: none
 * Prints:
 * built for ~, running urlpool/~ c-ares/~ */

#include <stdio.h>
#include <urlpool/urlpool.h>

int main(void)
{
    printf("built for %s, running %s\n", URLPOOL_VERSION, urlpool_version());
    return 0;
}
