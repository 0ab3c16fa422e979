/* Whom to trust: the roots an option names, else the environment, else the system's.
 *
 * A source that somebody named must be readable and well-formed, or there is no store at all: a
 * configuration must never turn into one with another trust. Of the system's usual places the first
 * that holds a certificate counts. No roots at all is an error of its own, since every handshake
 * would fail with a reason that misleads.
 *
 * The system's roots are parsed once a process and shared (it takes milliseconds); whether they are
 * still those on disk is asked of stat, each time a configuration is built. */

#include "net/tls_roots.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/sync.h"
#include "net/tls_pem.h"

static const char *const usual_files[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Arch, Gentoo */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* Fedora, RHEL */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* CentOS */
    "/etc/ssl/ca-bundle.pem",                            /* openSUSE */
    "/etc/ssl/cert.pem",                                 /* Alpine */
    NULL,
};
static const char *const usual_dirs[] = {
    "/etc/ssl/certs",
    "/etc/pki/tls/certs",
    NULL,
};
static const struct urlp_tls_places usual_places = {usual_files, usual_dirs};

static size_t num_roots(const X509_STORE *store)
{
    return (size_t)sk_X509_OBJECT_num(X509_STORE_get0_objects((X509_STORE *)store));
}

static X509_STORE *new_store(struct urlpool_error *err)
{
    X509_STORE *store = X509_STORE_new();

    if (store == NULL) {
        ERR_clear_error();
        (void)urlp_fail_nomem(err);
    }
    return store;
}

/* finish returns `store`, or frees it and returns NULL when loading failed or brought nothing. */
static X509_STORE *finish(X509_STORE *store, enum urlpool_code code, const char *where,
                          struct urlpool_error *err)
{
    if (code == URLPOOL_OK && num_roots(store) == 0) {
        code = urlp_fail(err, URLPOOL_E_TLS_NO_ANCHORS, URLPOOL_PHASE_NONE,
                         "no trusted roots in %s", where);
    }
    if (code == URLPOOL_OK) {
        return store;
    }
    X509_STORE_free(store);
    return NULL;
}

X509_STORE *urlp_tls_roots_given(const struct urlpool_tls_options *options,
                                 struct urlpool_error *err)
{
    X509_STORE *store = new_store(err);
    enum urlpool_code code = URLPOOL_OK;

    if (store == NULL) {
        return NULL;
    }
    if (options->ca_file != NULL) {
        code = urlp_tls_pem_add_file(store, (struct urlp_tls_origin){options->ca_file, false}, err);
    }
    if (code == URLPOOL_OK && options->ca_dir != NULL) {
        code = urlp_tls_pem_add_dir(store, (struct urlp_tls_origin){options->ca_dir, false}, err);
    }
    if (code == URLPOOL_OK && options->ca_data != NULL) {
        code = urlp_tls_pem_add_data(store, options->ca_data, options->ca_data_len,
                                     (struct urlp_tls_origin){"ca_data", false}, err);
    }
    return finish(store, code, "ca_file, ca_dir and ca_data", err);
}

/* add_dir_list adds each directory of "a:b:c", as SSL_CERT_DIR may name several. */
static enum urlpool_code add_dir_list(X509_STORE *store, const char *list,
                                      struct urlpool_error *err)
{
    enum urlpool_code code = URLPOOL_OK;

    while (code == URLPOOL_OK && *list != '\0') {
        const size_t len = strcspn(list, ":");
        char *dir = len > 0 ? urlp_strndup(list, len) : NULL;

        if (dir != NULL) {
            code = urlp_tls_pem_add_dir(store, (struct urlp_tls_origin){dir, false}, err);
        } else if (len > 0) {
            code = urlp_fail_nomem(err);
        }
        urlp_free(dir);
        list += len + (list[len] == ':');
    }
    return code;
}

static enum urlpool_code add_environment(X509_STORE *store,
                                         const struct urlp_environment *environment,
                                         struct urlpool_error *err)
{
    enum urlpool_code code = URLPOOL_OK;

    if (environment->ssl_cert_file != NULL) {
        code = urlp_tls_pem_add_file(
            store, (struct urlp_tls_origin){environment->ssl_cert_file, false}, err);
    }
    if (code == URLPOOL_OK && environment->ssl_cert_dir != NULL) {
        code = add_dir_list(store, environment->ssl_cert_dir, err);
    }
    return code;
}

/* is_about_us tells what this process is short of from what is wrong with a place: another place
 * would only be another trust. */
static bool is_about_us(enum urlpool_code code)
{
    return code == URLPOOL_E_NOMEM || code == URLPOOL_E_SYSTEM;
}

/* add_places adds the first place that holds a root; one that cannot be read is passed over. */
static enum urlpool_code add_places(X509_STORE *store, const struct urlp_tls_places *places,
                                    struct urlpool_error *err)
{
    enum urlpool_code code = URLPOOL_OK;

    for (size_t i = 0; places->files[i] != NULL && num_roots(store) == 0; i++) {
        code = urlp_tls_pem_add_file(store, (struct urlp_tls_origin){places->files[i], true}, err);
        if (is_about_us(code)) {
            return code;
        }
    }
    for (size_t i = 0; places->dirs[i] != NULL && num_roots(store) == 0; i++) {
        code = urlp_tls_pem_add_dir(store, (struct urlp_tls_origin){places->dirs[i], true}, err);
        if (is_about_us(code)) {
            return code;
        }
    }
    return URLPOOL_OK;
}

static bool is_in_environment(const struct urlp_environment *environment)
{
    return environment->ssl_cert_file != NULL || environment->ssl_cert_dir != NULL;
}

static X509_STORE *load_system(const struct urlp_environment *environment,
                               const struct urlp_tls_places *places, struct urlpool_error *err)
{
    X509_STORE *store = new_store(err);

    if (store == NULL) {
        return NULL;
    }
    if (is_in_environment(environment)) {
        return finish(store, add_environment(store, environment, err),
                      "SSL_CERT_FILE and SSL_CERT_DIR", err);
    }
    return finish(store, add_places(store, places, err), "the system's usual places", err);
}

/* add_state adds to `stamp` what tells one state of a file or directory from another. */
static void add_state(SHA256_CTX *stamp, const char *path)
{
    struct stat state = {0};

    (void)stat(path, &state); /* one that is absent is all zero */
    SHA256_Update(stamp, path, strlen(path) + 1);
    SHA256_Update(stamp, &state.st_dev, sizeof(state.st_dev));
    SHA256_Update(stamp, &state.st_ino, sizeof(state.st_ino));
    SHA256_Update(stamp, &state.st_size, sizeof(state.st_size));
    SHA256_Update(stamp, &state.st_mtim.tv_sec, sizeof(state.st_mtim.tv_sec));
    SHA256_Update(stamp, &state.st_mtim.tv_nsec, sizeof(state.st_mtim.tv_nsec));
}

static void add_states(SHA256_CTX *stamp, const char *const *paths)
{
    for (size_t i = 0; paths[i] != NULL; i++) {
        add_state(stamp, paths[i]);
    }
}

/* add_environment_states: a list of directories that is too long for a path is known by its text.
 */
static void add_environment_states(SHA256_CTX *stamp, const struct urlp_environment *environment)
{
    const char *list = environment->ssl_cert_dir != NULL ? environment->ssl_cert_dir : "";
    char dir[PATH_MAX];

    if (environment->ssl_cert_file != NULL) {
        add_state(stamp, environment->ssl_cert_file);
    }
    SHA256_Update(stamp, list, strlen(list) + 1);
    while (*list != '\0') {
        const size_t len = strcspn(list, ":");

        (void)snprintf(dir, sizeof(dir), "%.*s", len < sizeof(dir) ? (int)len : 0, list);
        add_state(stamp, dir);
        list += len + (list[len] == ':');
    }
}

/* struct stamp stands for where the system's roots come from and in what state that is. */
struct stamp {
    uint8_t digest[SHA256_DIGEST_LENGTH];
};

static struct stamp make_stamp(const struct urlp_environment *environment,
                               const struct urlp_tls_places *places)
{
    struct stamp stamp;
    SHA256_CTX context;

    SHA256_Init(&context);
    if (is_in_environment(environment)) {
        add_environment_states(&context, environment);
    } else {
        add_states(&context, places->files);
        add_states(&context, places->dirs);
    }
    SHA256_Final(stamp.digest, &context);
    return stamp;
}

/* The one store that the process shares, and the stamp of what it was made of. The TLS library's
 * memory, not urlpool's: it is kept to the end. */
static struct {
    struct urlp_mutex mutex;
    struct {
        X509_STORE *store;
        struct stamp stamp;
    } locked URLP_GUARDED;
} shared = {.mutex = URLP_MUTEX_INIT};

static X509_STORE *find_shared(const struct stamp *stamp) URLP_MAY_BLOCK
{
    X509_STORE *store = NULL;

    urlp_mutex_lock(&shared.mutex);
    if (shared.locked.store != NULL && memcmp(&shared.locked.stamp, stamp, sizeof(*stamp)) == 0) {
        store = shared.locked.store;
        X509_STORE_up_ref(store);
    }
    urlp_mutex_unlock(&shared.mutex);
    return store;
}

static void keep_shared(X509_STORE *store, const struct stamp *stamp) URLP_MAY_BLOCK
{
    X509_STORE *old_store;

    X509_STORE_up_ref(store);
    urlp_mutex_lock(&shared.mutex);
    old_store = shared.locked.store;
    shared.locked.store = store;
    shared.locked.stamp = *stamp;
    urlp_mutex_unlock(&shared.mutex);
    X509_STORE_free(old_store);
}

X509_STORE *urlp_tls_roots_system(const struct urlp_environment *environment,
                                  const struct urlp_tls_places *places, struct urlpool_error *err)
{
    struct stamp stamp;
    X509_STORE *store;

    if (places == NULL) {
        places = &usual_places;
    }
    stamp = make_stamp(environment, places);
    store = find_shared(&stamp);
    if (store != NULL) {
        return store;
    }
    store = load_system(environment, places, err);
    if (store != NULL) {
        keep_shared(store, &stamp);
    }
    return store;
}
