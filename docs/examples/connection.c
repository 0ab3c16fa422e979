/* The lower floor, as http.client has it: one connection to one host, spoken on step by step, in
 * the order that HTTP wants. For those who need neither pool nor retries.
 *
 *   cc connection.c $(pkg-config --cflags --libs urlpool) -o connection
 *   ./connection example.com:80 /upload [PROXY:PORT] */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urlpool/urlpool.h>

/* print_line gets the exchange, credentials masked. */
static void print_line(void *user, const char *line)
{
    fprintf(user, "%s\n", line);
}

/* send_steps posts a body whose length nobody knew, in two chunks. */
static enum urlpool_code send_steps(struct urlpool_connection *conn, const char *target,
                                    struct urlpool_error *err)
{
    static const char *const values[] = {"text/plain", "text/html"};
    static const char *const chunked[] = {"chunked"};

    if (urlpool_connection_putrequest(conn, "POST", target, URLPOOL_SKIP_USER_AGENT, err) != 0 ||
        urlpool_connection_putheader(conn, "Accept", values, 2, err) != 0 ||
        urlpool_connection_putheader(conn, "Transfer-Encoding", chunked, 1, err) != 0 ||
        urlpool_connection_endheaders(conn, NULL, err) != 0 ||
        urlpool_connection_send(conn, "one, ", 5, err) != 0 ||
        urlpool_connection_send(conn, "two", 3, err) != 0 ||
        urlpool_connection_send(conn, NULL, 0, err) != 0) { /* the end */
        return err->code;
    }
    return URLPOOL_OK;
}

/* hear reads the answer whole: before that no other request can be sent. */
static enum urlpool_code hear(struct urlpool_connection *conn, struct urlpool_error *err)
{
    struct urlpool_response *resp = urlpool_connection_getresponse(conn, err);
    enum urlpool_code code = resp == NULL ? err->code : urlpool_response_read_all(resp, err);

    if (resp != NULL && code == URLPOOL_OK) {
        printf("%d %.*s\n", resp->status, (int)resp->data_len, (const char *)resp->data);
    }
    urlpool_response_free(resp);
    return code;
}

static enum urlpool_code talk(struct urlpool_connection *conn, const char *target,
                              struct urlpool_error *err)
{
    struct urlpool_connection_info info;
    enum urlpool_code code = urlpool_connection_connect(conn, err);
    size_t len;

    if (code == URLPOOL_OK) {
        code = urlpool_connection_request(conn, "GET", target, NULL, NULL, err);
    }
    if (code == URLPOOL_OK && (code = hear(conn, err)) == URLPOOL_OK) {
        code = send_steps(conn, target, err);
    }
    if (code == URLPOOL_OK && (code = hear(conn, err)) == URLPOOL_OK) {
        urlpool_connection_info(conn, &info, sizeof(info));
        printf("%s: %d requests, %s, a certificate of %s\n", info.host, (int)info.num_requests,
               urlpool_connection_is_connected(conn) ? "open" : "closed",
               urlpool_connection_peer_certificate(conn, &len) != NULL ? "its own" : "nobody");
    }
    urlpool_connection_close(conn);
    return code;
}

int main(int argc, char **argv)
{
    const char *host = argc > 3 ? argv[3] : argc > 1 ? argv[1] : "";
    struct urlpool_error err;
    struct urlpool_connection *conn = urlpool_connection_new(host, 0, NULL, &err);
    enum urlpool_code code = conn == NULL ? err.code : URLPOOL_OK;

    if (code == URLPOOL_OK && argc > 3) { /* the host dialled is a proxy, this is behind it */
        code = urlpool_connection_set_tunnel(conn, argv[1], 0, NULL, &err);
    }
    if (code == URLPOOL_OK) {
        urlpool_connection_set_debuglevel(conn, getenv("DEBUG") != NULL, print_line, stderr);
        code = talk(conn, argc > 2 ? argv[2] : "/", &err);
    }
    if (code == URLPOOL_OK && urlpool_connection_proxy_headers(conn) != NULL) {
        printf("a proxy agreed\n");
    } else if (code != URLPOOL_OK) {
        fprintf(stderr, "%s: %s\n", urlpool_code_name(code), err.message);
    }
    urlpool_connection_free(conn);
    return code == URLPOOL_OK ? 0 : 1;
}
