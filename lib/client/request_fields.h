#ifndef URLP_CLIENT_REQUEST_FIELDS_H
#define URLP_CLIENT_REQUEST_FIELDS_H

#include "urlpool/manager.h"

#include "http/url.h"

/* urlp_fields_place puts the fields of `options`, if there are any, where they go with `method`:
 * behind the query of `url`, or into `out_body`, which is the body of `options` else.
 *
 * Owns:    the body borrows what `options` points to.
 * Errors:  URLPOOL_E_INVALID for fields and a body at once, and for a file that would have to go
 *          into the URL; URLPOOL_E_URL when it gets too long; URLPOOL_E_NOMEM. `url` may be empty
 *          then.
 * Model:   urllib3 RequestMethods.request_encode_url, request_encode_body. */
URLPOOL_MUST_USE enum urlpool_code urlp_fields_place(const struct urlpool_request_options *options,
                                                     struct urlp_span method, struct urlp_url *url,
                                                     struct urlpool_body *out_body,
                                                     struct urlpool_error *err);

#endif /* URLP_CLIENT_REQUEST_FIELDS_H */
