/* Tries again what can be tried again, with pauses that grow, and stops when the server is in
 * trouble: of all retries to one origin together there are no more than a budget allows, so that a
 * client does not drown who is going under.
 *
 *   cc retry_budget.c $(pkg-config --cflags --libs urlpool) -o retry_budget
 *   ./retry_budget https://example.com/ 20 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <urlpool/urlpool.h>

static const struct urlpool_manager_options options = {
    .retries = {.total = 3,
                .status_forcelist = {502, 503, 504}, /* 413, 429 and 503 with Retry-After anyway */
                .backoff_factor_ms = 50,             /* 0, 100, 200 … */
                .backoff_max_ms = 2000,
                .backoff_jitter_ms = 50}, /* so that not all come back at once */
    .retry_budget = {.tokens = 10, .percent = 20}, /* ten at first; then one for five good ones */
    .timeout = {.total_ms = 10000                }, /* for all tries and pauses of a request */
    .share_retry_after = true, /* when one thread is told to wait, the others do, too */
};

int main(int argc, char **argv)
{
    const long num = argc > 2 ? strtol(argv[2], NULL, 10) : 1;
    struct urlpool_stats stats;
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(&options, &err);
    long num_good = 0;

    if (http == NULL) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (long i = 0; i < num; i++) {
        struct urlpool_response *resp =
            urlpool_request(http, "GET", argc > 1 ? argv[1] : "", NULL, &err);

        if (resp == NULL) { /* no answer at all; of the last try: */
            fprintf(stderr, "after %u tries: %s\n", (unsigned)err.num_attempts, err.message);
            continue;
        }
        num_good += resp->status / 100 == 2;
        urlpool_response_free(resp); /* out of retries, the last answer is returned: a 503 */
    }
    urlpool_manager_stats(http, &stats, sizeof(stats));
    printf("%ld of %ld good, %" PRIu64 " retries made, %" PRIu64 " withheld\n", num_good, num,
           stats.retries, stats.retries_withheld);
    urlpool_manager_free(http);
    return num_good == num ? 0 : 1;
}
