/* The documents of the newest events, read and decoded once, so that a condition that looks into
 * them is counted while it is being typed. The worker reads them in parts; the loop keeps the
 * parts. About 1.3 kB an event; only while a form needs them. */
#ifndef UI_SAMPLE_H
#define UI_SAMPLE_H

#include "src/arena.h"
#include "src/event.h"

#include <stdint.h>

struct db;
struct feed;

/* Every event with an id in [from, below), newest first. */
struct sample_part {
	struct sample_part *next; /* the part below it */
	struct arena mem;
	int64_t from, below;
	int64_t *ids;
	struct event *events;
	size_t n;
};

struct sample {
	struct sample_part *first; /* the newest; parts touch each other */
	size_t events;
};

/* A request for [from, below); sample_read() moves `from` up when there is more than it takes. */
struct sample_part *sample_part_new(int64_t from, int64_t below);
void sample_part_free(struct sample_part *p); /* NULL is fine */
/* Reads at most 2,000 events, the newest; for the worker's thread. Errors: TA_DB. */
TA_MUST enum ta_rc sample_read(struct db *db, struct sample_part *p, struct ta_err *err);

/* The next part to ask for, for the lines that the stream holds; NULL: all is there. */
struct sample_part *sample_wants(const struct sample *s, const struct feed *f);
/* Takes the part over; one that does not touch the others is dropped. What the stream no longer
 * holds goes too. */
void sample_take(struct sample *s, struct sample_part *p, const struct feed *f);
/* NULL: not read, or damaged. */
const struct event *sample_event(const struct sample *s, int64_t id);
void sample_release(struct sample *s);

#endif
