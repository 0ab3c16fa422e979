/* A program of another release than the library's. test_struct_growth compiles it against headers
 * that are newer (NEWER: each option struct has `appended`, out of its reserved bytes, and each
 * snapshot a member more) or older (OLDER: each snapshot has a member less), and runs it on the
 * library as it is. Ends with 0 when all is as promised. */

#include <stdio.h>
#include <string.h>
#include <urlpool/urlpool.h>

static int wrong;

static void expect(bool holds, const char *what)
{
    if (!holds) {
        printf("%s\n", what);
        wrong = 1;
    }
}

/* Bytes behind a snapshot, which are nobody's business. */
struct guarded_stats {
    struct urlpool_stats stats;
    unsigned char guard[64];
};
struct guarded_info {
    struct urlpool_connection_info info;
    unsigned char guard[64];
};

static bool is_all(const unsigned char *bytes, size_t len, unsigned char value)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

static void take_snapshots(struct urlpool_manager *manager)
{
    struct urlpool_error err;
    struct urlpool_connection *connection = urlpool_connection_new("127.0.0.1", 80, NULL, &err);
    struct guarded_stats stats;
    struct guarded_info info;

    memset(&stats, 0xa5, sizeof(stats));
    memset(&info, 0xa5, sizeof(info));
    urlpool_manager_stats(manager, &stats.stats, sizeof(stats.stats));
    urlpool_connection_info(connection, &info.info, sizeof(info.info));
    expect(stats.stats.requests == 0, "the first member of the stats");
    expect(info.info.port == 80, "a member of the info");
    expect(is_all(stats.guard, sizeof(stats.guard), 0xa5), "written behind the stats");
    expect(is_all(info.guard, sizeof(info.guard), 0xa5), "written behind the info");
#ifdef NEWER
    expect(is_all(stats.stats.appended, sizeof(stats.stats.appended), 0), "stats it has not");
    expect(is_all(info.info.appended, sizeof(info.info.appended), 0), "info it has not");
#endif
    urlpool_connection_free(connection);
}

#ifdef NEWER
/* refuses says that a manager with these options is refused for what the library does not know. */
static void refuses(const struct urlpool_manager_options *options, const char *what)
{
    struct urlpool_error err = {.code = URLPOOL_OK};
    struct urlpool_manager *manager = urlpool_manager_new(options, &err);

    expect(manager == NULL && err.code == URLPOOL_E_INVALID, what);
    urlpool_manager_free(manager);
}

static void ask_for_what_is_unknown(struct urlpool_manager *manager)
{
    static const unsigned char more[4] = {0, 0, 0, 1};
    struct urlpool_manager_options o;
    struct urlpool_request_options r;
    struct urlpool_error err = {.code = URLPOOL_OK};

#define REFUSES(member)                   \
    memset(&o, 0, sizeof(o));             \
    memcpy(o.member, more, sizeof(more)); \
    refuses(&o, #member)
    REFUSES(appended);
    REFUSES(timeout.appended);
    REFUSES(retries.appended);
    REFUSES(limits.appended);
    REFUSES(network.appended);
    REFUSES(proxy.appended);
    REFUSES(preproxy.appended);
    REFUSES(trace.appended);
    REFUSES(retry_budget.appended);
#undef REFUSES
#define REFUSES(member)                                                                \
    memset(&r, 0, sizeof(r));                                                          \
    memcpy(r.member, more, sizeof(more));                                              \
    expect(urlpool_request(manager, "GET", "http://127.0.0.1:1/", &r, &err) == NULL && \
               err.code == URLPOOL_E_INVALID,                                          \
           #member " of a request")
    REFUSES(appended);
    REFUSES(body.appended);
    REFUSES(timeout.appended);
    REFUSES(retries.appended);
    REFUSES(into.appended);
    REFUSES(trace.appended);
#undef REFUSES
    {
        struct urlpool_tls_options tls;

        memset(&tls, 0, sizeof(tls));
        memcpy(tls.appended, more, sizeof(more));
        expect(urlpool_tls_new(&tls, &err) == NULL && err.code == URLPOOL_E_INVALID, "tls");
    }
    {
        struct urlpool_connection_options c;

        memset(&c, 0, sizeof(c));
        memcpy(c.appended, more, sizeof(more));
        expect(urlpool_connection_new("h", 1, &c, &err) == NULL && err.code == URLPOOL_E_INVALID,
               "connection");
    }
}
#endif

int main(void)
{
    struct urlpool_error err;
    struct urlpool_manager_options options;
    struct urlpool_manager *manager = NULL;

    memset(&options, 0, sizeof(options));
    manager = urlpool_manager_new(&options, &err);
    expect(manager != NULL, "a manager with options of zero");
    take_snapshots(manager);
#ifdef NEWER
    ask_for_what_is_unknown(manager);
#endif
    urlpool_manager_free(manager);
    return wrong;
}
