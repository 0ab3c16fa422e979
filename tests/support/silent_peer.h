#ifndef TESTS_SUPPORT_SILENT_PEER_H
#define TESTS_SUPPORT_SILENT_PEER_H

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A peer on 127.0.0.1 that does what a script says with each of its clients, one after the other,
 * and then nothing more until the client goes: a server, or a proxy of any kind, that falls silent
 * at the very byte a test wants. */
struct silent_peer;

/* struct silent_step is one thing it does: it says something; or, with no text, hears something; or
 * closes. */
struct silent_step {
    const char *says;
    size_t len;
    bool closes;
};

#define SILENT_HEARS   \
    {                  \
        NULL, 0, false \
    }
#define SILENT_SAYS(text)             \
    {                                 \
        text, sizeof(text) - 1, false \
    }
#define SILENT_CLOSES \
    {                 \
        NULL, 0, true \
    }

enum {
    SILENT_STEPS_MAX = 8
};

/* struct silent_script: with `is_deaf` nothing is read any more at its end, so that the client
 * cannot send either. */
struct silent_script {
    struct silent_step steps[SILENT_STEPS_MAX];
    size_t num_steps;
    bool is_deaf;
};

/* silent_peer_start binds an ephemeral port; `reached`, or nobody for NULL, is posted each time the
 * script has come to its end. Aborts the test when it cannot. */
struct silent_peer *silent_peer_start(const struct silent_script *script, sem_t *reached);
/* silent_peer_stop ends it; accepts NULL. */
void silent_peer_stop(struct silent_peer *peer);

uint16_t silent_peer_port(const struct silent_peer *peer);

/* silent_peer_part ends the client it is silent to, if there is one, and answers every one to come:
 * 200, "good". */
void silent_peer_part(struct silent_peer *peer);

#endif /* TESTS_SUPPORT_SILENT_PEER_H */
