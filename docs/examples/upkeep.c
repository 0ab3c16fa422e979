/* What a long-lived program may do for its manager: open connections before they are needed, close
 * those that are stale, tell it that the network has changed, and end it while threads work.
 *
 *   cc upkeep.c $(pkg-config --cflags --libs urlpool) -o upkeep
 *   ./upkeep https://example.com/ */

#include <stdio.h>
#include <urlpool/urlpool.h>

static void print(struct urlpool_manager *http, const char *after)
{
    struct urlpool_stats now;

    urlpool_manager_stats(http, &now, sizeof(now));
    printf("%s: %d idle\n", after, (int)now.idle);
}

/* use_after_close shows what a thread gets that comes too late. */
static void use_after_close(struct urlpool_manager *http, const char *url)
{
    struct urlpool_error err;
    struct urlpool_response *resp = urlpool_request(http, "GET", url, NULL, &err);

    printf("%s\n", resp == NULL ? urlpool_code_name(err.code) : "an answer");
    urlpool_response_free(resp);
}

int main(int argc, char **argv)
{
    const struct urlpool_manager_options options = {
        .upkeep_thread = false, /* true: a thread of the manager's does what maintain does */
        .idle_ms = 30000,
    };
    const char *url = argc > 1 ? argv[1] : "";
    struct urlpool_error err;
    struct urlpool_manager *http = urlpool_manager_new(&options, &err);
    struct urlpool_manager *also;

    if (http == NULL || urlpool_manager_preconnect(http, url, 3, &err) != URLPOOL_OK) {
        fprintf(stderr, "%s\n", err.message);
        urlpool_manager_free(http);
        return 1;
    }
    print(http, "preconnect");
    printf("maintain closed %zu\n", urlpool_manager_maintain(http));     /* every minute or so */
    printf("close_idle closed %zu\n", urlpool_manager_close_idle(http)); /* memory is short */
    if (urlpool_manager_preconnect(http, url, 2, &err) != URLPOOL_OK) {
        fprintf(stderr, "%s\n", err.message);
    }
    urlpool_manager_network_changed(http); /* another Wi-Fi, or awake again */
    print(http, "network_changed");
    urlpool_manager_clear(http);      /* forget all origins */
    also = urlpool_manager_ref(http); /* for a thread, which gives it back by unref */
    urlpool_manager_close(http);      /* no more requests; those under way end in order */
    use_after_close(also, url);
    urlpool_manager_unref(also);
    urlpool_manager_free(http); /* close and unref */
    return 0;
}
