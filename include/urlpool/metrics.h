#ifndef URLPOOL_METRICS_H
#define URLPOOL_METRICS_H

#include "urlpool/error.h"
#include "urlpool/export.h"
#include "urlpool/manager.h"

URLPOOL_BEGIN_DECLS

/* enum urlpool_metrics_format is how metrics are written. */
enum urlpool_metrics_format {
    URLPOOL_METRICS_PROMETHEUS = 0, /* text/plain; version=0.0.4 */
    URLPOOL_METRICS_OPENMETRICS     /* application/openmetrics-text; version=1.0.0 */
};

/* urlpool_manager_metrics writes the figures of a manager, per origin and in all, under the names
 * of OpenTelemetry's conventions for HTTP clients where there is one, else urlpool_*. A scrape is
 * one call.
 *
 * Owns:    the caller frees it with urlpool_string_free.
 * Errors:  NULL with URLPOOL_E_INVALID (NULL, the format), URLPOOL_E_NOMEM.
 * Threads: any number at once. */
URLPOOL_API URLPOOL_MUST_USE char *urlpool_manager_metrics(struct urlpool_manager *manager,
                                                           enum urlpool_metrics_format format,
                                                           struct urlpool_error *err) URLPOOL_MALLOC
    URLPOOL_FREED_BY(urlpool_string_free, 1);

/* urlpool_metrics_content_type is the media type of `format`, for the Content-Type of who serves
 * it; NULL when there is no such format.
 *
 * Owns:    the string is static.
 * Threads: any number at once. */
URLPOOL_API const char *urlpool_metrics_content_type(enum urlpool_metrics_format format);

URLPOOL_END_DECLS

#endif /* URLPOOL_METRICS_H */
