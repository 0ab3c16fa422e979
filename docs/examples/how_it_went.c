/* What a response tells of its way here: tries and redirects before it, who has answered, how long
 * each step took.
 *
 *   cc how_it_went.c $(pkg-config --cflags --libs urlpool) -o how_it_went
 *   ./how_it_went https://example.com/ */

#include <stdio.h>
#include <urlpool/urlpool.h>

static double ms(int64_t ns)
{
    return (double)ns / 1e6;
}

static void print_hops(const struct urlpool_response *resp)
{
    for (size_t i = 0; i < urlpool_response_num_hops(resp); i++) {
        struct urlpool_hop hop = urlpool_response_hop(resp, i);

        if (hop.code != URLPOOL_OK) {
            printf("%s %s: %s\n", hop.method, hop.url, urlpool_code_name(hop.code));
        } else {
            printf("%s %s: %d%s%s\n", hop.method, hop.url, hop.status,
                   hop.location != NULL ? " to " : "", hop.location != NULL ? hop.location : "");
        }
    }
}

static void print(const struct urlpool_response *resp)
{
    struct urlpool_timings took = urlpool_response_timings(resp);
    struct urlpool_peer peer = urlpool_response_peer(resp);
    const char *where = urlpool_response_redirect_location(resp); /* of a 3xx not followed */
    const char *type = urlpool_response_header(resp, "Content-Type");

    print_hops(resp);
    printf("%s: %d %s from %s, %s connection\n", resp->url, resp->status,
           urlpool_http_reason(resp->status), peer.address,
           resp->connection_reused ? "a used" : "a new");
    printf("%s%s%s\n", type != NULL ? type : "no type", where != NULL ? ", go to " : "",
           where != NULL ? where : "");
    printf("before %.1f, dns %.1f, tcp %.1f, tls %.1f, sent %.1f, waited %.1f, body %.1f ms\n",
           ms(took.before_ns), ms(took.resolve_ns), ms(took.connect_ns), ms(took.tls_ns),
           ms(took.send_ns), ms(took.wait_ns), ms(took.receive_ns));
}

int main(int argc, char **argv)
{
    const struct urlpool_request_options options = {.redirects_max = 1,
                                                    .retries = {.return_last_redirect = true}};
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(NULL, &err);
    struct urlpool_response *resp = NULL;
    int good;

    if (http != NULL) {
        resp = urlpool_request(http, "GET", argc > 1 ? argv[1] : "", &options, &err);
    }
    good = resp != NULL;
    if (good) {
        print(resp);
    } else if (urlpool_error_is(&err, URLPOOL_CLASS_TIMEOUT)) { /* or the last of several tries */
        fprintf(stderr, "too slow: %s\n", err.message);
    } else {
        fprintf(stderr, "%s: %s\n", urlpool_code_name(err.code), err.message);
    }
    urlpool_response_free(resp);
    urlpool_manager_free(http);
    return good ? 0 : 1;
}
