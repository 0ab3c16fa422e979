/* Any input, any split: the same result. The program of test_differential.c with all ways to cut.
 */

#define SPLITS_ONLY

#include "test_differential.c"
