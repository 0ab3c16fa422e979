/* Whom to trust: which source counts, which others are then not looked at, and what is shared. */

#include <errno.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "net/tls_roots.h"
#include "support/certs.h"
#include "support/loopback.h"
#include "support/run_tests.h"

static const struct urlp_environment no_environment;

/* struct sources is a directory with roots of their own in each kind of place. */
struct sources {
    char *dir, *hash_dir;
    struct test_cert *of_file, *of_dir, *of_system;
    char *file, *system_file, *empty_file, *missing;
};

static struct sources sources_begin(void)
{
    struct sources all = {.dir = test_dir(), .hash_dir = test_dir()};
    char *pem;
    char name[16];

    all.of_file = test_ca("of file");
    all.of_dir = test_ca("of directory");
    all.of_system = test_ca("of system");
    pem = test_cert_pem(all.of_file);
    all.file = test_file(all.dir, "file.pem", pem);
    free(pem);
    pem = test_cert_pem(all.of_dir);
    test_cert_hash_name(all.of_dir, name);
    free(test_file(all.hash_dir, name, pem));
    free(pem);
    pem = test_cert_pem(all.of_system);
    all.system_file = test_file(all.dir, "system.pem", pem);
    free(pem);
    all.empty_file = test_file(all.dir, "empty.pem", "nothing\n");
    ck_assert_int_gt(asprintf(&all.missing, "%s/missing.pem", all.dir), 0);
    return all;
}

static void sources_end(struct sources *all)
{
    free(all->file);
    free(all->system_file);
    free(all->empty_file);
    free(all->missing);
    test_dir_remove(all->dir);
    test_dir_remove(all->hash_dir);
    test_cert_free(all->of_file);
    test_cert_free(all->of_dir);
    test_cert_free(all->of_system);
}

static bool holds(X509_STORE *store, const struct test_cert *cert)
{
    const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);

    for (size_t i = 0; i < (size_t)sk_X509_OBJECT_num(objects); i++) {
        if (X509_cmp(X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i)), cert->x509) == 0) {
            return true;
        }
    }
    return false;
}

/* expect_roots holds `store` against which of the three it should have, and frees it. */
static void expect_roots(X509_STORE *store, const struct sources *all, bool of_file, bool of_dir,
                         bool of_system)
{
    ck_assert_ptr_nonnull(store);
    ck_assert_int_eq(holds(store, all->of_file), of_file);
    ck_assert_int_eq(holds(store, all->of_dir), of_dir);
    ck_assert_int_eq(holds(store, all->of_system), of_system);
    ck_assert_uint_eq(sk_X509_OBJECT_num(X509_STORE_get0_objects(store)),
                      of_file + of_dir + of_system);
    X509_STORE_free(store);
}

static X509_STORE *system_roots(const struct urlp_environment *environment,
                                const char *const *files, const char *const *dirs,
                                struct urlpool_error *err)
{
    return urlp_tls_roots_system(environment, &(struct urlp_tls_places){files, dirs}, err);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NOTHING   ((const char *const[]){NULL})

START_TEST(given__file_directory_and_data_are_trusted_together)
{
    struct sources all = sources_begin();
    char *pem = test_cert_pem(all.of_system);
    const struct urlpool_tls_options options = {
        .ca_file = all.file, .ca_dir = all.hash_dir, .ca_data = pem, .ca_data_len = strlen(pem)};

    expect_roots(urlp_tls_roots_given(&options, NULL), &all, true, true, true);
    free(pem);
    sources_end(&all);
}
END_TEST

START_TEST(given__one_source_means_that_one_only)
{
    struct sources all = sources_begin();
    size_t len;
    uint8_t *der = test_cert_der(all.of_system, &len);

    expect_roots(urlp_tls_roots_given(&(struct urlpool_tls_options){.ca_file = all.file}, NULL),
                 &all, true, false, false);
    expect_roots(urlp_tls_roots_given(&(struct urlpool_tls_options){.ca_dir = all.hash_dir}, NULL),
                 &all, false, true, false);
    expect_roots(urlp_tls_roots_given(
                     &(struct urlpool_tls_options){.ca_data = der, .ca_data_len = len}, NULL),
                 &all, false, false, true);
    free(der);
    sources_end(&all);
}
END_TEST

START_TEST(given__source_that_cannot_be_read_is_an_error)
{
    struct sources all = sources_begin();
    struct urlpool_error err = {0};

    ck_assert_ptr_null(
        urlp_tls_roots_given(&(struct urlpool_tls_options){.ca_file = all.missing}, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_CA_FILE);
    ck_assert_ptr_nonnull(strstr(err.message, "missing.pem"));
    ck_assert_ptr_null(urlp_tls_roots_given(
        &(struct urlpool_tls_options){.ca_file = all.file, .ca_dir = "/nowhere"}, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_CA_FILE);
    sources_end(&all);
}
END_TEST

START_TEST(given__source_without_roots_is_an_error_of_its_own)
{
    struct sources all = sources_begin();
    struct urlpool_error err = {0};

    ck_assert_ptr_null(
        urlp_tls_roots_given(&(struct urlpool_tls_options){.ca_file = all.empty_file}, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_NO_ANCHORS);
    ck_assert_ptr_null(
        urlp_tls_roots_given(&(struct urlpool_tls_options){.ca_data = "", .ca_data_len = 0}, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_NO_ANCHORS);
    sources_end(&all);
}
END_TEST

START_TEST(environment__comes_before_the_systems_places)
{
    struct sources all = sources_begin();
    const struct urlp_environment file = {.ssl_cert_file = all.file};
    const struct urlp_environment dir = {.ssl_cert_dir = all.hash_dir};
    const struct urlp_environment both = {.ssl_cert_file = all.file, .ssl_cert_dir = all.hash_dir};

    expect_roots(system_roots(&file, LIST(all.system_file), NOTHING, NULL), &all, true, false,
                 false);
    expect_roots(system_roots(&dir, LIST(all.system_file), NOTHING, NULL), &all, false, true,
                 false);
    expect_roots(system_roots(&both, LIST(all.system_file), NOTHING, NULL), &all, true, true,
                 false);
    expect_roots(system_roots(&no_environment, LIST(all.system_file), NOTHING, NULL), &all, false,
                 false, true);
    sources_end(&all);
}
END_TEST

START_TEST(environment__names_directories_with_colons_between)
{
    struct sources all = sources_begin();
    char *empty_dir = test_dir();
    struct urlp_environment environment = {0};

    ck_assert_int_gt(asprintf(&environment.ssl_cert_dir, "%s::%s:", empty_dir, all.hash_dir), 0);
    expect_roots(system_roots(&environment, NOTHING, NOTHING, NULL), &all, false, true, false);
    free(environment.ssl_cert_dir);
    test_dir_remove(empty_dir);
    sources_end(&all);
}
END_TEST

START_TEST(environment__that_names_nothing_to_read_does_not_fall_back)
{
    struct sources all = sources_begin();
    const struct urlp_environment missing = {.ssl_cert_file = all.missing};
    const struct urlp_environment empty = {.ssl_cert_file = all.empty_file};
    struct urlpool_error err = {0};

    ck_assert_ptr_null(system_roots(&missing, LIST(all.system_file), NOTHING, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_CA_FILE);
    ck_assert_ptr_null(system_roots(&empty, LIST(all.system_file), NOTHING, &err));
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_NO_ANCHORS);
    sources_end(&all);
}
END_TEST

START_TEST(system__first_place_that_holds_roots_counts_files_before_directories)
{
    struct sources all = sources_begin();

    expect_roots(system_roots(&no_environment,
                              LIST(all.missing, all.empty_file, all.file, all.system_file),
                              LIST(all.hash_dir), NULL),
                 &all, true, false, false);
    expect_roots(system_roots(&no_environment, LIST(all.missing, all.empty_file),
                              LIST("/nowhere", all.dir, all.hash_dir), NULL),
                 &all, false, true, false);
    sources_end(&all);
}
END_TEST

START_TEST(system__without_any_roots_is_an_error_of_its_own)
{
    struct sources all = sources_begin();
    struct urlpool_error err = {0};

    ck_assert_ptr_null(
        system_roots(&no_environment, LIST(all.missing, all.empty_file), LIST(all.dir), &err));
    ck_assert_int_eq(err.code, URLPOOL_E_TLS_NO_ANCHORS);
    ck_assert_uint_gt(strlen(err.message), 0);
    sources_end(&all);
}
END_TEST

START_TEST(system__out_of_descriptors_is_an_error_and_no_other_trust)
{
    struct sources all = sources_begin();
    struct urlpool_error err = {0};
    X509_STORE *store;

    loopback_allow_fds(false);
    store = system_roots(&no_environment, LIST(all.system_file), LIST(all.hash_dir), &err);
    loopback_allow_fds(true);
    ck_assert_ptr_null(store);
    ck_assert_int_eq(err.code, URLPOOL_E_SYSTEM);
    ck_assert_int_eq(err.os_errno, EMFILE);
    store = system_roots(&no_environment, LIST(all.system_file), LIST(all.hash_dir), &err);
    ck_assert_ptr_nonnull(store);
    X509_STORE_free(store);
    sources_end(&all);
}
END_TEST

START_TEST(system__roots_are_loaded_once_and_shared)
{
    struct sources all = sources_begin();
    X509_STORE *first = system_roots(&no_environment, LIST(all.system_file), NOTHING, NULL);
    X509_STORE *second = system_roots(&no_environment, LIST(all.system_file), NOTHING, NULL);

    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_eq(first, second);
    X509_STORE_free(first);
    X509_STORE_free(second);
    sources_end(&all);
}
END_TEST

START_TEST(system__roots_that_have_changed_are_loaded_again)
{
    struct sources all = sources_begin();
    X509_STORE *old = system_roots(&no_environment, LIST(all.system_file), NOTHING, NULL);
    char *pem = test_cert_pem(all.of_file);
    char *more = NULL;

    ck_assert_int_gt(asprintf(&more, "changed\n%s", pem), 0);
    free(test_file(all.dir, "system.pem", more));
    expect_roots(system_roots(&no_environment, LIST(all.system_file), NOTHING, NULL), &all, true,
                 false, false);
    expect_roots(old, &all, false, false, true); /* who holds the old ones keeps them */
    free(more);
    free(pem);
    sources_end(&all);
}
END_TEST

START_TEST(system__roots_of_this_machine_can_be_loaded)
{
    X509_STORE *store = urlp_tls_roots_system(&no_environment, NULL, NULL);

    ck_assert_ptr_nonnull(store); /* ca-certificates is installed by tools/setup */
    X509_STORE_free(store);
}
END_TEST

RUN_TESTS("tls_roots", given__file_directory_and_data_are_trusted_together,
          given__one_source_means_that_one_only, given__source_that_cannot_be_read_is_an_error,
          given__source_without_roots_is_an_error_of_its_own,
          environment__comes_before_the_systems_places,
          environment__names_directories_with_colons_between,
          environment__that_names_nothing_to_read_does_not_fall_back,
          system__first_place_that_holds_roots_counts_files_before_directories,
          system__without_any_roots_is_an_error_of_its_own,
          system__out_of_descriptors_is_an_error_and_no_other_trust,
          system__roots_are_loaded_once_and_shared,
          system__roots_that_have_changed_are_loaded_again,
          system__roots_of_this_machine_can_be_loaded)
