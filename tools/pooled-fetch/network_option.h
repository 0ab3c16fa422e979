#ifndef NETWORK_OPTION_H
#define NETWORK_OPTION_H

#include "urlpool/network.h"

#include "settings.h"

/* pf_network_init says in `network` what the options said; it points into `settings`. */
void pf_network_init(struct urlpool_network *network, const struct pf_settings *settings);
void pf_network_deinit(struct urlpool_network *network);

#endif /* NETWORK_OPTION_H */
