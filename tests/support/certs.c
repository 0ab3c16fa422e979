/* Certificates of every good and bad kind, made while the test runs. */

#include "support/certs.h"

#include <dirent.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/tls_kit.h"

#define HOUR_S 3600
#define DAY_S  86400

#define MUST(condition) must((condition), #condition, __LINE__)

static void must(bool holds, const char *what, int line)
{
    if (!holds) {
        (void)fprintf(stderr, "certs.c:%d: %s\n", line, what);
        abort();
    }
}

static EVP_PKEY *new_ed25519(void)
{
    static const uint8_t seed[32] = "any 32 octets are a private key";
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));

    MUST(key != NULL);
    return key;
}

static EVP_PKEY *new_key(int rsa_bits, int curve)
{
    EVP_PKEY *key = EVP_PKEY_new();

    MUST(key != NULL);
    if (rsa_bits != 0) {
        RSA *rsa = RSA_new();
        BIGNUM *exponent = BN_new();

        MUST(rsa != NULL && exponent != NULL && BN_set_word(exponent, RSA_F4));
        MUST(RSA_generate_key_ex(rsa, rsa_bits, exponent, NULL));
        MUST(EVP_PKEY_assign_RSA(key, rsa));
        BN_free(exponent);
        return key;
    }
    EC_KEY *ec = EC_KEY_new_by_curve_name(curve != 0 ? curve : NID_X9_62_prime256v1);

    MUST(ec != NULL && EC_KEY_generate_key(ec));
    MUST(EVP_PKEY_assign_EC_KEY(key, ec));
    return key;
}

static void add_extension_of(X509 *x509, X509 *issuer, int nid, const char *text)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_nconf_nid(NULL, &context, nid, text);

    MUST(extension != NULL && X509_add_ext(x509, extension, -1));
    X509_EXTENSION_free(extension);
}

static void add_text_extension(X509 *x509, int nid, const char *text)
{
    add_extension_of(x509, x509, nid, text);
}

static void add_key_ids(X509 *x509, X509 *issuer)
{
    add_text_extension(x509, NID_subject_key_identifier, "hash");
    if (X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1) >= 0) {
        add_extension_of(x509, issuer, NID_authority_key_identifier, "keyid");
    }
}

static void add_names(X509 *x509, const struct test_name *names, size_t num_names)
{
    GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();

    for (size_t i = 0; i < num_names; i++) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_STRING *value =
            ASN1_STRING_type_new(names[i].is_ip ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);

        MUST(ASN1_STRING_set(value, names[i].data, (int)names[i].len));
        GENERAL_NAME_set0_value(name, names[i].is_ip ? GEN_IPADD : GEN_DNS, value);
        MUST(sk_GENERAL_NAME_push(all, name) != 0);
    }
    MUST(X509_add1_ext_i2d(x509, NID_subject_alt_name, all, 0, 0));
    GENERAL_NAMES_free(all);
}

/* 1.3.6.1.4.1.32473 is the enterprise number kept for examples (RFC 5612). */
static void add_unknown(X509 *x509)
{
    ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.32473.1", 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();

    MUST(oid != NULL && value != NULL && ASN1_STRING_set(value, "\x05\x00", 2));
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value);

    MUST(extension != NULL && X509_add_ext(x509, extension, -1));
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
}

static void add_basics(X509 *x509, const struct test_cert_options *options)
{
    char text[64];

    if (options->omits_basics) {
        return;
    }
    if (!options->is_ca) {
        add_text_extension(x509, NID_basic_constraints, "critical,CA:FALSE");
        return;
    }
    (void)snprintf(text, sizeof(text), "critical,CA:TRUE");
    if (options->path_len != 0) {
        (void)snprintf(text, sizeof(text), "critical,CA:TRUE,pathlen:%d",
                       options->path_len < 0 ? 0 : options->path_len);
    }
    add_text_extension(x509, NID_basic_constraints, text);
}

static void add_key_usage(X509 *x509, const struct test_cert_options *options)
{
    const char *usage = options->key_usage;

    if (usage == NULL && options->is_ca && !options->omits_basics) {
        usage = "critical,keyCertSign,cRLSign";
    }
    if (usage != NULL && usage[0] != '\0') {
        add_text_extension(x509, NID_key_usage, usage);
    }
}

static void add_extensions(X509 *x509, const struct test_cert_options *options)
{
    const char *usage = options->usage;

    if (usage == NULL) {
        usage = options->is_ca ? "" : "serverAuth";
    }
    add_basics(x509, options);
    add_key_usage(x509, options);
    if (usage[0] != '\0') {
        add_text_extension(x509, NID_ext_key_usage, usage);
    }
    if (options->limits != NULL) {
        add_text_extension(x509, NID_name_constraints, options->limits);
    }
    if (options->num_names > 0 || options->has_empty_names) {
        add_names(x509, options->names, options->num_names);
    }
    if (options->doubles_names) {
        MUST(X509_add_ext(
            x509, X509_get_ext(x509, X509_get_ext_by_NID(x509, NID_subject_alt_name, -1)), -1));
    }
    if (options->has_unknown) {
        add_unknown(x509);
    }
}

static void set_dates(X509 *x509, const struct test_cert_options *options)
{
    const bool is_default = options->begin_s == 0 && options->end_s == 0;
    const time_t now = time(NULL);

    MUST(ASN1_TIME_set(X509_getm_notBefore(x509),
                       now + (is_default ? -HOUR_S : options->begin_s)) != NULL);
    MUST(ASN1_TIME_set(X509_getm_notAfter(x509), now + (is_default ? DAY_S : options->end_s)) !=
         NULL);
}

static void set_subject(X509 *x509, const struct test_cert_options *options)
{
    X509_NAME *subject = X509_get_subject_name(x509);
    const char *name = options->common_name != NULL ? options->common_name : "test";
    const size_t len = options->common_name_len != 0 ? options->common_name_len : strlen(name);

    MUST(X509_NAME_add_entry_by_NID(subject, NID_commonName, V_ASN1_UTF8STRING,
                                    (const uint8_t *)name, (int)len, -1, 0));
}

/* digest_for: Ed25519 has its own. */
static const EVP_MD *digest_for(const EVP_PKEY *key, const struct test_cert_options *options)
{
    if (EVP_PKEY_id(key) == EVP_PKEY_ED25519) {
        return NULL;
    }
    if (options->is_md5) {
        return EVP_md5();
    }
    return options->is_sha1 ? EVP_sha1() : EVP_sha256();
}

static void sign(X509 *x509, EVP_PKEY *key, const struct test_cert_options *options)
{
    EVP_MD_CTX *context;
    EVP_PKEY_CTX *padding = NULL;

    if (!options->is_pss) {
        MUST(X509_sign(x509, key, digest_for(key, options)) != 0);
        return;
    }
    context = EVP_MD_CTX_new();
    MUST(context != NULL &&
         EVP_DigestSignInit(context, &padding, digest_for(key, options), NULL, key) &&
         EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, -1)); /* as long as the digest */
    MUST(X509_sign_ctx(x509, context) != 0);
    EVP_MD_CTX_free(context);
}

struct test_cert *test_cert_new(const struct test_cert_options *options,
                                const struct test_cert *issuer)
{
    static int64_t last_serial;
    struct test_cert *cert = calloc(1, sizeof(*cert));

    MUST(cert != NULL);
    cert->x509 = X509_new();
    if (options->key_of != NULL) {
        cert->key = options->key_of->key;
        EVP_PKEY_up_ref(cert->key);
    } else {
        cert->key =
            options->is_ed25519 ? new_ed25519() : new_key(options->rsa_bits, options->curve);
    }
    if (issuer == NULL) {
        issuer = cert;
    }
    MUST(X509_set_version(cert->x509, options->is_v1 ? X509_VERSION_1 : X509_VERSION_3));
    MUST(ASN1_INTEGER_set(X509_get_serialNumber(cert->x509), (long)++last_serial));
    set_subject(cert->x509, options);
    MUST(X509_set_issuer_name(cert->x509, X509_get_subject_name(issuer->x509)));
    set_dates(cert->x509, options);
    MUST(X509_set_pubkey(cert->x509, cert->key));
    if (!options->is_v1) {
        add_extensions(cert->x509, options);
        if (options->has_key_ids) {
            add_key_ids(cert->x509, issuer->x509);
        }
    }
    sign(cert->x509, issuer->key, options);
    return cert;
}

void test_cert_free(struct test_cert *cert)
{
    if (cert != NULL) {
        X509_free(cert->x509);
        EVP_PKEY_free(cert->key);
        free(cert);
    }
}

struct test_cert *test_ca(const char *common_name)
{
    return test_cert_new(
        &(struct test_cert_options){
            .common_name = common_name, .is_ca = true, .begin_s = -HOUR_S, .end_s = 10 * DAY_S},
        NULL);
}

struct test_cert *test_leaf(const char *host, const struct test_cert *issuer)
{
    const struct test_name name = {false, host, strlen(host)};

    return test_cert_new(&(struct test_cert_options){.names = &name, .num_names = 1}, issuer);
}

/* text_of copies what `memory` holds and frees it. */
static char *text_of(BIO *memory)
{
    char *data = NULL;
    const size_t len = (size_t)BIO_get_mem_data(memory, &data);

    char *text = malloc(len + 1);

    MUST(text != NULL);
    memcpy(text, data, len);
    text[len] = '\0';
    BIO_free(memory);
    return text;
}

char *test_cert_pem(const struct test_cert *cert)
{
    BIO *memory = BIO_new(BIO_s_mem());

    MUST(memory != NULL && PEM_write_bio_X509(memory, cert->x509));
    return text_of(memory);
}

char *test_cert_key_pem(const struct test_cert *cert)
{
    BIO *memory = BIO_new(BIO_s_mem());

    MUST(memory != NULL &&
         PEM_write_bio_PKCS8PrivateKey(memory, cert->key, NULL, NULL, 0, NULL, NULL));
    return text_of(memory);
}

char *test_cert_key_encrypted(const struct test_cert *cert, const char *password, bool is_old)
{
    BIO *memory = BIO_new(BIO_s_mem());
    const int len = (int)strlen(password);

    MUST(memory != NULL);
    if (!is_old) {
        MUST(PEM_write_bio_PKCS8PrivateKey(memory, cert->key, EVP_aes_256_cbc(), (char *)password,
                                           len, NULL, NULL));
    } else if (EVP_PKEY_id(cert->key) == EVP_PKEY_RSA) {
        MUST(PEM_write_bio_RSAPrivateKey(memory, EVP_PKEY_get0_RSA(cert->key), EVP_aes_128_cbc(),
                                         (uint8_t *)password, len, NULL, NULL));
    } else {
        MUST(PEM_write_bio_ECPrivateKey(memory, EVP_PKEY_get0_EC_KEY(cert->key), EVP_aes_128_cbc(),
                                        (uint8_t *)password, len, NULL, NULL));
    }
    return text_of(memory);
}

uint8_t *test_cert_key_der(const struct test_cert *cert, const char *password, size_t *out_len)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *data = NULL;

    MUST(memory != NULL);
    MUST(i2d_PKCS8PrivateKey_bio(memory, cert->key, password != NULL ? EVP_aes_128_cbc() : NULL,
                                 (char *)password, password != NULL ? (int)strlen(password) : 0,
                                 NULL, NULL));
    *out_len = (size_t)BIO_get_mem_data(memory, &data);
    uint8_t *copy = malloc(*out_len);

    MUST(copy != NULL);
    memcpy(copy, data, *out_len);
    BIO_free(memory);
    return copy;
}

uint8_t *test_cert_der(const struct test_cert *cert, size_t *out_len)
{
    const int len = i2d_X509(cert->x509, NULL);

    MUST(len > 0);
    uint8_t *der = malloc((size_t)len);
    uint8_t *end = der;

    MUST(der != NULL && i2d_X509(cert->x509, &end) == len);
    *out_len = (size_t)len;
    return der;
}

char *test_cert_fingerprint(const struct test_cert *cert, int num_digits)
{
    const EVP_MD *digest = num_digits == 32   ? EVP_md5()
                           : num_digits == 40 ? EVP_sha1()
                                              : EVP_sha256();
    uint8_t bytes[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    char *text = calloc(1, 2 * EVP_MAX_MD_SIZE + 1);

    MUST(text != NULL && X509_digest(cert->x509, digest, bytes, &len));
    MUST((int)len * 2 == num_digits);
    for (unsigned i = 0; i < len; i++) {
        (void)snprintf(text + (size_t)2 * i, 3, "%02x", bytes[i]);
    }
    return text;
}

char *test_cert_pin(const struct test_cert *cert)
{
    uint8_t *der = NULL;
    const int len = i2d_PUBKEY(cert->key, &der);
    uint8_t digest[EVP_MAX_MD_SIZE];
    uint8_t base64[64];
    char *pin = NULL;

    MUST(len > 0 && EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL));
    MUST(EVP_EncodeBlock(base64, digest, 32) == 44);
    MUST(asprintf(&pin, "sha256//%s", (const char *)base64) > 0);
    OPENSSL_free(der);
    return pin;
}

struct urlp_tls_shown *test_cert_chain(const struct test_cert *const *certs)
{
    struct urlp_tls_shown *shown = tls_kit_shown_new();

    for (; *certs != NULL; certs++) {
        size_t len;
        uint8_t *der = test_cert_der(*certs, &len);

        tls_kit_shown_add(shown, der, len);
        free(der);
    }
    return shown;
}

SSL_CTX *test_cert_context(const struct test_cert *const *certs)
{
    SSL_CTX *context = tls_kit_context();

    MUST(context != NULL);
    MUST(SSL_CTX_use_certificate(context, certs[0]->x509));
    MUST(SSL_CTX_use_PrivateKey(context, certs[0]->key));
    for (certs++; *certs != NULL; certs++) {
        MUST(SSL_CTX_add1_chain_cert(context, (*certs)->x509));
    }
    return context;
}

void test_cert_hash_name(const struct test_cert *cert, char out[16])
{
    (void)snprintf(out, 16, "%08x.0", (unsigned)X509_subject_name_hash(cert->x509));
}

char *test_dir(void)
{
    char *dir = strdup("/tmp/urlpool-test-XXXXXX");

    MUST(dir != NULL && mkdtemp(dir) != NULL);
    return dir;
}

static char *path_in(const char *dir, const char *name)
{
    char *path = NULL;

    MUST(asprintf(&path, "%s/%s", dir, name) > 0);
    return path;
}

char *test_file(const char *dir, const char *name, const char *text)
{
    char *path = path_in(dir, name);
    FILE *file = fopen(path, "w");

    MUST(file != NULL && fputs(text, file) >= 0);
    MUST(fclose(file) == 0);
    return path;
}

void test_dir_remove(char *dir)
{
    DIR *entries = opendir(dir);
    const struct dirent *entry;

    MUST(entries != NULL);
    while ((entry = readdir(entries)) != NULL) {
        char *path = path_in(dir, entry->d_name);

        (void)unlink(path); /* "." and ".." refuse */
        free(path);
    }
    (void)closedir(entries);
    MUST(rmdir(dir) == 0);
    free(dir);
}
