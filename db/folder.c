#include "db/folder.h"

#include "db/alert.h"
#include "db/conn.h"
#include "db/health.h"
#include "db/journey.h"
#include "db/ledger_watch.h"
#include "db/log_id.h"
#include "db/notice.h"
#include "db/retention.h"
#include "db/rollup.h"
#include "db/stage.h"
#include "db/sweep.h"
#include "src/clock.h"
#include "src/fault.h"
#include "src/log.h"
#include "src/role.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLD_US   (250 * INT64_C(1000)) /* between two folds while there is work */
#define TICK_US   (500 * INT64_C(1000)) /* between two ticks to the consoles */
#define IDLE_MS   1000
#define FOLLOW_US (100 * INT64_C(1000)) /* for the journeys at most, between two folds */
#define JUDGE_US  (5 * US_PER_S)        /* between two looks at the pixels' health */
#define MINUTE_US (60 * US_PER_S)
#define HOUR_US   (3600 * US_PER_S)

struct folder {
	struct stage stage;
	struct rollup rollup;
	struct health_keeper health;
	struct ledger_watch ledger;
	struct alerts alerts;
	struct journey journey;
	struct sweep sweep;
	int64_t judged_us;            /* monotonic */
	int64_t folded_us, ticked_us; /* monotonic, of the last */
	size_t taken;                 /* deltas of the last fold */
	size_t followed;              /* documents of the last step of the journeys */
	bool tick_due;
	int64_t minute_us, hour_us; /* wall clock of the last chores; 0: none yet */
	bool prune_more;
	char alarm[160], error[240];
	int64_t rows, rows_before, beat_us;
};

static enum ta_rc begin(struct folder *f, struct ta_err *err)
{
	health_keeper_release(&f->health);
	f->rollup.book = f->health.book = health_book_new();
	f->health.ledger = &f->ledger;
	f->judged_us = 0;
	enum ta_rc rc = rollup_open(&f->rollup, f->stage.db, err);
	if (!rc)
		rc = alert_resume(&f->alerts, f->stage.db, err);
	if (!rc)
		rc = ledger_watch_open(&f->ledger, f->stage.db, err);
	if (!rc)
		rc = journey_open(&f->journey, f->stage.db, err);
	return rc ? rc : health_load(f->health.book, f->stage.db, clock_now_us(), err);
}

static enum ta_rc fold(struct folder *f, struct ta_err *err)
{
	size_t rows = 0;
	fault_point("folder.before_commit");
	enum ta_rc rc = rollup_fold(&f->rollup, f->stage.db, clock_now_us(), &rows, err);
	fault_point("folder.after_commit");
	if (rows) {
		f->tick_due = true;
		f->rows += (int64_t)rows;
	}
	f->taken = rows;
	f->folded_us = clock_mono_us();
	return rc;
}

/* Journeys stand behind the books: they wait when there is much. */
static enum ta_rc follow(struct folder *f, struct ta_err *err)
{
	int64_t until = clock_mono_us() + FOLLOW_US;
	enum ta_rc rc = TA_OK;
	f->followed = JOURNEY_ROWS;
	while (!rc && f->followed == JOURNEY_ROWS && clock_mono_us() < until)
		rc = journey_follow(&f->journey, f->stage.db, &f->followed, err);
	return rc;
}

static enum ta_rc tick(struct folder *f, struct ta_err *err)
{
	int64_t now = clock_mono_us();
	if (!f->tick_due || now - f->ticked_us < TICK_US)
		return TA_OK;
	f->tick_due = false;
	f->ticked_us = now;
	return db_exec(f->stage.db, "NOTIFY tick", err);
}

/* An alarm is said when it is new and each hour again. */
static enum ta_rc hourly(struct folder *f, int64_t now_us, struct ta_err *err)
{
	enum ta_rc rc = partitions_ensure(f->stage.db, now_us, PARTITIONS_AHEAD, err);
	if (!rc)
		rc = retention_drop(f->stage.db, now_us, f->alarm, err);
	if (!rc && *f->alarm)
		log_error("retention: %s", f->alarm);
	if (!rc)
		rc = rollup_compact(f->stage.db, now_us, true, err);
	return rc;
}

/* Alerts that nobody took on are said again. */
static enum ta_rc remind(struct db *db, int64_t now_us, struct ta_err *err)
{
	int64_t every = 0, n = 0;
	enum ta_rc rc = notice_repeat(&every, err);
	if (!rc && every)
		rc = notice_remind(db, now_us, every, &n, err);
	return rc || !n ? rc : stage_notify(db, ALERT_CHANNEL, "", err);
}

static bool due(int64_t last_us, int64_t now_us, int64_t every_us)
{
	return !last_us || now_us / every_us != last_us / every_us;
}

/* Each in transactions of its own, by the wall clock, so that a test's clock drives them. A chore
 * that fails (somebody holds a table) is tried again the next minute. */
static enum ta_rc chores(struct folder *f, struct ta_err *err)
{
	int64_t now = clock_now_us();
	enum ta_rc rc = TA_OK;
	if (due(f->hour_us, now, HOUR_US) && due(f->minute_us, now, MINUTE_US)) {
		rc = hourly(f, now, err);
		f->prune_more = true;
		if (!rc)
			f->hour_us = now;
	}
	if (due(f->minute_us, now, MINUTE_US) && !db_lost(f->stage.db)) {
		struct ta_err e;
		f->minute_us = now;
		if (rollup_compact(f->stage.db, now, false, &e) ||
			retention_tidy(f->stage.db, now, &e) || remind(f->stage.db, now, &e))
			log_warn("%s", e.msg);
	}
	if (f->prune_more && !rc)
		rc = retention_prune(f->stage.db, now, &f->prune_more, err);
	return rc;
}

static void beat(struct folder *f)
{
	int64_t now = clock_mono_us();
	double seconds = (double)(now - f->beat_us) / 1e6;
	if (f->beat_us && seconds < 0.95)
		return;
	double rate = f->beat_us ? (double)(f->rows - f->rows_before) / seconds : 0;
	json_t *o = json_pack("{s:f,s:I,s:I,s:I,s:s,s:s}", "rate", rate, "folded",
		(json_int_t)f->rows, "router_us", (json_int_t)log_id_us(f->rollup.pos[0]),
		"dispatcher_us", (json_int_t)log_id_us(f->rollup.pos[1]), "alarm", f->alarm,
		"error", f->error);
	char *text = o ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
	f->beat_us = now;
	f->rows_before = f->rows;
	stage_beat(&f->stage, true, text ? text : "{}");
	free(text);
	json_decref(o);
}

/* Until there is something to fold. While there is work a fold each FOLD_US; after a quiet time the
 * first notification starts one at once. */
static void wait_for_work(struct folder *f)
{
	if (f->taken >= ROLLUP_ROWS)
		return; /* more than one step behind */
	int64_t now = clock_mono_us(), until = f->folded_us + FOLD_US;
	if (!f->taken) {
		bool more = f->tick_due || f->prune_more || f->followed == JOURNEY_ROWS;
		int ms = more ? 100 : IDLE_MS;
		(void)stage_wait(&f->stage, ms);
		return;
	}
	for (unsigned woke = 0; now < until && !(woke & (WOKE_STOP | WOKE_LOST | WOKE_CLOCK));
		now = clock_mono_us())
		woke = stage_wait(&f->stage, (int)((until - now + 999) / 1000));
}

static enum ta_rc judge(struct folder *f, struct ta_err *err)
{
	int64_t now = clock_mono_us();
	if (f->judged_us && now - f->judged_us < JUDGE_US)
		return TA_OK;
	f->judged_us = now;
	enum ta_rc rc = health_write(&f->health, f->stage.db, clock_now_us(), err);
	return rc ? rc : alert_look(&f->alerts, &f->health, f->stage.db, clock_now_us(), err);
}

static enum ta_rc round_once(struct folder *f, struct ta_err *err)
{
	enum ta_rc rc = fold(f, err);
	if (!rc)
		rc = tick(f, err);
	if (!rc)
		rc = ledger_watch_look(&f->ledger, f->stage.db, clock_now_us(), err);
	if (!rc)
		rc = follow(f, err);
	if (!rc)
		rc = judge(f, err);
	if (!rc)
		rc = sweep_look(&f->sweep, f->stage.db, clock_now_us(), err);
	if (!rc)
		rc = chores(f, err);
	return rc;
}

static enum ta_rc loop(struct folder *f, struct ta_err *err)
{
	enum ta_rc rc = begin(f, err);
	while (!role_stopping()) {
		if (!rc)
			rc = round_once(f, err);
		if (rc && db_lost(f->stage.db)) {
			rc = stage_reopen(&f->stage, err);
			if (rc)
				return rc;
			rc = begin(f, err);
			continue;
		}
		if (rc)
			log_warn("%s", err->msg);
		snprintf(f->error, sizeof(f->error), "%s", rc ? err->msg : "");
		beat(f);
		if (rc)
			(void)stage_wait(&f->stage, IDLE_MS);
		else
			wait_for_work(f);
		rc = TA_OK;
	}
	return TA_OK;
}

int folder_run(const struct role *role)
{
	static const char *const channels[] = {"route", "verdict", NULL};
	struct folder f = {0};
	struct ta_err err = {0};
	enum ta_rc rc = stage_open(&f.stage, role, LOCK_STAGE, STAGE_FOLDER, channels, &err);
	if (!rc)
		rc = loop(&f, &err);
	rollup_release(&f.rollup);
	health_keeper_release(&f.health);
	alerts_release(&f.alerts);
	ledger_watch_release(&f.ledger);
	stage_close(&f.stage);
	if (rc == TA_OK || rc == TA_CANCELLED)
		return 0;
	log_error("%s", err.msg);
	return ta_rc_exit(rc);
}
