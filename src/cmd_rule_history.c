/* trackai rule history, trackai rule rollback: what rules said before, and back to it. */
#include "db/audit.h"
#include "db/conn.h"
#include "db/rule_history.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_out.h"
#include "src/cmd_rule.h"
#include "src/opt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIFF_MAX (4u << 20)

static const char *value(const struct table_row *row, const char *field)
{
	const char *v = row->v[field_index(table_rule.fields, table_rule.nfields, field)];
	return v ? v : "";
}

/* The version before the nth of its rule, NULL for the first. */
static const struct table_row *previous(const struct rule_versions *all, size_t n)
{
	bool same = n + 1 < all->n && all->v[n + 1].row.id == all->v[n].row.id;
	return same ? &all->v[n + 1].row : NULL;
}

static json_t *text_or_null(const char *s)
{
	return s ? json_string(s) : json_null();
}

static json_t *version_json(const struct rule_versions *all, size_t n)
{
	const struct rule_version *v = &all->v[n];
	const struct table_row *before = previous(all, n);
	json_t *o = table_json(&table_rule, &v->row), *changes = json_object();
	for (size_t f = 0; f < table_rule.nfields; f++)
		if (rule_field_differs(f, before, &v->row))
			json_object_set_new(changes, table_rule.fields[f].name,
				json_pack("[o, o]", text_or_null(before ? before->v[f] : NULL),
					text_or_null(v->row.v[f])));
	json_object_set_new(o, "from_rev", out_id(v->from_rev));
	json_object_set_new(o, "to_rev", v->to_rev ? out_id(v->to_rev) : json_null());
	json_object_set_new(o, "current", json_boolean(!v->to_rev));
	json_object_set_new(o, "deleted", json_boolean(v->deleted));
	json_object_set_new(o, "changes", changes);
	return o;
}

static void print_versions(const struct rule_versions *all)
{
	struct buf b = BUF_INIT(DIFF_MAX);
	for (size_t i = 0; i < all->n; i++) {
		const struct rule_version *v = &all->v[i];
		char at[32];
		struct buf diff = BUF_INIT(DIFF_MAX);
		clock_format(strtoll(value(&v->row, "created"), NULL, 10), at);
		if (i == 0 || all->v[i - 1].row.id != v->row.id) {
			buf_addf(&b, "%srule %lld (", i ? "\n" : "", (long long)v->row.id);
			out_clean(&b, value(&v->row, "name"));
			buf_addf(&b, ")%s\n", v->deleted ? " deleted" : "");
		}
		buf_addf(&b, "version %d  %s  ", v->row.version, at);
		out_clean(&b, value(&v->row, "author"));
		buf_addf(&b, "  revision %lld%s\n", (long long)v->from_rev,
			v->to_rev ? "" : "  in force");
		const struct table_row *before = previous(all, i);
		if (*value(&v->row, "note") &&
			(!before || strcmp(value(before, "note"), value(&v->row, "note")) != 0)) {
			buf_adds(&b, "  ");
			out_clean(&b, value(&v->row, "note"));
			buf_addc(&b, '\n');
		}
		rule_diff(&diff, before, &v->row, "  ");
		for (char *line = diff.p, *end; line && *line; line = end + 1) {
			end = strchr(line, '\n');
			*end = '\0';
			out_clean(&b, line);
			buf_addc(&b, '\n');
		}
		buf_release(&diff);
	}
	fputs(buf_str(&b), stdout);
	if (b.over)
		fputs("(cut: too long to show; name one rule)\n", stderr);
	buf_release(&b);
}

int cmd_rule_history(int argc, char **argv)
{
	bool json = false;
	int64_t id = 0;
	struct db *db = NULL;
	struct ta_err err = {0};
	struct arena mem = ARENA_INIT;
	struct rule_versions all = {0};
	const struct opt opts[] = {{"json", OPT_FLAG, &json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && argc > 3)
		rc = ta_fail(&err, TA_USAGE, "\"%.40s\" is one word too many", argv[3]);
	if (!rc)
		rc = cmd_db_ready("rule", &db, &err);
	if (!rc && argc > 2)
		rc = rule_history_id(db, argv[2], &id, &err);
	if (!rc)
		rc = rule_versions(db, id, &mem, &all, &err);
	if (!rc && json) {
		json_t *list = json_array();
		for (size_t i = 0; i < all.n; i++)
			json_array_append_new(list, version_json(&all, i));
		out_json(list);
	} else if (!rc) {
		print_versions(&all);
	}
	int status = rc ? cmd_fail("rule history", &err) : 0;
	db_close(db);
	arena_release(&mem);
	return status;
}

static enum ta_rc report(struct db *db, const struct rule_back *back, bool json, struct ta_err *err)
{
	struct rule_versions all = {0};
	enum ta_rc rc = rule_versions(db, back->id, back->mem, &all, err);
	if (rc)
		return rc;
	if (json)
		out_json(version_json(&all, 0));
	else
		printf("rule %lld is at version %d, which says what version %d said\n",
			(long long)back->id, all.v[0].row.version, back->to);
	return TA_OK;
}

int cmd_rule_rollback(int argc, char **argv)
{
	bool json = false;
	long to = 0;
	struct db *db = NULL;
	struct ta_err err = {0};
	struct arena mem = ARENA_INIT;
	struct rule_back back = {.mem = &mem, .actor = audit_actor()};
	const struct opt opts[] = {{"to", OPT_INT, &to, "the version to go back to"},
		{"note", OPT_STR, &back.note, "why"}, {"json", OPT_FLAG, &json, "one JSON value"},
		{0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && (argc != 3 || to < 1 || to > INT32_MAX))
		rc = ta_fail(&err, TA_USAGE,
			"say which rule and version: trackai rule rollback ID --to VERSION");
	if (!rc)
		rc = cmd_db_ready("rule", &db, &err);
	if (!rc)
		rc = rule_history_id(db, argv[2], &back.id, &err);
	back.to = (int)to;
	if (!rc)
		rc = rule_rollback(db, &back, &err);
	if (!rc)
		rc = report(db, &back, json, &err);
	int status = rc ? cmd_fail("rule rollback", &err) : 0;
	db_close(db);
	arena_release(&mem);
	return status;
}
