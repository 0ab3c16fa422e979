#ifndef URLP_BASE_COUNT_H
#define URLP_BASE_COUNT_H

#include <stddef.h>

/* URLP_COUNT_OF is how many elements an array has; of a pointer it would be nonsense. */
#define URLP_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif /* URLP_BASE_COUNT_H */
