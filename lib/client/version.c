/* Which urlpool this is, and what it stands on. */

#include "urlpool/version.h"

#include <stdio.h>

#include "base/sync.h"
#include "conn/opener.h"
#include "http/idna.h"

static char text[160];

static void write_text(void)
{
    char libraries[96];
    char idna[24];
    const char *gap = urlp_idna_library(idna, sizeof(idna)) > 0 ? " " : "";

    urlp_opener_libraries(libraries, sizeof(libraries));
    (void)snprintf(text, sizeof(text), "urlpool/%s %s%s%s", URLPOOL_VERSION, libraries, gap, idna);
}

const char *urlpool_version(void)
{
    static struct urlp_once once = URLP_ONCE_INIT;

    urlp_once_run(&once, write_text);
    return text;
}
