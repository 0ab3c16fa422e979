#ifndef URLP_CONN_RAW_STREAM_H
#define URLP_CONN_RAW_STREAM_H

#include "urlpool/raw_stream.h"

/* urlp_raw_stream_unref gives back the reference of a response to the stream that was made of it;
 * accepts NULL. */
void urlp_raw_stream_unref(struct urlpool_raw_stream *stream);

#endif /* URLP_CONN_RAW_STREAM_H */
