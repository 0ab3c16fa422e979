#ifndef URLPOOL_VERSION_H
#define URLPOOL_VERSION_H

#include "urlpool/export.h"

URLPOOL_BEGIN_DECLS

/* The version that a program is compiled for. */
#define URLPOOL_VERSION "0.1.0"

/* urlpool_version returns the version of the library in use, and of the libraries in it, e.g.
 * "urlpool/0.1.0 BoringSSL/17 c-ares/1.18.1 zlib/1.2.13 brotli/1.0.9 zstd/1.5.4 libidn2/2.3.3".
 *
 * Owns:    the string is static.
 * Threads: any number at once. */
URLPOOL_API const char *urlpool_version(void);

URLPOOL_END_DECLS

#endif /* URLPOOL_VERSION_H */
