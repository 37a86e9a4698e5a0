/* The demo's own parts: its shops in the database, and the process that plays their traffic. */
#ifndef TA_CMD_DEMO_H
#define TA_CMD_DEMO_H

#include "net/player.h"
#include "src/err.h"

/* What the starter decides and the demo's processes need. Static strings. */
struct demo_plan {
	char dir[512];    /* the demo's data dir */
	char base[96];    /* http://address:port of its listener */
	char sandbox[96]; /* address:port of its sandbox */
	double rate;
};

#define DEMO_BURST_S 60

/* The faults that the demo's sandbox has from the start. */
extern const char demo_faults[];

/* Makes the shops, pixels, keys and rules that are missing and fills `access`, whose texts live
 * as long as the process. What was made is kept in <dir>/run/demo.json (0600), because keys are
 * shown only once. */
TA_MUST enum ta_rc demo_shops(const struct demo_plan *plan,
	struct player_access access[PLAYER_SHOPS], struct ta_err *err);

#endif
