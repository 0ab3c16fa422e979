/* Certificates for the demonstration. */

#include "demo_certificate.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "text.h"

enum {
    VERSION_3 = 2,
    HOUR_S = 3600,
    DAY_S = 86400,
    SERIAL_BYTES = 8
};

/* struct pair is a certificate and its key. */
struct pair {
    X509 *x509;
    EVP_PKEY *key;
};

static void free_pair(struct pair *pair)
{
    X509_free(pair->x509);
    EVP_PKEY_free(pair->key);
}

static EVP_PKEY *make_key(void)
{
    EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    EVP_PKEY *key = EVP_PKEY_new();

    if (ec != NULL && key != NULL && EC_KEY_generate_key(ec) == 1 &&
        EVP_PKEY_set1_EC_KEY(key, ec) == 1) {
        EC_KEY_free(ec);
        return key;
    }
    EC_KEY_free(ec);
    EVP_PKEY_free(key);
    return NULL;
}

static int set_serial(X509 *x509)
{
    unsigned char bytes[SERIAL_BYTES];
    BIGNUM *number;
    int ok;

    (void)RAND_bytes(bytes, sizeof(bytes));
    bytes[0] = (bytes[0] & 0x7f) | 1; /* positive, and not 0 */
    number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    ok = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;
    BN_free(number);
    return ok;
}

static int add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;
    int ok;

    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    extension = X509V3_EXT_nconf_nid(NULL, &context, nid, value);
    ok = extension != NULL && X509_add_ext(x509, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static int add_extensions(X509 *x509, X509 *issuer, int is_ca)
{
    if (is_ca) {
        return add_extension(x509, x509, NID_basic_constraints, "critical,CA:TRUE") &&
               add_extension(x509, x509, NID_key_usage, "critical,keyCertSign") &&
               add_extension(x509, x509, NID_subject_key_identifier, "hash");
    }
    return add_extension(x509, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x509, issuer, NID_key_usage, "critical,digitalSignature") &&
           add_extension(x509, issuer, NID_ext_key_usage, "serverAuth") &&
           add_extension(x509, issuer, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
}

/* make_pair makes a certificate signed by `issuer`, or a CA when that is NULL. */
static int make_pair(struct pair *out, const char *name, const struct pair *issuer)
{
    X509 *x509 = X509_new();
    EVP_PKEY *key = make_key();
    X509 *from = issuer != NULL ? issuer->x509 : x509;
    X509_NAME *subject;

    *out = (struct pair){x509, key};
    if (x509 == NULL || key == NULL) {
        return 0;
    }
    subject = X509_get_subject_name(x509);
    return X509_set_version(x509, VERSION_3) && set_serial(x509) &&
           X509_gmtime_adj(X509_get_notBefore(x509), -HOUR_S) != NULL &&
           X509_gmtime_adj(X509_get_notAfter(x509), DAY_S) != NULL && X509_set_pubkey(x509, key) &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                      -1, 0) &&
           X509_set_issuer_name(x509, X509_get_subject_name(from)) &&
           add_extensions(x509, from, issuer == NULL) &&
           X509_sign(x509, issuer != NULL ? issuer->key : key, EVP_sha256()) > 0;
}

static char *pem_of(X509 *x509)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    long len = 0;
    char *pem = NULL;

    if (bio != NULL && PEM_write_bio_X509(bio, x509) == 1 &&
        (len = BIO_get_mem_data(bio, &data)) > 0) {
        pem = pf_strndup(data, (size_t)len);
    }
    BIO_free(bio);
    return pem;
}

SSL_CTX *pf_demo_context(char **out_ca_pem)
{
    struct pair ca = {0};
    struct pair leaf = {0};
    SSL_CTX *context = NULL;

    if (make_pair(&ca, "pooled-fetch demo CA", NULL) && make_pair(&leaf, "localhost", &ca)) {
        context = SSL_CTX_new(TLS_server_method());
    }
    if (context != NULL && SSL_CTX_use_certificate(context, leaf.x509) == 1 &&
        SSL_CTX_use_PrivateKey(context, leaf.key) == 1) {
        *out_ca_pem = pem_of(ca.x509);
    } else {
        SSL_CTX_free(context);
        context = NULL;
    }
    free_pair(&ca);
    free_pair(&leaf);
    return context;
}
