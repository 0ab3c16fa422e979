#ifndef URLP_POOL_JITTER_H
#define URLP_POOL_JITTER_H

#include <stdint.h>

/* urlp_jitter_ns returns `ns`, which is not negative, ±10 %, by what `spread` says: neighbouring
 * numbers give results far apart. It is for keeping things from happening at once, not a secret. */
int64_t urlp_jitter_ns(int64_t ns, uint64_t spread);

#endif /* URLP_POOL_JITTER_H */
