#ifndef TEST_SUPPORT_FAILING_ALLOCATOR_H
#define TEST_SUPPORT_FAILING_ALLOCATOR_H

#include <stdbool.h>
#include <stdint.h>

/* A heap that counts, and that fails where a test asks it to. To fail each allocation of an
 * operation once:
 *
 *   failing_allocator_install();
 *   for (uint64_t n = 1;; n++) {
 *       failing_allocator_fail_nth(n);
 *       code = operation();
 *       if (!failing_allocator_has_failed()) {
 *           break;
 *       }
 *       ck_assert_int_eq(code, URLPOOL_E_NOMEM);
 *       ck_assert_int_eq(failing_allocator_num_live(), 0);
 *   } */

/* failing_allocator_install makes urlpool take its memory here. urlpool holds none yet. */
void failing_allocator_install(void);

/* failing_allocator_remove goes back to malloc. urlpool holds no memory any more. */
void failing_allocator_remove(void);

/* failing_allocator_fail_nth lets the `nth` allocation from now fail, and no other; 1 is the next,
 * 0 none. */
void failing_allocator_fail_nth(uint64_t nth);

/* failing_allocator_fail_from lets the `nth` fail, and all that come after it. */
void failing_allocator_fail_from(uint64_t nth);

/* failing_allocator_has_failed says whether one has failed since then. */
bool failing_allocator_has_failed(void);

/* failing_allocator_num_tried is how many allocations were tried since failing_allocator_fail_nth.
 */
uint64_t failing_allocator_num_tried(void);

/* failing_allocator_num_live is how many blocks are held. */
int64_t failing_allocator_num_live(void);

#endif /* TEST_SUPPORT_FAILING_ALLOCATOR_H */
