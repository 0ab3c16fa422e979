#ifndef TESTS_SUPPORT_TLS_SOCKET_H
#define TESTS_SUPPORT_TLS_SOCKET_H

#include <openssl/ssl.h>

/* test_tls_socket makes `ssl` read and write `fd`, which stays the caller's. Calls into the TLS
 * library stand between urlp_no_fork_begin and urlp_no_fork_end, since the tests' servers live in
 * the process that forks; while it waits for the socket others may fork. */
void test_tls_socket(SSL *ssl, int fd);

#endif /* TESTS_SUPPORT_TLS_SOCKET_H */
