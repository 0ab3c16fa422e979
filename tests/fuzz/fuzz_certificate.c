/* The certificates that a peer shows. Who is taken for a host has a certificate that BoringSSL's
 * own look at names finds to be for it, too; what passes all checks passes fewer; and the same
 * chain is always judged the same. An input is a host and what else there is: certificates in DER,
 * a length of two bytes before each; or the octets of a leaf's subjectAltName, behind a length of
 * two bytes, and those of its issuer's nameConstraints, both signed here, so that they are looked
 * at. */

#include <openssl/asn1.h>
#include <openssl/base.h>
#include <openssl/digest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pool.h>
#include <openssl/stack.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "fuzz/input.h"
#include "net/tls_verify.h"
#include "support/certs.h"

#define CERTS_MAX 20

/* A root of nobody's, made for this: corpus/certificate has leaves of it. Its key is gone. */
static const char root_pem[] = "-----BEGIN CERTIFICATE-----\n"
                               "MIIBazCCARKgAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlmdXp6IHJv\n"
                               "b3QwIBcNMjYxMTIyMTAzMDE2WhgPMjEyNjEwMjkxMDMwMTZaMBQxEjAQBgNVBAMM\n"
                               "CWZ1enogcm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABH9HuHg3+AvFJJdG\n"
                               "mLrI1mi4KxnB1s2JKsKbo/HZbqapbe1XDlKU/ru/vSionlYxRFnI3IIrfFQ/WejJ\n"
                               "CFXqj+SjUzBRMB0GA1UdDgQWBBRyEtDlvQEUouMYDN3yiunI1SxbUDAfBgNVHSME\n"
                               "GDAWgBRyEtDlvQEUouMYDN3yiunI1SxbUDAPBgNVHRMBAf8EBTADAQH/MAoGCCqG\n"
                               "SM49BAMCA0cAMEQCIC3SLjjLGNYO3mvZkFEjF50WXm3JhdTjqWFsA0UchkjMAiAi\n"
                               "/iI6rXNU2Oyoj0SyPTQZsSZQT/8p2hB7TTIhX3scUQ==\n"
                               "-----END CERTIFICATE-----\n";

static const char *const hosts[] = {
    "host.example",          "a.host.example", "192.0.2.1", "2001:db8::1",
    "xn--bcher-kva.example", "localhost",      "EXAMPLE",   "a.b.c.d.e"};

#define NUM_HOSTS     8
#define CHOICE_SIGNED 0x80

static X509_STORE *roots;
static struct test_cert *signer; /* another root, whose key is here */

static void must(int holds)
{
    if (holds != 1) {
        abort();
    }
}

static void make_roots(void)
{
    BIO *bio = fuzz_must(BIO_new_mem_buf(root_pem, sizeof(root_pem) - 1));
    X509 *root = fuzz_must(PEM_read_bio_X509(bio, NULL, NULL, NULL));

    roots = fuzz_must(X509_STORE_new());
    must(X509_STORE_add_cert(roots, root));
    X509_free(root);
    BIO_free(bio);
    urlp_clock_fake_begin(INT64_C(1000000000));
    urlp_clock_fake_set_wall(INT64_C(1800000000));
    signer = test_ca("signer");
    must(ASN1_TIME_set(X509_getm_notBefore(signer->x509), 1500000000) != NULL);
    must(ASN1_TIME_set(X509_getm_notAfter(signer->x509), 2000000000) != NULL);
    must(X509_sign(signer->x509, signer->key, EVP_sha256()) > 0);
    must(X509_STORE_add_cert(roots, signer->x509));
}

/* add_extension adds one of any octets. */
static void add_extension(X509 *cert, int nid, bool is_critical, struct urlp_span octets)
{
    ASN1_OCTET_STRING *string = fuzz_must(ASN1_OCTET_STRING_new());
    X509_EXTENSION *extension;

    must(ASN1_OCTET_STRING_set(string, (const uint8_t *)octets.data, (int)octets.len));
    extension = fuzz_must(X509_EXTENSION_create_by_NID(NULL, nid, is_critical, string));
    must(X509_add_ext(cert, extension, -1));
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(string);
}

/* sign makes a certificate of the signer's, with its key, and pushes it to `chain`. */
static void sign(STACK_OF(CRYPTO_BUFFER) * chain, const char *subject, const char *issuer, int nid,
                 struct urlp_span octets)
{
    X509 *cert = fuzz_must(X509_new());
    X509_NAME *name = X509_get_subject_name(cert);
    uint8_t *der = NULL;
    int len;

    must(X509_set_version(cert, X509_VERSION_3));
    must(ASN1_INTEGER_set(X509_get_serialNumber(cert), nid));
    must(ASN1_TIME_set(X509_getm_notBefore(cert), 1500000000) != NULL);
    must(ASN1_TIME_set(X509_getm_notAfter(cert), 2000000000) != NULL);
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)subject, -1, -1, 0));
    name = X509_get_issuer_name(cert);
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)issuer, -1, -1, 0));
    must(X509_set_pubkey(cert, signer->key));
    if (nid == NID_name_constraints) {
        add_extension(cert, NID_basic_constraints, true, urlp_span_make("\x30\x03\x01\x01\xff", 5));
    }
    if (octets.len > 0) {
        add_extension(cert, nid, nid == NID_name_constraints, octets);
    }
    must(X509_sign(cert, signer->key, EVP_sha256()) > 0);
    len = i2d_X509(cert, &der);
    must(len > 0);
    must(sk_CRYPTO_BUFFER_push(chain, fuzz_must(CRYPTO_BUFFER_new(der, (size_t)len, NULL))) > 0);
    OPENSSL_free(der);
    X509_free(cert);
}

static STACK_OF(CRYPTO_BUFFER) * sign_chain(struct fuzz_input *input)
{
    STACK_OF(CRYPTO_BUFFER) *chain = fuzz_must(sk_CRYPTO_BUFFER_new_null());
    const size_t len = (size_t)fuzz_byte(input) << 8;
    const struct urlp_span names = fuzz_span(input, len | fuzz_byte(input));
    const struct urlp_span constraints = fuzz_rest(input);

    sign(chain, "leaf", constraints.len > 0 ? "middle" : "signer", NID_subject_alt_name, names);
    if (constraints.len > 0) {
        sign(chain, "middle", "signer", NID_name_constraints, constraints);
    }
    return chain;
}

static STACK_OF(CRYPTO_BUFFER) * take_chain(struct fuzz_input *input)
{
    STACK_OF(CRYPTO_BUFFER) *chain = fuzz_must(sk_CRYPTO_BUFFER_new_null());

    for (int i = 0; i < CERTS_MAX && input->len > 2; i++) {
        const size_t len = (size_t)fuzz_byte(input) << 8;
        const struct urlp_span der = fuzz_span(input, len | fuzz_byte(input));
        CRYPTO_BUFFER *buffer =
            fuzz_must(CRYPTO_BUFFER_new((const uint8_t *)der.data, der.len, NULL));

        if (sk_CRYPTO_BUFFER_push(chain, buffer) == 0) {
            abort();
        }
    }
    return chain;
}

static struct urlp_tls_verdict judge(const STACK_OF(CRYPTO_BUFFER) * chain,
                                     const struct urlp_tls_checks *checks, const char *host)
{
    struct urlp_tls_identity identity = {.host = urlp_span_of(host)};
    struct urlp_tls_verdict verdict = {.error = {.code = URLPOOL_OK}};
    enum urlpool_code code;

    identity.is_ip = urlp_ip_parse(identity.host, &identity.ip);
    code =
        urlp_tls_verify((const struct urlp_tls_shown *)chain, roots, checks, &identity, &verdict);
    fuzz_require(code == verdict.error.code, "two codes", urlp_span_of(host));
    fuzz_require(code == URLPOOL_OK ||
                     (verdict.error.tls_code != 0 && verdict.error.message[0] != '\0' &&
                      verdict.error.phase == URLPOOL_PHASE_TLS),
                 "a refusal that does not say what it is", urlp_span_of(host));
    fuzz_require(ERR_peek_error() == 0, "an error left in the queue", urlp_span_of(host));
    return verdict;
}

/* check_name: what is taken for `host` is for it by BoringSSL's lights. */
static void check_name(const STACK_OF(CRYPTO_BUFFER) * chain, const char *host)
{
    const CRYPTO_BUFFER *der = sk_CRYPTO_BUFFER_value(chain, 0);
    const uint8_t *at = CRYPTO_BUFFER_data(der);
    X509 *leaf = d2i_X509(NULL, &at, (long)CRYPTO_BUFFER_len(der));
    struct urlp_ip ip;
    const bool is_ip = urlp_ip_parse(urlp_span_of(host), &ip);

    fuzz_require(leaf != NULL, "taken, though it is no certificate", urlp_span_of(host));
    fuzz_require((is_ip ? X509_check_ip_asc(leaf, host, 0)
                        : X509_check_host(leaf, host, strlen(host),
                                          X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                              X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                                          NULL)) == 1,
                 "taken for another host", urlp_span_of(host));
    X509_free(leaf);
}

static void check(const STACK_OF(CRYPTO_BUFFER) * chain, const char *host)
{
    const struct urlp_tls_checks all = {.skips_chain = false};
    const struct urlp_tls_checks chain_alone = {.skips_name = true};
    const struct urlp_tls_checks nothing = {.skips_chain = true, .skips_name = true};
    const struct urlp_tls_verdict verdict = judge(chain, &all, host);

    fuzz_require(judge(chain, &all, host).error.code == verdict.error.code, "two verdicts",
                 urlp_span_of(host));
    if (verdict.error.code == URLPOOL_OK) {
        fuzz_require(judge(chain, &chain_alone, host).error.code == URLPOOL_OK &&
                         judge(chain, &nothing, host).error.code == URLPOOL_OK,
                     "refused where less is looked at", urlp_span_of(host));
        check_name(chain, host);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const uint8_t choices = fuzz_byte(&input);
    STACK_OF(CRYPTO_BUFFER) * chain;

    if (roots == NULL) {
        make_roots();
    }
    chain = (choices & CHOICE_SIGNED) != 0 ? sign_chain(&input) : take_chain(&input);
    if (sk_CRYPTO_BUFFER_num(chain) > 0) {
        check(chain, hosts[choices % NUM_HOSTS]);
    }
    sk_CRYPTO_BUFFER_pop_free(chain, CRYPTO_BUFFER_free);
    return 0;
}
