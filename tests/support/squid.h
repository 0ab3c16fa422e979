#ifndef TESTS_SUPPORT_SQUID_H
#define TESTS_SUPPORT_SQUID_H

#include <stdbool.h>

/* A real squid of the test's own, on 127.0.0.1 and ephemeral ports, spoken to over HTTP and over
 * TLS (a certificate for 127.0.0.1 and localhost, by a CA made on the spot). It lets through
 * whatever it is asked for, on any port, and keeps nothing. */
struct test_squid;

/* test_squid_exists says whether the machine has squid, built with OpenSSL. Where it has not, main
 * must return TEST_SKIPPED. */
bool test_squid_exists(void);

/* test_squid_start aborts the test when squid does not come up. With `asks_who`, it serves only the
 * user "me" with the password "secret". */
struct test_squid *test_squid_start(bool asks_who);
void test_squid_stop(struct test_squid *squid);

int test_squid_port(const struct test_squid *squid, bool https);
/* test_squid_ca is the CA's certificate as PEM; the squid's own. */
const char *test_squid_ca(const struct test_squid *squid);

#endif /* TESTS_SUPPORT_SQUID_H */
