#ifndef URLP_BASE_ENVIRONMENT_H
#define URLP_BASE_ENVIRONMENT_H

#include "urlpool/error.h"

/* struct urlp_environment is a copy of the variables urlpool looks at, made once by
 * urlpool_manager_new or urlpool_tls_new. NULL: not set, or set to nothing. */
struct urlp_environment {
    char *ssl_cert_file;
    char *ssl_cert_dir;
    char *sslkeylogfile;
};

/* urlp_environment_read copies the environment as it is now.
 *
 * Owns:    the caller ends it with urlp_environment_deinit.
 * Errors:  URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_environment_read(struct urlp_environment *out,
                                                         struct urlpool_error *err);

/* urlp_environment_deinit gives the copies back. Again is harmless. */
void urlp_environment_deinit(struct urlp_environment *environment);

/* struct urlp_proxy_environment is a copy of the variables that name proxies, made once by
 * urlpool_manager_new when it is told to. Names in small letters win over those in capitals. NULL:
 * not set, or set to nothing. */
struct urlp_proxy_environment {
    char *http_proxy; /* HTTP_PROXY is not looked at where REQUEST_METHOD is set */
    char *https_proxy;
    char *all_proxy;
    char *no_proxy;
};

/* urlp_proxy_environment_read copies the environment as it is now.
 *
 * Owns:    the caller ends it with urlp_proxy_environment_deinit.
 * Errors:  URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_proxy_environment_read(struct urlp_proxy_environment *out,
                                                               struct urlpool_error *err);

/* urlp_proxy_environment_deinit gives the copies back. Again is harmless. */
void urlp_proxy_environment_deinit(struct urlp_proxy_environment *environment);

#endif /* URLP_BASE_ENVIRONMENT_H */
