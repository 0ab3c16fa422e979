/* Bytes that cannot be foretold, for seeds, jitter and boundaries. Keys of cryptography are not
 * made of these: TLS has its own source. */

#include "base/random.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

#include "base/clock.h"

/* stir is the substitute: worse, but different from process to process and from call to call.
 * Vigna's splitmix64. */
static void stir(uint8_t *out, size_t len)
{
    uint64_t state = (uint64_t)urlp_now_ns() ^ (uint64_t)(uintptr_t)out;

    for (size_t i = 0; i < len; i++) {
        uint64_t word;

        state += 0x9e3779b97f4a7c15U;
        word = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9U;
        word = (word ^ (word >> 27)) * 0x94d049bb133111ebU;
        out[i] = (uint8_t)(word >> 56);
    }
}

void urlp_random_fill(void *out, size_t len)
{
    uint8_t *bytes = out;

    while (len > 0) {
        ssize_t got = getrandom(bytes, len, GRND_NONBLOCK);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            stir(bytes, len);
            return;
        }
        bytes += got;
        len -= (size_t)got;
    }
}
