/* A TLS library's view of a test server's socket. */

#include "support/tls_socket.h"

#include <openssl/bio.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/no_fork.h"

static int fd_of(BIO *bio)
{
    return (int)(intptr_t)BIO_get_data(bio);
}

static int receive(BIO *bio, char *out, int len)
{
    ssize_t got;

    urlp_no_fork_end();
    got = recv(fd_of(bio), out, (size_t)len, 0);
    urlp_no_fork_begin();
    return (int)got;
}

static int transmit(BIO *bio, const char *data, int len)
{
    ssize_t put;

    urlp_no_fork_end();
    put = send(fd_of(bio), data, (size_t)len, MSG_NOSIGNAL);
    urlp_no_fork_begin();
    return (int)put;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    if (command == BIO_C_GET_FD) { /* for SSL_get_fd */
        *(int *)pointer = fd_of(bio);
        return fd_of(bio);
    }
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method;

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR,
                          "socket of a test");
    if (method == NULL || !BIO_meth_set_read(method, receive) ||
        !BIO_meth_set_write(method, transmit) || !BIO_meth_set_ctrl(method, control)) {
        abort();
    }
}

void test_tls_socket(SSL *ssl, int fd)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    BIO *bio;

    (void)pthread_once(&once, make_method);
    bio = BIO_new(method);
    if (bio == NULL) {
        abort();
    }
    BIO_set_data(bio, (void *)(intptr_t)fd);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
}
