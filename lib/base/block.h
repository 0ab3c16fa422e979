#ifndef URLP_BASE_BLOCK_H
#define URLP_BASE_BLOCK_H

/* Sixteen bytes looked at together: how many of them are of a kind, from the first one on. What is
 * asked of every byte of a head is asked so, where there are as many bytes.
 *
 * urlp_block_name_len counts letters, digits and "-", of which almost all field names consist.
 * urlp_block_value_len counts what may stand in a field value: all but controls, HTAB excepted. */

#ifdef __SSE2__
#include "base/block_sse2.h"
#else
#include "base/block_plain.h"
#endif

#endif /* URLP_BASE_BLOCK_H */
