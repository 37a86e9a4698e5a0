#include "db/stage.h"

#include "db/conn.h"
#include "db/migrate.h"
#include "src/clock.h"
#include "src/log.h"
#include "src/role.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Milliseconds, unless told to stop first. */
static void pause_ms(int ms)
{
	struct pollfd p = {.fd = role_stop_fd(), .events = POLLIN};
	(void)poll(&p, 1, ms);
}

static enum ta_rc listen_all(struct stage *s, struct ta_err *err)
{
	char sql[80];
	for (size_t i = 0; s->channels[i]; i++) {
		snprintf(sql, sizeof(sql), "LISTEN %s", s->channels[i]);
		enum ta_rc rc = db_exec(s->db, sql, err);
		if (rc)
			return rc;
	}
	return TA_OK;
}

static enum ta_rc cancelled(struct ta_err *err)
{
	return ta_fail(err, TA_CANCELLED, "told to stop");
}

/* One try: connected, allowed to write, schema right, lock asked for. */
static enum ta_rc prepare(struct stage *s, bool *got, struct ta_err *err)
{
	enum ta_rc rc = s->db ? db_reopen(s->db, err)
			      : db_open(s->role->database, s->role->name, &s->db, err);
	if (!rc)
		rc = db_check_writer(s->db, err);
	if (!rc)
		rc = migrate_check(s->db, err);
	if (!rc)
		rc = db_try_lock(s->db, s->lock_class, s->lock_key, got, err);
	return rc;
}

static enum ta_rc acquire(struct stage *s, struct ta_err *err)
{
	int wait_ms = 100;
	bool got = false, said = false;
	for (;;) {
		if (role_stopping())
			return cancelled(err);
		struct ta_err e;
		enum ta_rc rc = got || (s->db && !db_lost(s->db))
					? db_try_lock(s->db, s->lock_class, s->lock_key, &got, &e)
					: prepare(s, &got, &e);
		if (rc == TA_CONFIG) {
			*err = e;
			return rc;
		}
		if (rc) {
			log_warn("%s", e.msg);
			wait_ms = wait_ms < 2000 ? wait_ms * 2 : 2000;
		} else if (got) {
			return listen_all(s, err);
		} else {
			if (!said)
				log_info("standing by: another process holds this stage");
			said = true;
			stage_beat(s, false, "{}");
			wait_ms = 500;
		}
		pause_ms(wait_ms);
	}
}

enum ta_rc stage_open(struct stage *s, const struct role *role, int32_t lock_class,
	int32_t lock_key, const char *const *channels, struct ta_err *err)
{
	char host[64] = "localhost";
	*s = (struct stage){
		.role = role, .lock_class = lock_class, .lock_key = lock_key, .clock_fd = -1};
	for (size_t i = 0; channels && channels[i]; i++) {
		TA_ASSERT(i + 1 < TA_COUNT(s->channels));
		s->channels[i] = channels[i];
	}
	(void)gethostname(host, sizeof(host) - 1);
	snprintf(s->instance, sizeof(s->instance), "%s:%d", host, (int)getpid());
	if (clock_file()) {
		s->clock_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		if (s->clock_fd < 0 || inotify_add_watch(s->clock_fd, clock_file(),
					       IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB) < 0)
			return ta_fail_os(err, "cannot watch the clock file %s", clock_file());
	}
	return acquire(s, err);
}

enum ta_rc stage_reopen(struct stage *s, struct ta_err *err)
{
	log_warn("the database connection is lost; connecting again");
	return acquire(s, err);
}

void stage_close(struct stage *s)
{
	db_close(s->db);
	s->db = NULL;
	if (s->clock_fd >= 0)
		close(s->clock_fd);
	s->clock_fd = -1;
}

int stage_socket(const struct stage *s)
{
	return PQsocket(db_pg(s->db));
}

unsigned stage_drain(struct stage *s)
{
	unsigned woke = 0;
	PGnotify *n;
	if (!PQconsumeInput(db_pg(s->db)))
		woke |= WOKE_LOST;
	while ((n = PQnotifies(db_pg(s->db)))) {
		woke |= WOKE_NOTIFY;
		for (size_t i = 0; s->channels[i]; i++)
			if (strcmp(s->channels[i], n->relname) == 0)
				s->heard |= 1u << i;
		PQfreemem(n);
	}
	return woke;
}

static bool drain_clock(struct stage *s)
{
	char events[1024];
	bool any = false;
	while (read(s->clock_fd, events, sizeof(events)) > 0)
		any = true;
	return any;
}

unsigned stage_wait(struct stage *s, int timeout_ms)
{
	struct pollfd p[3] = {{.fd = role_stop_fd(), .events = POLLIN},
		{.fd = stage_socket(s), .events = POLLIN}, {.fd = s->clock_fd, .events = POLLIN}};
	unsigned woke = stage_drain(s); /* what arrived with an earlier answer */
	int n = woke ? 0 : poll(p, 3, timeout_ms);
	if (role_stopping())
		woke |= WOKE_STOP;
	if (n > 0 && p[1].revents)
		woke |= stage_drain(s);
	if (n > 0 && p[2].revents && drain_clock(s))
		woke |= WOKE_CLOCK;
	return woke ? woke : WOKE_TIME;
}

void stage_beat(struct stage *s, bool active, const char *detail)
{
	int64_t now = clock_mono_us();
	struct ta_err err;
	if (s->beat_mono_us && s->beat_active == active && now - s->beat_mono_us < US_PER_S)
		return;
	s->beat_mono_us = now;
	s->beat_active = active;
	struct db_args a = DB_ARGS_INIT;
	db_arg_text(&a, s->role->name);
	db_arg_text(&a, s->instance);
	db_arg_i32(&a, (int32_t)getpid());
	db_arg_i64(&a, clock_now_us());
	db_arg_bool(&a, active);
	db_arg_text(&a, detail);
	if (db_query(s->db,
		    "INSERT INTO heartbeat VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (role, "
		    "instance) DO UPDATE SET pid = $3, at_us = $4, active = $5, detail = $6",
		    &a, NULL, &err))
		log_warn("heartbeat: %s", err.msg);
	db_args_release(&a);
}

enum ta_rc stage_notify(struct db *db, const char *channel, const char *payload, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_text(&a, channel);
	db_arg_text(&a, payload);
	return db_run(db, "SELECT pg_notify($1, $2)", &a, err);
}

enum ta_rc cursor_get(struct db *db, const char *stage, int64_t *pos, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	PGresult *r = NULL;
	db_arg_text(&a, stage);
	enum ta_rc rc = db_query(db,
		"SELECT pos FROM curlog WHERE stage = $1 ORDER BY pos DESC LIMIT 1", &a, &r, err);
	if (!rc)
		*pos = db_rows(r) ? db_i64(r, 0, 0) : 0;
	PQclear(r);
	db_args_release(&a);
	return rc;
}

enum ta_rc cursor_put(struct db *db, const char *stage, int64_t pos, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_text(&a, stage);
	db_arg_i64(&a, pos);
	return db_run(db, "INSERT INTO curlog VALUES ($1, $2)", &a, err);
}

enum ta_rc cursor_prune(struct db *db, const char *stage, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_text(&a, stage);
	return db_run(db,
		"DELETE FROM curlog WHERE stage = $1 AND pos < (SELECT max(pos) FROM curlog "
		"WHERE stage = $1)",
		&a, err);
}
