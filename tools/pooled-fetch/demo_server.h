#ifndef POOLED_FETCH_DEMO_SERVER_H
#define POOLED_FETCH_DEMO_SERVER_H

#include <stdbool.h>

/* struct pf_demo_server answers on 127.0.0.1, over HTTP and over HTTPS, each on a port of its own
 * and with a thread for each connection. Its certificate is made on the spot by a private CA. */
struct pf_demo_server;

/* Errors: NULL, said. */
struct pf_demo_server *pf_demo_server_start(void);
/* pf_demo_server_stop ends every connection and thread; accepts NULL. */
void pf_demo_server_stop(struct pf_demo_server *server);

int pf_demo_server_port(const struct pf_demo_server *server, bool https);
/* pf_demo_server_ca is the CA's certificate as PEM; the server's own. */
const char *pf_demo_server_ca(const struct pf_demo_server *server);

#endif /* POOLED_FETCH_DEMO_SERVER_H */
