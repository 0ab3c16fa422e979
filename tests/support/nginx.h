#ifndef TESTS_SUPPORT_NGINX_H
#define TESTS_SUPPORT_NGINX_H

#include <stdbool.h>

/* A real nginx of the test's own, on 127.0.0.1 and ephemeral ports, over HTTP and HTTPS (a
 * certificate for 127.0.0.1 and localhost, by a CA made on the spot). It serves the files of a
 * folder, in which there are "small" (11 bytes: "hello nginx") and "big" (300 000 bytes of 'b'). */
struct test_nginx;

/* test_nginx_exists says whether the machine has nginx. Where it has not, main must return
 * TEST_SKIPPED. */
bool test_nginx_exists(void);

/* test_nginx_start aborts the test when nginx does not come up. `more` is put into both server
 * blocks; NULL: nothing. Unless it says otherwise, TLS is 1.2 or 1.3. */
struct test_nginx *test_nginx_start(const char *more);
void test_nginx_stop(struct test_nginx *nginx);

int test_nginx_port(const struct test_nginx *nginx, bool https);
/* test_nginx_ca is the CA's certificate as PEM; the server's own. */
const char *test_nginx_ca(const struct test_nginx *nginx);

#endif /* TESTS_SUPPORT_NGINX_H */
