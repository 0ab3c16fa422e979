/* Basic credentials: the one place that turns a user and a password into a field value, whoever
 * gives them: a URL, an option, later a proxy.
 *
 * Nothing of them is ever part of a message. */

#include "http/basic_auth.h"

#include <string.h>

#include "base/error.h"
#include "http/base64.h"
#include "http/url_text.h"

/* RFC 7617 section 2: "The user-id and password MUST NOT contain any control characters". */
static bool has_control(struct urlp_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.data[i];

        if (c < 0x20 || c == 0x7f) {
            return true;
        }
    }
    return false;
}

static bool has_colon(struct urlp_span text)
{
    return text.len > 0 && memchr(text.data, ':', text.len) != NULL;
}

enum urlpool_code urlp_basic_auth_append(struct urlp_span credentials, const char *whose,
                                         struct urlp_buf *out, struct urlpool_error *err)
{
    const size_t len_before = out->len;
    struct urlp_buf pair = {0};
    enum urlpool_code code;

    if (has_control(credentials)) {
        return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE,
                         "%s holds a control character, which Basic credentials may not", whose);
    }
    code = urlp_buf_append_span(&pair, credentials);
    if (code == URLPOOL_OK && !has_colon(credentials)) {
        code = urlp_buf_append_text(&pair, ":");
    }
    if (code == URLPOOL_OK) {
        code = urlp_buf_append_text(out, "Basic ");
    }
    if (code == URLPOOL_OK) {
        code = urlp_base64_append(urlp_span_make(pair.data, pair.len), out);
    }
    urlp_buf_deinit(&pair);
    if (code != URLPOOL_OK) {
        out->len = len_before;
        return urlp_fail_nomem(err);
    }
    return URLPOOL_OK;
}

enum urlpool_code urlp_basic_auth_append_userinfo(struct urlp_span userinfo, struct urlp_buf *out,
                                                  struct urlpool_error *err)
{
    const char *colon = userinfo.len > 0 ? memchr(userinfo.data, ':', userinfo.len) : NULL;
    const size_t user_len = colon != NULL ? (size_t)(colon - userinfo.data) : userinfo.len;
    struct urlp_buf plain = {0};
    struct urlp_span user;
    enum urlpool_code code;

    if (userinfo.len == 0) {
        return URLPOOL_OK;
    }
    if (urlp_buf_reserve(&plain, userinfo.len) != URLPOOL_OK) {
        return urlp_fail_nomem(err);
    }
    plain.len = urlp_url_decode((char *)plain.data, urlp_span_make(userinfo.data, user_len));
    user = urlp_span_make(plain.data, plain.len);
    if (has_colon(user)) {
        /* Section 2: "a user-id containing a colon character is invalid". */
        code = urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE,
                         "the user in the URL holds a colon, where Basic would end it");
    } else {
        plain.len +=
            urlp_url_decode((char *)plain.data + plain.len,
                            urlp_span_make(userinfo.data + user_len, userinfo.len - user_len));
        code = urlp_basic_auth_append(urlp_span_make(plain.data, plain.len),
                                      "the user or password in the URL", out, err);
    }
    urlp_buf_deinit(&plain);
    return code;
}
