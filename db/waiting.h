/* Deliveries that wait for their next attempt (table retry), nearest deadline first: what an
 * operator has to see before it is too late. */
#ifndef DB_WAITING_H
#define DB_WAITING_H

#include "db/circuit.h"
#include "src/words.h"

#include <stdbool.h>

#define WAITING_PAGE 500

struct waiting_row {
	int64_t event_id;
	int32_t pixel_id, store_id;
	int run, tries;      /* tries: attempts so far */
	int64_t due_us;      /* of the next attempt by its schedule */
	int64_t deadline_us; /* then it is dead */
	bool unknown;        /* an attempt had no answer: goes again within the dedup window only */
	const char *store, *pixel, *platform;
	int name;                   /* of the event, src/events.def; -1 unknown */
	const char *label;          /* of the event: "#1001" */
	const char *code, *message; /* of its last verdict, "" none */
	bool held;                  /* its pixel is */
	struct circuit_row circuit; /* of its pixel */
};

struct waiting_query {
	int64_t until_us; /* deadlines at or before; 0: all */
	int32_t pixel_id; /* 0: of all pixels */
	/* behind this one; zero: from the beginning */
	int64_t after_deadline_us, after_event;
	int32_t after_pixel;
};

/* At most WAITING_PAGE rows by deadline, event, pixel; in the arena. */
TA_MUST enum ta_rc waiting_list(struct db *db, const struct waiting_query *q, struct arena *a,
	struct waiting_row **out, size_t *n, struct ta_err *err);
/* When its next attempt can be made as things stand: its due time, the circuit's if that is later;
 * 0: not before somebody releases its pixel or closes its circuit. */
int64_t waiting_next_us(const struct waiting_row *r, int64_t now_us);
/* "3d4h", "2h5m", "40s"; "over" below zero. */
void waiting_left(int64_t left_us, char out[24]);

#endif
