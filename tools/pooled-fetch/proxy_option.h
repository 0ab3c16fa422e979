#ifndef PROXY_OPTION_H
#define PROXY_OPTION_H

#include "urlpool/manager.h"

#include "settings.h"

/* pf_manager_via_proxies makes the manager of `options`, with the proxies of `settings` and, unless
 * they say otherwise, of the environment. Errors: NULL with those of urlpool_manager_new. */
struct urlpool_manager *pf_manager_via_proxies(const struct pf_settings *settings,
                                               struct urlpool_manager_options *options,
                                               struct urlpool_error *err);

#endif /* PROXY_OPTION_H */
