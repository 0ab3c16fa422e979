/* One TLS configuration for several managers: built once, shared by reference. Here it trusts one
 * key, whoever has signed for it.
 *
 *   cc shared_trust.c $(pkg-config --cflags --libs urlpool) -o shared_trust
 *   ./shared_trust ca.pem "sha256//…" https://a.example/ https://b.example/ */

#include <stdio.h>
#include <urlpool/urlpool.h>

/* fetch makes a manager of its own and ends it. */
static int fetch(struct urlpool_tls *tls, const char *url)
{
    const struct urlpool_manager_options options = {.tls = tls};
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(&options, &err); /* takes a reference */
    struct urlpool_response *resp = NULL;
    int good;

    if (http != NULL) {
        resp = urlpool_request(http, "GET", url, NULL, &err);
    }
    good = resp != NULL;
    printf("%s\n", good ? urlpool_response_peer(resp).tls_version : urlpool_code_name(err.code));
    urlpool_response_free(resp);
    urlpool_manager_free(http);
    return good;
}

int main(int argc, char **argv)
{
    struct urlpool_tls_options options = {.version_min = URLPOOL_TLS_1_3};
    struct urlpool_error err;
    struct urlpool_tls *tls;
    struct urlpool_tls *also;
    int good = 1;

    if (argc < 4) {
        fprintf(stderr, "shared_trust CA PIN URL...\n");
        return 2;
    }
    options.ca_file = argv[1];
    options.pins = argv[2];
    tls = urlpool_tls_new(&options, &err);
    if (tls == NULL) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (int i = 3; i < argc; i++) {
        also = urlpool_tls_ref(tls); /* for a module that keeps it, which gives it back */
        good &= fetch(also, argv[i]);
        urlpool_tls_unref(also);
    }
    urlpool_tls_unref(tls);
    return good ? 0 : 1;
}
