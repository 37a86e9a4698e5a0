/* trackai status: what runs, where, and how it feels. */
#include "db/cluster.h"
#include "db/conn.h"
#include "db/pull.h"
#include "src/arena.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_out.h"
#include "src/cmd_up.h"
#include "src/conf.h"
#include "src/opt.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SILENT_US (5 * US_PER_S) /* roles beat once a second */

struct status {
	bool private, reachable, answers;
	pid_t server, supervisor;
	char version[40], trouble[240];
	PGresult *beats; /* role, instance, pid, at_us, active, detail */
	struct arena mem;
	struct pull_row *pulls;
	size_t npulls;
};

static enum ta_rc look_private(struct status *s, struct ta_err *err)
{
	struct cluster c;
	enum ta_rc rc = cluster_at(&c, conf_data_dir(), err);
	s->private = true;
	if (!rc) {
		s->server = cluster_pid(&c);
		s->supervisor = up_supervisor(conf_data_dir());
	}
	return rc;
}

/* Beats of the last hour: what is older belongs to processes long gone. */
static enum ta_rc read_beats(struct status *s, struct db *db, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, clock_now_us() - 3600 * US_PER_S);
	enum ta_rc rc = db_query(db,
		"SELECT role, instance, pid, at_us, active, detail FROM heartbeat WHERE at_us > $1 "
		"ORDER BY role, active DESC, instance LIMIT 200",
		&a, &s->beats, err);
	db_args_release(&a);
	return rc;
}

static void look_database(struct status *s)
{
	struct ta_err err = {0};
	struct db *db = NULL;
	if (cmd_db_open("status", &db, &err)) {
		snprintf(s->trouble, sizeof(s->trouble), "%s", err.msg);
		return;
	}
	s->reachable = true;
	const char *version = PQparameterStatus(db_pg(db), "server_version");
	snprintf(s->version, sizeof(s->version), "%.39s", version ? version : "?");
	s->version[strcspn(s->version, " ")] = '\0';
	if (read_beats(s, db, &err) || pull_rows(db, &s->mem, &s->pulls, &s->npulls, &err))
		snprintf(s->trouble, sizeof(s->trouble), "%s", err.msg);
	db_close(db);
}

/* Who runs the roles: under root they run as the user that ./run makes. */
static const char *user_name(void)
{
	const struct passwd *pw = geteuid() ? getpwuid(geteuid()) : NULL;
	return geteuid() == 0 ? "trackai" : pw ? pw->pw_name : "?";
}

static void print_roles(const struct status *s)
{
	struct out_table t = {0};
	static const char *const heads[] = {"role", "instance", "pid", "state", "last beat"};
	for (size_t i = 0; i < TA_COUNT(heads); i++)
		out_head(&t, heads[i]);
	for (int i = 0; i < db_rows(s->beats); i++) {
		int64_t age = clock_now_us() - db_i64(s->beats, i, 3);
		out_cell(&t, db_text(s->beats, i, 0));
		out_cell(&t, db_text(s->beats, i, 1));
		out_cellf(&t, "%lld", (long long)db_i64(s->beats, i, 2));
		out_cell(&t, age > SILENT_US           ? "silent"
			     : db_bool(s->beats, i, 4) ? "active"
						       : "standing by");
		out_cellf(&t, "%lld s ago", (long long)TA_MAX(age / US_PER_S, 0));
	}
	out_print(&t);
}

static void print_pulls(const struct status *s)
{
	struct out_table t = {0};
	static const char *const heads[] = {"job", "last run", "state", "outcome"};
	for (size_t i = 0; i < TA_COUNT(heads); i++)
		out_head(&t, heads[i]);
	for (size_t i = 0; i < s->npulls; i++) {
		const struct pull_row *p = &s->pulls[i];
		out_cell(&t, p->job);
		out_cellf(&t, "%lld s ago",
			(long long)TA_MAX((clock_now_us() - p->ended_us) / US_PER_S, 0));
		out_cell(&t, p->failures ? "failing" : "ok");
		out_cell(&t, *p->outcome ? p->outcome : "-");
	}
	out_print(&t);
}

static void print_people(const struct status *s)
{
	if (s->private && s->server)
		printf("database  private, %s%s, pid %d, %s/sock\n",
			s->reachable ? "PostgreSQL " : "not reachable", s->version, (int)s->server,
			conf_data_dir());
	else if (s->private)
		printf("database  private, not running in %s; `trackai up` starts it\n",
			conf_data_dir());
	else
		printf("database  named by %s, %s %s\n",
			*conf_get(CONF_DATABASE) ? conf_origin(CONF_DATABASE) : "PG*",
			s->reachable ? "PostgreSQL" : "not reachable", s->version);
	if (s->supervisor)
		printf("serve     in the background, pid %d; `trackai down` stops it\n",
			(int)s->supervisor);
	else if (s->private)
		puts("serve     not running in the background");
	printf("listener  http://%s %s\n", conf_get(CONF_LISTEN),
		s->answers ? "answers" : "does not answer");
	printf("log       %s/log/trackai.log\n", conf_data_dir());
	if (*s->trouble)
		printf("trouble   %s\n", s->trouble);
	if (s->private)
		printf("note      all roles run as the Unix user %s: no separation between them is "
		       "claimed\n",
			user_name());
	if (s->beats && db_rows(s->beats)) {
		putchar('\n');
		print_roles(s);
	}
	if (s->npulls) {
		putchar('\n');
		print_pulls(s);
	}
}

static json_t *pulls_json(const struct status *s)
{
	json_t *all = json_array();
	for (size_t i = 0; i < s->npulls; i++) {
		const struct pull_row *p = &s->pulls[i];
		json_array_append_new(
			all, json_pack("{s:s, s:o, s:o, s:o, s:i, s:o}", "job", p->job, "begun",
				     out_time(p->begun_us), "ended", out_time(p->ended_us), "due",
				     out_time(p->due_us), "failures", (int)p->failures, "outcome",
				     out_text(p->outcome, strlen(p->outcome))));
	}
	return all;
}

static json_t *roles_json(const struct status *s)
{
	json_t *all = json_array();
	for (int i = 0; s->beats && i < db_rows(s->beats); i++) {
		int64_t at = db_i64(s->beats, i, 3), age = clock_now_us() - at;
		json_t *detail = json_loads(db_text(s->beats, i, 5), 0, NULL);
		json_array_append_new(
			all, json_pack("{s:s, s:s, s:I, s:b, s:b, s:o, s:o}", "role",
				     db_text(s->beats, i, 0), "instance", db_text(s->beats, i, 1),
				     "pid", (json_int_t)db_i64(s->beats, i, 2), "active",
				     db_bool(s->beats, i, 4), "silent", age > SILENT_US, "at",
				     out_time(at), "detail", detail ? detail : json_null()));
	}
	return all;
}

static void print_json(const struct status *s)
{
	json_t *database = json_pack("{s:b, s:b, s:s, s:i}", "private", s->private, "reachable",
		s->reachable, "version", s->version, "pid", (int)s->server);
	out_json(json_pack("{s:o, s:{s:i}, s:{s:s, s:b}, s:o, s:o, s:b, s:s}", "database", database,
		"serve", "pid", (int)s->supervisor, "listener", "address", conf_get(CONF_LISTEN),
		"answers", s->answers, "roles", roles_json(s), "pulls", pulls_json(s), "separation",
		false, "trouble", s->trouble));
}

int cmd_status(int argc, char **argv)
{
	bool json = false;
	struct ta_err err = {0};
	struct status s = {0};
	const struct opt opts[] = {{"json", OPT_FLAG, &json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && argc > 1)
		rc = ta_fail(&err, TA_USAGE, "\"%.40s\" is one word too many", argv[1]);
	if (!rc && !conf_has_database())
		rc = look_private(&s, &err);
	if (rc)
		return cmd_fail("status", &err);
	if (!s.private || s.server)
		look_database(&s);
	s.answers = up_answers(conf_get(CONF_LISTEN));
	if (json)
		print_json(&s);
	else
		print_people(&s);
	PQclear(s.beats);
	arena_release(&s.mem);
	if (s.private && !s.server && !s.supervisor)
		return ta_rc_exit(TA_NOTFOUND);
	return s.reachable ? 0 : ta_rc_exit(TA_DB);
}
