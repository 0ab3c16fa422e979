#ifndef URLPOOL_URLPOOL_H
#define URLPOOL_URLPOOL_H

/* The whole of urlpool: an HTTP/1.1 client whose connections any number of threads share. */

#include "urlpool/body.h"       // IWYU pragma: export
#include "urlpool/cancel.h"     // IWYU pragma: export
#include "urlpool/connection.h" // IWYU pragma: export
#include "urlpool/deadline.h"   // IWYU pragma: export
#include "urlpool/error.h"      // IWYU pragma: export
#include "urlpool/export.h"     // IWYU pragma: export
#include "urlpool/form.h"       // IWYU pragma: export
#include "urlpool/headers.h"    // IWYU pragma: export
#include "urlpool/limits.h"     // IWYU pragma: export
#include "urlpool/manager.h"    // IWYU pragma: export
#include "urlpool/memory.h"     // IWYU pragma: export
#include "urlpool/metrics.h"    // IWYU pragma: export
#include "urlpool/network.h"    // IWYU pragma: export
#include "urlpool/pool.h"       // IWYU pragma: export
#include "urlpool/proxy.h"      // IWYU pragma: export
#include "urlpool/raw_stream.h" // IWYU pragma: export
#include "urlpool/response.h"   // IWYU pragma: export
#include "urlpool/retry.h"      // IWYU pragma: export
#include "urlpool/sse.h"        // IWYU pragma: export
#include "urlpool/stats.h"      // IWYU pragma: export
#include "urlpool/status.h"     // IWYU pragma: export
#include "urlpool/timeout.h"    // IWYU pragma: export
#include "urlpool/tls.h"        // IWYU pragma: export
#include "urlpool/trace.h"      // IWYU pragma: export
#include "urlpool/url.h"        // IWYU pragma: export
#include "urlpool/version.h"    // IWYU pragma: export

#endif /* URLPOOL_URLPOOL_H */
