#ifndef TESTS_SUPPORT_DNS_SERVER_H
#define TESTS_SUPPORT_DNS_SERVER_H

/* A name server on 127.0.0.1, UDP and TCP on one ephemeral port, that answers as the test says. A
 * name without records is NXDOMAIN; one without those asked for has an empty answer. */
struct dns_server;

/* As on the wire: RFC 1035 section 3.2.2, RFC 3596. */
enum dns_type {
    DNS_A = 1,
    DNS_CNAME = 5,
    DNS_AAAA = 28
};

enum dns_manner {
    DNS_ANSWERS,
    DNS_DROPS,     /* never answers */
    DNS_HOLDS,     /* answers at dns_server_release */
    DNS_FAILS,     /* SERVFAIL */
    DNS_REFUSES,   /* REFUSED */
    DNS_TRUNCATES, /* by UDP only that there is more by TCP */
    DNS_RESETS,    /* as DNS_TRUNCATES, and by TCP resets before it has read all */
    DNS_DRIPS      /* as DNS_TRUNCATES, and by TCP a byte each 50 ms */
};

/* dns_server_start begins to serve; aborts the test when it cannot. */
struct dns_server *dns_server_start(void);
void dns_server_stop(struct dns_server *server);

/* dns_server_address is "127.0.0.1:PORT", as urlp_resolver_options.servers takes it. */
const char *dns_server_address(const struct dns_server *server);

/* dns_server_add adds a record: `data` is an address, or the name an alias stands for. */
void dns_server_add(struct dns_server *server, const char *name, enum dns_type type, unsigned ttl_s,
                    const char *data);

/* dns_server_clear removes all records. */
void dns_server_clear(struct dns_server *server);

/* dns_server_behave sets how questions for `name` and `type` are answered from now on. */
void dns_server_behave(struct dns_server *server, const char *name, enum dns_type type,
                       enum dns_manner manner);

/* dns_server_release waits for a question that is held, and answers it. */
void dns_server_release(struct dns_server *server, const char *name, enum dns_type type);

/* dns_server_num_queries is how many questions came for `name` and `type`; NULL: for any. */
unsigned dns_server_num_queries(struct dns_server *server, const char *name, enum dns_type type);

/* dns_server_await waits until there were `num`. */
void dns_server_await(struct dns_server *server, const char *name, enum dns_type type,
                      unsigned num);

#endif /* TESTS_SUPPORT_DNS_SERVER_H */
