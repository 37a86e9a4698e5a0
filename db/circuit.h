/* The pixels' circuits as the dispatcher last wrote them (table circuit, src/circuit.h). */
#ifndef DB_CIRCUIT_H
#define DB_CIRCUIT_H

#include "src/circuit.h"
#include "src/err.h"

#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct db;

struct circuit_row {
	int32_t pixel_id;
	struct circuit circuit;
	int64_t since_us;      /* of its state; 0: there never was another */
	int64_t error_us;      /* of the last failure, 0 none */
	const char *error;     /* "" none */
	const char *forced_by; /* who holds it open, "" nobody */
};

/* Those that were ever written, by pixel; pixel_id 0: all. Texts live in the arena. */
TA_MUST enum ta_rc circuits_read(struct db *db, int32_t pixel_id, struct arena *a,
	struct circuit_row **out, size_t *n, struct ta_err *err);
/* The one of a pixel among them; closed when there is none. */
struct circuit_row circuit_of(const struct circuit_row *rows, size_t n, int32_t pixel_id);
/* For the dispatcher: writes one, in its transaction. */
TA_MUST enum ta_rc circuit_write(
	struct db *db, const struct circuit_row *row, int64_t now_us, struct ta_err *err);
/* A sentence: "open until 10:31:05 after 7 failures: HTTP 503 …", "held open by anna", "closed".
 */
void circuit_text(const struct circuit_row *row, int64_t now_us, struct buf *out);

#endif
