/* Internationalised names, by libidn2.
 *
 * Non-transitional, as browsers have it by now: "faß.de" and "fass.de" are two names. Labels that
 * are ASCII already pass through here only beside others that are not. Of libidn2's many results
 * only three are told apart for the user: what is no UTF-8, what is too long, what is no name. */

#include "http/idna.h"

#include <idn2.h>
#include <stdio.h>
#include <string.h>

const char urlp_idna_no_memory[] = "needs more memory than there is";

static const char *fault_of(int result)
{
    switch (result) {
    case IDN2_OK:
        return NULL;
    case IDN2_MALLOC:
        return urlp_idna_no_memory;
    case IDN2_ENCODING_ERROR:
    case IDN2_ICONV_FAIL:
        return "holds letters that are not UTF-8";
    case IDN2_TOO_BIG_DOMAIN:
        return "is longer than 253 bytes";
    case IDN2_TOO_BIG_LABEL:
    case IDN2_PUNYCODE_BIG_OUTPUT:
        return "has a label longer than 63 bytes";
    default:
        return "holds letters that no internationalised name may have there";
    }
}

const char *urlp_idna_to_ascii(const char *name, char *out, size_t room)
{
    char *ascii = NULL;
    const char *fault =
        fault_of(idn2_to_ascii_8z(name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL));

    if (fault == NULL && strlen(ascii) >= room) {
        fault = fault_of(IDN2_TOO_BIG_DOMAIN);
    }
    if (fault == NULL) {
        memcpy(out, ascii, strlen(ascii) + 1);
    }
    idn2_free(ascii);
    return fault;
}

int urlp_idna_library(char *out, size_t out_size)
{
    return snprintf(out, out_size, "libidn2/%s", idn2_check_version(NULL));
}
