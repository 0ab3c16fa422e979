/* What stands behind http/idna.h in a build without libidn2: names that are not ASCII are refused
 * in words that say what to write instead. */

#include <stdio.h>

#include "http/idna.h"

const char urlp_idna_no_memory[] = "needs more memory than there is";

const char *urlp_idna_to_ascii(const char *name, char *out, size_t room)
{
    (void)name;
    (void)out;
    (void)room;
    return "holds non-ASCII letters; this build takes an internationalised name only as its "
           "\"xn--\" form";
}

int urlp_idna_library(char *out, size_t out_size)
{
    return snprintf(out, out_size, "%s", "");
}
