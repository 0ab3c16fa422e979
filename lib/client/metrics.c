/* Which figures a manager shows to a monitoring system, and under which names.
 *
 * Names are OpenTelemetry's for HTTP clients where it has one, as Prometheus spells them; the
 * others begin with urlpool_. Figures of an origin carry its address, port and scheme, and come and
 * go with its pool, so that there are never more of them than num_pools; figures of the manager
 * carry no such labels, hold what pools that are no more have counted, and never go down. Pools
 * that differ in something no label tells, the way to an origin or its TLS configuration, are one
 * here. */

#include "urlpool/metrics.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/count.h"
#include "base/error.h"
#include "client/exposition.h"
#include "client/manager.h"

/* One figure of struct urlpool_stats. */
struct figure {
    struct urlp_family of_manager;
    struct urlp_family of_pool; /* no name: it is none of a pool */
    size_t at;
    bool is_duration; /* in ns */
};

/* clang-format off */
#define FIGURE(TYPE, NAME, UNIT, HELP, FIELD, IS_DURATION)              \
    {                                                                    \
        {"urlpool_" NAME, TYPE, UNIT, HELP},                             \
        {"urlpool_pool_" NAME, TYPE, UNIT, HELP ", of one origin"},      \
        offsetof(struct urlpool_stats, FIELD), IS_DURATION               \
    }
#define COUNTER(NAME, FIELD, HELP) FIGURE(URLP_FAMILY_COUNTER, NAME, NULL, HELP, FIELD, false)
#define BYTES(NAME, FIELD, HELP)   FIGURE(URLP_FAMILY_COUNTER, NAME, "bytes", HELP, FIELD, false)
#define GAUGE(NAME, FIELD, HELP)   FIGURE(URLP_FAMILY_GAUGE, NAME, NULL, HELP, FIELD, false)
#define OF_MANAGER(TYPE, NAME, FIELD, HELP)                              \
    {                                                                    \
        {"urlpool_" NAME, TYPE, NULL, HELP}, {0},                        \
        offsetof(struct urlpool_stats, FIELD), false                     \
    }

static const struct figure figures[] = {
    OF_MANAGER(URLP_FAMILY_GAUGE, "pools", pools, "Origins whose connections are kept"),
    OF_MANAGER(URLP_FAMILY_COUNTER, "pools_retired", pools_retired, "Origins that were let go"),
    GAUGE("open_connections", open, "Connections and dials"),
    GAUGE("idle_connections", idle, "Connections that nobody uses"),
    GAUGE("leased_connections", leased, "Connections in use"),
    GAUGE("dialling_connections", dialling, "Connections being opened"),
    GAUGE("half_dials", half_dials, "Dials broken off, for others to go on with"),
    GAUGE("waiting_threads", waiting, "Threads that wait for a connection"),
    GAUGE("peak_open_connections", peak_open, "The most connections and dials there were at once"),
    COUNTER("opened_connections", opened, "Connections dialled with success"),
    COUNTER("reused_connections", reused, "Connections that were idle and used again"),
    COUNTER("dial_failures", dial_failures, "Dials without success"),
    COUNTER("dials_overtaken", dials_overtaken, "Dials overtaken by a connection that came free"),
    COUNTER("dials_resumed", dials_resumed, "Dials gone on with by another thread"),
    COUNTER("dials_shared", dials_shared, "Threads that were told of another's failed dial"),
    COUNTER("waits", waits, "Threads that had to wait for a connection"),
    COUNTER("wait_timeouts", wait_timeouts, "Threads that waited for a connection in vain"),
    FIGURE(URLP_FAMILY_COUNTER, "wait_seconds", "seconds", "Time waited for connections", wait_ns,
           true),
    COUNTER("requests", requests, "Requests"),
    COUNTER("request_failures", failures, "Requests that ended in an error"),
    COUNTER("redirects", redirects, "Redirects followed"),
    COUNTER("retries", retries, "Tries made again"),
    COUNTER("stale_retries", stale_retries, "Tries made again because a connection was stale"),
    COUNTER("retries_withheld", retries_withheld, "Tries not made again for want of budget"),
    BYTES("sent_bytes", bytes_sent, "Bytes sent"),
    BYTES("received_bytes", bytes_received, "Bytes received"),
    COUNTER("dns_queries", dns_queries, "Names asked for"),
    COUNTER("dns_hits", dns_hits, "Names known from before"),
    COUNTER("tls_full_handshakes", tls_full, "TLS handshakes without a session"),
    COUNTER("tls_resumed_handshakes", tls_resumed, "TLS handshakes with a session"),
    COUNTER("tls_refused_sessions", tls_refused, "TLS sessions offered in vain"),
    COUNTER("leaks", leaks, "Connections held for longer than leak_ms"),
};
/* clang-format on */

static const struct urlp_family closed_of_manager = {
    "urlpool_closed_connections", URLP_FAMILY_COUNTER, NULL, "Connections that died, by reason"};
static const struct urlp_family closed_of_pool = {
    "urlpool_pool_closed_connections", URLP_FAMILY_COUNTER, NULL,
    "Connections that died, by reason, of one origin"};

/* OpenTelemetry's. */
static const struct urlp_family open_connections = {
    "http_client_open_connections", URLP_FAMILY_GAUGE, NULL,
    "Number of outbound HTTP connections that are currently active or idle on the client"};
static const struct urlp_family active_requests = {"http_client_active_requests", URLP_FAMILY_GAUGE,
                                                   NULL, "Number of active HTTP requests"};
static const struct urlp_family connection_duration = {
    "http_client_connection_duration_seconds", URLP_FAMILY_HISTOGRAM, "seconds",
    "Duration of outbound HTTP connections that have ended"};
static const struct urlp_family request_duration = {
    "http_client_request_duration_seconds", URLP_FAMILY_HISTOGRAM, "seconds",
    "Duration of HTTP client requests, each try by itself"};
static const struct urlp_family time_in_queue = {
    "http_client_request_time_in_queue_seconds", URLP_FAMILY_HISTOGRAM, "seconds",
    "Time that requests waited for a connection, of those that had to"};

/* struct scene is what is shown. */
struct scene {
    struct urlp_pool_figures all;
    struct urlp_pool_figures *pools; /* one for each set of labels */
    size_t num_pools;
};

/* --- labels ----------------------------------------------------------------------------------- */

/* The labels of an origin, and memory for what they say. */
struct origin_labels {
    struct urlp_labels labels;
    char port[8];
    char address[320]; /* a name of 253 bytes, or an address with a zone */
};

static void add_label(struct urlp_labels *labels, const char *name, struct urlp_span value)
{
    labels->of[labels->num++] = (struct urlp_label){name, value};
}

static void label_origin(const struct urlp_origin *origin, struct origin_labels *out)
{
    struct urlp_span address = origin->host;

    out->labels.num = 0;
    if (origin->zone.len > 0) {
        (void)snprintf(out->address, sizeof(out->address), "%.*s%%%.*s", (int)origin->host.len,
                       origin->host.data, (int)origin->zone.len, origin->zone.data);
        address = urlp_span_of(out->address);
    }
    (void)snprintf(out->port, sizeof(out->port), "%u", (unsigned)origin->port);
    add_label(&out->labels, "server_address", address);
    add_label(&out->labels, "server_port", urlp_span_of(out->port));
    add_label(&out->labels, "url_scheme", urlp_span_of(origin->is_https ? "https" : "http"));
}

/* --- pools ------------------------------------------------------------------------------------ */

/* add_stats sums the figures in the table, and what else is shown. */
static void add_stats(struct urlpool_stats *to, const struct urlpool_stats *from)
{
    for (size_t i = 0; i < URLP_COUNT_OF(figures); i++) {
        uint64_t sum;
        uint64_t more;

        memcpy(&sum, (const char *)to + figures[i].at, sizeof(sum));
        memcpy(&more, (const char *)from + figures[i].at, sizeof(more));
        sum += more;
        memcpy((char *)to + figures[i].at, &sum, sizeof(sum));
    }
    for (size_t i = 0; i < URLPOOL_CLOSED_NUM; i++) {
        to->closed[i] += from->closed[i];
    }
    for (size_t i = 0; i < URLPOOL_WAIT_BUCKETS; i++) {
        to->wait_buckets[i] += from->wait_buckets[i];
    }
}

/* merge adds the figures of pools with the same labels to the first of them, and closes the gaps.
 */
static void merge(struct scene *scene)
{
    size_t num = 0;

    for (size_t i = 0; i < scene->num_pools; i++) {
        struct urlp_pool_figures *pool = &scene->pools[i];
        size_t at = 0;

        while (at < num && !urlp_origin_equals(&scene->pools[at].origin, &pool->origin)) {
            at++;
        }
        if (at == num) {
            scene->pools[num++] = *pool;
            continue;
        }
        add_stats(&scene->pools[at].stats, &pool->stats);
        urlp_counters_add(&scene->pools[at].counters, &pool->counters);
        if (pool->made_wall_s < scene->pools[at].made_wall_s) {
            scene->pools[at].made_wall_s = pool->made_wall_s;
        }
    }
    scene->num_pools = num;
}

/* --- families --------------------------------------------------------------------------------- */

static void show_figure(struct urlp_exposition *page, const struct figure *figure,
                        const struct urlp_pool_figures *of, const struct urlp_labels *labels)
{
    uint64_t value;

    memcpy(&value, (const char *)&of->stats + figure->at, sizeof(value));
    if (figure->is_duration) {
        urlp_exposition_duration(page, labels, value);
    } else {
        urlp_exposition_number(page, labels, value);
    }
    if (page->family->type == URLP_FAMILY_COUNTER) {
        urlp_exposition_created(page, labels, of->made_wall_s);
    }
}

/* show_closed shows how many connections died of each reason. */
static void show_closed(struct urlp_exposition *page, const struct urlp_pool_figures *of,
                        const struct urlp_labels *labels)
{
    for (int why = 0; why < URLPOOL_CLOSED_NUM; why++) {
        struct urlp_labels with_reason = *labels;

        add_label(&with_reason, "reason",
                  urlp_span_of(urlpool_closed_name((enum urlpool_closed)why)));
        urlp_exposition_number(page, &with_reason, of->stats.closed[why]);
        urlp_exposition_created(page, &with_reason, of->made_wall_s);
    }
}

static void show_open(struct urlp_exposition *page, const struct urlp_pool_figures *of,
                      const struct urlp_labels *labels)
{
    struct urlp_labels with_state = *labels;

    add_label(&with_state, "http_connection_state", urlp_span_of("active"));
    urlp_exposition_number(page, &with_state, of->stats.leased);
    with_state.of[with_state.num - 1].value = urlp_span_of("idle");
    urlp_exposition_number(page, &with_state, of->stats.idle);
}

static void show_active(struct urlp_exposition *page, const struct urlp_pool_figures *of,
                        const struct urlp_labels *labels)
{
    const struct urlpool_stats *stats = &of->stats;

    urlp_exposition_number(page, labels,
                           stats->leased + (stats->dialling - stats->half_dials) + stats->waiting);
}

static void show_durations(struct urlp_exposition *page, const struct urlp_durations *durations,
                           const int64_t *bounds_ns, const struct urlp_pool_figures *of,
                           const struct urlp_labels *labels)
{
    uint64_t buckets[URLP_DURATION_BUCKETS];
    const struct urlp_distribution value = {buckets, bounds_ns, URLP_DURATION_BUCKETS - 1,
                                            urlp_counted(&durations->sum_ns)};

    for (size_t i = 0; i < URLP_DURATION_BUCKETS; i++) {
        buckets[i] = urlp_counted(&durations->buckets[i]);
    }
    urlp_exposition_histogram(page, labels, &value);
    urlp_exposition_created(page, labels, of->made_wall_s);
}

static void show_connections(struct urlp_exposition *page, const struct urlp_pool_figures *of,
                             const struct urlp_labels *labels)
{
    show_durations(page, &of->counters.connections, urlp_connection_bounds_ns, of, labels);
}

static void show_requests(struct urlp_exposition *page, const struct urlp_pool_figures *of,
                          const struct urlp_labels *labels)
{
    show_durations(page, &of->counters.tries, urlp_try_bounds_ns, of, labels);
}

static void show_queue(struct urlp_exposition *page, const struct urlp_pool_figures *of,
                       const struct urlp_labels *labels)
{
    const struct urlp_distribution value = {of->stats.wait_buckets, urlp_wait_bounds_ns,
                                            URLPOOL_WAIT_BUCKETS - 1, of->stats.wait_ns};

    urlp_exposition_histogram(page, labels, &value);
    urlp_exposition_created(page, labels, of->made_wall_s);
}

/* show_origins shows one family, of each origin. */
static void show_origins(struct urlp_exposition *page, const struct scene *scene,
                         const struct urlp_family *family,
                         void (*show)(struct urlp_exposition *page,
                                      const struct urlp_pool_figures *of,
                                      const struct urlp_labels *labels))
{
    urlp_exposition_family(page, family);
    for (size_t i = 0; i < scene->num_pools; i++) {
        struct origin_labels origin;

        label_origin(&scene->pools[i].origin, &origin);
        show(page, &scene->pools[i], &origin.labels);
    }
}

static void show_figures(struct urlp_exposition *page, const struct scene *scene)
{
    static const struct urlp_labels none;

    for (size_t i = 0; i < URLP_COUNT_OF(figures); i++) {
        const struct figure *figure = &figures[i];

        urlp_exposition_family(page, &figure->of_manager);
        show_figure(page, figure, &scene->all, &none);
        if (figure->of_pool.name == NULL) {
            continue;
        }
        urlp_exposition_family(page, &figure->of_pool);
        for (size_t j = 0; j < scene->num_pools; j++) {
            struct origin_labels origin;

            label_origin(&scene->pools[j].origin, &origin);
            show_figure(page, figure, &scene->pools[j], &origin.labels);
        }
    }
    urlp_exposition_family(page, &closed_of_manager);
    show_closed(page, &scene->all, &none);
    show_origins(page, scene, &closed_of_pool, show_closed);
}

static void show_all(struct urlp_exposition *page, const struct scene *scene)
{
    show_origins(page, scene, &open_connections, show_open);
    show_origins(page, scene, &active_requests, show_active);
    show_origins(page, scene, &connection_duration, show_connections);
    show_origins(page, scene, &request_duration, show_requests);
    show_origins(page, scene, &time_in_queue, show_queue);
    show_figures(page, scene);
    urlp_exposition_end(page);
}

/* --- the call --------------------------------------------------------------------------------- */

/* unref_all gives back the references in `taken`. */
static void unref_all(const struct urlp_buf *taken) URLP_MAY_BLOCK
{
    for (size_t at = 0; at < taken->len; at += sizeof(struct urlp_pool_figures)) {
        struct urlp_pool_figures figures_of;

        memcpy(&figures_of, taken->data + at, sizeof(figures_of));
        urlp_pool_unref(figures_of.pool);
    }
}

/* write_page writes the page of what was taken. */
static enum urlpool_code write_page(const struct urlp_pool_figures *all,
                                    const struct urlp_buf *taken, bool is_openmetrics,
                                    struct urlp_buf *out)
{
    struct urlp_exposition page = {.out = out, .is_openmetrics = is_openmetrics};
    struct scene scene = {.all = *all, .num_pools = taken->len / sizeof(*scene.pools)};

    scene.pools = urlp_alloc(taken->len + 1);
    if (scene.pools == NULL) {
        return URLPOOL_E_NOMEM;
    }
    if (taken->len > 0) {
        memcpy(scene.pools, taken->data, taken->len);
    }
    merge(&scene);
    show_all(&page, &scene);
    urlp_free(scene.pools);
    return page.code == URLPOOL_OK ? urlp_buf_append(out, "", 1) : page.code;
}

char *urlpool_manager_metrics(struct urlpool_manager *manager, enum urlpool_metrics_format format,
                              struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_pool_figures all;
    struct urlp_buf taken = {0};
    struct urlp_buf text = {0};
    char *result = NULL;
    enum urlpool_code code;

    if (manager == NULL || urlpool_metrics_content_type(format) == NULL) {
        (void)urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "%s",
                        manager == NULL ? "the manager is NULL" : "no such format of metrics");
        return NULL;
    }
    code = urlp_pool_set_figures(manager->pools, &all, &taken);
    if (code == URLPOOL_OK) {
        urlp_counters_show(&manager->counters, &all.stats);
        code = write_page(&all, &taken, format == URLPOOL_METRICS_OPENMETRICS, &text);
    }
    if (code == URLPOOL_OK) {
        result = urlp_strndup((const char *)text.data, text.len - 1);
    }
    if (result == NULL) {
        (void)urlp_fail_nomem(err);
    }
    unref_all(&taken);
    urlp_buf_deinit(&taken);
    urlp_buf_deinit(&text);
    return result;
}

const char *urlpool_metrics_content_type(enum urlpool_metrics_format format)
{
    static const char *const types[] = {
        [URLPOOL_METRICS_PROMETHEUS] = "text/plain; version=0.0.4; charset=utf-8",
        [URLPOOL_METRICS_OPENMETRICS] =
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
    };

    return (unsigned)format < URLP_COUNT_OF(types) ? types[format] : NULL;
}
