/* Chains of every kind, judged without a network. Each refusal has a twin that is accepted, so that
 * it is known what the refusal is for. */

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/tls_verify.h"
#include "support/certs.h"
#include "support/foreign_heaps.h"
#include "support/run_tests.h"
#include "support/tls_kit.h"

static const struct urlp_tls_checks usual; /* chain and name */

static uint64_t fail_nth; /* which of BoringSSL's allocations fails; 0: none */

/* judge presents `certs`, leaf first, NULL last, to a client that trusts `root` and wants `host`.
 */
static struct urlp_tls_verdict judge(const struct test_cert *const *certs,
                                     const struct test_cert *root, const char *host)
{
    struct urlp_tls_shown *chain = test_cert_chain(certs);
    struct urlp_tls_identity identity = {.host = urlp_span_of(host)};
    struct urlp_tls_verdict verdict = {.error = {.code = URLPOOL_OK}};
    X509_STORE *roots = X509_STORE_new();
    enum urlpool_code code;

    identity.is_ip = urlp_ip_parse(identity.host, &identity.ip);
    ck_assert(X509_STORE_add_cert(roots, root->x509));
    foreign_heaps_join(true);
    foreign_heaps_fail(HEAP_OF_TLS, fail_nth, false);
    code = urlp_tls_verify(chain, roots, &usual, &identity, &verdict);
    foreign_heaps_join(false);
    ck_assert_int_eq(code, verdict.error.code);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    X509_STORE_free(roots);
    tls_kit_shown_free(chain);
    return verdict;
}

static void expect_ok(const struct test_cert *const *certs, const struct test_cert *root,
                      const char *host)
{
    const struct urlp_tls_verdict verdict = judge(certs, root, host);

    ck_assert_msg(verdict.error.code == URLPOOL_OK, "%s", verdict.error.message);
}

static void expect_refusal(const struct test_cert *const *certs, const struct test_cert *root,
                           const char *host, enum urlpool_code code, int reason)
{
    const struct urlp_tls_verdict verdict = judge(certs, root, host);

    ck_assert_int_eq(verdict.error.code, code);
    ck_assert_msg(verdict.error.tls_code == (uint32_t)reason, "%u: %s", verdict.error.tls_code,
                  verdict.error.message);
    ck_assert_int_eq(verdict.error.phase, URLPOOL_PHASE_TLS);
}

#define CHAIN(...) ((const struct test_cert *const[]){__VA_ARGS__, NULL})

static const struct test_name for_host[] = {TEST_DNS("host.example")};

/* leaf_with makes a leaf for host.example with whatever else `options` says. */
static struct test_cert *leaf_with(struct test_cert_options options, const struct test_cert *issuer)
{
    if (options.names == NULL) {
        options.names = for_host;
        options.num_names = 1;
    }
    return test_cert_new(&options, issuer);
}

static struct test_cert *ca_with(struct test_cert_options options, const struct test_cert *issuer)
{
    options.is_ca = true;
    if (options.common_name == NULL) {
        options.common_name = "intermediate";
    }
    return test_cert_new(&options, issuer);
}

/* --- chains -------------------------------------------------------------------------------- */

START_TEST(chain__to_a_root_is_accepted)
{
    struct test_cert *root = test_ca("root");
    struct test_cert *middle = ca_with((struct test_cert_options){0}, root);
    struct test_cert *leaf = leaf_with((struct test_cert_options){0}, middle);

    expect_ok(CHAIN(leaf, middle), root, "host.example");
    expect_ok(CHAIN(leaf, middle, root), root, "host.example");
    expect_ok(CHAIN(leaf, root, middle), root, "host.example");
    test_cert_free(leaf);
    test_cert_free(middle);
    test_cert_free(root);
}
END_TEST

START_TEST(chain__without_its_intermediate_is_refused)
{
    struct test_cert *root = test_ca("root");
    struct test_cert *middle = ca_with((struct test_cert_options){0}, root);
    struct test_cert *leaf = leaf_with((struct test_cert_options){0}, middle);

    expect_refusal(CHAIN(leaf), root, "host.example", URLPOOL_E_TLS_VERIFY,
                   X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    test_cert_free(leaf);
    test_cert_free(middle);
    test_cert_free(root);
}
END_TEST

START_TEST(chain__may_end_at_a_trusted_intermediate_or_leaf)
{
    struct test_cert *root = test_ca("root");
    struct test_cert *middle = ca_with((struct test_cert_options){0}, root);
    struct test_cert *leaf = leaf_with((struct test_cert_options){0}, middle);
    struct test_cert *alone = leaf_with((struct test_cert_options){0}, NULL);

    expect_ok(CHAIN(leaf), middle, "host.example");
    expect_ok(CHAIN(leaf), leaf, "host.example");
    expect_ok(CHAIN(alone), alone, "host.example");
    test_cert_free(alone);
    test_cert_free(leaf);
    test_cert_free(middle);
    test_cert_free(root);
}
END_TEST

START_TEST(chain__of_another_ca_of_the_same_name_is_refused)
{
    struct test_cert *root = test_ca("root");
    struct test_cert *impostor = test_ca("root");
    struct test_cert *leaf = leaf_with((struct test_cert_options){0}, impostor);

    expect_refusal(CHAIN(leaf), root, "host.example", URLPOOL_E_TLS_VERIFY,
                   X509_V_ERR_CERT_SIGNATURE_FAILURE);
    expect_refusal(CHAIN(leaf, impostor), root, "host.example", URLPOOL_E_TLS_VERIFY,
                   X509_V_ERR_CERT_SIGNATURE_FAILURE);
    test_cert_free(leaf);
    test_cert_free(impostor);
    test_cert_free(root);
}
END_TEST

/* Of each of two authorities there are two certificates, and of the four ways one leads to the
 * root, in whatever order they are shown. */
START_TEST(chain__is_found_among_those_of_several_authorities_with_several_certificates)
{
    const struct test_cert_options old = {.begin_s = -7200, .end_s = -3600};
    struct test_cert *root = test_ca("root");
    struct test_cert *stranger = test_ca("stranger");
    struct test_cert *upper = ca_with((struct test_cert_options){.common_name = "upper"}, root);
    struct test_cert *upper_crossed =
        ca_with((struct test_cert_options){.common_name = "upper", .key_of = upper}, stranger);
    struct test_cert *lower = ca_with((struct test_cert_options){0}, upper);
    struct test_cert *lower_old = ca_with(
        (struct test_cert_options){.begin_s = old.begin_s, .end_s = old.end_s, .key_of = lower},
        upper);
    struct test_cert *leaf = leaf_with((struct test_cert_options){0}, lower);
    const struct test_cert *const shown[] = {lower, lower_old, upper, upper_crossed};

    for (size_t i = 0; i < 4 * 3 * 2; i++) {
        const size_t picks[] = {i / 6, i / 2 % 3, i % 2, 0};
        const struct test_cert *left[] = {shown[0], shown[1], shown[2], shown[3]};
        const struct test_cert *certs[6] = {leaf};

        for (size_t j = 0; j < 4; j++) {
            certs[1 + j] = left[picks[j]];
            memmove(left + picks[j], left + picks[j] + 1, (3 - picks[j]) * sizeof(left[0]));
        }
        expect_ok(certs, root, "host.example");
    }
    test_cert_free(leaf);
    test_cert_free(lower_old);
    test_cert_free(lower);
    test_cert_free(upper_crossed);
    test_cert_free(upper);
    test_cert_free(stranger);
    test_cert_free(root);
}
END_TEST

START_TEST(chain__self_signed_is_refused)
{
    struct test_cert *root = test_ca("root");
    struct test_cert *leaf = leaf_with((struct test_cert_options){0}, NULL);

    expect_refusal(CHAIN(leaf), root, "host.example", URLPOOL_E_TLS_VERIFY,
                   X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
    test_cert_free(leaf);
    test_cert_free(root);
}
END_TEST

START_TEST(chain__through_a_leaf_is_refused)
{
    struct test_cert *root = test_ca("root");
    struct test_cert *leaf = leaf_with((struct test_cert_options){0}, root);
    struct test_cert *child = leaf_with((struct test_cert_options){.common_name = "child"}, leaf);
    struct test_cert *old =
        leaf_with((struct test_cert_options){.common_name = "old", .omits_basics = true}, root);
    struct test_cert *grandchild =
        leaf_with((struct test_cert_options){.common_name = "grandchild"}, old);

    expect_ok(CHAIN(leaf), root, "host.example");
    expect_refusal(CHAIN(child, leaf), root, "host.example", URLPOOL_E_TLS_VERIFY,
                   X509_V_ERR_INVALID_CA);
    expect_refusal(CHAIN(grandchild, old), root, "host.example", URLPOOL_E_TLS_VERIFY,
                   X509_V_ERR_INVALID_CA);
    test_cert_free(grandchild);
    test_cert_free(old);
    test_cert_free(child);
    test_cert_free(leaf);
    test_cert_free(root);
}
END_TEST

START_TEST(chain__longer_than_its_ca_allows_is_refused)
{
    struct test_cert *root = test_ca("root");
    struct test_cert *upper =
        ca_with((struct test_cert_options){.common_name = "upper", .path_len = -1}, root);
    struct test_cert *lower = ca_with((struct test_cert_options){.common_name = "lower"}, upper);
    struct test_cert *near = leaf_with((struct test_cert_options){0}, upper);
    struct test_cert *far = leaf_with((struct test_cert_options){0}, lower);

    expect_ok(CHAIN(near, upper), root, "host.example");
    expect_refusal(CHAIN(far, lower, upper), root, "host.example", URLPOOL_E_TLS_VERIFY,
                   X509_V_ERR_PATH_LENGTH_EXCEEDED);
    test_cert_free(far);
    test_cert_free(near);
    test_cert_free(lower);
    test_cert_free(upper);
    test_cert_free(root);
}
END_TEST

START_TEST(chain__with_an_unknown_critical_extension_is_refused)
{
    struct test_cert *root = test_ca("root");
    struct test_cert *leaf = leaf_with((struct test_cert_options){.has_unknown = true}, root);

    expect_refusal(CHAIN(leaf), root, "host.example", URLPOOL_E_TLS_VERIFY,
                   X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION);
    test_cert_free(leaf);
    test_cert_free(root);
}
END_TEST

START_TEST(chain__not_meant_for_servers_is_refused)
{
    struct test_cert *root = test_ca("root");
    struct test_cert *client = leaf_with((struct test_cert_options){.usage = "clientAuth"}, root);
    struct test_cert *both =
        leaf_with((struct test_cert_options){.usage = "clientAuth,serverAuth"}, root);
    struct test_cert *any = leaf_with((struct test_cert_options){.usage = ""}, root);

    expect_ok(CHAIN(both), root, "host.example");
    expect_ok(CHAIN(any), root, "host.example");
    expect_refusal(CHAIN(client), root, "host.example", URLPOOL_E_TLS_VERIFY,
                   X509_V_ERR_INVALID_PURPOSE);
    test_cert_free(any);
    test_cert_free(both);
    test_cert_free(client);
    test_cert_free(root);
}
END_TEST

START_TEST(chain__with_weak_signatures_or_keys_is_refused)
{
    struct test_cert *root = test_ca("root");
    struct test_cert *sha1 = leaf_with((struct test_cert_options){.is_sha1 = true}, root);
    struct test_cert *short_rsa = leaf_with((struct test_cert_options){.rsa_bits = 1024}, root);
    struct test_cert *long_rsa = leaf_with((struct test_cert_options){.rsa_bits = 2048}, root);

    expect_ok(CHAIN(long_rsa), root, "host.example");
    expect_refusal(CHAIN(sha1), root, "host.example", URLPOOL_E_TLS_VERIFY,
                   X509_V_ERR_CERT_REJECTED);
    expect_refusal(CHAIN(short_rsa), root, "host.example", URLPOOL_E_TLS_VERIFY,
                   X509_V_ERR_CERT_REJECTED);
    test_cert_free(long_rsa);
    test_cert_free(short_rsa);
    test_cert_free(sha1);
    test_cert_free(root);
}
END_TEST

START_TEST(chain__root_may_be_signed_by_sha_1)
{
    struct test_cert *root =
        ca_with((struct test_cert_options){.common_name = "root", .is_sha1 = true}, NULL);
    struct test_cert *leaf = leaf_with((struct test_cert_options){0}, root);

    expect_ok(CHAIN(leaf), root, "host.example");
    test_cert_free(leaf);
    test_cert_free(root);
}
END_TEST

START_TEST(chain__of_too_many_certificates_is_refused)
{
    struct test_cert *root = test_ca("root");
    struct test_cert *leaf = leaf_with((struct test_cert_options){0}, root);
    const struct test_cert *certs[URLP_TLS_CHAIN_MAX + 2] = {leaf};

    for (size_t i = 1; i < URLP_TLS_CHAIN_MAX; i++) {
        certs[i] = root;
    }
    expect_ok(certs, root, "host.example");
    certs[URLP_TLS_CHAIN_MAX] = root;
    expect_refusal(certs, root, "host.example", URLPOOL_E_TLS_VERIFY,
                   X509_V_ERR_CERT_CHAIN_TOO_LONG);
    test_cert_free(leaf);
    test_cert_free(root);
}
END_TEST

START_TEST(chain__of_no_certificate_is_refused)
{
    struct test_cert *root = test_ca("root");

    expect_refusal((const struct test_cert *const[]){NULL}, root, "host.example",
                   URLPOOL_E_TLS_VERIFY, X509_V_ERR_UNSPECIFIED);
    test_cert_free(root);
}
END_TEST

START_TEST(chain__that_is_malformed_is_refused)
{
    struct test_cert *root = test_ca("root");
    const struct urlp_tls_identity identity = {.host = urlp_span_of("host.example")};
    struct urlp_tls_verdict verdict = {.error = {.code = URLPOOL_OK}};
    struct urlp_tls_shown *chain;
    X509_STORE *roots;

    if (!tls_kit_can_show_malformed()) { /* then the handshake has refused it already */
        test_cert_free(root);
        return;
    }
    chain = tls_kit_shown_new();
    roots = X509_STORE_new();
    ck_assert(X509_STORE_add_cert(roots, root->x509));
    tls_kit_shown_add(chain, (const uint8_t *)"\x30\x03\x02\x01\x01", 5);
    ck_assert_int_eq(urlp_tls_verify(chain, roots, &usual, &identity, &verdict),
                     URLPOOL_E_TLS_VERIFY);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    X509_STORE_free(roots);
    tls_kit_shown_free(chain);
    test_cert_free(root);
}
END_TEST

/* --- dates --------------------------------------------------------------------------------- */

START_TEST(date__after_the_end_is_refused)
{
    struct test_cert *root = test_ca("root");
    struct test_cert *leaf =
        leaf_with((struct test_cert_options){.begin_s = -7200, .end_s = -60}, root);
    const struct urlp_tls_verdict verdict = judge(CHAIN(leaf), root, "host.example");

    ck_assert_int_eq(verdict.error.code, URLPOOL_E_TLS_EXPIRED);
    ck_assert_uint_eq(verdict.error.tls_code, X509_V_ERR_CERT_HAS_EXPIRED);
    ck_assert_uint_eq(verdict.error.tls_code, X509_V_ERR_CERT_HAS_EXPIRED);
    ck_assert_ptr_nonnull(strstr(verdict.error.message, "host.example expired on"));
    test_cert_free(leaf);
    test_cert_free(root);
}
END_TEST

START_TEST(date__before_the_beginning_is_refused)
{
    struct test_cert *root = test_ca("root");
    struct test_cert *leaf =
        leaf_with((struct test_cert_options){.begin_s = 3600, .end_s = 7200}, root);
    const struct urlp_tls_verdict verdict = judge(CHAIN(leaf), root, "host.example");

    ck_assert_int_eq(verdict.error.code, URLPOOL_E_TLS_EXPIRED);
    ck_assert_uint_eq(verdict.error.tls_code, X509_V_ERR_CERT_NOT_YET_VALID);
    ck_assert_ptr_nonnull(strstr(verdict.error.message, "is not valid before"));
    test_cert_free(leaf);
    test_cert_free(root);
}
END_TEST

START_TEST(date__of_an_intermediate_counts_too)
{
    struct test_cert *root = test_ca("root");
    struct test_cert *middle =
        ca_with((struct test_cert_options){.begin_s = -7200, .end_s = -60}, root);
    struct test_cert *leaf = leaf_with((struct test_cert_options){0}, middle);

    expect_refusal(CHAIN(leaf, middle), root, "host.example", URLPOOL_E_TLS_EXPIRED,
                   X509_V_ERR_CERT_HAS_EXPIRED);
    test_cert_free(leaf);
    test_cert_free(middle);
    test_cert_free(root);
}
END_TEST

START_TEST(date__is_that_of_the_wall_clock)
{
    struct test_cert *root = test_ca("root");
    struct test_cert *leaf =
        leaf_with((struct test_cert_options){.begin_s = -3600, .end_s = 600}, root);
    const int64_t now = urlp_wall_seconds();

    urlp_clock_fake_begin(1);
    urlp_clock_fake_set_wall(now + 590);
    expect_ok(CHAIN(leaf), root, "host.example");
    urlp_clock_fake_set_wall(now + 610);
    expect_refusal(CHAIN(leaf), root, "host.example", URLPOOL_E_TLS_EXPIRED,
                   X509_V_ERR_CERT_HAS_EXPIRED);
    urlp_clock_fake_end();
    test_cert_free(leaf);
    test_cert_free(root);
}
END_TEST

START_TEST(date__until_which_a_chain_is_good_is_the_earliest)
{
    struct test_cert *root = test_ca("root");
    struct test_cert *middle =
        ca_with((struct test_cert_options){.begin_s = -9000, .end_s = 600}, root);
    struct test_cert *leaf =
        leaf_with((struct test_cert_options){.begin_s = -3600, .end_s = 5000}, middle);
    const int64_t now = urlp_wall_seconds();
    const struct urlp_tls_verdict verdict = judge(CHAIN(leaf, middle), root, "host.example");

    ck_assert_int_eq(verdict.error.code, URLPOOL_OK);
    ck_assert_int_ge(verdict.good_until, now + 590);
    ck_assert_int_le(verdict.good_until, now + 610);
    ck_assert_int_ge(verdict.good_from, now - 3610);
    ck_assert_int_le(verdict.good_from, now - 3590);
    test_cert_free(leaf);
    test_cert_free(middle);
    test_cert_free(root);
}
END_TEST

/* --- names --------------------------------------------------------------------------------- */

START_TEST(names__any_one_of_them_will_do)
{
    static const struct test_name names[] = {TEST_DNS("a.example"), TEST_IP("\xc0\x00\x02\x01"),
                                             TEST_DNS("*.b.example")};
    struct test_cert *root = test_ca("root");
    struct test_cert *leaf =
        leaf_with((struct test_cert_options){.names = names, .num_names = 3}, root);

    expect_ok(CHAIN(leaf), root, "a.example");
    expect_ok(CHAIN(leaf), root, "x.b.example");
    expect_ok(CHAIN(leaf), root, "192.0.2.1");
    expect_refusal(CHAIN(leaf), root, "c.example", URLPOOL_E_TLS_HOSTNAME,
                   X509_V_ERR_HOSTNAME_MISMATCH);
    expect_refusal(CHAIN(leaf), root, "192.0.2.2", URLPOOL_E_TLS_HOSTNAME,
                   X509_V_ERR_IP_ADDRESS_MISMATCH);
    test_cert_free(leaf);
    test_cert_free(root);
}
END_TEST

START_TEST(names__are_told_in_the_message)
{
    static const struct test_name names[] = {TEST_DNS("a.example"), TEST_IP("\xc0\x00\x02\x01"),
                                             TEST_DNS("c.example")};
    struct test_cert *root = test_ca("root");
    struct test_cert *three =
        leaf_with((struct test_cert_options){.names = names, .num_names = 3}, root);
    struct test_cert *two =
        leaf_with((struct test_cert_options){.names = names, .num_names = 2}, root);
    struct test_cert *none =
        test_cert_new(&(struct test_cert_options){.common_name = "host.example"}, root);

    ck_assert_str_eq(judge(CHAIN(three), root, "host.example").error.message,
                     "certificate is for a.example, 192.0.2.1, …, not for host.example");
    ck_assert_str_eq(judge(CHAIN(two), root, "host.example").error.message,
                     "certificate is for a.example, 192.0.2.1, not for host.example");
    ck_assert_str_eq(judge(CHAIN(none), root, "host.example").error.message,
                     "certificate is for no host, not for host.example");
    test_cert_free(none);
    test_cert_free(two);
    test_cert_free(three);
    test_cert_free(root);
}
END_TEST

START_TEST(names__of_a_peer_are_told_escaped)
{
    static const struct test_name names[] = {TEST_DNS("a\n\x1b[31m.example")};
    struct test_cert *root = test_ca("root");
    struct test_cert *leaf =
        leaf_with((struct test_cert_options){.names = names, .num_names = 1}, root);
    const struct urlp_tls_verdict verdict = judge(CHAIN(leaf), root, "host.example");

    ck_assert_int_eq(verdict.error.code, URLPOOL_E_TLS_HOSTNAME);
    ck_assert_ptr_null(strpbrk(verdict.error.message, "\n\x1b"));
    test_cert_free(leaf);
    test_cert_free(root);
}
END_TEST

START_TEST(names__common_name_is_none)
{
    struct test_cert *root = test_ca("root");
    struct test_cert *leaf =
        test_cert_new(&(struct test_cert_options){.common_name = "host.example"}, root);

    expect_refusal(CHAIN(leaf), root, "host.example", URLPOOL_E_TLS_HOSTNAME,
                   X509_V_ERR_HOSTNAME_MISMATCH);
    test_cert_free(leaf);
    test_cert_free(root);
}
END_TEST

START_TEST(names__with_nul_stand_for_nothing)
{
    static const struct test_name names[] = {TEST_DNS("host.example\0.evil.example"),
                                             TEST_DNS("*.example\0x")};
    struct test_cert *root = test_ca("root");
    struct test_cert *leaf =
        leaf_with((struct test_cert_options){.names = names, .num_names = 2}, root);

    expect_refusal(CHAIN(leaf), root, "host.example", URLPOOL_E_TLS_HOSTNAME,
                   X509_V_ERR_HOSTNAME_MISMATCH);
    test_cert_free(leaf);
    test_cert_free(root);
}
END_TEST

START_TEST(names__of_text_are_none_for_an_address)
{
    static const struct test_name names[] = {TEST_DNS("192.0.2.1"), TEST_DNS("*.0.2.1"),
                                             TEST_DNS("2001:db8::1")};
    struct test_cert *root = test_ca("root");
    struct test_cert *leaf =
        leaf_with((struct test_cert_options){.names = names, .num_names = 3}, root);

    expect_refusal(CHAIN(leaf), root, "192.0.2.1", URLPOOL_E_TLS_HOSTNAME,
                   X509_V_ERR_IP_ADDRESS_MISMATCH);
    expect_refusal(CHAIN(leaf), root, "2001:db8::1", URLPOOL_E_TLS_HOSTNAME,
                   X509_V_ERR_IP_ADDRESS_MISMATCH);
    test_cert_free(leaf);
    test_cert_free(root);
}
END_TEST

START_TEST(names__addresses_match_byte_for_byte)
{
    static const struct test_name names[] = {
        TEST_IP("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"),
        TEST_IP("\xc0\x00\x02"),         /* three bytes are no address */
        TEST_IP("\xc0\x00\x02\x01\x00"), /* nor are five */
        TEST_IP("\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x07"),
    };
    struct test_cert *root = test_ca("root");
    struct test_cert *leaf =
        leaf_with((struct test_cert_options){.names = names, .num_names = 4}, root);

    expect_ok(CHAIN(leaf), root, "2001:db8::1");
    expect_ok(CHAIN(leaf), root, "2001:DB8:0:0::0001");
    expect_refusal(CHAIN(leaf), root, "2001:db8::2", URLPOOL_E_TLS_HOSTNAME,
                   X509_V_ERR_IP_ADDRESS_MISMATCH);
    expect_refusal(CHAIN(leaf), root, "192.0.2.1", URLPOOL_E_TLS_HOSTNAME,
                   X509_V_ERR_IP_ADDRESS_MISMATCH);
    expect_refusal(CHAIN(leaf), root, "192.0.2.7", URLPOOL_E_TLS_HOSTNAME,
                   X509_V_ERR_IP_ADDRESS_MISMATCH);
    test_cert_free(leaf);
    test_cert_free(root);
}
END_TEST

START_TEST(names__more_than_anybody_needs_are_refused)
{
    struct test_cert *root = test_ca("root");
    struct test_name *names = calloc(URLP_TLS_NAMES_MAX + 1, sizeof(*names));
    struct test_cert *leaf;

    for (size_t i = 0; i <= URLP_TLS_NAMES_MAX; i++) {
        names[i] = (struct test_name)TEST_DNS("host.example");
    }
    leaf = leaf_with((struct test_cert_options){.names = names, .num_names = URLP_TLS_NAMES_MAX},
                     root);
    expect_ok(CHAIN(leaf), root, "host.example");
    test_cert_free(leaf);
    leaf = leaf_with(
        (struct test_cert_options){.names = names, .num_names = URLP_TLS_NAMES_MAX + 1}, root);
    expect_refusal(CHAIN(leaf), root, "host.example", URLPOOL_E_TLS_VERIFY, X509_V_ERR_UNSPECIFIED);
    test_cert_free(leaf);
    free(names);
    test_cert_free(root);
}
END_TEST

/* --- name constraints ---------------------------------------------------------------------- */

/* expect_limit: a CA with `limits` may speak for host.example or not, in a leaf for `name`. */
static void expect_limit(const char *limits, const char *name, const char *host, int reason)
{
    const struct test_name names[] = {
        {false, name, strlen(name)}
    };
    struct test_cert *root = test_ca("root");
    struct test_cert *middle = ca_with((struct test_cert_options){.limits = limits}, root);
    struct test_cert *leaf =
        leaf_with((struct test_cert_options){.names = names, .num_names = 1}, middle);

    if (reason == X509_V_OK) {
        expect_ok(CHAIN(leaf, middle), root, host);
    } else {
        expect_refusal(CHAIN(leaf, middle), root, host, URLPOOL_E_TLS_VERIFY, reason);
    }
    test_cert_free(leaf);
    test_cert_free(middle);
    test_cert_free(root);
}

START_TEST(limits__of_a_ca_are_kept)
{
    expect_limit("critical,permitted;DNS:example", "host.example", "host.example", X509_V_OK);
    expect_limit("critical,permitted;DNS:other.example", "host.example", "host.example",
                 X509_V_ERR_PERMITTED_VIOLATION);
    expect_limit("critical,excluded;DNS:other.example", "host.example", "host.example", X509_V_OK);
    expect_limit("critical,excluded;DNS:example", "host.example", "host.example",
                 X509_V_ERR_EXCLUDED_VIOLATION);
}
END_TEST

START_TEST(limits__are_not_passed_by_a_wildcard)
{
    expect_limit("critical,excluded;DNS:bad.host.example", "*.host.example", "good.host.example",
                 X509_V_OK);
    expect_limit("critical,excluded;DNS:bad.host.example", "*.host.example", "bad.host.example",
                 X509_V_ERR_EXCLUDED_VIOLATION);
    expect_limit("critical,permitted;DNS:good.host.example", "*.host.example", "bad.host.example",
                 X509_V_ERR_PERMITTED_VIOLATION);
}
END_TEST

/* expect_limit_without_memory: a wildcard may not speak for bad.host.example, whatever allocation
 * fails while that is found out. */
static void expect_limit_without_memory(const char *limits)
{
    static const struct test_name names[] = {TEST_DNS("*.host.example")};
    struct test_cert *root = test_ca("root");
    struct test_cert *middle = ca_with((struct test_cert_options){.limits = limits}, root);
    struct test_cert *leaf =
        leaf_with((struct test_cert_options){.names = names, .num_names = 1}, middle);
    bool failed = true;
    unsigned num_nomem = 0;

    for (fail_nth = 1; failed; fail_nth++) {
        const struct urlp_tls_verdict verdict =
            judge(CHAIN(leaf, middle), root, "bad.host.example");

        failed = foreign_heaps_has_failed(HEAP_OF_TLS);
        ck_assert_msg(verdict.error.code != URLPOOL_OK, "let pass without allocation %u",
                      (unsigned)fail_nth);
        num_nomem += verdict.error.code == URLPOOL_E_NOMEM;
    }
    fail_nth = 0;
    ck_assert_uint_gt(num_nomem, 10);
    test_cert_free(leaf);
    test_cert_free(middle);
    test_cert_free(root);
}

START_TEST(limits__are_not_passed_without_memory)
{
    expect_limit_without_memory("critical,excluded;DNS:bad.host.example");
    expect_limit_without_memory("critical,permitted;DNS:good.host.example");
}
END_TEST

START_TEST(limits__of_the_root_itself_are_kept)
{
    struct test_cert *root =
        ca_with((struct test_cert_options){.common_name = "root",
                                           .limits = "critical,permitted;DNS:other.example"},
                NULL);
    struct test_cert *leaf = leaf_with((struct test_cert_options){0}, root);

    expect_refusal(CHAIN(leaf), root, "host.example", URLPOOL_E_TLS_VERIFY,
                   X509_V_ERR_PERMITTED_VIOLATION);
    test_cert_free(leaf);
    test_cert_free(root);
}
END_TEST

RUN_TESTS("tls_verify", chain__to_a_root_is_accepted, chain__without_its_intermediate_is_refused,
          chain__may_end_at_a_trusted_intermediate_or_leaf,
          chain__of_another_ca_of_the_same_name_is_refused,
          chain__is_found_among_those_of_several_authorities_with_several_certificates,
          chain__self_signed_is_refused, chain__through_a_leaf_is_refused,
          chain__longer_than_its_ca_allows_is_refused,
          chain__with_an_unknown_critical_extension_is_refused,
          chain__not_meant_for_servers_is_refused, chain__with_weak_signatures_or_keys_is_refused,
          chain__root_may_be_signed_by_sha_1, chain__of_too_many_certificates_is_refused,
          chain__of_no_certificate_is_refused, chain__that_is_malformed_is_refused,
          date__after_the_end_is_refused, date__before_the_beginning_is_refused,
          date__of_an_intermediate_counts_too, date__is_that_of_the_wall_clock,
          date__until_which_a_chain_is_good_is_the_earliest, names__any_one_of_them_will_do,
          names__are_told_in_the_message, names__of_a_peer_are_told_escaped,
          names__common_name_is_none, names__with_nul_stand_for_nothing,
          names__of_text_are_none_for_an_address, names__addresses_match_byte_for_byte,
          names__more_than_anybody_needs_are_refused, limits__of_a_ca_are_kept,
          limits__are_not_passed_by_a_wildcard, limits__of_the_root_itself_are_kept,
          limits__are_not_passed_without_memory)
