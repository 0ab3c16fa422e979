/* One process that fetches over HTTPS with urlpool (BoringSSL inside) and asks a PostgreSQL server
 * over TLS with libpq (OpenSSL outside): the two must not see each other's symbols. Built by
 * test_beside_libpq in each way the two can be linked, or with BY_DLOPEN defined. Ends with 0 when
 * every fetch was a verified 200 and every query was answered over a verified connection.
 *
 *   beside_libpq PORT CA_FILE urlpool|pq     who loads (BY_DLOPEN) and speaks first */

#include <dlfcn.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>
#include <urlpool/urlpool.h>

static const char *port;
static const char *ca_file;

#ifdef BY_DLOPEN
/* look_up finds `name` in what was loaded; loading by RTLD_GLOBAL offers every symbol to everybody.
 */
static void *look_up(const char *library, const char *name)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
    void *found = handle == NULL ? NULL : dlsym(handle, name);

    if (found == NULL) {
        fprintf(stderr, "%s\n", dlerror());
    }
    return found;
}
#define OF_URLPOOL(name) ((__typeof__(&(name)))look_up("liburlpool.so.1", #name))
#define OF_PQ(name)      ((__typeof__(&(name)))look_up("libpq.so.5", #name))
#else
#define OF_URLPOOL(name) (&(name))
#define OF_PQ(name)      (&(name))
#endif

static int fetch_with_urlpool(void)
{
    char url[64];
    struct urlpool_error err = {0};
    struct urlpool_tls_options tls_options = {.ca_file = ca_file};
    struct urlpool_tls *tls = OF_URLPOOL(urlpool_tls_new)(&tls_options, &err);
    struct urlpool_manager_options options = {.tls = tls};
    struct urlpool_manager *manager = OF_URLPOOL(urlpool_manager_new)(&options, &err);
    struct urlpool_response *response = NULL;
    int status = 0;

    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%s/", port);
    response = OF_URLPOOL(urlpool_request)(manager, "GET", url, NULL, &err);
    status = response == NULL ? 0 : response->status;
    if (status != 200) {
        fprintf(stderr, "urlpool: status %d, %s\n", status, err.message);
    }
    OF_URLPOOL(urlpool_response_free)(response);
    OF_URLPOOL(urlpool_manager_free)(manager);
    OF_URLPOOL(urlpool_tls_unref)(tls);
    return status == 200 ? 0 : 1;
}

static int ask_with_pq(void)
{
    const char *names[] = {"host",    "port",        "user",       "dbname",
                           "sslmode", "sslrootcert", "gssencmode", NULL};
    const char *values[] = {"127.0.0.1",   port,    "tester",  "test",
                            "verify-full", ca_file, "disable", NULL};
    PGconn *connection = OF_PQ(PQconnectdbParams)(names, values, 0);
    PGresult *result = NULL;
    const char *library = NULL;
    int wrong = 1;

    if (OF_PQ(PQstatus)(connection) == CONNECTION_OK) {
        result = OF_PQ(PQexec)(connection, "SELECT 'hello'");
        library = OF_PQ(PQsslAttribute)(connection, "library");
    }
    if (result != NULL && OF_PQ(PQresultStatus)(result) == PGRES_TUPLES_OK && library != NULL &&
        strcmp(library, "OpenSSL") == 0 && OF_PQ(PQsslInUse)(connection) == 1 &&
        strcmp(OF_PQ(PQgetvalue)(result, 0, 0), "hello") == 0) {
        wrong = 0;
    } else {
        fprintf(stderr, "libpq, by %s: %s\n", library == NULL ? "no TLS" : library,
                OF_PQ(PQerrorMessage)(connection));
    }
    OF_PQ(PQclear)(result);
    OF_PQ(PQfinish)(connection);
    return wrong;
}

int main(int argc, char **argv)
{
    int wrong = 0;

    if (argc != 4) {
        return 2;
    }
    port = argv[1];
    ca_file = argv[2];
    for (int turn = 0; turn < 3; turn++) {
        if (turn == 0 && strcmp(argv[3], "pq") == 0) {
            wrong += ask_with_pq();
        }
        wrong += fetch_with_urlpool();
        wrong += ask_with_pq();
    }
    return wrong == 0 ? 0 : 1;
}
