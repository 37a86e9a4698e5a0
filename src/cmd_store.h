/* Parts of `trackai store`. */
#ifndef TA_CMD_STORE_H
#define TA_CMD_STORE_H

/* trackai store canary STORE [--now] [--json]: argv[0] is "store". What became of the store's
 * synthetic orders (db/canary.h); --now: sends one and waits for its end. Returns the exit status:
 * 1 when the newest did not arrive. */
int store_canary(int argc, char **argv);

#endif
