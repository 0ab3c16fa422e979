#ifndef TESTS_FUZZ_URL_CHECKS_H
#define TESTS_FUZZ_URL_CHECKS_H

#include "http/url.h"

/* fuzz_check_url fails unless `url` is what a parsed URL has to be: only bytes that a URL may have,
 * no delimiter in its host, its own normal form, and fit to be asked for when it is of http. */
void fuzz_check_url(const struct urlp_url *url);

/* fuzz_check_same fails unless `a` and `b` are the same URL, part by part. */
void fuzz_check_same(const struct urlp_url *a, const struct urlp_url *b);

#endif /* TESTS_FUZZ_URL_CHECKS_H */
