#ifndef POOLED_FETCH_COUNT_OF_H
#define POOLED_FETCH_COUNT_OF_H

#include <stddef.h>

/* COUNT_OF is how many elements an array has; of a pointer it would be nonsense. */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif /* POOLED_FETCH_COUNT_OF_H */
