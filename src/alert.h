/* Alerts: when a component of a pixel's health is worth waking somebody. One alert per scope and
 * cause; raised after two looks in a row, cleared (or lowered) after three better ones. What a
 * platform that is down as a whole explains, its pixels do not say too, nor do the platforms what
 * the network explains. Pure. */
#ifndef TA_ALERT_H
#define TA_ALERT_H

#include "src/health.h"
#include "src/words.h"

enum alert_scope { ALERT_NETWORK, ALERT_PLATFORM, ALERT_PIXEL };
const char *alert_scope_word(int scope); /* "network", … */

#define ALERT_RAISE 2 /* looks in a row */
#define ALERT_CLEAR 3

struct alert_key {
	enum alert_scope scope;
	int32_t object;        /* pixel id, enum platform_id, 0 */
	enum health_part part; /* of a network or platform: DELIVERY */
};

/* One pixel as it was judged. */
struct alert_look {
	int32_t pixel_id;
	enum platform_id platform;
	const struct health *health;
};

/* What a look changed. */
enum alert_turn { ALERT_RAISED, ALERT_WORSE, ALERT_BETTER, ALERT_CLEARED };
struct alert_change {
	struct alert_key key;
	enum alert_turn turn;
	enum health_status level; /* WARN or CRIT; of a cleared one what it was */
	char why[120];
};

struct alert_state;
struct alerts {
	struct alert_state *states;   /* owned */
	struct alert_change *changes; /* owned: of the last look */
	size_t n, size;
};

void alerts_release(struct alerts *a);
/* An alert that is open from before a restart. */
void alerts_resume(struct alerts *a, struct alert_key key, enum health_status level);
/* One look at all pixels; returns the changes, which stay valid until the next call. */
size_t alerts_look(struct alerts *a, const struct alert_look *looks, size_t n,
	const struct alert_change **changes);

#endif
