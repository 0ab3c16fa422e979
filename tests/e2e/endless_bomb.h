#ifndef TESTS_E2E_ENDLESS_BOMB_H
#define TESTS_E2E_ENDLESS_BOMB_H

#include "support/flood_server.h"

/* enum bomb_coding is a coding that a bomb can have; `window_log` of struct bomb_layer is for the
 * last two. */
enum bomb_coding {
    BOMB_END = 0,
    BOMB_GZIP,
    BOMB_ZLIB,
    BOMB_RAW, /* deflate without zlib's head */
    BOMB_BR,
    BOMB_ZSTD
};

enum {
    BOMB_LAYERS_MAX = 6
};

struct bomb_layer {
    enum bomb_coding coding;
    int window_log; /* 0: 18 */
};

/* bomb_say says zeros without end, in `layers`, the first of which is the innermost. */
void bomb_say(struct flood_peer *peer, const struct bomb_layer layers[BOMB_LAYERS_MAX]);

#endif /* TESTS_E2E_ENDLESS_BOMB_H */
