#ifndef TEST_SUPPORT_POOL_INVARIANTS_H
#define TEST_SUPPORT_POOL_INVARIANTS_H

#include "pool/pool.h"

/* pool_check_invariants holds the state of a set against all that pool/core.h says is always true.
 * May be called at any moment, from any thread that has no lock. */
void pool_check_invariants(struct urlp_pool_set *set);

#endif /* TEST_SUPPORT_POOL_INVARIANTS_H */
