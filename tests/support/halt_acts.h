#ifndef TESTS_SUPPORT_HALT_ACTS_H
#define TESTS_SUPPORT_HALT_ACTS_H

#include "support/halts.h"

/* The calls of halt_kinds.c that are more than a request, named after the function that stands
 * still. Each returns its code. */
enum urlpool_code halt_acquire(struct halt *halt, struct urlpool_error *err);
enum urlpool_code halt_read(struct halt *halt, struct urlpool_error *err);
enum urlpool_code halt_read_exact(struct halt *halt, struct urlpool_error *err);
enum urlpool_code halt_read_line(struct halt *halt, struct urlpool_error *err);
enum urlpool_code halt_read_chunk(struct halt *halt, struct urlpool_error *err);
enum urlpool_code halt_read_all(struct halt *halt, struct urlpool_error *err);
enum urlpool_code halt_stream(struct halt *halt, struct urlpool_error *err);
enum urlpool_code halt_events(struct halt *halt, struct urlpool_error *err);
enum urlpool_code halt_raw_read(struct halt *halt, struct urlpool_error *err);
enum urlpool_code halt_raw_write(struct halt *halt, struct urlpool_error *err);
enum urlpool_code halt_connection_connect(struct halt *halt, struct urlpool_error *err);
enum urlpool_code halt_getresponse(struct halt *halt, struct urlpool_error *err);

#endif /* TESTS_SUPPORT_HALT_ACTS_H */
