/* Parts of `trackai pixel`. */
#ifndef TA_CMD_PIXEL_H
#define TA_CMD_PIXEL_H

#include "db/circuit.h"

#include <jansson.h>

/* trackai pixel test PIXEL [--event ID] [draft settings] [--json]: argv[0] is "pixel". One stored
 * event through the pixel in the platform's test mode (db/pixel_test.h). Returns the exit status: 1
 * when the platform would not take it. */
int pixel_test(int argc, char **argv);
/* trackai pixel circuit PIXEL [open [--for T] | close] [--json] (src/cmd_circuit.c). */
int pixel_circuit(int argc, char **argv);

/* The circuits, as lists and shows of pixels tell them. */
struct cmd_circuits {
	struct circuit_row *rows;
	size_t n;
	int64_t now_us;
};
TA_MUST enum ta_rc cmd_circuits(
	struct db *db, struct arena *a, struct cmd_circuits *out, struct ta_err *err);
/* New reference: {"state","until","failures","since","error","error_at","held_by"}. */
json_t *cmd_circuit_json(const struct cmd_circuits *all, int64_t pixel_id);
/* Appends a sentence; "-" for one that never was open. */
void cmd_circuit_text(const struct cmd_circuits *all, int64_t pixel_id, struct buf *out);

#endif
