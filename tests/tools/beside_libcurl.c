/* One process that fetches over HTTPS with urlpool (BoringSSL inside) and with libcurl (OpenSSL
 * outside): the two must not see each other's symbols. Built by test_beside_libcurl in each way the
 * two can be linked, or with BY_DLOPEN defined. Ends with 0 when every fetch was a verified 200.
 *
 *   beside_libcurl URL CA_FILE urlpool|curl     who loads (BY_DLOPEN) and fetches first */

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <urlpool/urlpool.h>

static const char *url;
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
#define OF_CURL(name)    ((__typeof__(&(name)))look_up("libcurl.so.4", #name))
#else
#define OF_URLPOOL(name) (&(name))
#define OF_CURL(name)    (&(name))
#endif
#undef curl_easy_setopt /* its type check takes no pointer to it */
#undef curl_easy_getinfo

static int fetch_with_urlpool(void)
{
    struct urlpool_error err = {0};
    struct urlpool_tls_options tls_options = {.ca_file = ca_file};
    struct urlpool_tls *tls = OF_URLPOOL(urlpool_tls_new)(&tls_options, &err);
    struct urlpool_manager_options options = {.tls = tls};
    struct urlpool_manager *manager = OF_URLPOOL(urlpool_manager_new)(&options, &err);
    struct urlpool_response *response =
        OF_URLPOOL(urlpool_request)(manager, "GET", url, NULL, &err);
    int status = response == NULL ? 0 : response->status;

    if (status != 200) {
        fprintf(stderr, "urlpool: status %d, %s\n", status, err.message);
    }
    OF_URLPOOL(urlpool_response_free)(response);
    OF_URLPOOL(urlpool_manager_free)(manager);
    OF_URLPOOL(urlpool_tls_unref)(tls);
    return status == 200 ? 0 : 1;
}

static size_t ignore(char *data, size_t size, size_t count, void *user)
{
    (void)data;
    (void)user;
    return size * count;
}

static int fetch_with_curl(void)
{
    CURL *curl = OF_CURL(curl_easy_init)();
    CURLcode code = CURLE_OK;
    long status = 0;

    OF_CURL(curl_easy_setopt)(curl, CURLOPT_URL, url);
    OF_CURL(curl_easy_setopt)(curl, CURLOPT_CAINFO, ca_file);
    OF_CURL(curl_easy_setopt)(curl, CURLOPT_NOSIGNAL, 1L);
    OF_CURL(curl_easy_setopt)(curl, CURLOPT_WRITEFUNCTION, ignore);
    code = OF_CURL(curl_easy_perform)(curl);
    OF_CURL(curl_easy_getinfo)(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        fprintf(stderr, "curl: status %ld, code %d\n", status, (int)code);
    }
    OF_CURL(curl_easy_cleanup)(curl);
    return status == 200 ? 0 : 1;
}

int main(int argc, char **argv)
{
    int wrong = 0;

    if (argc != 4) {
        return 2;
    }
    url = argv[1];
    ca_file = argv[2];
    for (int turn = 0; turn < 3; turn++) {
        if (turn == 0 && strcmp(argv[3], "curl") == 0) {
            wrong += fetch_with_curl();
        }
        wrong += fetch_with_urlpool();
        wrong += fetch_with_curl();
    }
    if (strstr(OF_CURL(curl_version)(), "OpenSSL") == NULL) {
        fprintf(stderr, "this libcurl does not use OpenSSL: nothing is shown\n");
        return 77;
    }
    return wrong == 0 ? 0 : 1;
}
