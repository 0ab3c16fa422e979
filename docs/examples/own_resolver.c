/* Says where hosts are: some by a table of one's own, all others as the C library does (nsswitch:
 * LDAP, mDNS …); and refuses addresses that a URL given by a user must not lead to.
 *
 *   cc own_resolver.c $(pkg-config --cflags --libs urlpool) -o own_resolver
 *   ./own_resolver http://shop.internal:8080/ */

#include <stdio.h>
#include <string.h>
#include <urlpool/urlpool.h>

/* resolve is called in the thread that dials, by any number of threads at once. */
static enum urlpool_code resolve(void *user, const char *host, int64_t timeout_ms,
                                 struct urlpool_answers *answers, struct urlpool_error *err)
{
    if (strcmp(host, "shop.internal") == 0) {
        return urlpool_answers_add(answers, "127.0.0.1", err);
    }
    return urlpool_resolver_libc(user, host, timeout_ms, answers, err);
}

/* allow sees every address just before it is dialled, after redirects too, so that nothing can
 * change between the look and the dial. `.public_only = true` does more than this. */
static bool allow(void *user, const char *host, const char *address, uint16_t port)
{
    (void)user;
    (void)host;
    (void)port;
    return strcmp(address, "169.254.169.254") != 0; /* where clouds keep credentials */
}

int main(int argc, char **argv)
{
    const struct urlpool_manager_options options = {
        .network = {.resolve = resolve, .allow = allow},
        .retries = {.total = URLPOOL_NONE                 },
    };
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(&options, &err);
    int status = 0;

    for (int i = 1; http != NULL && i < argc; i++) {
        struct urlpool_response *resp = urlpool_request(http, "GET", argv[i], NULL, &err);

        if (resp != NULL) {
            printf("%d from %s\n", resp->status, urlpool_response_peer(resp).address);
        } else {
            printf("%s%s: %s\n", urlpool_code_name(err.code),
                   urlpool_code_is(err.code, URLPOOL_CLASS_CONNECT) ? ", nothing was sent" : "",
                   err.message);
            status = 1;
        }
        urlpool_response_free(resp);
    }
    urlpool_manager_free(http);
    return http == NULL ? 1 : status;
}
