#include "db/ledger_watch.h"

#include "db/column.h"
#include "db/ledger.h"
#include "db/ledger_span.h"
#include "db/log_id.h"
#include "db/route_log.h"
#include "src/arena.h"
#include "src/clock.h"
#include "src/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_US    (5 * US_PER_S)
#define SHARE      20 /* of the time that looks may take: one part */
#define FAULTS_MAX 1000

void ledger_watch_release(struct ledger_watch *w)
{
	free(w->faults);
	free(w->sealed);
	free(w->booked);
	*w = (struct ledger_watch){0};
}

/* What is stored ---------------------------------------------------------------------------------
 */

/* A database that is older than its blocks begins behind the days that were counted when they went.
 * Blocks of days that went since are one block. */
static const char settle_sql[] =
	"WITH gone AS (SELECT max(next_id) - 1 AS id FROM ledger_gone WHERE pixel_id = 0), old AS "
	"(DELETE FROM ledger_block b USING gone WHERE b.next_id <= gone.id RETURNING b.*), first AS "
	"(SELECT pixel_id, n FROM old UNION ALL SELECT pixel_id, n FROM ledger_gone WHERE item IN "
	"(0, 20) AND (item = 20 OR pixel_id = 0) AND NOT EXISTS (SELECT FROM ledger_block)) INSERT "
	"INTO ledger_block SELECT 0, gone.id, pixel_id, sum(n)::bigint, 0 FROM first, gone GROUP BY "
	"gone.id, pixel_id";

static enum ta_rc read_faults(struct ledger_watch *w, struct db *db, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	struct ledger_fault_row *rows = NULL;
	size_t n = 0;
	enum ta_rc rc = ledger_faults_read(db, &a, &rows, &n, err);
	w->faults = ta_realloc(w->faults, (n + 1) * sizeof(*w->faults));
	w->nfaults = rc ? 0 : n;
	for (size_t i = 0; i < w->nfaults; i++)
		w->faults[i] = rows[i].fault;
	arena_release(&a);
	return rc;
}

enum ta_rc ledger_watch_open(struct ledger_watch *w, struct db *db, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	ledger_watch_release(w);
	enum ta_rc rc = db_exec(db, settle_sql, err);
	if (!rc)
		rc = db_query(db,
			"SELECT pixel_id, sum(n)::bigint, max(next_id) FROM ledger_block GROUP BY 1",
			NULL, &r, err);
	if (rc)
		return rc;
	w->sealed = ta_alloc(((size_t)db_rows(r) + 1) * sizeof(*w->sealed));
	for (int i = 0; i < db_rows(r); i++) {
		w->sealed[w->nsealed++] =
			(struct ledger_sum){(int32_t)db_i64(r, i, 0), db_i64(r, i, 1)};
		w->sealed_id = TA_MAX(w->sealed_id, db_i64(r, i, 2));
	}
	return read_faults(w, db, err);
}

enum ta_rc ledger_faults_read(struct db *db, struct arena *a, struct ledger_fault_row **out,
	size_t *n, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		"SELECT f.pixel_id, f.event_id, f.kind, f.rows, f.book, f.found_us, f.detail, "
		"coalesce(s.name, ''), coalesce(p.name, f.pixel_id::text) FROM ledger_fault f LEFT JOIN "
		"pixel p ON p.id = f.pixel_id LEFT JOIN store s ON s.id = p.store_id ORDER BY 8, 9, "
		"f.event_id LIMIT 1000",
		NULL, &r, err);
	*n = rc ? 0 : (size_t)db_rows(r);
	*out = arena_alloc(a, (*n + 1) * sizeof(**out));
	for (int i = 0; i < (int)*n; i++) {
		struct ledger_fault_row *row = &(*out)[i];
		row->store = arena_strdup(a, db_text(r, i, 7));
		row->pixel = arena_strdup(a, db_text(r, i, 8));
		row->fault = (struct ledger_fault){.pixel_id = (int32_t)db_i64(r, i, 0),
			.event_id = db_i64(r, i, 1),
			.kind = (enum ledger_fault_kind)db_i64(r, i, 2),
			.rows = (int)db_i64(r, i, 3),
			.book = (int)db_i64(r, i, 4),
			.found_us = db_i64(r, i, 5)};
		snprintf(row->fault.detail, sizeof(row->fault.detail), "%s", db_text(r, i, 6));
	}
	return rc;
}

/* A look -----------------------------------------------------------------------------------------
 */

struct look {
	struct ledger_watch *w;
	struct db *db;
	int64_t now_us;
	struct arena mem;
	struct ledger book;
	struct ledger_span span;   /* the newest events */
	bool full;                 /* that is a block: it is sealed */
	struct ledger_found found; /* of the newest; then of all that was looked at */
	struct ledger_count *seal; /* owned: what the newest count */
	size_t nseal;
	/* What was looked at: faults in these stretches are replaced by those that were found. */
	struct ledger_span seen[3];
	size_t nseen;
	bool whole; /* books and rows were compared: event_id 0 is replaced too */
};

static const struct ledger_row *row_of(const struct look *k, int32_t pixel_id)
{
	for (size_t i = 0; i < k->book.n; i++)
		if (k->book.rows[i].pixel_id == pixel_id)
			return &k->book.rows[i];
	return NULL;
}

static int64_t sum_of(const struct ledger_sum *sums, size_t n, int32_t pixel_id)
{
	for (size_t i = 0; i < n; i++)
		if (sums[i].pixel_id == pixel_id)
			return sums[i].n;
	return 0;
}

static const struct ledger_count *count_of(
	const struct ledger_count *counts, size_t n, int32_t pixel_id)
{
	for (size_t i = 0; i < n; i++)
		if (counts[i].pixel_id == pixel_id)
			return &counts[i];
	return NULL;
}

/* Where the newest block ends: it never crosses a day, because days go one by one. */
static enum ta_rc find_newest(struct look *k, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	int64_t top = 0;
	enum ta_rc rc = event_last_id(k->db, &top, err);
	db_arg_i64(&a, k->w->sealed_id);
	if (!rc)
		rc = db_read(k->db, "SELECT min(id) FROM event WHERE id > $1", &a, &r, err);
	if (rc)
		return rc;
	k->span = (struct ledger_span){top, top};
	if (db_null(r, 0, 0))
		return TA_OK;
	int64_t first = db_i64(r, 0, 0), end = partition_end(first);
	TA_CLEANUP(db_clear) PGresult *last = NULL;
	a = DB_ARGS_INIT;
	db_arg_i64(&a, first);
	db_arg_i64(&a, end);
	rc = db_read(k->db,
		"SELECT id FROM event WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 1 OFFSET 9999",
		&a, &last, err);
	if (rc)
		return rc;
	k->full = db_rows(last) || top >= end;
	k->span = (struct ledger_span){first - 1, db_rows(last) ? db_i64(last, 0, 0)
						  : k->full     ? end - 1
								: top};
	return TA_OK;
}

/* What one block, old or new, has lost since it was sealed. */
static enum ta_rc compare_block(struct look *k, const struct ledger_span *s, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, s->after);
	enum ta_rc rc = db_read(k->db,
		"SELECT pixel_id, n, ids FROM ledger_block WHERE first_id = $1 AND pixel_id <> 0",
		&a, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		int32_t pixel = (int32_t)db_i64(r, i, 0);
		const struct ledger_count *c = count_of(k->found.counts, k->found.ncounts, pixel);
		int64_t lost = db_i64(r, i, 1) - (c ? c->n : 0);
		int64_t ids = db_i64(r, i, 2) - (c ? c->ids : 0);
		size_t before = k->found.nfaults;
		if (lost == 1)
			ledger_found_add(&k->found, LEDGER_MISSING, pixel, s->after + ids);
		else if (lost > 1)
			rc = ledger_span_missing(k->db, s, pixel, &k->found, err);
		if (!rc && lost && before == k->found.nfaults)
			snprintf(ledger_found_add(&k->found, LEDGER_ROWS, pixel, s->until)->detail,
				sizeof(k->found.faults->detail),
				"a block of routes that ends with this event counted %lld and counts "
				"%lld now",
				(long long)db_i64(r, i, 1), (long long)(c ? c->n : 0));
	}
	return rc;
}

static enum ta_rc look_again(struct look *k, const struct ledger_span *s, struct ta_err *err)
{
	for (size_t i = 0; i < k->nseen; i++)
		if (k->seen[i].after == s->after)
			return TA_OK;
	enum ta_rc rc = ledger_span_check(k->db, s, &k->found, err);
	if (!rc)
		rc = compare_block(k, s, err);
	k->seen[k->nseen++] = *s;
	return rc;
}

/* The first block from `id` on that still has its rows; none: *s is left alone. */
static enum ta_rc find_block(
	struct look *k, const char *sql, int64_t id, struct ledger_span *s, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, id);
	enum ta_rc rc = db_read(k->db, sql, &a, &r, err);
	if (!rc && db_rows(r))
		*s = (struct ledger_span){db_i64(r, 0, 0), db_i64(r, 0, 1)};
	return rc;
}

#define KEPT                                                                                       \
	"SELECT first_id, next_id FROM ledger_block WHERE pixel_id = 0 AND first_id > 0 AND "      \
	"next_id > coalesce((SELECT max(next_id) FROM ledger_gone WHERE pixel_id = 0), 0) AND "

/* The block of a fault, in turn, so that one that was mended is soon seen to be; and the next. */
static enum ta_rc look_at_old(struct look *k, struct ta_err *err)
{
	struct ledger_watch *w = k->w;
	struct ledger_span bad = {0, 0}, next = {0, 0};
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; i < w->nfaults && !bad.until && !rc; i++) {
		const struct ledger_fault *f = &w->faults[(w->again + i) % w->nfaults];
		if (f->event_id && f->event_id <= w->sealed_id) {
			w->again = (w->again + i + 1) % w->nfaults;
			rc = find_block(k,
				KEPT "first_id < $1 AND next_id >= $1 ORDER BY first_id LIMIT 1",
				f->event_id, &bad, err);
		}
	}
	if (!rc && bad.until)
		rc = look_again(k, &bad, err);
	if (!rc)
		rc = find_block(
			k, KEPT "first_id >= $1 ORDER BY first_id LIMIT 1", w->turn, &next, err);
	w->turn = next.until; /* 0: from the beginning again */
	return rc || !next.until ? rc : look_again(k, &next, err);
}

/* Books and rows
 * -----------------------------------------------------------------------------------
 */

static enum ta_rc compare_pixel(struct look *k, const struct ledger_row *r, struct ta_err *err)
{
	const struct ledger_count *c = count_of(k->seal, k->nseal, r->pixel_id);
	int64_t rows = sum_of(k->w->sealed, k->w->nsealed, r->pixel_id) + (c ? c->n : 0);
	int64_t lost = r->book.events - rows, balance = ledger_balance(&r->book);
	size_t before = k->found.nfaults;
	enum ta_rc rc = TA_OK;
	if (balance)
		snprintf(ledger_found_add(&k->found, LEDGER_BOOK, r->pixel_id, 0)->detail,
			sizeof(k->found.faults->detail),
			"the books count %lld events and %lld in all dispositions",
			(long long)r->book.events, (long long)(r->book.events - balance));
	if (lost > 0)
		rc = ledger_span_missing(k->db, &k->span, r->pixel_id, &k->found, err);
	if (!rc && lost && before == k->found.nfaults)
		snprintf(ledger_found_add(&k->found, LEDGER_ROWS, r->pixel_id, 0)->detail,
			sizeof(k->found.faults->detail),
			"the books count %lld events, the rows %lld, and none of them can be named",
			(long long)r->book.events, (long long)rows);
	return rc;
}

static enum ta_rc compare_all(struct look *k, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; !rc && i < k->book.n; i++)
		rc = compare_pixel(k, &k->book.rows[i], err);
	struct ledger_watch *w = k->w;
	w->booked = ta_realloc(w->booked, (k->book.n + 1) * sizeof(*w->booked));
	w->nbooked = k->book.n;
	for (size_t i = 0; i < k->book.n; i++)
		w->booked[i] =
			(struct ledger_sum){k->book.rows[i].pixel_id, k->book.rows[i].book.events};
	k->whole = w->known = true;
	return rc;
}

static const char *said(int disposition)
{
	return disposition < 0 ? "nothing" : disposition_word(disposition);
}

static void word_fault(struct ledger_fault *f)
{
	static const char *const whys[LEDGER_KINDS] = {
		[LEDGER_LOST] = "the dispatcher is past it, nothing will send it",
		[LEDGER_IDLE] = "nothing will try it again",
		[LEDGER_UNHELD] = "nothing will release it",
		[LEDGER_ORPHAN] = "it has verdicts and no route",
		[LEDGER_CHAIN] = "its verdicts do not follow each other",
		[LEDGER_MISSING] = "it has no route"};
	const char *why = whys[f->kind] ? whys[f->kind] : "";
	if (*f->detail)
		return;
	if (f->book >= 0)
		snprintf(f->detail, sizeof(f->detail), "the book says %s, the rows say %s: %s",
			said(f->book), said(f->rows), why);
	else
		snprintf(f->detail, sizeof(f->detail), "the rows say %s: %s", said(f->rows), why);
}

static struct ledger_fault *known(const struct ledger_watch *w, const struct ledger_fault *f)
{
	for (size_t i = 0; i < w->nfaults; i++)
		if (w->faults[i].pixel_id == f->pixel_id && w->faults[i].event_id == f->event_id)
			return &w->faults[i];
	return NULL;
}

/* One fault an event and pixel, the first that was found; those that are known keep their words. */
static enum ta_rc describe(struct look *k, struct ta_err *err)
{
	size_t kept = 0;
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; !rc && i < k->found.nfaults; i++) {
		struct ledger_fault f = k->found.faults[i];
		bool again = false;
		for (size_t j = 0; j < kept; j++)
			again = again || (k->found.faults[j].pixel_id == f.pixel_id &&
						 k->found.faults[j].event_id == f.event_id);
		if (again)
			continue;
		const struct ledger_fault *old = known(k->w, &f);
		if (old && old->kind == f.kind && old->rows == f.rows && f.event_id) {
			f = *old;
		} else {
			if (f.event_id && f.kind != LEDGER_ROWS)
				rc = ledger_book_says(k->db, k->now_us, &f, err);
			word_fault(&f);
			f.found_us = old ? old->found_us : k->now_us;
		}
		k->found.faults[kept++] = f;
	}
	k->found.nfaults = kept;
	return rc;
}

/* All that is read, in one snapshot. */
static enum ta_rc read_all(struct look *k, struct ta_err *err)
{
	enum ta_rc rc = ledger_book(k->db, &k->mem, &k->book, err);
	if (!rc)
		rc = find_newest(k, err);
	if (!rc)
		rc = ledger_span_check(k->db, &k->span, &k->found, err);
	if (rc)
		return rc;
	k->seal = ta_alloc((k->found.ncounts + 1) * sizeof(*k->seal));
	k->nseal = k->found.ncounts;
	if (k->nseal)
		memcpy(k->seal, k->found.counts, k->nseal * sizeof(*k->seal));
	k->seen[k->nseen++] = k->span;
	if (!k->full)
		rc = compare_all(k, err);
	if (!rc)
		rc = look_at_old(k, err);
	return rc ? rc : describe(k, err);
}

/* Writing
 * ------------------------------------------------------------------------------------------
 */

static bool was_seen(const struct look *k, const struct ledger_fault *f)
{
	if (!f->event_id)
		return k->whole;
	for (size_t i = 0; i < k->nseen; i++)
		if (f->event_id > k->seen[i].after && f->event_id <= k->seen[i].until)
			return true;
	return false;
}

static void say(const struct look *k, const struct ledger_fault *f, bool over)
{
	const struct ledger_row *r = row_of(k, f->pixel_id);
	char what[40] = "the books";
	if (f->event_id)
		snprintf(what, sizeof(what), "event %lld", (long long)f->event_id);
	if (over)
		log_info("ledger: %s at %s/%s adds up again", what, r ? r->store : "?",
			r ? r->pixel : "?");
	else
		log_error("ledger: %s at %s/%s: %s", what, r ? r->store : "?", r ? r->pixel : "?",
			f->detail);
}

static enum ta_rc write_fault(
	const struct look *k, const struct ledger_fault *f, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i32(&a, f->pixel_id);
	db_arg_i64(&a, f->event_id);
	db_arg_i32(&a, (int32_t)f->kind);
	db_arg_i32(&a, f->rows);
	db_arg_i32(&a, f->book);
	db_arg_i64(&a, f->found_us);
	db_arg_text(&a, f->detail);
	return db_run(k->db,
		"INSERT INTO ledger_fault VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (pixel_id, "
		"event_id) DO UPDATE SET kind = $3, rows = $4, book = $5, detail = $7",
		&a, err);
}

static enum ta_rc drop_fault(const struct look *k, const struct ledger_fault *f, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i32(&a, f->pixel_id);
	db_arg_i64(&a, f->event_id);
	return db_run(
		k->db, "DELETE FROM ledger_fault WHERE pixel_id = $1 AND event_id = $2", &a, err);
}

static const struct ledger_fault *found_again(const struct look *k, const struct ledger_fault *f)
{
	for (size_t i = 0; i < k->found.nfaults; i++)
		if (k->found.faults[i].pixel_id == f->pixel_id &&
			k->found.faults[i].event_id == f->event_id)
			return &k->found.faults[i];
	return NULL;
}

static enum ta_rc write_faults(struct look *k, struct ta_err *err)
{
	struct ledger_watch *w = k->w;
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; !rc && i < w->nfaults; i++)
		if (was_seen(k, &w->faults[i]) && !found_again(k, &w->faults[i]))
			rc = drop_fault(k, &w->faults[i], err);
	for (size_t i = 0; !rc && i < k->found.nfaults; i++) {
		const struct ledger_fault *old = known(w, &k->found.faults[i]);
		if (!old || strcmp(old->detail, k->found.faults[i].detail) != 0)
			rc = write_fault(k, &k->found.faults[i], err);
	}
	return rc;
}

static enum ta_rc write_block(const struct look *k, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, k->span.after);
	db_arg_i64(&a, k->span.until);
	DB_COLUMN(&a, k->seal, k->nseal, pixel_id);
	DB_COLUMN(&a, k->seal, k->nseal, n);
	DB_COLUMN(&a, k->seal, k->nseal, ids);
	return db_run(k->db,
		"INSERT INTO ledger_block SELECT $1, $2, 0, 0, 0 UNION ALL SELECT $1, $2, p, n, i "
		"FROM unnest($3::int[], $4::bigint[], $5::bigint[]) u(p, n, i)",
		&a, err);
}

/* In memory, once it is committed. */
static void take_faults(struct look *k)
{
	struct ledger_watch *w = k->w;
	size_t kept = 0;
	for (size_t i = 0; i < k->found.nfaults; i++)
		if (!known(w, &k->found.faults[i]))
			say(k, &k->found.faults[i], false);
	for (size_t i = 0; i < w->nfaults; i++) {
		bool seen = was_seen(k, &w->faults[i]);
		if (seen && !found_again(k, &w->faults[i]))
			say(k, &w->faults[i], true);
		if (!seen && !found_again(k, &w->faults[i]))
			w->faults[kept++] = w->faults[i];
	}
	size_t more = TA_MIN(k->found.nfaults, FAULTS_MAX - TA_MIN(kept, FAULTS_MAX));
	w->faults = ta_realloc(w->faults, (kept + more + 1) * sizeof(*w->faults));
	if (more)
		memcpy(w->faults + kept, k->found.faults, more * sizeof(*w->faults));
	w->nfaults = kept + more;
	w->again = w->nfaults ? w->again % w->nfaults : 0;
}

static void take_block(struct look *k)
{
	struct ledger_watch *w = k->w;
	for (size_t i = 0; i < k->nseal; i++) {
		size_t at = 0;
		while (at < w->nsealed && w->sealed[at].pixel_id != k->seal[i].pixel_id)
			at++;
		if (at == w->nsealed) {
			w->sealed = ta_realloc(w->sealed, (at + 1) * sizeof(*w->sealed));
			w->sealed[w->nsealed++] = (struct ledger_sum){k->seal[i].pixel_id, 0};
		}
		w->sealed[at].n += k->seal[i].n;
	}
	w->sealed_id = k->span.until;
}

static enum ta_rc write_all(struct look *k, struct ta_err *err)
{
	enum ta_rc rc = db_begin(k->db, err);
	if (!rc)
		rc = write_faults(k, err);
	if (!rc && k->full)
		rc = write_block(k, err);
	if (!rc)
		rc = db_commit(k->db, err);
	if (rc) {
		db_rollback(k->db);
		return rc;
	}
	take_faults(k);
	if (k->full)
		take_block(k);
	return TA_OK;
}

enum ta_rc ledger_watch_look(
	struct ledger_watch *w, struct db *db, int64_t now_us, struct ta_err *err)
{
	struct look k = {.w = w, .db = db, .now_us = now_us};
	int64_t begun = clock_mono_us();
	if (begun < w->due_us)
		return TA_OK;
	enum ta_rc rc = db_exec(db, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", err);
	if (!rc)
		rc = read_all(&k, err);
	if (!rc)
		rc = db_commit(db, err);
	if (rc)
		db_rollback(db);
	else
		rc = write_all(&k, err);
	int64_t end = clock_mono_us(), pause = SHARE * (end - begun);
	w->due_us = end + (k.full && !rc ? pause : TA_MAX(pause, LOOK_US));
	ledger_found_release(&k.found);
	free(k.seal);
	arena_release(&k.mem);
	return rc;
}

size_t ledger_watch_of(const struct ledger_watch *w, int32_t pixel_id, const char **why)
{
	size_t n = 0;
	*why = "";
	for (size_t i = 0; i < w->nfaults; i++)
		if (w->faults[i].pixel_id == pixel_id && !n++)
			*why = w->faults[i].detail;
	return n;
}

int64_t ledger_watch_events(const struct ledger_watch *w, int32_t pixel_id)
{
	return sum_of(w->booked, w->nbooked, pixel_id);
}
