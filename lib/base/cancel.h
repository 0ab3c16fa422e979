#ifndef URLP_BASE_CANCEL_H
#define URLP_BASE_CANCEL_H

#include "urlpool/cancel.h"

/* urlp_cancel_fd is an eventfd that is readable from the moment of the cancel on, never drained; -1
 * for NULL. Poll it for POLLIN. */
int urlp_cancel_fd(const struct urlpool_cancel *cancel);

#endif /* URLP_BASE_CANCEL_H */
