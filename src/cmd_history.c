#include "src/cmd_history.h"

#include "db/audit.h"
#include "db/conn.h"
#include "db/history.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_out.h"
#include "src/cmd_table.h"
#include "src/opt.h"

#include <stdio.h>
#include <string.h>

/* One command line. */
struct line {
	const struct table *table;
	const char *which, *note;
	long to;
	bool json;
	struct arena mem;
};

static const struct table_row *before(const struct row_versions *all, size_t i)
{
	return i + 1 < all->n ? &all->v[i + 1].row : NULL;
}

static json_t *text_or_null(const char *s)
{
	return s ? json_string(s) : json_null();
}

/* {"field":[old,new]}; a new secret is ["set","set"] or [null,"set"], its values nobody sees. */
static json_t *changes(const struct table *t, const struct row_versions *all, size_t i)
{
	const struct table_row *old = before(all, i), *now = &all->v[i].row;
	json_t *o = json_object();
	for (size_t f = 0; f < t->nfields && (old || all->first); f++) {
		bool secret = all->v[i].secrets >> f & 1;
		if (secret || history_differs(t, f, old, now))
			json_object_set_new(o, t->fields[f].name,
				json_pack("[o, o]", text_or_null(old ? old->v[f] : NULL),
					secret ? json_string("set") : text_or_null(now->v[f])));
	}
	return o;
}

static json_t *version_json(const struct table *t, const struct row_versions *all, size_t i)
{
	const struct row_version *v = &all->v[i];
	json_t *o = table_json(t, &v->row);
	json_object_set_new(o, "author", v->at_us ? json_string(v->actor) : json_null());
	json_object_set_new(o, "at", out_time(v->at_us));
	json_object_set_new(o, "note", text_or_null(*v->note ? v->note : NULL));
	json_object_set_new(o, "current", json_boolean(v->now));
	json_object_set_new(o, "changes", changes(t, all, i));
	return o;
}

static void print_side(char sign, const char *field, const char *value)
{
	struct buf b = BUF_INIT(1u << 20);
	out_clean(&b, value);
	printf("  %c %s: %s\n", sign, field, buf_str(&b));
	buf_release(&b);
}

static void print_version(const struct table *t, const struct row_versions *all, size_t i)
{
	const struct row_version *v = &all->v[i];
	const struct table_row *old = before(all, i);
	struct buf b = BUF_INIT(1u << 16);
	char at[32] = "before that";
	if (v->at_us)
		clock_format(v->at_us, at);
	out_clean(&b, v->actor);
	printf("version %d  %s  %s%s\n", v->row.version, at, buf_str(&b),
		v->now ? "  in force" : "");
	buf_clear(&b);
	out_clean(&b, v->note);
	if (b.len)
		printf("  %s\n", buf_str(&b));
	buf_release(&b);
	for (size_t f = 0; f < t->nfields && (old || all->first); f++) {
		const char *name = t->fields[f].name;
		if (v->secrets >> f & 1)
			print_side('+', name, "a new secret");
		else if (history_differs(t, f, old, &v->row)) {
			if (old && old->v[f])
				print_side('-', name, old->v[f]);
			if (v->row.v[f])
				print_side('+', name, v->row.v[f]);
		}
	}
}

static enum ta_rc show(struct db *db, struct line *l, int64_t id, struct ta_err *err)
{
	struct row_versions all;
	enum ta_rc rc = history_read(db, l->table, id, &l->mem, &all, err);
	if (rc)
		return rc;
	json_t *list = l->json ? json_array() : NULL;
	for (size_t i = 0; i < all.n; i++) {
		if (list)
			json_array_append_new(list, version_json(l->table, &all, i));
		else
			print_version(l->table, &all, i);
	}
	if (list)
		out_json(list);
	return TA_OK;
}

static enum ta_rc back(struct db *db, struct line *l, int64_t id, struct ta_err *err)
{
	struct row_versions all;
	const struct history_back b = {.mem = &l->mem,
		.actor = audit_actor(),
		.note = l->note,
		.id = id,
		.to = (int)l->to};
	enum ta_rc rc = history_rollback(db, l->table, &b, err);
	if (!rc)
		rc = history_read(db, l->table, id, &l->mem, &all, err);
	if (rc)
		return rc;
	if (l->json)
		out_json(version_json(l->table, &all, 0));
	else
		printf("%s %lld is at version %d, which says what version %ld said\n",
			l->table->word, (long long)id, all.v[0].row.version, l->to);
	return TA_OK;
}

static enum ta_rc parse(struct line *l, bool rollback, int argc, char **argv, struct ta_err *err)
{
	struct opt opts[4] = {{"json", OPT_FLAG, &l->json, "one JSON value"}};
	if (rollback) {
		opts[1] = (struct opt){"to", OPT_INT, &l->to, "the version to go back to"};
		opts[2] = (struct opt){"note", OPT_STR, &l->note, "why"};
	}
	enum ta_rc rc = opt_parse(&argc, argv, opts, err);
	if (!rc && rollback && (argc != 3 || l->to < 1 || l->to > INT32_MAX))
		rc = ta_fail(err, TA_USAGE,
			"say which %s and version: trackai %s rollback NAME --to VERSION",
			l->table->word, l->table->word);
	if (!rc && argc > 3)
		rc = ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many", argv[3]);
	l->which = argc > 2 ? argv[2] : NULL;
	return rc;
}

int cmd_history(int argc, char **argv)
{
	bool rollback = argc > 1 && strcmp(argv[1], "rollback") == 0;
	struct line l = {.table = table_get(argv[0])};
	struct table_row row = {0};
	struct db *db = NULL;
	struct ta_err err = {0};
	char name[60];
	if (argc < 2 || (!rollback && strcmp(argv[1], "history") != 0))
		return -1;
	snprintf(name, sizeof(name), "%s %s", l.table->word, argv[1]);
	enum ta_rc rc = parse(&l, rollback, argc, argv, &err);
	if (!rc)
		rc = cmd_db_ready(l.table->word, &db, &err);
	if (!rc)
		rc = cmd_table_row(db, l.table, l.which, &l.mem, &row, &err);
	if (!rc)
		rc = rollback ? back(db, &l, row.id, &err) : show(db, &l, row.id, &err);
	int status = rc ? cmd_fail(name, &err) : 0;
	db_close(db);
	arena_release(&l.mem);
	return status;
}
