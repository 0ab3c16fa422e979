#ifndef TESTS_SUPPORT_SCENARIO_PLAY_H
#define TESTS_SUPPORT_SCENARIO_PLAY_H

#include "support/foreign_heaps.h"
#include "support/scenarios.h"

/* A scenario played while something goes wrong beneath it, and what has to hold then: it ends as
 * the trouble allows, before its deadline; nothing is held of any heap, no descriptor stays open;
 * and the same manager does the same again. */

/* The heaps that are counted. */
enum {
    HEAP_OURS = FOREIGN_HEAP_NUM, /* behind the foreign ones */
    HEAP_NUM
};

const char *scenario_heap_name(int heap);

/* struct trouble is what goes wrong. */
struct trouble {
    void (*begin)(const struct trouble *trouble);
    void (*end)(const struct trouble *trouble);
    bool (*has_come)(const struct trouble *trouble); /* asked before `end` */
    /* says whether the scenario may end so because of it */
    bool (*allows)(const struct trouble *trouble, const struct scene *scene,
                   const struct urlpool_error *err, enum urlpool_code code);
    bool is_remembered; /* for a second, as a failure to find a name is */
    char text[96];      /* for people */
};

/* scenario_is_wanted says whether a scenario is to be played: all are, unless URLPOOL_SCENARIO
 * names one. */
bool scenario_is_wanted(const struct scenario *scenario);

/* scenario_begin is scene_begin with heaps that can be counted, and with the scenario played twice
 * in peace, so that what a process keeps is there. */
void scenario_begin(struct scene *scene, const struct scenario *scenario);
void scenario_end(struct scene *scene);

/* scenario_play plays it once in trouble and once more without, and returns whether the trouble has
 * come. The test fails where one of the things above does not hold. */
bool scenario_play(struct scene *scene, const struct trouble *trouble);

#endif /* TESTS_SUPPORT_SCENARIO_PLAY_H */
