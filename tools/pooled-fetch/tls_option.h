#ifndef TLS_OPTION_H
#define TLS_OPTION_H

#include "urlpool/tls.h"

#include "settings.h"

/* pf_tls_is_asked_for says whether `settings` ask for more than the default configuration. */
bool pf_tls_is_asked_for(const struct pf_settings *settings);

/* pf_tls_make makes the configuration for servers. Owns: for urlpool_tls_unref. Errors: NULL with
 * those of urlpool_tls_new. */
struct urlpool_tls *pf_tls_make(const struct pf_settings *settings, struct urlpool_error *err);

#endif /* TLS_OPTION_H */
