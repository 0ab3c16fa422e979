#ifndef URLP_CLIENT_CONNECTOR_H
#define URLP_CLIENT_CONNECTOR_H

#include "pool/pool.h"

struct urlpool_manager;

/* urlp_connector_for is how the pools of `manager` get, judge and end connections: conn's own
 * functions, with the manager's opener behind them. */
struct urlp_connector urlp_connector_for(struct urlpool_manager *manager);

/* urlp_lease_end_of says to the pool what conn says of a connection. */
struct urlp_lease_end urlp_lease_end_of(const struct urlp_connection_verdict *verdict);

#endif /* URLP_CLIENT_CONNECTOR_H */
