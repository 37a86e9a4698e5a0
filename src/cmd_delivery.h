/* Parts of `trackai delivery`, one file per verb; argv[0] is the verb. Each returns the exit
 * status. */
#ifndef TA_CMD_DELIVERY_H
#define TA_CMD_DELIVERY_H

#include "src/err.h"

#include <stdbool.h>
#include <stdint.h>

/* `list --expiring [WITHIN]` (src/cmd_expiring.c) and `list --dead` (src/cmd_dead.c). */
int delivery_expiring(int argc, char **argv);
int delivery_dead(int argc, char **argv);
/* `retry` (src/cmd_retry.c). */
int delivery_retry(int argc, char **argv);

/* `replay` (src/cmd_replay.c). */
int delivery_replay(int argc, char **argv);

/* "2h", "90m", "7d" in microseconds. Errors: TA_USAGE. */
TA_MUST enum ta_rc delivery_span(const char *text, int64_t *us, struct ta_err *err);
/* Seconds of a moment, "2026-11-23T08:00:00Z". */
const char *delivery_at(int64_t us, char out[32]);

#endif
