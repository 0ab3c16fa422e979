/* The C library as a resolver, for whoever needs what nsswitch.conf names: LDAP, mDNS, NIS. It
 * waits as long as it likes; our own (net/resolver.c) is there for everybody else. */

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "urlpool/network.h"

#include "base/error.h"
#include "base/ip.h"

/* format writes the address of one answer; false for a family that is not ours. */
static bool format(const struct addrinfo *node, char out[URLP_IP_TEXT_MAX])
{
    struct urlp_ip ip = {.family = URLP_IP_NONE};
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (node->ai_family == AF_INET) {
        memcpy(&v4, node->ai_addr, sizeof(v4));
        ip.family = URLP_IP_V4;
        memcpy(ip.bytes, &v4.sin_addr, sizeof(v4.sin_addr));
    } else if (node->ai_family == AF_INET6) {
        memcpy(&v6, node->ai_addr, sizeof(v6));
        ip.family = URLP_IP_V6;
        memcpy(ip.bytes, &v6.sin6_addr, sizeof(v6.sin6_addr));
    } else {
        return false;
    }
    urlp_ip_format(&ip, out);
    return true;
}

enum urlpool_code urlpool_resolver_libc(void *user, const char *host, int64_t timeout_ms,
                                        struct urlpool_answers *answers, struct urlpool_error *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    enum urlpool_code code = URLPOOL_OK;
    int status;

    (void)user;
    (void)timeout_ms;
    if (host == NULL || answers == NULL) {
        return urlp_fail_null(err);
    }
    status = getaddrinfo(host, NULL, &hints, &found);
    if (status == EAI_MEMORY) {
        return urlp_fail_nomem(err);
    }
    if (status != 0) {
        return urlp_fail(err, URLPOOL_E_RESOLVE, URLPOOL_PHASE_RESOLVE, "%s", gai_strerror(status));
    }
    for (const struct addrinfo *node = found; node != NULL && code == URLPOOL_OK;
         node = node->ai_next) {
        char text[URLP_IP_TEXT_MAX];

        if (format(node, text)) {
            code = urlpool_answers_add(answers, text, err);
        }
    }
    freeaddrinfo(found);
    return code;
}
