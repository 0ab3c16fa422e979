/* Which bytes are UTF-8. What a peer sent, or a user typed, may be any bytes; what is written for
 * programs and browsers may not.
 */

#include "utf8.h"

#include <stdbool.h>

#include "count_of.h"

/* The well-formed sequences of UTF-8, by their first two bytes (RFC 3629 section 4). */
static const struct utf8_form {
    unsigned char first_min, first_max, second_min, second_max;
    size_t len;
} forms[] = {
    {0x00, 0x7f, 0x00, 0xff, 1},
    {0xc2, 0xdf, 0x80, 0xbf, 2},
    {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3},
    {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4},
    {0xf4, 0xf4, 0x80, 0x8f, 4},
};

/* goes_on says whether what is behind the first byte has the form. */
static bool goes_on(const struct utf8_form *form, const unsigned char *bytes)
{
    if (form->len > 1 && (bytes[1] < form->second_min || bytes[1] > form->second_max)) {
        return false;
    }
    for (size_t i = 2; i < form->len; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    return true;
}

size_t pf_utf8_len(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;

    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (bytes[0] >= forms[i].first_min && bytes[0] <= forms[i].first_max) {
            return goes_on(&forms[i], bytes) ? forms[i].len : 0;
        }
    }
    return 0;
}
