#ifndef POOLED_FETCH_TRACE_FILE_H
#define POOLED_FETCH_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "urlpool/trace.h"

#include "settings.h"

/* The file of --trace and --trace-ascii. Credentials are masked in it. Threads: any number at once.
 */

/* pf_trace_open opens it, if one is asked for; "-" is standard output, "%" standard error.
 * Errors: -1 with errno. */
int pf_trace_open(const struct pf_settings *settings);
void pf_trace_close(void);
bool pf_trace_is_open(void);
void pf_trace_event(const struct urlpool_trace_event *event);
/* pf_trace_body notes bytes of a body that came. */
void pf_trace_body(const void *data, size_t len);
/* pf_trace_add_time adds "12:34:56.789012 ", the time now. */
void pf_trace_add_time(struct pf_text *out);

#endif /* POOLED_FETCH_TRACE_FILE_H */
