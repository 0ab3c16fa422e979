#ifndef POOLED_FETCH_DEMO_H
#define POOLED_FETCH_DEMO_H

#include "settings.h"

/* pf_demo_run starts the demonstration's server, fetches from it as `settings` say, with defaults
 * of its own for what they do not say, reports, and stops the server. Errors: the program's exit
 * code, said. */
int pf_demo_run(struct pf_settings *settings);

#endif /* POOLED_FETCH_DEMO_H */
