#ifndef URLP_CONN_SOCKS_H
#define URLP_CONN_SOCKS_H

#include "base/call.h"
#include "base/sync.h"
#include "conn/socks_messages.h"
#include "net/stream.h"

/* urlp_socks_connect asks the SOCKS proxy at the other end of `stream` for a connection. What is
 * read and written on `stream` then goes through it: nothing behind the proxy's answer is read.
 *
 * Units:   `call->by` bounds all of it.
 * Owns:    the stream stays the caller's; after a failure it is fit only for urlp_stream_free.
 * Errors:  URLPOOL_E_INVALID of urlp_socks_check, before a byte is sent; URLPOOL_E_PROXY, when the
 *          proxy refuses, else with a `cause`; CONNECT_TIMEOUT or TOTAL_TIMEOUT, CANCELLED; phase
 *          PROXY.
 * Threads: one at a time for `stream`; blocks.
 * Spec:    RFC 1928, RFC 1929; SOCKS4 and SOCKS4a as their authors' notes say.
 * Model:   urllib3 SOCKSConnection, PySocks. */
URLPOOL_MUST_USE enum urlpool_code urlp_socks_connect(struct urlp_stream *stream,
                                                      const struct urlp_socks_order *order,
                                                      const struct urlp_call *call,
                                                      struct urlpool_error *err) URLP_MAY_BLOCK;

#endif /* URLP_CONN_SOCKS_H */
