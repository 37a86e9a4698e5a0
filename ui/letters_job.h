/* What the lists of deliveries ask of the database, as the console's helper thread does it: reading
 * what waits or ended badly, and ordering the next attempt of many, with progress. */
#ifndef UI_LETTERS_JOB_H
#define UI_LETTERS_JOB_H

#include "db/dead.h"
#include "db/retry_order.h"
#include "src/arena.h"

#include <stdatomic.h>
#include <stdbool.h>

struct db;

enum letters_kind { LETTERS_EXPIRING, LETTERS_DEAD };
enum letters_do { LETTERS_READ, LETTERS_RETRY };

#define LETTERS_MAX  5000 /* rows that are read at most; the counts of groups are of all */
#define LETTERS_DAYS 7    /* dead letters of so many days */

/* A delivery in one of the lists. Texts live in the arena of the job. */
struct letter {
	int64_t event_id, at_us; /* at_us: of the verdict, or the deadline */
	int64_t due_us; /* of its next attempt as things stand; 0: not before a person acts */
	int32_t pixel_id;
	int run, tries, state, reason, name;
	bool unknown, held, open; /* open: its pixel's circuit */
	const char *label, *store, *pixel, *platform, *code, *message;
};

struct letters_job {
	enum letters_do what;
	enum letters_kind kind;
	struct arena mem;

	/* READ: which group of the dead, and what they are counted by */
	enum dead_by by;
	int reason; /* -1 any */
	const char *code;
	int32_t pixel_id;
	struct letter *rows;
	size_t n;
	bool more; /* than LETTERS_MAX */
	struct dead_group *groups;
	size_t ngroups;

	/* RETRY: these, in orders of COMMAND_RETRY_MAX */
	struct retry_pick *picks;
	size_t npicks;
	bool force;
	const char *actor;
	struct retry_answer sum;
	_Atomic int64_t done; /* by the thread */
	atomic_bool cancel;   /* by the console: end before the next order */
};

struct letters_job *letters_job_new(enum letters_do what, enum letters_kind kind);
void letters_job_free(struct letters_job *j); /* NULL is fine */
/* Waits for the database: only for a worker's thread. Errors: TA_DB, TA_TIMEOUT, TA_DENIED. */
TA_MUST enum ta_rc letters_job_run(struct db *db, struct letters_job *j, struct ta_err *err);

#endif
