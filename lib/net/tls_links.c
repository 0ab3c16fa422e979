/* What each certificate of a built chain has to be beyond the TLS library's verdict on it.
 *
 * The libraries look at uses, lengths and unknown extensions only below the anchor, where RFC 5280
 * ends too; whoever trusts the certificate of one server means that server, and no host that it
 * chooses to sign for, so here the anchor is looked at like the others. BoringSSL takes signatures
 * over SHA-1 and MD5, which Debian's OpenSSL does not. And both hold constraints against the names
 * in a certificate alone: *.example.org is not below bad.example.org and yet stands for it.
 *
 * Knows nothing of dates, and nothing of names but the host's. */

#include "net/tls_links.h"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <stdbool.h>

#include "net/tls_error.h"
#include "net/tls_library.h"
#include "net/tls_names.h"

#define RSA_BITS_MIN 2048

/* Of what X509_check_ca says: basicConstraints say so, or a root is of version 1. OpenSSL has
 * others for what merely looks like an authority. */
#define CA_BY_CONSTRAINT 1
#define CA_BY_VERSION_1  3

/* What X509_get_ext_d2i says of an extension that is not there. */
#define ABSENT (-1)

static struct urlp_tls_objection object_to(int reason)
{
    return (struct urlp_tls_objection){
        reason, reason != X509_V_OK ? urlp_tls_library_verify_words(reason) : NULL};
}

/* pss_digest is the digest of a signature by RSA-PSS, as a NID. RFC 4055 section 3.1: "The default
 * hash algorithm is SHA-1". */
static int pss_digest(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *id = NULL;
    const void *value = NULL;
    int type = V_ASN1_UNDEF;
    RSA_PSS_PARAMS *params;
    const uint8_t *der;
    int digest = NID_sha1;

    X509_ALGOR_get0(&id, &type, &value, algorithm);
    if (type != V_ASN1_SEQUENCE) {
        return NID_undef;
    }
    der = ASN1_STRING_get0_data(value);
    params = d2i_RSA_PSS_PARAMS(NULL, &der, ASN1_STRING_length(value));
    if (params == NULL) {
        return NID_undef;
    }
    if (params->hashAlgorithm != NULL) {
        X509_ALGOR_get0(&id, &type, &value, params->hashAlgorithm);
        digest = OBJ_obj2nid(id);
    }
    RSA_PSS_PARAMS_free(params);
    return digest;
}

/* is_well_signed: by a digest of SHA-2, or by Ed25519, which brings its own. */
static bool is_well_signed(const X509 *cert)
{
    const ASN1_BIT_STRING *signature = NULL;
    const X509_ALGOR *algorithm = NULL;
    const int by = X509_get_signature_nid(cert);
    int digest = NID_undef;

    if (by == NID_ED25519) {
        return true;
    }
    if (by == NID_rsassaPss) {
        X509_get0_signature(&signature, &algorithm, cert);
        digest = pss_digest(algorithm);
    } else if (!OBJ_find_sigid_algs(by, &digest, NULL)) {
        return false;
    }
    return digest == NID_sha224 || digest == NID_sha256 || digest == NID_sha384 ||
           digest == NID_sha512;
}

/* weakness says what is too weak, or NULL. How an anchor is signed is of no account. */
static const char *weakness(X509 *cert, bool is_anchor)
{
    EVP_PKEY *key;
    bool is_short;

    if (!is_anchor && !is_well_signed(cert)) {
        return "signed over a digest other than SHA-2";
    }
    key = X509_get_pubkey(cert);
    if (key == NULL) {
        return "its key cannot be read";
    }
    is_short = EVP_PKEY_id(key) == EVP_PKEY_RSA && EVP_PKEY_bits(key) < RSA_BITS_MIN;
    EVP_PKEY_free(key);
    return is_short ? "an RSA key is shorter than 2048 bits" : NULL;
}

/* num_below is how many authorities stand between the one at `index` and the leaf. RFC 5280 section
 * 4.2.1.9: "the maximum number of non-self-issued intermediate certificates". */
static long num_below(const STACK_OF(X509) * chain, int index)
{
    long num = 0;

    for (int i = 1; i < index; i++) {
        num += (X509_get_extension_flags(sk_X509_value(chain, i)) & EXFLAG_SI) == 0;
    }
    return num;
}

/* use_error says whether the certificate may do what it does at `index`: X509_V_OK or why not. */
static int use_error(const STACK_OF(X509) * chain, int index)
{
    X509 *cert = sk_X509_value(chain, index);
    const bool is_authority = index > 0;

    if ((X509_get_extension_flags(cert) & EXFLAG_CRITICAL) != 0) {
        return X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION;
    }
    if (is_authority && X509_check_ca(cert) != CA_BY_CONSTRAINT &&
        X509_check_ca(cert) != CA_BY_VERSION_1) {
        return X509_V_ERR_INVALID_CA;
    }
    if (X509_check_purpose(cert, X509_PURPOSE_SSL_SERVER, is_authority) != 1) {
        return X509_V_ERR_INVALID_PURPOSE;
    }
    if (is_authority && X509_get_pathlen(cert) != -1 &&
        num_below(chain, index) > X509_get_pathlen(cert)) {
        return X509_V_ERR_PATH_LENGTH_EXCEEDED;
    }
    return X509_V_OK;
}

/* subtrees_hold says whether a dNSName among `subtrees` holds `host`, and whether there was one. */
static bool subtrees_hold(const STACK_OF(GENERAL_SUBTREE) * subtrees, struct urlp_span host,
                          bool *out_has_dns)
{
    *out_has_dns = false;
    for (int i = 0; i < (int)sk_GENERAL_SUBTREE_num(subtrees); i++) {
        const GENERAL_NAME *base = sk_GENERAL_SUBTREE_value(subtrees, i)->base;

        if (base->type != GEN_DNS) {
            continue;
        }
        *out_has_dns = true;
        if (urlp_tls_name_is_below(host,
                                   urlp_span_make(ASN1_STRING_get0_data(base->d.dNSName),
                                                  (size_t)ASN1_STRING_length(base->d.dNSName)))) {
            return true;
        }
    }
    return false;
}

/* constraint_error is what `authority` says against the host: an X509_V_ERR value or X509_V_OK.
 * Constraints that cannot be read are not none. */
static int constraint_error(const X509 *authority, struct urlp_span host)
{
    int found = ABSENT;
    NAME_CONSTRAINTS *limits = X509_get_ext_d2i(authority, NID_name_constraints, &found, NULL);
    int reason = X509_V_OK;
    bool has_dns;

    if (limits == NULL && found != ABSENT) {
        return urlp_tls_ran_out() ? X509_V_ERR_OUT_OF_MEM : X509_V_ERR_INVALID_EXTENSION;
    }
    if (limits == NULL) {
        return X509_V_OK;
    }
    if (subtrees_hold(limits->excludedSubtrees, host, &has_dns)) {
        reason = X509_V_ERR_EXCLUDED_VIOLATION;
    } else if (!subtrees_hold(limits->permittedSubtrees, host, &has_dns) && has_dns) {
        reason = X509_V_ERR_PERMITTED_VIOLATION;
    }
    NAME_CONSTRAINTS_free(limits);
    return reason;
}

struct urlp_tls_objection urlp_tls_links_object(const STACK_OF(X509) * chain, int index,
                                                struct urlp_span host)
{
    X509 *cert = sk_X509_value(chain, index);
    const char *why = weakness(cert, index + 1 == (int)sk_X509_num(chain));
    int reason;

    if (why != NULL) {
        return urlp_tls_ran_out() ? object_to(X509_V_ERR_OUT_OF_MEM)
                                  : (struct urlp_tls_objection){X509_V_ERR_CERT_REJECTED, why};
    }
    reason = use_error(chain, index);
    if (reason != X509_V_OK && urlp_tls_ran_out()) {
        return object_to(X509_V_ERR_OUT_OF_MEM);
    }
    if (reason == X509_V_OK && index > 0 && host.len > 0) {
        reason = constraint_error(cert, host);
    }
    return object_to(reason);
}
