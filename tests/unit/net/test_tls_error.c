/* What users read when TLS fails. */

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "net/tls_error.h"
#include "support/run_tests.h"
#include "support/tls_kit.h"

static struct urlpool_error fail_with(int library, int reason)
{
    struct urlpool_error err = {0};

    ERR_clear_error();
    SSL_CTX_free(tls_kit_context()); /* makes OpenSSL know its words */
    ERR_clear_error();
    ERR_put_error(library, 0, reason, __FILE__, __LINE__);
    ERR_put_error(ERR_LIB_SSL, 0, SSL_R_LENGTH_MISMATCH, __FILE__, __LINE__); /* a consequence */
    ck_assert_int_eq(urlp_tls_fail(&err, URLPOOL_PHASE_TLS, "here"), err.code);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    return err;
}

START_TEST(error__has_own_words_for_what_users_meet)
{
    const struct urlpool_error err = fail_with(ERR_LIB_SSL, SSL_R_WRONG_VERSION_NUMBER);

    ck_assert_int_eq(err.code, URLPOOL_E_TLS);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_TLS);
    ck_assert_str_eq(err.message, "here: the peer does not speak TLS");
    ck_assert_int_eq(ERR_GET_REASON(err.tls_code), SSL_R_WRONG_VERSION_NUMBER);
}
END_TEST

START_TEST(error__says_that_an_alert_is_the_peers)
{
    ck_assert_str_eq(fail_with(ERR_LIB_SSL, SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE).message,
                     "here: the peer sent the alert handshake failure");
}
END_TEST

START_TEST(error__spells_other_reasons_out)
{
    ck_assert_str_eq(fail_with(ERR_LIB_SSL, SSL_R_BAD_SIGNATURE).message, "here: bad signature");
}
END_TEST

START_TEST(error__out_of_memory_is_its_own_code)
{
    ck_assert_int_eq(fail_with(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE).code, URLPOOL_E_NOMEM);
}
END_TEST

START_TEST(error__with_an_empty_queue_is_still_an_error)
{
    struct urlpool_error err = {0};

    ERR_clear_error();
    ck_assert_int_eq(urlp_tls_fail(&err, URLPOOL_PHASE_BODY, "here"), URLPOOL_E_TLS);
    ck_assert_int_eq(err.phase, URLPOOL_PHASE_BODY);
    ck_assert_uint_gt(strlen(err.message), strlen("here: "));
}
END_TEST

START_TEST(error__nobody_has_to_listen)
{
    ERR_clear_error();
    ERR_put_error(ERR_LIB_SSL, 0, SSL_R_BAD_SIGNATURE, __FILE__, __LINE__);
    ck_assert_int_eq(urlp_tls_fail(NULL, URLPOOL_PHASE_TLS, "here"), URLPOOL_E_TLS);
}
END_TEST

START_TEST(error__queue_is_emptied_of_all_it_has)
{
    ERR_put_error(ERR_LIB_SSL, 0, SSL_R_BAD_SIGNATURE, __FILE__, __LINE__);
    ERR_put_error(ERR_LIB_SSL, 0, SSL_R_HTTP_REQUEST, __FILE__, __LINE__);
    urlp_tls_clear_errors();
    ck_assert_uint_eq(ERR_peek_error(), 0);
    urlp_tls_clear_errors(); /* of an empty one nothing */
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

RUN_TESTS("tls_error", error__has_own_words_for_what_users_meet,
          error__says_that_an_alert_is_the_peers, error__spells_other_reasons_out,
          error__out_of_memory_is_its_own_code, error__with_an_empty_queue_is_still_an_error,
          error__nobody_has_to_listen, error__queue_is_emptied_of_all_it_has)
