/* The scripted name server: one thread over a UDP socket, a TCP listener and a pipe that ends it.
 * It knows just enough of RFC 1035 to answer one question with A, AAAA and CNAME records. */

#include "support/dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RECORDS_MAX = 128,
    RULES_MAX = 32,
    LOG_MAX = 8192,
    NAME_SIZE = 256,
    PACKET_SIZE = 4096,
    ALIASES_MAX = 8,
    HEADER_SIZE = 12,
    DRIP_MS = 50,
    RCODE_SERVFAIL = 2,
    RCODE_NXDOMAIN = 3,
    RCODE_REFUSED = 5
};

struct record {
    char name[NAME_SIZE];
    enum dns_type type;
    unsigned ttl_s;
    char data[NAME_SIZE];
};

/* One question as it came: over UDP from `from`, or over TCP. */
struct question {
    char name[NAME_SIZE];
    enum dns_type type;
    uint8_t packet[PACKET_SIZE];
    size_t len; /* header and question */
    struct sockaddr_in from;
    bool is_tcp;
};

struct rule {
    char name[NAME_SIZE];
    enum dns_type type;
    enum dns_manner manner;
    bool is_held;
    struct question held;
};

struct dns_server {
    int udp, tcp;
    int stop_pipe[2];
    char address[32];
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* something came */
    struct record records[RECORDS_MAX];
    size_t num_records;
    struct rule rules[RULES_MAX];
    size_t num_rules;
    struct {
        char name[NAME_SIZE];
        enum dns_type type;
    } log[LOG_MAX];
    size_t num_logged;
};

static void die(const char *what)
{
    perror(what);
    abort();
}

static void copy_name(char out[NAME_SIZE], const char *name)
{
    if (snprintf(out, NAME_SIZE, "%s", name) >= NAME_SIZE) {
        die("dns_server: name too long");
    }
}

/* --- packets --- */

struct writer {
    uint8_t data[PACKET_SIZE];
    size_t len;
};

static void put_u16(struct writer *writer, unsigned value)
{
    writer->data[writer->len++] = (uint8_t)(value >> 8);
    writer->data[writer->len++] = (uint8_t)value;
}

static void put_name(struct writer *writer, const char *name)
{
    while (*name != '\0') {
        size_t label_len = strcspn(name, ".");

        writer->data[writer->len++] = (uint8_t)label_len;
        memcpy(writer->data + writer->len, name, label_len);
        writer->len += label_len;
        name += label_len + (name[label_len] == '.');
    }
    writer->data[writer->len++] = 0;
}

static void put_record(struct writer *writer, const struct record *record)
{
    size_t len_at;

    put_name(writer, record->name);
    put_u16(writer, record->type);
    put_u16(writer, 1); /* IN */
    put_u16(writer, record->ttl_s >> 16);
    put_u16(writer, record->ttl_s & 0xffff);
    len_at = writer->len;
    writer->len += 2;
    if (record->type == DNS_CNAME) {
        put_name(writer, record->data);
    } else {
        int family = record->type == DNS_A ? AF_INET : AF_INET6;

        if (inet_pton(family, record->data, writer->data + writer->len) != 1) {
            die("dns_server: not an address");
        }
        writer->len += record->type == DNS_A ? 4 : 16;
    }
    writer->data[len_at] = (uint8_t)((writer->len - len_at - 2) >> 8);
    writer->data[len_at + 1] = (uint8_t)(writer->len - len_at - 2);
}

/* put_answers follows aliases; *out_exists: there is something by that name. */
static unsigned put_answers(const struct dns_server *server, struct writer *writer,
                            const char *name, enum dns_type type, bool *out_exists)
{
    unsigned num = 0;

    *out_exists = false;
    for (int depth = 0; depth < ALIASES_MAX && name != NULL; depth++) {
        const char *next = NULL;

        for (size_t i = 0; i < server->num_records; i++) {
            const struct record *record = &server->records[i];

            if (strcasecmp(record->name, name) != 0) {
                continue;
            }
            *out_exists = true;
            if (record->type == type || record->type == DNS_CNAME) {
                put_record(writer, record);
                num++;
            }
            if (record->type == DNS_CNAME) {
                next = record->data;
            }
        }
        name = next;
    }
    return num;
}

static bool parse_question(struct question *question, size_t len)
{
    size_t at = HEADER_SIZE;
    size_t name_len = 0;

    while (at < len && question->packet[at] != 0) {
        size_t label_len = question->packet[at];

        if (at + 1 + label_len >= len || name_len + label_len + 2 > NAME_SIZE) {
            return false;
        }
        if (name_len > 0) {
            question->name[name_len++] = '.';
        }
        memcpy(question->name + name_len, question->packet + at + 1, label_len);
        name_len += label_len;
        at += 1 + label_len;
    }
    if (at + 5 > len) {
        return false;
    }
    question->name[name_len] = '\0';
    question->type = (enum dns_type)(question->packet[at + 1] << 8 | question->packet[at + 2]);
    question->len = at + 5;
    return true;
}

/* make_reply answers `question` as `manner` says. */
static void make_reply(const struct dns_server *server, const struct question *question,
                       enum dns_manner manner, struct writer *writer)
{
    bool exists = true;
    bool is_cut = (manner == DNS_TRUNCATES || manner == DNS_RESETS || manner == DNS_DRIPS) &&
                  !question->is_tcp;
    unsigned rcode = 0;
    unsigned num = 0;

    memcpy(writer->data, question->packet, question->len);
    writer->len = question->len;
    if (manner == DNS_FAILS) {
        rcode = RCODE_SERVFAIL;
    } else if (manner == DNS_REFUSES) {
        rcode = RCODE_REFUSED;
    } else if (!is_cut) {
        num = put_answers(server, writer, question->name, question->type, &exists);
        rcode = exists ? 0 : RCODE_NXDOMAIN;
    }
    writer->data[2] = (uint8_t)(0x81 | (is_cut ? 0x02 : 0)); /* QR, RD, TC */
    writer->data[3] = (uint8_t)(0x80 | rcode);               /* RA */
    memset(writer->data + 6, 0, 6);
    writer->data[6] = (uint8_t)(num >> 8);
    writer->data[7] = (uint8_t)num;
}

/* --- serving --- */

static struct rule *find_rule(struct dns_server *server, const char *name, enum dns_type type)
{
    for (size_t i = 0; i < server->num_rules; i++) {
        if (server->rules[i].type == type && strcasecmp(server->rules[i].name, name) == 0) {
            return &server->rules[i];
        }
    }
    return NULL;
}

static void send_reply(struct dns_server *server, const struct question *question,
                       enum dns_manner manner)
{
    struct writer writer;

    make_reply(server, question, manner, &writer);
    (void)sendto(server->udp, writer.data, writer.len, MSG_NOSIGNAL,
                 (const struct sockaddr *)&question->from, sizeof(question->from));
}

static enum dns_manner note(struct dns_server *server, const struct question *question)
{
    struct rule *rule = find_rule(server, question->name, question->type);

    if (server->num_logged < LOG_MAX) {
        copy_name(server->log[server->num_logged].name, question->name);
        server->log[server->num_logged].type = question->type;
        server->num_logged++;
    }
    pthread_cond_broadcast(&server->changed);
    if (rule == NULL) {
        return DNS_ANSWERS;
    }
    if (rule->manner == DNS_HOLDS) {
        rule->held = *question;
        rule->is_held = true;
    }
    return rule->manner;
}

static void serve_udp(struct dns_server *server)
{
    struct question question = {.is_tcp = false};
    socklen_t from_len = sizeof(question.from);
    ssize_t got = recvfrom(server->udp, question.packet, sizeof(question.packet), MSG_DONTWAIT,
                           (struct sockaddr *)&question.from, &from_len);
    enum dns_manner manner;

    if (got < HEADER_SIZE || !parse_question(&question, (size_t)got)) {
        return;
    }
    pthread_mutex_lock(&server->mutex);
    manner = note(server, &question);
    if (manner != DNS_DROPS && manner != DNS_HOLDS) {
        send_reply(server, &question, manner);
    }
    pthread_mutex_unlock(&server->mutex);
}

static void reset(int fd)
{
    const struct linger at_once = {1, 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/* drip sends byte by byte, until the client has gone or the server is told to stop. */
static void drip(const struct dns_server *server, int fd, const uint8_t *data, size_t len)
{
    struct pollfd stop = {.fd = server->stop_pipe[0], .events = POLLIN};

    for (size_t i = 0; i < len && poll(&stop, 1, DRIP_MS) == 0; i++) {
        if (send(fd, data + i, 1, MSG_NOSIGNAL) != 1) {
            return;
        }
    }
}

/* serve_tcp answers one question a connection: there is only ever one in these tests at a time. */
static void serve_tcp(struct dns_server *server)
{
    int fd = accept(server->tcp, NULL, NULL);
    struct timeval patience = {10, 0};
    struct question question = {.is_tcp = true};
    struct writer writer;
    uint8_t prefix[2];
    enum dns_manner manner;
    size_t len;

    if (fd < 0) {
        return;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (recv(fd, prefix, 2, MSG_WAITALL) != 2) {
        goto done;
    }
    len = (size_t)(prefix[0] << 8 | prefix[1]);
    if (len < HEADER_SIZE || len > sizeof(question.packet) ||
        recv(fd, question.packet, len, MSG_WAITALL) != (ssize_t)len ||
        !parse_question(&question, len)) {
        goto done;
    }
    pthread_mutex_lock(&server->mutex);
    manner = note(server, &question);
    make_reply(server, &question, manner, &writer);
    pthread_mutex_unlock(&server->mutex);
    if (manner == DNS_RESETS) {
        reset(fd);
        goto done;
    }
    prefix[0] = (uint8_t)(writer.len >> 8);
    prefix[1] = (uint8_t)writer.len;
    (void)send(fd, prefix, 2, MSG_NOSIGNAL);
    if (manner == DNS_DRIPS) {
        drip(server, fd, writer.data, writer.len);
        goto done;
    }
    (void)send(fd, writer.data, writer.len, MSG_NOSIGNAL);
done:
    (void)close(fd);
}

static void *serve(void *user)
{
    struct dns_server *server = user;
    struct pollfd fds[] = {
        {.fd = server->stop_pipe[0], .events = POLLIN},
        {.fd = server->udp,          .events = POLLIN},
        {.fd = server->tcp,          .events = POLLIN},
    };

    for (;;) {
        if (poll(fds, 3, -1) < 0) {
            continue;
        }
        if (fds[0].revents != 0) {
            return NULL;
        }
        if (fds[1].revents != 0) {
            serve_udp(server);
        }
        if (fds[2].revents != 0) {
            serve_tcp(server);
        }
    }
}

/* bind_both finds a port that is free for UDP and for TCP. */
static void bind_both(struct dns_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int tries = 0; tries < 100; tries++) {
        address.sin_port = 0;
        server->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        server->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (server->tcp < 0 || server->udp < 0) {
            die("dns_server: socket");
        }
        if (bind(server->tcp, (struct sockaddr *)&address, sizeof(address)) == 0 &&
            getsockname(server->tcp, (struct sockaddr *)&address, &len) == 0 &&
            bind(server->udp, (struct sockaddr *)&address, sizeof(address)) == 0 &&
            listen(server->tcp, 16) == 0) {
            (void)snprintf(server->address, sizeof(server->address), "127.0.0.1:%u",
                           (unsigned)ntohs(address.sin_port));
            return;
        }
        (void)close(server->tcp);
        (void)close(server->udp);
    }
    die("dns_server: no port");
}

struct dns_server *dns_server_start(void)
{
    struct dns_server *server = calloc(1, sizeof(*server));

    if (server == NULL || pipe(server->stop_pipe) != 0) {
        die("dns_server");
    }
    bind_both(server);
    pthread_mutex_init(&server->mutex, NULL);
    pthread_cond_init(&server->changed, NULL);
    if (pthread_create(&server->thread, NULL, serve, server) != 0) {
        die("dns_server: thread");
    }
    return server;
}

void dns_server_stop(struct dns_server *server)
{
    (void)close(server->stop_pipe[1]);
    pthread_join(server->thread, NULL);
    (void)close(server->stop_pipe[0]);
    (void)close(server->udp);
    (void)close(server->tcp);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}

const char *dns_server_address(const struct dns_server *server)
{
    return server->address;
}

void dns_server_add(struct dns_server *server, const char *name, enum dns_type type, unsigned ttl_s,
                    const char *data)
{
    struct record *record;

    pthread_mutex_lock(&server->mutex);
    if (server->num_records == RECORDS_MAX) {
        die("dns_server: too many records");
    }
    record = &server->records[server->num_records++];
    copy_name(record->name, name);
    record->type = type;
    record->ttl_s = ttl_s;
    copy_name(record->data, data);
    pthread_mutex_unlock(&server->mutex);
}

void dns_server_clear(struct dns_server *server)
{
    pthread_mutex_lock(&server->mutex);
    server->num_records = 0;
    pthread_mutex_unlock(&server->mutex);
}

void dns_server_behave(struct dns_server *server, const char *name, enum dns_type type,
                       enum dns_manner manner)
{
    struct rule *rule;

    pthread_mutex_lock(&server->mutex);
    rule = find_rule(server, name, type);
    if (rule == NULL) {
        if (server->num_rules == RULES_MAX) {
            die("dns_server: too many rules");
        }
        rule = &server->rules[server->num_rules++];
        copy_name(rule->name, name);
        rule->type = type;
    }
    rule->manner = manner;
    pthread_mutex_unlock(&server->mutex);
}

void dns_server_release(struct dns_server *server, const char *name, enum dns_type type)
{
    struct rule *rule;

    pthread_mutex_lock(&server->mutex);
    rule = find_rule(server, name, type);
    if (rule == NULL) {
        die("dns_server: nothing is held there");
    }
    while (!rule->is_held) {
        pthread_cond_wait(&server->changed, &server->mutex);
    }
    rule->is_held = false;
    send_reply(server, &rule->held, DNS_ANSWERS);
    pthread_mutex_unlock(&server->mutex);
}

static unsigned count(const struct dns_server *server, const char *name, enum dns_type type)
{
    unsigned num = 0;

    for (size_t i = 0; i < server->num_logged; i++) {
        num += name == NULL ||
               (server->log[i].type == type && strcasecmp(server->log[i].name, name) == 0);
    }
    return num;
}

unsigned dns_server_num_queries(struct dns_server *server, const char *name, enum dns_type type)
{
    unsigned num;

    pthread_mutex_lock(&server->mutex);
    num = count(server, name, type);
    pthread_mutex_unlock(&server->mutex);
    return num;
}

void dns_server_await(struct dns_server *server, const char *name, enum dns_type type, unsigned num)
{
    pthread_mutex_lock(&server->mutex);
    while (count(server, name, type) < num) {
        pthread_cond_wait(&server->changed, &server->mutex);
    }
    pthread_mutex_unlock(&server->mutex);
}
