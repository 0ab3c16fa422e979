#ifndef URLP_BASE_REF_H
#define URLP_BASE_REF_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* struct urlp_ref counts who holds an object that several threads share. */
struct urlp_ref {
    _Atomic uint32_t num_holders;
};

/* urlp_ref_init begins with one holder: who made the object. */
static inline void urlp_ref_init(struct urlp_ref *ref)
{
    atomic_init(&ref->num_holders, 1);
}

/* urlp_ref_take adds a holder. The caller is one, or has the word of one. */
static inline void urlp_ref_take(struct urlp_ref *ref)
{
    atomic_fetch_add_explicit(&ref->num_holders, 1, memory_order_relaxed);
}

/* urlp_ref_drop ends one holder's part, and says whether it was the last: then the caller frees the
 * object, and sees all that the others did to it. */
static inline bool urlp_ref_drop(struct urlp_ref *ref)
{
    return atomic_fetch_sub_explicit(&ref->num_holders, 1, memory_order_acq_rel) == 1;
}

/* urlp_ref_take_if_held adds a holder if there is one still, and says whether there is. The caller
 * knows only that the object's memory is there. */
static inline bool urlp_ref_take_if_held(struct urlp_ref *ref)
{
    uint32_t num = atomic_load_explicit(&ref->num_holders, memory_order_relaxed);

    while (num > 0) {
        if (atomic_compare_exchange_weak_explicit(&ref->num_holders, &num, num + 1,
                                                  memory_order_relaxed, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

#endif /* URLP_BASE_REF_H */
