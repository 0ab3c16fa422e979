#ifndef URLP_BASE_BYTE_CLASS_H
#define URLP_BASE_BYTE_CLASS_H

#include <stdbool.h>
#include <stdint.h>

/* What a byte may be, whatever the locale; a set of bytes is several of them. No byte above 0x7f is
 * in any. */
enum urlp_byte_class {
    URLP_BYTE_TCHAR = 0x001,      /* RFC 9110 section 5.6.2: of a token */
    URLP_BYTE_UNRESERVED = 0x002, /* RFC 3986 section 2.3 */
    URLP_BYTE_SUB_DELIM = 0x004,  /* RFC 3986 section 2.2 */
    URLP_BYTE_COLON = 0x008,      /* the delimiters of a URL, each by itself */
    URLP_BYTE_SLASH = 0x010,
    URLP_BYTE_QUESTION = 0x020,
    URLP_BYTE_HASH = 0x040,
    URLP_BYTE_AT = 0x080,
    URLP_BYTE_NOT_IN_URL = 0x100,   /* controls, space, backslash */
    URLP_BYTE_NOT_IN_FIELD = 0x200, /* controls but HTAB: RFC 9110 section 5.5 */
    URLP_BYTE_ALPHA = 0x400,
    URLP_BYTE_DIGIT = 0x800,
    URLP_BYTE_HOST = 0x1000 /* of a name or an IPv4 address in its one spelling: no capitals */
};

/* urlp_byte_classes holds the classes of each byte. */
extern const uint16_t urlp_byte_classes[256];

/* urlp_byte_is says whether `c` is of one of `classes`: of enum urlp_byte_class, joined by "|". */
static inline bool urlp_byte_is(unsigned char c, unsigned classes)
{
    return (urlp_byte_classes[c] & classes) != 0;
}

#endif /* URLP_BASE_BYTE_CLASS_H */
