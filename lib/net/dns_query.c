/* The door to c-ares: one channel for one name, driven by whoever holds it, with no thread and no
 * signal of its own.
 *
 * A channel is made anew for each question, so resolv.conf is always fresh. A and AAAA are two
 * queries, so that a lost answer to one does not hold up the other. The search list is walked here
 * and not by c-ares: both families must come from the same name. What c-ares 1.18 is not given:
 * address literals and localhost (it would send them out), a service (it would read more files),
 * sockets of its own making (they can raise SIGPIPE and outlive an exec), the hosts file. */

#include "net/dns_query.h"

#include <ares.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fork.h"
#include "base/own_fd.h"
#include "base/sync.h"

/* A first try waits a third of what is left, between these two; each later one twice as long as the
 * one before, until in all PATIENCE_MS have passed. */
#define TRY_MS_MIN  100
#define TRY_MS_MAX  2000
#define PATIENCE_MS 14000

#define NAME_MAX_LEN 253 /* RFC 1035 section 2.3.4, without the root's dot */
#define DNS_PORT     53

/* RFC 1035 section 4.1.1: RCODE is the low half of the header's fourth byte. */
#define HEADER_RCODE_AT 3
#define RCODE_MASK      0x0f
#define RCODE_SERVFAIL  2
#define RCODE_REFUSED   5

static_assert(URLP_LOOKUP_FDS_MAX >= ARES_GETSOCK_MAXNUM,
              "all that c-ares waits for can be polled");

/* What a callback of c-ares is told: whose it is. */
struct slot {
    struct urlp_dns_query *query;
    enum urlp_family family;
};

struct urlp_dns_query {
    uint64_t generation; /* of the process whose sockets these are */
    ares_channel channel;
    struct ares_options config; /* as c-ares has read it: the search list */
    bool has_config;
    size_t num_names_tried;
    struct slot slots[URLP_NUM_FAMILIES];
    struct urlp_dns_reply replies[URLP_NUM_FAMILIES];
    bool saw_no_data;
    int local_errno; /* what a socket met on this machine, or 0 */
    int last_rcode;  /* of the last datagram: c-ares forgets why it went to the next server */
    bool is_absolute;
    enum urlpool_family family;  /* the only one asked for */
    char name[NAME_MAX_LEN + 1]; /* without a dot behind it */
};

static struct urlp_once library_once = URLP_ONCE_INIT;
static int library_status;

static void init_library(void)
{
    library_status = ares_library_init(ARES_LIB_INIT_ALL);
}

/* --- sockets for c-ares --- */

/* noted remembers what went wrong on this machine, a shortage before anything else. */
static ssize_t noted(struct urlp_dns_query *query, ssize_t status)
{
    if (status < 0 && errno != EINPROGRESS && errno != EAGAIN && errno != ECONNREFUSED &&
        !urlp_is_shortage(query->local_errno)) {
        query->local_errno = errno;
    }
    return status;
}

static ares_socket_t make_socket(int domain, int type, int protocol, void *user)
{
    int fd = (int)noted(user, socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));

    urlp_own_fd_note(fd);
    return fd;
}

/* close_socket does not close a parent process's socket: the number may be another's. */
static int close_socket(ares_socket_t fd, void *user)
{
    const struct urlp_dns_query *query = user;

    if (!urlp_fork_has_happened(query->generation)) {
        urlp_own_fd_close(fd);
    }
    return 0;
}

static int connect_socket(ares_socket_t fd, const struct sockaddr *address, ares_socklen_t len,
                          void *user)
{
    int status = connect(fd, address, len);

    if (status != 0 && errno == EINTR) {
        errno = EINPROGRESS; /* it goes on by itself */
    }
    return (int)noted(user, status);
}

static ares_ssize_t receive(ares_socket_t fd, void *data, size_t len, int flags,
                            struct sockaddr *from, ares_socklen_t *from_len, void *user)
{
    struct urlp_dns_query *query = user;
    ssize_t got;

    do {
        got = recvfrom(fd, data, len, flags, from, from_len);
    } while (got < 0 && errno == EINTR);
    if (from != NULL && got > HEADER_RCODE_AT) {
        query->last_rcode = ((const unsigned char *)data)[HEADER_RCODE_AT] & RCODE_MASK;
    }
    return noted(query, got);
}

/* On a datagram socket a refusal tells of an earlier datagram; c-ares would take it for this one's
 * and the earlier query would wait in vain. Sent again, this one is refused in its turn, and c-ares
 * hears of it for both when it reads. */
static ares_ssize_t send_runs(ares_socket_t fd, const struct iovec *runs, int num_runs, void *user)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)runs,
                             .msg_iovlen = (size_t)num_runs};
    bool was_refused = false;
    ssize_t sent;

    for (;;) {
        sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent >= 0 || (errno != EINTR && (errno != ECONNREFUSED || was_refused))) {
            return noted(user, sent);
        }
        was_refused |= errno == ECONNREFUSED;
    }
}

static const struct ares_socket_functions socket_functions = {
    make_socket, close_socket, connect_socket, receive, send_runs,
};

/* --- the two queries --- */

static void keep_least_ttl(struct urlp_dns_reply *reply, int ttl_s)
{
    if (ttl_s < reply->ttl_s) {
        reply->ttl_s = ttl_s;
    }
}

static void take_node(struct urlp_dns_reply *reply, const struct ares_addrinfo_node *node)
{
    struct urlp_ip ip = {.family = URLP_IP_NONE};

    if (node->ai_family == AF_INET) {
        struct sockaddr_in v4;

        memcpy(&v4, node->ai_addr, sizeof(v4));
        ip.family = URLP_IP_V4;
        memcpy(ip.bytes, &v4.sin_addr, sizeof(v4.sin_addr));
    } else if (node->ai_family == AF_INET6) {
        struct sockaddr_in6 v6;

        memcpy(&v6, node->ai_addr, sizeof(v6));
        ip.family = URLP_IP_V6;
        memcpy(ip.bytes, &v6.sin6_addr, sizeof(v6.sin6_addr));
    } else {
        return;
    }
    keep_least_ttl(reply, node->ai_ttl);
    urlp_addresses_add(&reply->answer, &ip);
}

static void on_reply(void *user, int status, int num_timeouts, struct ares_addrinfo *info)
{
    struct slot *slot = user;
    struct urlp_dns_reply *reply = &slot->query->replies[slot->family];

    (void)num_timeouts;
    reply->status = status;
    reply->ttl_s = INT64_MAX;
    reply->answer.is_done = true;
    reply->is_said = status == ARES_SUCCESS || status == ARES_ENODATA;
    slot->query->saw_no_data |= status == ARES_ENODATA;
    if (info == NULL) {
        return;
    }
    for (const struct ares_addrinfo_node *node = info->nodes; node != NULL; node = node->ai_next) {
        take_node(reply, node);
    }
    for (const struct ares_addrinfo_cname *at = info->cnames; at != NULL; at = at->next) {
        keep_least_ttl(reply, at->ttl);
    }
    ares_freeaddrinfo(info);
}

/* append_domain writes "name.domain." into `out`; false when it is too long. A domain of "." alone
 * is the root: the name as it is. */
static bool append_domain(const char *name, const char *domain, char out[], size_t size)
{
    size_t domain_len = strlen(domain);
    int len;

    while (domain_len > 0 && domain[domain_len - 1] == '.') {
        domain_len--;
    }
    len =
        snprintf(out, size, "%s%s%.*s.", name, domain_len > 0 ? "." : "", (int)domain_len, domain);
    return len > 0 && (size_t)len < size;
}

/* next_name writes the next name to ask for, with a dot behind it, so that c-ares takes it as it
 * is; false when there is none left. Names with `ndots` dots go first as they are, others last. */
static bool next_name(struct urlp_dns_query *query, char out[], size_t size)
{
    size_t num_domains = query->is_absolute ? 0 : (size_t)query->config.ndomains;
    size_t as_is;
    int num_dots = 0;

    for (const char *at = query->name; *at != '\0'; at++) {
        num_dots += *at == '.';
    }
    as_is = num_dots >= query->config.ndots ? 0 : num_domains;
    while (query->num_names_tried <= num_domains) {
        size_t index = query->num_names_tried++;
        const char *domain = ".";

        if (index != as_is) {
            domain = query->config.domains[index > as_is ? index - 1 : index];
        }
        if (append_domain(query->name, domain, out, size)) {
            return true;
        }
    }
    return false;
}

static void ask(struct urlp_dns_query *query, const char *name)
{
    static const int families[URLP_NUM_FAMILIES] = {AF_INET6, AF_INET};
    static const enum urlpool_family names[URLP_NUM_FAMILIES] = {URLPOOL_FAMILY_V6,
                                                                 URLPOOL_FAMILY_V4};

    for (int family = 0; family < URLP_NUM_FAMILIES; family++) {
        query->replies[family] = (struct urlp_dns_reply){.status = ARES_SUCCESS};
        if (query->family != URLPOOL_FAMILY_ANY && query->family != names[family]) {
            query->replies[family].status = ARES_ENODATA;
            query->replies[family].answer.is_done = true;
        }
    }
    for (int family = 0; family < URLP_NUM_FAMILIES; family++) {
        struct ares_addrinfo_hints hints = {.ai_flags = ARES_AI_NOSORT,
                                            .ai_family = families[family]};

        if (!query->replies[family].answer.is_done) {
            ares_getaddrinfo(query->channel, name, NULL, &hints, on_reply, &query->slots[family]);
        }
    }
}

static bool is_definite_no(const struct urlp_dns_reply *reply)
{
    return reply->answer.is_done &&
           (reply->status == ARES_ENOTFOUND || reply->status == ARES_ENODATA);
}

/* advance goes on to the next name of the search list when the one before has no address. */
static void advance(struct urlp_dns_query *query)
{
    char name[NAME_MAX_LEN + 2];

    while (is_definite_no(&query->replies[URLP_FAMILY_V6]) &&
           is_definite_no(&query->replies[URLP_FAMILY_V4]) &&
           next_name(query, name, sizeof(name))) {
        ask(query, name);
    }
}

/* --- the channel --- */

static int open_channel(struct urlp_dns_query *query, const struct urlp_dns_config *config,
                        int flags, int64_t left_ms)
{
    char lookups[] = "b"; /* c-ares for "bind": the DNS and no files */
    char nowhere[] = "/dev/null";
    struct ares_options options = {.flags = flags | ARES_FLAG_NOALIASES, .lookups = lookups};
    int mask = ARES_OPT_FLAGS | ARES_OPT_LOOKUPS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
    int64_t try_ms = left_ms < 0 || left_ms / 3 > TRY_MS_MAX ? TRY_MS_MAX : left_ms / 3;
    int status;

    if (try_ms < TRY_MS_MIN) {
        try_ms = TRY_MS_MIN;
    }
    options.timeout = (int)try_ms;
    for (int64_t sum_ms = 0; sum_ms < PATIENCE_MS; sum_ms += try_ms << (options.tries - 1)) {
        options.tries++;
    }
    if (config->resolv_conf != NULL) {
        options.resolvconf_path = (char *)(uintptr_t)config->resolv_conf;
        mask |= ARES_OPT_RESOLVCONF;
    } else if (config->servers != NULL) {
        /* Nothing of the system's: no search list either. */
        options.resolvconf_path = nowhere;
        mask |= ARES_OPT_RESOLVCONF | ARES_OPT_DOMAINS;
    }
    status = ares_init_options(&query->channel, &options, mask);
    if (status == ARES_SUCCESS && config->servers != NULL) {
        status = ares_set_servers_ports_csv(query->channel, config->servers);
    }
    if (status == ARES_SUCCESS) {
        ares_set_socket_functions(query->channel, &socket_functions, query);
    }
    return status;
}

static size_t num_servers(ares_channel channel)
{
    struct ares_addr_port_node *servers = NULL;
    size_t num = 0;

    if (ares_get_servers_ports(channel, &servers) != ARES_SUCCESS) {
        return 0;
    }
    for (const struct ares_addr_port_node *at = servers; at != NULL; at = at->next) {
        num++;
    }
    ares_free_data(servers);
    return num;
}

/* start opens the channel. With one server its answer is taken for what it is (NOCHECKRESP); with
 * more, c-ares shall go on to the next when one fails. */
static int start(struct urlp_dns_query *query, const struct urlp_dns_config *config,
                 int64_t left_ms)
{
    int mask = 0;
    int status = library_status;

    if (status == ARES_SUCCESS) {
        status = open_channel(query, config, ARES_FLAG_NOCHECKRESP, left_ms);
    }
    if (status == ARES_SUCCESS && num_servers(query->channel) != 1) {
        ares_destroy(query->channel);
        query->channel = NULL;
        status = open_channel(query, config, 0, left_ms);
    }
    if (status == ARES_SUCCESS) {
        status = ares_save_options(query->channel, &query->config, &mask);
        query->has_config = true;
    }
    return status;
}

static void fill_failure(struct urlp_dns_failure *out, int status)
{
    out->code = status == ARES_ENOMEM ? URLPOOL_E_NOMEM : URLPOOL_E_SYSTEM;
    out->os_errno = 0;
    (void)snprintf(out->reason, sizeof(out->reason), "%s", ares_strerror(status));
}

struct urlp_dns_query *urlp_dns_query_new(const struct urlp_dns_config *config,
                                          struct urlp_span name, int64_t left_ms,
                                          struct urlp_dns_failure *out_failure)
{
    struct urlp_dns_query *query = urlp_zalloc(sizeof(*query));
    int status = ARES_ENOMEM;

    if (query == NULL) {
        goto done;
    }
    query->generation = urlp_fork_generation();
    status = ARES_EBADNAME;
    query->is_absolute = name.len > 0 && name.data[name.len - 1] == '.';
    name.len -= query->is_absolute;
    if (name.len == 0 || name.len > NAME_MAX_LEN) {
        goto done;
    }
    memcpy(query->name, name.data, name.len);
    query->family = config->family;
    for (int family = 0; family < URLP_NUM_FAMILIES; family++) {
        query->slots[family] = (struct slot){query, (enum urlp_family)family};
        query->replies[family].answer.is_done = true;
        query->replies[family].status = ARES_ENOTFOUND;
    }
    urlp_once_run(&library_once, init_library);
    status = start(query, config, left_ms);
done:
    if (status != ARES_SUCCESS) {
        fill_failure(out_failure, status);
        urlp_dns_query_free(query);
        return NULL;
    }
    advance(query);
    return query;
}

void urlp_dns_query_free(struct urlp_dns_query *query)
{
    if (query == NULL) {
        return;
    }
    if (query->channel != NULL) {
        ares_destroy(query->channel);
    }
    if (query->has_config) {
        ares_destroy_options(&query->config);
    }
    urlp_free(query);
}

size_t urlp_dns_query_poll(struct urlp_dns_query *query, struct pollfd fds[], int *wait_ms)
{
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    unsigned bits = (unsigned)ares_getsock(query->channel, sockets, ARES_GETSOCK_MAXNUM);
    struct timeval left;
    size_t num_fds = 0;

    for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
        short events = 0;

        if ((bits & (1U << i)) != 0) {
            events |= POLLIN;
        }
        if ((bits & (1U << (i + ARES_GETSOCK_MAXNUM))) != 0) {
            events |= POLLOUT;
        }
        if (events != 0) {
            fds[num_fds++] = (struct pollfd){.fd = sockets[i], .events = events};
        }
    }
    if (ares_timeout(query->channel, NULL, &left) != NULL) {
        /* c-ares rounds down; one more, or the last millisecond is spent spinning. */
        int due_ms = (int)(left.tv_sec * 1000 + left.tv_usec / 1000) + 1;

        if (*wait_ms < 0 || due_ms < *wait_ms) {
            *wait_ms = due_ms;
        }
    }
    return num_fds;
}

void urlp_dns_query_process(struct urlp_dns_query *query, const struct pollfd fds[], size_t num_fds)
{
    for (size_t i = 0; i < num_fds; i++) {
        bool can_read = (fds[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0;
        bool can_write = (fds[i].revents & (POLLOUT | POLLERR)) != 0;

        if (can_read || can_write) {
            ares_process_fd(query->channel, can_read ? fds[i].fd : ARES_SOCKET_BAD,
                            can_write ? fds[i].fd : ARES_SOCKET_BAD);
        }
    }
    ares_process_fd(query->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* timers */
    advance(query);
}

const struct urlp_dns_reply *urlp_dns_query_replies(const struct urlp_dns_query *query)
{
    return query->replies;
}

/* --- why there is no address --- */

/* telling_status picks the one of the two statuses that says more: trouble rather than a plain no.
 */
static int telling_status(const struct urlp_dns_query *query)
{
    for (int family = 0; family < URLP_NUM_FAMILIES; family++) {
        if (!is_definite_no(&query->replies[family])) {
            return query->replies[family].status;
        }
    }
    return query->saw_no_data ? ARES_ENODATA : ARES_ENOTFOUND;
}

/* name_servers writes whom the query went to, as far as there is room: "192.0.2.1:53, …". */
static void name_servers(ares_channel channel, char out[], size_t size)
{
    struct ares_addr_port_node *servers = NULL;
    size_t len = 0;

    out[0] = '\0';
    if (ares_get_servers_ports(channel, &servers) != ARES_SUCCESS) {
        return;
    }
    for (const struct ares_addr_port_node *server = servers; server != NULL && len < size;
         server = server->next) {
        struct urlp_peer peer = {.port = DNS_PORT};
        char text[URLP_PEER_TEXT_MAX];
        int more;

        if (server->udp_port != 0) {
            peer.port = (uint16_t)server->udp_port;
        }
        peer.ip.family = server->family == AF_INET6 ? URLP_IP_V6 : URLP_IP_V4;
        memcpy(peer.ip.bytes, &server->addr, peer.ip.family == URLP_IP_V6 ? 16 : 4);
        urlp_peer_format(&peer, text);
        more = snprintf(out + len, size - len, "%s%s", len > 0 ? ", " : "", text);
        len += more > 0 ? (size_t)more : 0;
    }
    ares_free_data(servers);
}

/* reason_of has the words for what is wrong; NULL: with the server's address, in has_no_answer. */
static const char *reason_of(const struct urlp_dns_query *query, int status)
{
    switch (status) {
    case ARES_ENOTFOUND:
        return "not found";
    case ARES_ENODATA:
        return "the name has no addresses";
    case ARES_ESERVFAIL:
        return "server failed";
    case ARES_EREFUSED:
        return "server refused";
    case ARES_EBADNAME:
        return "not a host name";
    case ARES_ETIMEOUT:
        return NULL;
    case ARES_ECONNREFUSED: /* also what c-ares says when all servers gave errors */
        if (query->last_rcode == RCODE_SERVFAIL) {
            return "server failed";
        }
        return query->last_rcode == RCODE_REFUSED ? "server refused" : NULL;
    default:
        return ares_strerror(status);
    }
}

void urlp_dns_query_failure(const struct urlp_dns_query *query,
                            struct urlp_dns_failure *out_failure)
{
    int status = telling_status(query);
    const char *reason = reason_of(query, status);
    char servers[96];

    *out_failure = (struct urlp_dns_failure){.code = URLPOOL_E_RESOLVE};
    if (status == ARES_ENOMEM) {
        out_failure->code = URLPOOL_E_NOMEM;
    } else if (urlp_is_shortage(query->local_errno)) {
        out_failure->code = URLPOOL_E_SYSTEM;
        out_failure->os_errno = query->local_errno;
        reason = "socket";
    } else if (reason == NULL && status != ARES_ETIMEOUT) {
        out_failure->os_errno = query->local_errno;
    }
    if (reason != NULL) {
        (void)snprintf(out_failure->reason, sizeof(out_failure->reason), "%s", reason);
        return;
    }
    name_servers(query->channel, servers, sizeof(servers));
    (void)snprintf(out_failure->reason, sizeof(out_failure->reason), "%s %s",
                   status == ARES_ETIMEOUT ? "no answer from" : "no name server at", servers);
}

bool urlp_dns_servers_are_valid(const char *servers, struct urlp_dns_failure *out_failure)
{
    const struct urlp_dns_config config = {.servers = servers};
    struct urlp_dns_query query = {.channel = NULL};
    int status;

    urlp_once_run(&library_once, init_library);
    status = library_status;
    if (status == ARES_SUCCESS) {
        status = open_channel(&query, &config, 0, -1);
    }
    if (status == ARES_SUCCESS && servers[0] == '\0') {
        status = ARES_EBADSTR;
    }
    if (query.channel != NULL) {
        ares_destroy(query.channel);
    }
    if (status != ARES_SUCCESS) {
        fill_failure(out_failure, status);
        if (status == ARES_EBADSTR) {
            out_failure->code = URLPOOL_E_INVALID;
        }
    }
    return status == ARES_SUCCESS;
}

const char *urlp_resolver_library_version(void)
{
    return ares_version(NULL);
}
