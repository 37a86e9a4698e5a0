#include "src/cmd_table.h"

#include "db/audit.h"
#include "db/conn.h"
#include "db/secret.h"
#include "db/table.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_out.h"
#include "src/cmd_pixel.h"
#include "src/cmd_rule_stat.h"
#include "src/opt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 32
#define LINES_MAX  ((size_t)64 << 10)

/* One command line: the options that were given, per field. */
struct line {
	const struct table *table;
	struct arena mem;
	const char *values[FIELDS_MAX]; /* by field, NULL: not given */
	const char *store;              /* list --store */
	const char *note;               /* of a table that keeps none: for the audit log */
	const char *told;               /* heading of what lists and shows add, NULL nothing */
	struct rule_stats stats;        /* of rules */
	struct cmd_circuits circuits;   /* of pixels */
	long version;
	bool json;
	int argc;
	char **argv;
};

static enum ta_rc cmd_secret(const char *given, const char *option, struct arena *a,
	const char **out, struct ta_err *err)
{
	char text[SECRET_MAX + 2];
	if (given[0] != '@' && strcmp(given, "-") != 0) {
		fprintf(stderr,
			"trackai: --%s was given on the command line, where others can read it; "
			"prefer @FILE or - (standard input)\n",
			option);
		*out = given;
		return TA_OK;
	}
	FILE *f = given[0] == '@' ? fopen(given + 1, "re") : stdin;
	if (!f)
		return ta_fail_os(err, "--%s: cannot read %.120s", option, given + 1);
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	bool broken = ferror(f) != 0;
	if (f != stdin)
		fclose(f);
	if (broken)
		return ta_fail_os(err, "--%s: cannot read the secret", option);
	if (n > SECRET_MAX)
		return ta_fail(
			err, TA_INVALID, "--%s: a secret has at most %d bytes", option, SECRET_MAX);
	while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	if (memchr(text, '\0', n))
		return ta_fail(err, TA_INVALID, "--%s: a secret holds no NUL byte", option);
	*out = arena_strndup(a, text, n);
	return TA_OK;
}

static enum ta_rc cmd_lines(const char *given, const char *option, struct arena *a,
	const char **out, struct ta_err *err)
{
	*out = given;
	if (given[0] != '@')
		return TA_OK;
	FILE *f = fopen(given + 1, "re");
	if (!f)
		return ta_fail_os(err, "--%s: cannot read %.120s", option, given + 1);
	char *text = arena_alloc(a, LINES_MAX + 1);
	size_t n = fread(text, 1, LINES_MAX, f);
	bool broken = ferror(f) != 0, more = !broken && n == LINES_MAX;
	fclose(f);
	if (broken)
		return ta_fail_os(err, "--%s: cannot read %.120s", option, given + 1);
	if (more)
		return ta_fail(err, TA_INVALID, "--%s: %.120s is larger than %zu bytes", option,
			given + 1, LINES_MAX - 1);
	while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	text[n] = '\0';
	*out = text;
	return TA_OK;
}

const char *cmd_option_name(struct arena *a, const struct ta_field *f)
{
	char *s = arena_strdup(a, f->name);
	for (char *p = s; *p; p++)
		if (*p == '_')
			*p = '-';
	return s;
}

enum ta_rc cmd_field(
	const struct ta_field *f, struct arena *a, const char **value, struct ta_err *err)
{
	if (!*value || !**value)
		return TA_OK;
	if (f->flags & FIELD_SECRET)
		return cmd_secret(*value, cmd_option_name(a, f), a, value, err);
	if (f->flags & FIELD_LINES)
		return cmd_lines(*value, cmd_option_name(a, f), a, value, err);
	return TA_OK;
}

/* The fields as options: those that may be given, when `edit`; else --store of lists. */
static enum ta_rc parse(struct line *l, bool edit, struct ta_err *err)
{
	struct opt opts[FIELDS_MAX + 5] = {{0}};
	const struct table *t = l->table;
	size_t n = 0;
	TA_ASSERT(t->nfields <= FIELDS_MAX);
	for (size_t i = 0; edit && i < t->nfields; i++)
		if (!(t->fields[i].flags & FIELD_READONLY))
			opts[n++] = (struct opt){cmd_option_name(&l->mem, &t->fields[i]),
				t->fields[i].type == FIELD_BOOL ? OPT_YES : OPT_STR, &l->values[i],
				t->fields[i].help};
	if (!edit)
		opts[n++] = (struct opt){"store", OPT_STR, &l->store, "only of this store"};
	if (edit)
		opts[n++] = (struct opt){"version", OPT_INT, &l->version, "the version looked at"};
	if (edit && field_index(t->fields, t->nfields, "note") < 0)
		opts[n++] = (struct opt){"note", OPT_STR, &l->note, "why, for the history"};
	opts[n++] = (struct opt){"json", OPT_FLAG, &l->json, "one JSON value"};
	enum ta_rc rc = opt_parse(&l->argc, l->argv, opts, err);
	for (size_t i = 0; !rc && i < t->nfields; i++)
		rc = cmd_field(&t->fields[i], &l->mem, &l->values[i], err);
	return rc;
}

static enum ta_rc extra(const struct line *l, int want, struct ta_err *err)
{
	if (l->argc > want)
		return ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many; see trackai help %s",
			l->argv[want], l->table->word);
	return TA_OK;
}

enum ta_rc cmd_table_row(struct db *db, const struct table *t, const char *which, struct arena *a,
	struct table_row *out, struct ta_err *err)
{
	if (!which) {
		(void)ta_fail(err, TA_USAGE,
			"which %s? Give its name or id; trackai %s list shows them", t->word,
			t->word);
		return TA_USAGE;
	}
	return table_find(db, t, which, a, out, err);
}

static const char *shown(const struct ta_field *f, const char *v, char at[32])
{
	if (!v || f->type != FIELD_TIME)
		return v;
	clock_format(strtoll(v, NULL, 10), at);
	return at;
}

/* What rules did is told with them, and how the circuits of pixels are. */
static enum ta_rc add_told(struct db *db, struct line *l, struct ta_err *err)
{
	if (l->table == &table_rule) {
		l->told = "last 24 h";
		return cmd_rule_stats(db, &l->mem, &l->stats, err);
	}
	if (l->table == &table_pixel) {
		l->told = "circuit";
		return cmd_circuits(db, &l->mem, &l->circuits, err);
	}
	return TA_OK;
}

static json_t *row_json(const struct line *l, const struct table_row *row)
{
	json_t *o = table_json(l->table, row);
	if (l->table == &table_rule)
		json_object_set_new(o, "last_24h", cmd_rule_stat_json(&l->stats, row->id));
	if (l->table == &table_pixel)
		json_object_set_new(o, "circuit", cmd_circuit_json(&l->circuits, row->id));
	return o;
}

static void told_cell(const struct line *l, struct out_table *o, const struct table_row *row)
{
	struct buf b = BUF_INIT(1000);
	if (l->table == &table_rule)
		cmd_rule_stat_text(&b, &l->stats, row->id);
	else
		cmd_circuit_text(&l->circuits, row->id, &b);
	out_cell(o, buf_str(&b));
	buf_release(&b);
}

static enum ta_rc run_list(struct db *db, struct line *l, struct ta_err *err)
{
	const struct table *t = l->table;
	struct table_rows rows;
	enum ta_rc rc = table_list(db, t, l->store, &l->mem, &rows, err);
	if (!rc)
		rc = add_told(db, l, err);
	if (rc)
		return rc;
	if (l->json) {
		json_t *all = json_array();
		for (size_t i = 0; i < rows.n; i++)
			json_array_append_new(all, row_json(l, &rows.rows[i]));
		out_json(all);
		return TA_OK;
	}
	struct out_table o = {0};
	out_head(&o, "id");
	for (size_t f = 0; f < t->nfields; f++)
		if (!(t->fields[f].flags & FIELD_WIDE))
			out_head(&o, t->fields[f].name);
	if (l->told)
		out_head(&o, l->told);
	for (size_t i = 0; i < rows.n; i++) {
		out_cellf(&o, "%lld", (long long)rows.rows[i].id);
		for (size_t f = 0; f < t->nfields; f++) {
			char at[32];
			if (!(t->fields[f].flags & FIELD_WIDE))
				out_cell(&o, shown(&t->fields[f], rows.rows[i].v[f], at));
		}
		if (l->told)
			told_cell(l, &o, &rows.rows[i]);
	}
	out_print(&o);
	return TA_OK;
}

static void print_row(const struct line *l, const struct table_row *row)
{
	const struct table *t = l->table;
	if (l->json) {
		out_json(row_json(l, row));
		return;
	}
	struct out_table o = {0};
	out_head(&o, t->word);
	out_head(&o, "");
	out_cell(&o, "id");
	out_cellf(&o, "%lld", (long long)row->id);
	for (size_t f = 0; f < t->nfields; f++) {
		char at[32];
		out_cell(&o, t->fields[f].name);
		out_cell(&o, shown(&t->fields[f], row->v[f], at));
	}
	if (l->told) {
		out_cell(&o, l->told);
		told_cell(l, &o, row);
	}
	out_print(&o);
}

static enum ta_rc run_show(struct db *db, struct line *l, struct ta_err *err)
{
	struct table_row row;
	enum ta_rc rc = cmd_table_row(db, l->table, l->argv[2], &l->mem, &row, err);
	if (!rc)
		rc = add_told(db, l, err);
	if (!rc)
		print_row(l, &row);
	return rc;
}

static struct table_edit edit_of(struct line *l)
{
	int note = field_index(l->table->fields, l->table->nfields, "note");
	return (struct table_edit){.mem = &l->mem,
		.actor = audit_actor(),
		.note = note >= 0 ? l->values[note] : l->note,
		.version = (int)l->version,
		.v = l->values};
}

/* After a change: the row as it now is, or with a revealed key {"id","key"}. */
static enum ta_rc report(struct db *db, struct line *l, const struct table_edit *e,
	const char *done, struct ta_err *err)
{
	char id[24];
	struct table_row row;
	if (e->reveal && l->json) {
		out_json(json_pack("{s:o, s:s}", "id", out_id(e->id), "key", e->reveal));
		return TA_OK;
	}
	if (e->reveal) {
		printf("%s\n", e->reveal);
		fprintf(stderr, "trackai: key %lld; write it down, only its hash is stored\n",
			(long long)e->id);
		return TA_OK;
	}
	snprintf(id, sizeof(id), "%lld", (long long)e->id);
	enum ta_rc rc = table_find(db, l->table, id, &l->mem, &row, err);
	if (!rc && l->json)
		out_json(table_json(l->table, &row));
	else if (!rc)
		printf("%s %s %s\n", l->table->word, id, done);
	return rc;
}

static enum ta_rc run_add(struct db *db, struct line *l, struct ta_err *err)
{
	struct table_edit e = edit_of(l);
	enum ta_rc rc = extra(l, 2, err);
	if (!rc)
		rc = table_add(db, l->table, &e, err);
	return rc ? rc : report(db, l, &e, "added", err);
}

/* The edit of the row that the line names. */
static enum ta_rc edit_named(
	struct db *db, struct line *l, struct table_edit *e, struct ta_err *err)
{
	struct table_row row;
	*e = edit_of(l);
	enum ta_rc rc = cmd_table_row(db, l->table, l->argv[2], &l->mem, &row, err);
	if (rc)
		return rc;
	e->id = row.id;
	return extra(l, 3, err);
}

static enum ta_rc run_set(struct db *db, struct line *l, struct ta_err *err)
{
	struct table_edit e;
	enum ta_rc rc = edit_named(db, l, &e, err);
	if (!rc)
		rc = table_set(db, l->table, &e, err);
	return rc ? rc : report(db, l, &e, "changed", err);
}

static enum ta_rc run_remove(struct db *db, struct line *l, struct ta_err *err)
{
	struct table_edit e;
	enum ta_rc rc = edit_named(db, l, &e, err);
	if (!rc)
		rc = table_remove(db, l->table, &e, err);
	if (!rc && l->json)
		out_json(json_pack("{s:o}", "id", out_id(e.id)));
	else if (!rc)
		printf("%s %lld %s%s\n", l->table->word, (long long)e.id, l->table->remove_word,
			l->table->remove_word[strlen(l->table->remove_word) - 1] == 'e' ? "d"
											: "ed");
	return rc;
}

static const struct {
	const char *verb;
	bool edit;
	enum ta_rc (*run)(struct db *db, struct line *l, struct ta_err *err);
} verbs[] = {
	{"add", true, run_add},
	{"list", false, run_list},
	{"show", false, run_show},
	{"set", true, run_set},
};

int cmd_table(int argc, char **argv)
{
	struct line l = {.table = table_get(argv[0]), .argc = argc, .argv = argv};
	struct ta_err err = {0};
	struct db *db = NULL;
	TA_ASSERT(l.table);
	bool edit = false;
	enum ta_rc (*run)(struct db *, struct line *, struct ta_err *) = NULL;
	for (size_t i = 0; argc > 1 && i < TA_COUNT(verbs); i++)
		if (strcmp(verbs[i].verb, argv[1]) == 0) {
			run = verbs[i].run;
			edit = verbs[i].edit;
		}
	if (argc > 1 && strcmp(argv[1], l.table->remove_word) == 0)
		run = run_remove;
	if (!run)
		return -1;
	enum ta_rc rc = parse(&l, edit, &err);
	if (!rc)
		rc = cmd_db_ready(argv[0], &db, &err);
	if (!rc)
		rc = run(db, &l, &err);
	int status = rc ? cmd_fail(argv[0], &err) : 0;
	db_close(db);
	arena_release(&l.mem);
	return status;
}
