/* Base 64 as credentials are sent in: the alphabet with "+" and "/", always padded. Encoding only;
 * nothing that arrives has to be read. */

#include "http/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum {
    GROUP_BYTES = 3, /* RFC 4648 section 4: 24 bits in, four characters out */
    GROUP_CHARS = 4
};

/* write_group writes the four characters of the first `len` bytes of a group, 1 to 3. */
static void write_group(uint8_t *out, const uint8_t *in, size_t len)
{
    uint32_t bits = (uint32_t)in[0] << 16;

    bits |= len > 1 ? (uint32_t)in[1] << 8 : 0;
    bits |= len > 2 ? in[2] : 0;
    out[0] = (uint8_t)alphabet[bits >> 18];
    out[1] = (uint8_t)alphabet[bits >> 12 & 63];
    out[2] = (uint8_t)(len > 1 ? alphabet[bits >> 6 & 63] : '=');
    out[3] = (uint8_t)(len > 2 ? alphabet[bits & 63] : '=');
}

enum urlpool_code urlp_base64_append(struct urlp_span bytes, struct urlp_buf *out)
{
    const uint8_t *in = (const uint8_t *)bytes.data;
    const size_t num_groups = bytes.len / GROUP_BYTES + (bytes.len % GROUP_BYTES != 0 ? 1 : 0);
    enum urlpool_code code;

    if (num_groups > SIZE_MAX / GROUP_CHARS) {
        return URLPOOL_E_NOMEM;
    }
    code = urlp_buf_reserve(out, num_groups * GROUP_CHARS);
    for (size_t i = 0; i < num_groups && code == URLPOOL_OK; i++) {
        const size_t left = bytes.len - i * GROUP_BYTES;

        write_group(out->data + out->len, in + i * GROUP_BYTES,
                    left < GROUP_BYTES ? left : GROUP_BYTES);
        out->len += GROUP_CHARS;
    }
    return code;
}
