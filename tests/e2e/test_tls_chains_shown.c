/* Which chains lead to whom we trust: one verdict a row, over sockets. Where the verdict of a row
 * could be another, docs/decisions/0044 says why it is this one. */

#include <openssl/objects.h>

#include "support/cert_rows.h"
#include "support/run_tests.h"

enum {
    HOUR_S = 3600
};

/* clang-format 14 does not survive these tables. */
/* clang-format off */

#define REFUSED(text) .code = URLPOOL_E_TLS_VERIFY, .words = text
#define OUT_OF_DATE(text) .code = URLPOOL_E_TLS_EXPIRED, .words = text
#define BROKEN(text)  .code = URLPOOL_E_TLS, .words = text
/* OpenSSL's own words, where it has others. */
#define OPENSSL(text) .openssl_words = text

static const struct cert_row built[] = {
    {.what = "signed by a root"},
    {.what = "with the root behind it", .shown = "lr"},
    {.what = "by way of one authority", .depth = 1},
    {.what = "by way of two", .depth = 2},
    {.what = "out of order", .depth = 2, .shown = "lui"},
    {.what = "out of order, the root in between", .depth = 2, .shown = "lriu"},
    {.what = "with one that does not belong", .depth = 1, .shown = "loi"},
    {.what = "with each certificate twice", .depth = 1, .shown = "lliirr"},
    {.what = "without who signed it", .depth = 1, .shown = "l",
     REFUSED("unable to get local issuer certificate")},
    {.what = "without who signed that", .depth = 2, .shown = "li",
     REFUSED("unable to get local issuer certificate")},
    {.what = "without who signed it, who is trusted", .depth = 1, .shown = "l", .trusted = "ri"},
    {.what = "self-signed", .depth = -1, REFUSED("self signed certificate")},
    {.what = "self-signed and trusted", .depth = -1, .trusted = "l"},
    {.what = "of a root nobody trusts", .trusted = "o",
     REFUSED("unable to get local issuer certificate")},
    {.what = "of a root nobody trusts, which is shown", .shown = "lr", .trusted = "o",
     REFUSED("self signed certificate in certificate chain")},
    {.what = "of a root of a trusted one's name", .trusted = "f",
     REFUSED("certificate signature failure")},
    {.what = "of a root of a trusted one's name, which is shown", .shown = "lr", .trusted = "f",
     REFUSED("certificate signature failure")},
    {.what = "to a trusted authority that is no root", .depth = 2, .trusted = "u"},
    {.what = "to a trusted leaf", .depth = 1, .trusted = "l"},
    {.what = "sixteen certificates long", .shown = "lrrrrrrrrrrrrrrr"},
    {.what = "seventeen certificates long", .shown = "lrrrrrrrrrrrrrrrr",
     REFUSED("too many certificates in its chain")},
};

/* Lower with the same name and key in several certificates; two roots of one name. */
static const struct cert_row crossed[] = {
    {.what = "cross-signed, and both roots trusted", .depth = 1, .shown = "lic", .trusted = "ro"},
    {.what = "cross-signed by the one who is trusted", .depth = 1, .shown = "lc", .trusted = "o"},
    {.what = "cross-signed, the good one first", .depth = 1, .shown = "lic"},
    {.what = "cross-signed, the good one last", .depth = 1, .shown = "lci"},
    {.what = "cross-signed, the good one last, and its root shown", .depth = 1, .shown = "lcoi"},
    {.what = "renewed, the good one first", .depth = 1, .shown = "lid"},
    {.what = "renewed, the good one last", .depth = 1, .shown = "ldi"},
    {.what = "renewed, and only the old one is shown", .depth = 1, .shown = "ld",
     OUT_OF_DATE("expired on")},
    {.what = "renewed, the new one is trusted", .depth = 1, .shown = "ld", .trusted = "i"},
    {.what = "signed anew, the good one first", .depth = 1, .shown = "lis"},
    {.what = "signed anew, the good one last", .depth = 1, .shown = "lsi"},
    {.what = "first one of that name with another key", .depth = 1, .shown = "lki"},
    {.what = "all of them, the good one last", .depth = 1, .shown = "lkcdsi"},
    {.what = "all of them but the good one", .depth = 1, .shown = "lkcds",
     REFUSED("unable to get local issuer certificate")},
    {.what = "two roots of one name, told apart by key identifiers", .trusted = "fr",
     .leaf = {.has_key_ids = true}, .root = {.has_key_ids = true}},
    {.what = "two roots of one name, and nothing tells them apart", .trusted = "fr",
     REFUSED("certificate signature failure")},
};

static const struct cert_row dates[] = {
    {.what = "expired", .leaf = {.begin_s = -2 * HOUR_S, .end_s = -60}, OUT_OF_DATE("expired on")},
    {.what = "not yet valid", .leaf = {.begin_s = 60, .end_s = HOUR_S},
     OUT_OF_DATE("is not valid before")},
    {.what = "its authority expired", .depth = 1,
     .lower = {.begin_s = -2 * HOUR_S, .end_s = -60}, OUT_OF_DATE("expired on")},
    {.what = "its authority not yet valid", .depth = 1,
     .lower = {.begin_s = 60, .end_s = HOUR_S}, OUT_OF_DATE("is not valid before")},
    {.what = "its root expired", .root = {.begin_s = -2 * HOUR_S, .end_s = -60},
     OUT_OF_DATE("expired on")},
    {.what = "expired and trusted", .leaf = {.begin_s = -2 * HOUR_S, .end_s = -60},
     .trusted = "l", OUT_OF_DATE("expired on")},
    {.what = "ended before it began", .leaf = {.begin_s = HOUR_S, .end_s = -HOUR_S},
     OUT_OF_DATE("is not valid before")},
};

static const struct cert_row uses[] = {
    {.what = "for servers and clients", .leaf = {.usage = "serverAuth,clientAuth"}},
    {.what = "for whatever it likes", .leaf = {.usage = ""}},
    {.what = "for clients", .leaf = {.usage = "clientAuth"},
     REFUSED("unsupported certificate purpose")},
    {.what = "for any use, which is not serverAuth", .leaf = {.usage = "anyExtendedKeyUsage"},
     REFUSED("unsupported certificate purpose")},
    {.what = "for mail, and trusted", .leaf = {.usage = "emailProtection"}, .trusted = "l",
     REFUSED("unsupported certificate purpose")},
    {.what = "self-signed for clients, and trusted", .depth = -1,
     .leaf = {.usage = "clientAuth"}, .trusted = "l", REFUSED("unsupported certificate purpose")},
    {.what = "its authority for clients", .depth = 1, .lower = {.usage = "clientAuth"},
     REFUSED("unsupported certificate purpose")},
    {.what = "its authority for servers", .depth = 1, .lower = {.usage = "serverAuth"}},
    {.what = "its root for mail", .root = {.usage = "emailProtection"},
     REFUSED("unsupported certificate purpose")},
    {.what = "a key to sign", .leaf = {.key_usage = "critical,digitalSignature"}},
    {.what = "a key to sign certificates",
     .leaf = {.key_usage = "critical,keyCertSign", .rsa_bits = 2048},
     BROKEN("key usage bit incorrect")},
    {.what = "a key to sign certificates, and trusted", .depth = -1, .version = URLPOOL_TLS_1_2,
     .leaf = {.key_usage = "critical,keyCertSign", .rsa_bits = 2048}, .trusted = "l",
     REFUSED("unsupported certificate purpose")},
    {.what = "a key to encipher, TLS 1.3",
     .leaf = {.key_usage = "critical,keyEncipherment", .rsa_bits = 2048},
     BROKEN("key usage bit incorrect")},
    {.what = "a key to encipher, TLS 1.2", .version = URLPOOL_TLS_1_2,
     .leaf = {.key_usage = "critical,keyEncipherment", .rsa_bits = 2048},
     BROKEN("key usage bit incorrect")},
    {.what = "its authority's key to sign lists alone", .depth = 1,
     .lower = {.key_usage = "critical,cRLSign"},
     REFUSED("unable to get local issuer certificate"), OPENSSL("invalid CA certificate")},
    {.what = "its root's key to sign lists alone", .root = {.key_usage = "critical,cRLSign"},
     REFUSED("unable to get local issuer certificate"), OPENSSL("invalid CA certificate")},
    {.what = "an extension nobody knows", .leaf = {.has_unknown = true},
     REFUSED("unhandled critical extension")},
    {.what = "an extension nobody knows, and trusted", .leaf = {.has_unknown = true},
     .trusted = "l", REFUSED("unhandled critical extension")},
    {.what = "its authority's extension nobody knows", .depth = 1, .lower = {.has_unknown = true},
     REFUSED("unhandled critical extension")},
    {.what = "its root's extension nobody knows", .root = {.has_unknown = true},
     REFUSED("unhandled critical extension")},
    {.what = "an extension twice",
     .leaf = {.names = (const struct test_name[]){TEST_DNS("host.example")}, .num_names = 1,
              .doubles_names = true},
     REFUSED("invalid or inconsistent certificate extension"),
     OPENSSL("unable to get local issuer certificate")},
    {.what = "an extension twice, and trusted",
     .leaf = {.names = (const struct test_name[]){TEST_DNS("host.example")}, .num_names = 1,
              .doubles_names = true},
     .trusted = "l", REFUSED("invalid or inconsistent certificate extension")},
};

static const struct cert_row authorities[] = {
    {.what = "signed by a leaf", .depth = 1, .lower_is_leaf = true,
     REFUSED("invalid CA certificate")},
    {.what = "signed by a leaf, which is trusted", .depth = 1, .lower_is_leaf = true,
     .trusted = "i", REFUSED("invalid CA certificate")},
    {.what = "signed by a self-signed leaf, which is trusted", .root_is_leaf = true,
     REFUSED("invalid CA certificate")},
    {.what = "signed by one who does not say what it is", .depth = 1,
     .lower = {.omits_basics = true}, REFUSED("invalid CA certificate")},
    {.what = "signed by a root that does not say what it is", .root = {.omits_basics = true},
     REFUSED("invalid CA certificate")},
    {.what = "signed by one of version 1", .depth = 1, .lower = {.is_v1 = true},
     REFUSED("invalid CA certificate")},
    {.what = "signed by a root of version 1", .root = {.is_v1 = true}},
    {.what = "as long as its authority allows", .depth = 2, .upper = {.path_len = 1}},
    {.what = "longer than its authority allows", .depth = 2, .upper = {.path_len = -1},
     REFUSED("path length constraint exceeded")},
    {.what = "as long as its root allows", .depth = 1, .root = {.path_len = 1}},
    {.what = "longer than its root allows", .depth = 1, .root = {.path_len = -1},
     REFUSED("path length constraint exceeded")},
    {.what = "two longer than its root allows", .depth = 2, .root = {.path_len = -1},
     REFUSED("path length constraint exceeded")},
    {.what = "longer by one who bears its issuer's name", .depth = 2,
     .leaf = {.has_key_ids = true}, .lower = {.has_key_ids = true},
     .upper = {.common_name = "Root", .has_key_ids = true},
     .root = {.path_len = 1, .has_key_ids = true}},
};

static const struct cert_row weak[] = {
    {.what = "an RSA key of 2048 bits", .leaf = {.rsa_bits = 2048}},
    {.what = "an RSA key of 1024 bits", .leaf = {.rsa_bits = 1024},
     REFUSED("an RSA key is shorter than 2048 bits")},
    {.what = "an RSA key of 2047 bits", .leaf = {.rsa_bits = 2047},
     REFUSED("an RSA key is shorter than 2048 bits")},
    {.what = "an authority's RSA key of 1024 bits", .depth = 1, .lower = {.rsa_bits = 1024},
     REFUSED("an RSA key is shorter than 2048 bits")},
    {.what = "a root's RSA key of 1024 bits", .root = {.rsa_bits = 1024},
     REFUSED("an RSA key is shorter than 2048 bits")},
    {.what = "a trusted RSA key of 1024 bits", .leaf = {.rsa_bits = 1024}, .trusted = "l",
     REFUSED("an RSA key is shorter than 2048 bits")},
    {.what = "a key on P-384", .leaf = {.curve = NID_secp384r1}},
    {.what = "an authority's key on P-224, as strong as RSA of 2048 bits", .depth = 1,
     .lower = {.curve = NID_secp224r1}},
    {.what = "Ed25519", .leaf = {.is_ed25519 = true}, .root = {.is_ed25519 = true}},
    {.what = "signed over SHA-1", .leaf = {.is_sha1 = true},
     REFUSED("signed over a digest other than SHA-2")},
    {.what = "signed by RSA over SHA-1", .leaf = {.is_sha1 = true}, .root = {.rsa_bits = 2048},
     REFUSED("signed over a digest other than SHA-2")},
    {.what = "signed by RSA over MD5", .leaf = {.is_md5 = true}, .root = {.rsa_bits = 2048},
     REFUSED("signed over a digest other than SHA-2")},
    {.what = "signed by RSA-PSS", .leaf = {.is_pss = true}, .root = {.rsa_bits = 2048}},
    {.what = "signed by RSA-PSS over SHA-1", .leaf = {.is_pss = true, .is_sha1 = true},
     .root = {.rsa_bits = 2048}, REFUSED("signed over a digest other than SHA-2")},
    {.what = "its authority signed over SHA-1", .depth = 1, .lower = {.is_sha1 = true},
     REFUSED("signed over a digest other than SHA-2")},
    {.what = "its root signed over SHA-1, which proves nothing", .root = {.is_sha1 = true}},
    {.what = "signed over SHA-1, and trusted", .leaf = {.is_sha1 = true}, .trusted = "l"},
};

/* clang-format on */

START_TEST(chain__leads_to_trust_or_not)
{
    cert_rows_check(built, sizeof(built) / sizeof(built[0]));
}
END_TEST

START_TEST(chain__of_authorities_with_several_certificates)
{
    cert_rows_check(crossed, sizeof(crossed) / sizeof(crossed[0]));
}
END_TEST

START_TEST(date__is_now_or_not)
{
    cert_rows_check(dates, sizeof(dates) / sizeof(dates[0]));
}
END_TEST

START_TEST(certificate__may_be_used_so_or_not)
{
    cert_rows_check(uses, sizeof(uses) / sizeof(uses[0]));
}
END_TEST

START_TEST(authority__may_sign_or_not)
{
    cert_rows_check(authorities, sizeof(authorities) / sizeof(authorities[0]));
}
END_TEST

START_TEST(certificate__is_strong_enough_or_not)
{
    cert_rows_check(weak, sizeof(weak) / sizeof(weak[0]));
}
END_TEST

RUN_TESTS("chains shown", chain__leads_to_trust_or_not,
          chain__of_authorities_with_several_certificates, date__is_now_or_not,
          certificate__may_be_used_so_or_not, authority__may_sign_or_not,
          certificate__is_strong_enough_or_not)
