#include "db/sweep.h"

#include "db/command.h"
#include "db/conn.h"
#include "db/log_id.h"
#include "db/stage.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/log.h"
#include "src/words.h"

#include <string.h>

#define TELL_US     (60 * US_PER_S)   /* between two orders to the dispatcher */
#define LONG_US     (3600 * US_PER_S) /* behind its time, whatever else of the pixel moves */
#define BEGIN_US    (600 * US_PER_S)  /* routes older than that at the start are not looked at */
#define SPEND_US    (150 * INT64_C(1000)) /* on routes, in one look */
#define STEP_US     US_PER_S              /* of ids in one query of routes, then twice as many */
#define STEP_MAX_US (600 * US_PER_S)

const char *stuck_word(enum stuck_kind k)
{
	static const char *const words[] = {"", "retry", "claim", "route", "range"};
	return words[k];
}

const char *stuck_text(enum stuck_kind k)
{
	static const char *const texts[] = {"", "their next attempt lies in the past",
		"their exchange must have ended long ago",
		"queued, and the dispatcher is past them",
		"their stretch of routes does not move on"};
	return texts[k];
}

enum ta_rc stuck_read(struct db *db, bool all, struct arena *a, struct stuck_row **out, size_t *n,
	struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_i64(&args, all ? clock_now_us() - US_PER_DAY : INT64_MAX);
	enum ta_rc rc = db_read(db,
		"SELECT k.kind, k.pixel_id, k.n, k.event_id, k.since_us, k.found_us, k.ended_us, "
		"coalesce(s.name || '/' || p.name, '?'), k.note FROM stuck k LEFT JOIN pixel p ON p.id "
		"= k.pixel_id LEFT JOIN store s ON s.id = p.store_id WHERE k.ended_us IS NULL OR "
		"k.ended_us > $1 ORDER BY k.found_us DESC LIMIT 200",
		&args, &r, err);
	*n = 0;
	if (rc)
		return rc;
	*n = (size_t)db_rows(r);
	*out = arena_alloc(a, (*n + 1) * sizeof(**out));
	for (int i = 0; i < db_rows(r); i++)
		(*out)[i] = (struct stuck_row){
			.kind = (enum stuck_kind)db_i64(r, i, 0),
			.pixel_id = (int32_t)db_i64(r, i, 1),
			.n = db_i64(r, i, 2),
			.event_id = db_i64(r, i, 3),
			.since_us = db_i64(r, i, 4),
			.found_us = db_i64(r, i, 5),
			.ended_us = db_null(r, i, 6) ? 0 : db_i64(r, i, 6),
			.pixel = arena_strdup(a, db_text(r, i, 7)),
			.note = arena_strdup(a, db_text(r, i, 8)),
		};
	return TA_OK;
}

/* Looking ----------------------------------------------------------------------------------------
 */

/* Pixels that nothing keeps: not held, no open circuit, both for a while; $1: stale before. */
#define FREE                                                                                       \
	" JOIN pixel p ON p.id = x.pixel_id AND p.state = 'active' AND p.deleted_us IS NULL AND "  \
	"p.state_us <= $1 LEFT JOIN circuit c ON c.pixel_id = x.pixel_id WHERE "                   \
	"coalesce(greatest(c.forced_us, c.until_us, c.since_us), 0) <= $1 AND "
/* And of which nothing went out lately; $2: as an id. Or it is long past; $3. */
#define STILL                                                                                      \
	"((SELECT true FROM attempt a WHERE a.pixel_id = x.pixel_id AND a.id > $2 LIMIT 1) IS "    \
	"NULL OR x.since < $3)"

/* pixel, how many, one of them, since. */
static const char *const looks[] = {
	[STUCK_RETRY] =
		"SELECT x.pixel_id, x.n, x.e, x.since FROM (SELECT pixel_id, count(*) n, "
		"min(event_id) e, min(abs(due_us)) since FROM (SELECT pixel_id, event_id, "
		"due_us FROM retry WHERE due_us <= $1 AND -due_us <= $1 ORDER BY due_us LIMIT "
		"20000) r GROUP BY 1) x" FREE STILL " LIMIT 64",
	[STUCK_CLAIM] =
		"SELECT x.pixel_id, x.n, x.e, x.since FROM (SELECT pixel_id, "
		"sum(cardinality(events))::bigint n, min(events[1]) e, (min(id) >> 21) * 1000 "
		"since FROM inflight WHERE state = 0 AND id <= $2 GROUP BY 1) x" FREE STILL
		" LIMIT 64",
	[STUCK_RANGE] =
		"SELECT x.pixel_id, x.n, x.e, x.since FROM (SELECT r.pixel_id, count(*) n, "
		"min(q.pos) e, min(r.created_us) since FROM range r, LATERAL (SELECT "
		"coalesce(max(pos), r.start_id) pos FROM range_pos WHERE range_id = r.id) q "
		"WHERE r.state = 'open' AND r.created_us <= $1 AND q.pos < least(r.end_id, "
		"$2) GROUP BY 1) x" FREE
		"(SELECT true FROM attempt a WHERE a.pixel_id = x.pixel_id AND a.id > $2 "
		"LIMIT 1) IS NULL AND $3 > 0 LIMIT 64",
};

static struct sweep_seen *add(struct sweep *s, enum stuck_kind kind, const PGresult *r, int i)
{
	if (s->nseen == SWEEP_SEEN)
		return NULL;
	struct sweep_seen *x = &s->seen[s->nseen++];
	*x = (struct sweep_seen){.kind = kind,
		.pixel_id = (int32_t)db_i64(r, i, 0),
		.n = db_i64(r, i, 1),
		.event_id = db_i64(r, i, 2),
		.since_us = db_i64(r, i, 3)};
	return x;
}

static enum ta_rc look(
	struct sweep *s, struct db *db, enum stuck_kind kind, int64_t now_us, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	int64_t stale = now_us - SWEEP_STALE_US;
	db_arg_i64(&a, stale);
	db_arg_i64(&a, log_id_at(stale));
	db_arg_i64(&a, now_us - LONG_US);
	enum ta_rc rc = db_read(db, looks[kind], &a, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++)
		(void)add(s, kind, r, i);
	return rc;
}

/* Routes that are queued, without any verdict, claim, retry or range: a pixel's are one candidate.
 */
#define LOST                                                                                       \
	"SELECT r.pixel_id, 1::bigint, r.event_id, (r.event_id >> 21) * 1000 FROM route r WHERE "  \
	"r.event_id > $1 AND r.event_id <= $2 AND r.decision = 0 AND (SELECT true FROM verdict v " \
	"WHERE v.event_id = r.event_id AND v.pixel_id = r.pixel_id LIMIT 1) IS NULL AND NOT "      \
	"EXISTS (SELECT FROM retry t WHERE t.event_id = r.event_id AND t.pixel_id = r.pixel_id) "  \
	"AND NOT EXISTS (SELECT FROM inflight f WHERE f.pixel_id = r.pixel_id AND r.event_id = "   \
	"ANY (f.events)) AND NOT EXISTS (SELECT FROM range g WHERE g.pixel_id = r.pixel_id AND "   \
	"g.state <> 'done' AND r.event_id > g.start_id AND r.event_id <= g.end_id) AND EXISTS "    \
	"(SELECT FROM pixel p WHERE p.id = r.pixel_id AND p.deleted_us IS NULL) LIMIT 500"

static void lost_route(struct sweep *s, const PGresult *r, int i)
{
	struct sweep_seen *x = NULL;
	for (size_t k = 0; k < s->nseen; k++)
		if (s->seen[k].kind == STUCK_ROUTE &&
			s->seen[k].pixel_id == (int32_t)db_i64(r, i, 0))
			x = &s->seen[k];
	if (x)
		x->n++;
	else
		x = add(s, STUCK_ROUTE, r, i);
	if (x && x->nevents < SWEEP_ROUTES)
		x->events[x->nevents++] = db_i64(r, i, 2);
}

/* Each route is looked at once, when it is old enough; where something was found the next look
 * begins there again. */
static enum ta_rc look_at_routes(struct sweep *s, struct db *db, int64_t now_us, struct ta_err *err)
{
	int64_t position = 0, begun = clock_mono_us();
	enum ta_rc rc = cursor_get(db, "dispatch", &position, err);
	int64_t end = TA_MIN(position, log_id_at(now_us - SWEEP_STALE_US));
	int64_t from = TA_MAX(s->route_id, log_id_at(now_us - BEGIN_US));
	if (!s->begun)
		s->route_id = from;
	s->begun = true;
	bool found = false;
	for (int64_t step = STEP_US;
		!rc && !found && s->route_id < end && clock_mono_us() - begun < SPEND_US;
		step = TA_MIN(step * 2, STEP_MAX_US)) {
		TA_CLEANUP(db_clear) PGresult *r = NULL;
		struct db_args a = DB_ARGS_INIT;
		int64_t to = TA_MIN(end, log_id_at(log_id_us(s->route_id) + step));
		db_arg_i64(&a, s->route_id);
		db_arg_i64(&a, to);
		rc = db_read(db, LOST, &a, &r, err);
		for (int i = 0; !rc && i < db_rows(r); i++)
			lost_route(s, r, i);
		found = !rc && db_rows(r) > 0;
		if (!rc && !found)
			s->route_id = to;
	}
	return rc;
}

/* Saying ----------------------------------------------------------------------------------------
 */

static const struct sweep_seen *seen_before(
	const struct sweep_seen *before, size_t n, const struct sweep_seen *x)
{
	for (size_t i = 0; i < n; i++)
		if (before[i].kind == x->kind && before[i].pixel_id == x->pixel_id &&
			(before[i].event_id == x->event_id || before[i].since_us == x->since_us))
			return &before[i];
	return NULL;
}

static enum ta_rc dispatcher_lives(struct db *db, int64_t now_us, bool *lives, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, now_us - COMMAND_ALIVE_S * US_PER_S);
	enum ta_rc rc = db_read(db,
		"SELECT EXISTS (SELECT FROM heartbeat WHERE role = 'dispatcher' AND active AND at_us "
		"> $1)",
		&a, &r, err);
	*lives = !rc && db_bool(r, 0, 0);
	return rc;
}

static enum ta_rc note(struct db *db, const struct sweep_seen *x, const char *text, int64_t now_us,
	struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i32(&a, (int32_t)x->kind);
	db_arg_i32(&a, x->pixel_id);
	db_arg_i64(&a, x->n);
	db_arg_i64(&a, x->event_id);
	db_arg_i64(&a, x->since_us);
	db_arg_i64(&a, now_us);
	db_arg_text(&a, text);
	enum ta_rc rc = db_read(db,
		"INSERT INTO stuck AS k (kind, pixel_id, n, event_id, since_us, found_us, note) VALUES "
		"($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (kind, pixel_id) DO UPDATE SET n = $3, "
		"event_id = $4, note = $7, since_us = CASE WHEN k.ended_us IS NULL THEN k.since_us ELSE "
		"$5 END, found_us = CASE WHEN k.ended_us IS NULL THEN k.found_us ELSE $6 END, ended_us "
		"= NULL RETURNING found_us = $6",
		&a, &r, err);
	if (!rc && db_rows(r) && db_bool(r, 0, 0))
		log_error("%lld deliveries of pixel %d are stuck, event %lld first: %s; %s",
			(long long)x->n, (int)x->pixel_id, (long long)x->event_id,
			stuck_text(x->kind), text);
	return rc;
}

/* Those that are not among what is stuck now have ended. */
static enum ta_rc end_others(
	struct db *db, const struct sweep_seen *v, size_t n, int64_t now_us, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	int64_t keys[SWEEP_SEEN];
	for (size_t i = 0; i < n; i++)
		keys[i] = (int64_t)v[i].kind << 32 | v[i].pixel_id;
	db_arg_i64(&a, now_us);
	db_arg_i64s(&a, keys, n);
	enum ta_rc rc = db_read(db,
		"UPDATE stuck SET ended_us = $1 WHERE ended_us IS NULL AND kind::bigint << 32 | "
		"pixel_id <> ALL ($2) RETURNING kind, pixel_id",
		&a, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++)
		log_info("what was stuck at pixel %d (%s) moves again", (int)db_i64(r, i, 1),
			stuck_word((enum stuck_kind)db_i64(r, i, 0)));
	return rc;
}

/* Putting right ---------------------------------------------------------------------------------
 */

/* The dispatcher forgets what it keeps in memory and reads it anew; lost routes are named to it. */
static enum ta_rc tell(
	struct db *db, const struct sweep_seen *v, size_t n, int64_t now_us, struct ta_err *err)
{
	struct buf b = BUF_INIT(64 * 1024);
	struct db_args a = DB_ARGS_INIT;
	buf_adds(&b, "{\"routes\":[");
	for (size_t i = 0, k = 0; i < n; i++)
		for (size_t e = 0; e < v[i].nevents; e++)
			buf_addf(&b, "%s[%lld,%d]", k++ ? "," : "", (long long)v[i].events[e],
				(int)v[i].pixel_id);
	buf_adds(&b, "]}");
	db_arg_i64(&a, now_us);
	db_arg_text(&a, buf_str(&b));
	enum ta_rc rc = db_run(db,
		"INSERT INTO command (at_us, actor, kind, args) SELECT $1, 'role:folder', "
		"'" COMMAND_RESUME
		"', $2 WHERE NOT EXISTS (SELECT FROM command WHERE done_us IS NULL "
		"AND kind = '" COMMAND_RESUME "')",
		&a, err);
	buf_release(&b);
	return rc ? rc : db_exec(db, "NOTIFY " COMMAND_CHANNEL, err);
}

/* Keeps of v what two looks found. */
static size_t confirmed(const struct sweep *s, const struct sweep_seen *before, size_t nbefore,
	struct sweep_seen *out)
{
	size_t n = 0;
	for (size_t i = 0; i < s->nseen; i++)
		if (seen_before(before, nbefore, &s->seen[i]))
			out[n++] = s->seen[i];
	return n;
}

static enum ta_rc act(
	struct sweep *s, struct db *db, const struct sweep_seen *v, size_t n, struct ta_err *err)
{
	bool lives = false;
	int64_t now_us = clock_now_us(), mono = clock_mono_us();
	enum ta_rc rc = n ? dispatcher_lives(db, now_us, &lives, err) : TA_OK;
	bool tells = lives && (!s->told_us || mono - s->told_us >= TELL_US);
	const char *text = lives ? "the dispatcher was told to take them up again"
				 : "the dispatcher gives no sign of life: trackai status";
	for (size_t i = 0; !rc && i < n; i++)
		rc = note(db, &v[i], text, now_us, err);
	if (!rc && n && tells) {
		rc = tell(db, v, n, now_us, err);
		s->told_us = mono;
	}
	if (!rc && (s->any || n))
		rc = end_others(db, v, n, now_us, err);
	s->any = n > 0;
	return rc;
}

enum ta_rc sweep_look(struct sweep *s, struct db *db, int64_t now_us, struct ta_err *err)
{
	static struct sweep_seen before[SWEEP_SEEN], sure[SWEEP_SEEN];
	int64_t mono = clock_mono_us();
	if (s->looked_us && mono - s->looked_us < SWEEP_EVERY_US)
		return TA_OK;
	size_t nbefore = s->nseen;
	memcpy(before, s->seen, nbefore * sizeof(*before));
	s->any = s->any || !s->looked_us; /* what a former process left open */
	s->looked_us = mono;
	s->nseen = 0;
	enum ta_rc rc = look(s, db, STUCK_RETRY, now_us, err);
	if (!rc)
		rc = look(s, db, STUCK_CLAIM, now_us, err);
	if (!rc)
		rc = look(s, db, STUCK_RANGE, now_us, err);
	if (!rc)
		rc = look_at_routes(s, db, now_us, err);
	if (rc)
		return rc;
	return act(s, db, sure, confirmed(s, before, nbefore, sure), err);
}
