/* Shows a client certificate to a server that asks for one, and trusts one authority alone. Then
 * reads the files anew, as a service does on SIGHUP when a certificate is about to expire.
 *
 *   cc client_certificate.c $(pkg-config --cflags --libs urlpool) -o client_certificate
 *   ./client_certificate ca.pem client.pem client.key https://internal.example/ */

#include <stdio.h>
#include <stdlib.h>
#include <urlpool/urlpool.h>

/* load reads the files anew and gives `http` what they say; on failure all stays as it was. */
static enum urlpool_code load(struct urlpool_manager *http, char **files, struct urlpool_error *err)
{
    const struct urlpool_tls_options options = {
        .ca_file = files[0],
        .cert_file = files[1],
        .key_file = files[2],
        .key_password = getenv("KEY_PASSWORD"), /* NULL: the key is not encrypted */
        .version_min = URLPOOL_TLS_1_2,
    };
    struct urlpool_tls *tls = urlpool_tls_new(&options, err);
    enum urlpool_code code = tls == NULL ? err->code : urlpool_manager_set_tls(http, tls, err);

    urlpool_tls_unref(tls); /* the manager has a reference of its own */
    return code;
}

static int fetch(struct urlpool_manager *http, const char *url, struct urlpool_error *err)
{
    struct urlpool_response *resp = urlpool_request(http, "GET", url, NULL, err);
    struct urlpool_peer peer;
    int good;

    if (resp == NULL) {
        return 0;
    }
    peer = urlpool_response_peer(resp);
    printf("%d from %s over %s, %s, certificate of %zu bytes\n", resp->status, peer.address,
           peer.tls_version, peer.tls_verified ? "verified" : "anybody", peer.certificate_len);
    good = resp->status == URLPOOL_HTTP_OK;
    urlpool_response_free(resp);
    return good;
}

int main(int argc, char **argv)
{
    struct urlpool_error err;
    struct urlpool_manager *http;
    int good = 0;

    if (argc != 5) {
        fprintf(stderr, "client_certificate CA CERT KEY URL\n");
        return 2;
    }
    http = urlpool_manager_new(NULL, &err);
    good = http != NULL && load(http, argv + 1, &err) == URLPOOL_OK && fetch(http, argv[4], &err);
    if (good) { /* from whatever thread: requests under way go on with the old ones */
        good = load(http, argv + 1, &err) == URLPOOL_OK && fetch(http, argv[4], &err);
    }
    if (!good && http != NULL && urlpool_error_is(&err, URLPOOL_CLASS_TLS)) {
        fprintf(stderr, "not trusted, or not let in: %s\n", err.message);
    } else if (!good) {
        fprintf(stderr, "%s\n", err.message);
    }
    urlpool_manager_free(http);
    return good ? 0 : 1;
}
