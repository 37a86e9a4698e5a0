/* One operation on an editable table (db/table.h), as the console hands it to its worker thread:
 * the request and its result live in the arena of the work, so that nothing is shared. */
#ifndef UI_WORK_H
#define UI_WORK_H

#include "db/audit.h"
#include "db/history.h"
#include "db/rule_stat.h"
#include "src/arena.h"

struct cause_found;
struct db;
struct distinct;
struct letters_job;
struct pixel_test;
struct replay_job;
struct sample_part;
struct seen;
struct trial;

enum work_kind {
	WORK_LIST,
	WORK_SEEN,       /* values that events had lately, for completion; about no table */
	WORK_DEPENDS,    /* what hangs on the store v[name], or the pixel v[name] of v[store] */
	WORK_VERSIONS,   /* what the row edit.id said before */
	WORK_BACKTEST,   /* ui/trial.h */
	WORK_SAMPLE,     /* ui/sample.h */
	WORK_DISTINCT,   /* judges the newest events: what sets one apart (ui/distinct.h) */
	WORK_CAUSES,     /* why the pixel edit.id is red: ui/why.h */
	WORK_SEND,       /* a test send through the pixel edit.id: ui/send.h */
	WORK_LETTERS,    /* ui/letters_job.h; about no table */
	WORK_REPLAY,     /* ui/replay_job.h; about no table */
	WORK_ALERT_ACK,  /* the alert edit.id; about no table */
	WORK_ALERT_MUTE, /* until until_us, 0: not any more */
	WORK_ADD,        /* from here on works change something */
	WORK_SET,
	WORK_REMOVE,
	WORK_ORDER,
	WORK_ROLLBACK
};

struct work {
	struct work *next; /* of the queue it stands in */
	enum work_kind kind;
	const struct table *table;
	struct arena mem;
	struct table_edit edit;     /* what is asked for: id, version, v; strings in mem */
	const char *order;          /* WORK_ORDER: kind of db/command.h, about pixel edit.id … */
	const char *args;           /* … with these; NULL: the plain ones of hold and release */
	int64_t until_us;           /* WORK_ALERT_MUTE */
	struct cause_found *causes; /* WORK_CAUSES: in mem … */
	size_t ncauses;             /* … so many */
	bool undo;                  /* takes an earlier change back */
	int to;                     /* WORK_ROLLBACK: the version that is gone back to */
	struct distinct *distinct;
	int64_t event_id;        /* WORK_SEND: 0 the newest that fits */
	bool drafted;            /* WORK_SEND: through edit.v, else through the live settings */
	struct pixel_test *sent; /* WORK_SEND: what came of it */

	struct ta_err err;       /* rc TA_OK: done */
	struct table_rows rows;  /* WORK_LIST, WORK_DEPENDS: the pixels */
	struct table_rows rules; /* WORK_DEPENDS: those that are about the row alone */
	/* The row as it was before the change, and as it is after it; after TA_CONFLICT `after` is
	 * what another operator made of it. NULL: there is none. */
	const struct table_row *before, *after;
	/* After a change that was refused because of another operator: what is known of that. */
	struct audit_last rival;
	const char *answer; /* WORK_ORDER: the owner's words */
	/* WORK_LIST of rules, when it is asked for: what they did in the last 24 hours. */
	bool with_stats;
	struct arena stats_mem;
	struct rule_stats stats;
	struct row_versions versions; /* WORK_VERSIONS */
	struct trial *trial;          /* WORK_BACKTEST: freed with the work */
	struct sample_part *part;     /* WORK_SAMPLE: freed with the work unless taken */
	struct letters_job *letters;  /* WORK_LETTERS: freed with the work unless taken */
	struct replay_job *replay;    /* WORK_REPLAY: likewise */
	struct seen *seen;            /* WORK_SEEN: owned by the work until somebody takes it */
};

/* A new work of a table with room for its values; the owner posts or frees it. WORK_SEEN: t is
 * NULL. */
struct work *work_new(enum work_kind kind, const struct table *t);
/* Secrets given in clear are wiped first. NULL is fine. */
void work_free(struct work *w);
/* A copy of a row in the work's arena, or in any other. */
struct table_row *work_row(struct arena *a, const struct table *t, const struct table_row *row);
/* Whether it changes something, so that the next change waits for it. */
bool work_changes(const struct work *w);
/* Does it, waiting for the database: only for the worker's thread. The verdict is w->err. */
void work_run(struct db *db, struct work *w);

#endif
