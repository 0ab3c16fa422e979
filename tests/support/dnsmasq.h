#ifndef TESTS_SUPPORT_DNSMASQ_H
#define TESTS_SUPPORT_DNSMASQ_H

#include <stdbool.h>

/* A real dnsmasq on port 53 of 127.0.0.1 and of DNSMASQ_IP, within a network of the test's own
 * (support/netns.h). It knows the names that the test gives it, and no others below "example". */

#define DNSMASQ_IP "192.0.2.53"

/* Where it asks for what it shall not find: who uses it makes a black hole of it. */
#define DNSMASQ_NOWHERE "203.0.113.53"

struct dnsmasq;

/* dnsmasq_exists says whether the machine has dnsmasq. Where it has not, main must return
 * TEST_SKIPPED. */
bool dnsmasq_exists(void);

/* dnsmasq_start aborts the test when it does not come up. Answers may be kept for `ttl_s`. What is
 * said for names of dnsmasq_know and "alias.example" (an alias of "moving.example", whose own TTL
 * is 2 s) is answered at once; of "half.example" it knows the A record 192.0.2.1, of
 * "half6.example" the AAAA record 2001:db8::1, and is never heard of about the other; of
 * "lost.example" it is never heard of at all. */
struct dnsmasq *dnsmasq_start(unsigned ttl_s);
/* dnsmasq_stop kills it; accepts NULL. */
void dnsmasq_stop(struct dnsmasq *dnsmasq);

/* dnsmasq_know replaces all it knew by `hosts`, lines of /etc/hosts; it does when this returns. */
void dnsmasq_know(struct dnsmasq *dnsmasq, const char *hosts);

#endif /* TESTS_SUPPORT_DNSMASQ_H */
