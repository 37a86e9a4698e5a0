/* The circuits of the dispatcher's pixels, and the orders that need no exchange. */
#ifndef NET_CIRCUITS_H
#define NET_CIRCUITS_H

#include "net/dispatch.h"

/* circuits.c */
TA_MUST enum ta_rc circuits_load(struct dispatch *d, struct ta_err *err);
struct circuit_row circuit_row_of(const struct pixel *p);
/* Whether the next transaction has circuits to write; writes them; after its commit. */
bool circuits_pending(const struct dispatch *d);
TA_MUST enum ta_rc circuits_write(struct dispatch *d, int64_t now_us, struct ta_err *err);
void circuits_saved(struct dispatch *d);
/* An exchange worked, or failed (asked_s, random: src/circuit.h). */
void circuit_worked(struct dispatch *d, struct pixel *p);
void circuit_broke(
	struct dispatch *d, struct pixel *p, int64_t asked_s, uint32_t random, const char *why);
/* Exchanges that may be in flight and events of a batch, as its circuit stands. */
int pixel_slots(const struct pixel *p, int64_t now_us);
size_t pixel_batch(const struct pixel *p, int64_t now_us);
/* Behind an outage: microseconds until the next batch may go; and that one of n events goes. */
int64_t pixel_ramp_wait(const struct pixel *p);
void pixel_ramp_took(struct pixel *p, size_t n);

/* expire.c */
/* Batches of what is past its deadline: they get their verdicts when they are built. */
TA_MUST enum ta_rc expire(struct dispatch *d, struct batches *out, struct ta_err *err);

/* order.c */
/* Does the orders of the table command that need no exchange: circuits and retries by hand. */
TA_MUST enum ta_rc orders_take(struct dispatch *d, struct ta_err *err);

#endif
